import json
from collections.abc import Callable
from typing import Any

import pytest
from scripted import Reply, schema_of

from catalog.sources.chat_templates import ChatTemplate, chat_templates
from tasks.data_preparation.magpie import Tagged, magpie
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.llm.embedder import Embedder, offline

TEMPLATES = [row for row, _ in chat_templates()]
DEFAULT = "<|im_start|>system\nYou are a helpful AI assistant.<|im_end|>\n"
OPENING, BETWEEN = f"{DEFAULT}<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
REQUESTS = (
    "How do I bake a loaf of rye bread at home?",
    "What makes the leaves of trees turn red in autumn?",
    "Can you explain how a bill becomes a law?",
    "Write a short letter that thanks my neighbour for her help.",
    "Which exercises are good for a stiff neck?",
    "How many seconds are there in three and a half hours?",
    "Please suggest names for a small grey kitten.",
    "Why did the Roman empire build so many roads?",
)


def good(prompt: str, body: dict[str, Any]) -> str:
    """A user's turn where one is opened, by the seed; the middle label; an answer to a request."""
    if (schema := schema_of(body)) is not None:
        labels = schema["properties"]["label"]["enum"]
        return json.dumps({"label": "good" if "good" in labels else labels[2]})
    if prompt.endswith(OPENING):
        return REQUESTS[body["seed"] % len(REQUESTS)]
    return f"Here is what I know about that: {prompt.rpartition(OPENING)[2].removesuffix(BETWEEN)}"


def promised(row: Tagged) -> bool:
    return row.quality in {"average", "good", "excellent"} and row.distance > 0 and row.language == "en"


def made(scripted_llm: Callable[..., LLM], answer: Any = good, **settings: Any) -> tuple[list[Tagged], list[Any]]:
    asked: list[Any] = []
    llm = scripted_llm(lambda prompt, body: asked.append((prompt, body)) or answer(prompt, body))
    return list(magpie(TEMPLATES, llm, llm, offline(), **{"rows": 12} | settings)), asked


def test_the_model_is_given_nothing_but_the_opening_of_a_users_turn(scripted_llm: Callable[..., LLM]) -> None:
    rows, asked = made(scripted_llm)
    openings = [body for prompt, body in asked if prompt == OPENING]
    assert len(openings) == 12
    assert {body["temperature"] for body in openings} == {1.0}
    assert "<|im_end|>" in openings[0]["stop"]
    assert {row.prompt for row in rows} <= set(REQUESTS)
    assert len({row.prompt for row in rows}) == len(rows) > 2
    assert all(map(promised, rows))


def test_the_answer_is_greedy_and_follows_the_request_in_the_template(scripted_llm: Callable[..., LLM]) -> None:
    rows, asked = made(scripted_llm)
    answers = {prompt: body["temperature"] for prompt, body in asked if prompt.endswith(BETWEEN)}
    assert answers == {OPENING + row.prompt + BETWEEN: 0 for row in rows}
    assert rows[0].completion.endswith(rows[0].prompt)


def test_a_domain_is_a_system_message_before_the_turn(scripted_llm: Callable[..., LLM]) -> None:
    _, asked = made(scripted_llm, template="llama-3", domain="math", rows=1)
    assert asked[0][0].startswith("<|start_header_id|>system<|end_header_id|>\n\nYou are a mathematics tutor.")
    assert asked[0][0].endswith("<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n")


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (Reply(REQUESTS[0], finish="length"), "the turn is cut"),
        ("Hello there", "the turn has fewer than three words"),
        ("Please correct this text:", "the turn ends before what it announces"),
        ("go on and on and " * 9, "the turn runs in a circle"),
        ("Wie backe ich zu Hause ein gutes Brot aus Roggenmehl?", "it is in another language"),
    ],
)
def test_what_is_no_whole_request_is_dropped(scripted_llm: Callable[..., LLM], turn: Any, reason: str) -> None:
    with keep(Ledger()) as ledger:
        assert made(scripted_llm, lambda prompt, body: turn, rows=1)[0] == []
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_a_request_of_low_quality_is_not_answered(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        return good(prompt, body).replace('"good"', '"poor"')

    with keep(Ledger()) as ledger:
        rows, asked = made(scripted_llm, answer)
    assert rows == []
    assert not any(prompt.endswith(BETWEEN) for prompt, _ in asked)
    assert "its quality is too low" in {drop.reason for drop in ledger.drops}


def test_requests_that_mean_the_same_are_dropped(scripted_llm: Callable[..., LLM]) -> None:
    import numpy as np

    same = Embedder("same", lambda texts: np.array([[1.0, 0.0]] * len(texts), np.float32))
    llm = scripted_llm(good)
    with keep(Ledger()) as ledger:
        assert magpie(TEMPLATES, llm, llm, same, rows=12) == []
    assert "another request means the same" in {drop.reason for drop in ledger.drops}
    assert (
        magpie(
            [ChatTemplate(name="none", default="", system="", user="", assistant="", stop="")], llm, llm, same, rows=1
        )
        == []
    )
