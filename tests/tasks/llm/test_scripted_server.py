"""The scripted server itself: what other tests stand on."""

import base64
import io
import json
import struct
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from PIL import Image
from pydantic import Field, TypeAdapter
from scripted import Reply, ScriptedServer, StartServer, instance_of, question, vector_of

from infra.settings import load_settings
from tasks.llm import open_models

TESTS = Path(__file__).parents[2]


@dataclass
class Part:
    kind: Literal["big", "small"]
    size: Annotated[int, Field(ge=3, lt=9)]


@dataclass
class Whole:
    name: Annotated[str, Field(min_length=30, max_length=40)]
    share: Annotated[float, Field(gt=0, le=1)]
    parts: Annotated[list[Part], Field(min_length=2, max_length=3)]
    note: str | None
    flag: bool


@pytest.mark.parametrize("seed", range(20))
def test_an_instance_is_valid_under_its_schema(seed: int) -> None:
    adapter = TypeAdapter(Whole)
    made = instance_of(adapter.json_schema(), seed)

    adapter.validate_python(made)
    assert made == instance_of(adapter.json_schema(), seed)


def test_as_a_program_it_answers_by_schema_and_logs_what_it_answered(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, str(TESTS / "scripted.py"), "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with open_models(load_settings(home=tmp_path, base_url=url)) as models:
            schema = TypeAdapter(Part).json_schema()
            (answer,) = models.get("generator").ask([question("a", schema=schema)], TypeAdapter(Part).validate_json)

    assert answer.value.size in range(3, 9)
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert line["prompt"] == "a"


def ask(server: ScriptedServer, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body of the response to a request."""
    request = urllib.request.Request(server.url + path, json.dumps(body).encode())
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def user(content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


def test_the_prompt_is_the_text_among_pictures(scripted_server: StartServer) -> None:
    server = scripted_server(lambda prompt, body: prompt)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    body = user([{"type": "text", "text": "What"}, picture, {"type": "text", "text": "is this?"}])

    assert ask(server, "/chat/completions", body)["choices"][0]["message"]["content"] == "What\nis this?"


@pytest.mark.parametrize(("honours_n", "texts"), [(True, ["seed 5", "seed 6", "seed 7"]), (False, ["seed 5"])])
def test_n_choices_are_drawn_with_seeds_that_follow_each_other(
    scripted_server: StartServer, honours_n: bool, texts: list[str]
) -> None:
    server = scripted_server(lambda prompt, body: f"seed {body['seed']}", honours_n=honours_n)
    choices = ask(server, "/chat/completions", user("Draw!") | {"n": 3, "seed": 5})["choices"]

    assert [(choice["index"], choice["message"]["content"]) for choice in choices] == list(enumerate(texts))
    assert len(server.requests) == 1


def test_every_word_has_a_log_probability_where_they_are_asked_for(scripted_server: StartServer) -> None:
    server = scripted_server(lambda prompt, body: "two words")
    (choice,) = ask(server, "/chat/completions", user("Well?") | {"logprobs": True, "top_logprobs": 2})["choices"]

    assert [token["token"] for token in choice["logprobs"]["content"]] == ["two", "words"]
    assert all(token["logprob"] < 0 and len(token["top_logprobs"]) == 2 for token in choice["logprobs"]["content"])


@pytest.mark.parametrize(
    ("given", "usage"),
    [
        ({}, {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
        ({"prompt_tokens": 9}, {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 3}),
        (None, None),
    ],
    ids=["counted", "said", "left out"],
)
def test_usage_is_what_the_reply_makes_of_it(
    scripted_server: StartServer, given: dict[str, int] | None, usage: dict[str, int] | None
) -> None:
    server = scripted_server(lambda prompt, body: Reply("two words", usage=given))

    assert ask(server, "/chat/completions", user("Well?")).get("usage") == usage


def test_a_text_has_one_vector_in_both_encodings(scripted_server: StartServer) -> None:
    server = scripted_server(lambda prompt, body: "")
    many = ask(server, "/embeddings", {"input": ["a", "b"], "dimensions": 3})["data"]
    (packed,) = ask(server, "/embeddings", {"input": "b", "dimensions": 3, "encoding_format": "base64"})["data"]

    assert many[0]["embedding"] == vector_of("a", 3)
    assert many[1]["embedding"] == pytest.approx(struct.unpack("<3f", base64.b64decode(packed["embedding"])))


def test_pictures_are_real(scripted_server: StartServer) -> None:
    server = scripted_server(lambda prompt, body: "")
    data = ask(server, "/images/generations", {"prompt": "a cat", "n": 2})["data"]
    pictures = [base64.b64decode(picture["b64_json"]) for picture in data]

    assert len(set(pictures)) == 2
    assert [Image.open(io.BytesIO(picture)).size for picture in pictures] == [(8, 8), (8, 8)]
