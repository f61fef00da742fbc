"""Answers that must be JSON: mended, asked for again with what is wrong, or failed with their text."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from scripted import BindLLM, Reply

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.generate import generate


@dataclass
class Step:
    kind: Literal["think", "act"]
    text: str


@dataclass
class Plan:
    title: str
    steps: list[Step]
    score: int


GOOD = '{"title": "t", "steps": [{"kind": "act", "text": "go"}], "score": 3}'
WANTED = Plan(title="t", steps=[Step(kind="act", text="go")], score=3)
ROW = Prompt(prompt="plan!")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"Sure, here it is:\n```json\n{GOOD}\n```\nAnything else?",
        GOOD.replace('"', "'"),
        GOOD.replace("]", ",]"),
        GOOD.replace('"title"', "title"),
        GOOD.removesuffix("}"),
        f"The plan is {GOOD} and that is all.",
    ],
)
def test_json_that_is_nearly_right_is_mended(scripted_llm: BindLLM, text: str) -> None:
    bodies: list[Any] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or text)

    ((_, answer),) = generate(llm, [ROW], "{prompt}", schema=Plan)

    assert answer.value == WANTED
    assert len(bodies) == 1


def test_a_malformed_answer_is_shown_to_the_model_with_what_is_wrong_and_the_schema(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        bodies.append(body)
        return GOOD if len(bodies) == 2 else GOOD.replace("3", '"three"')

    bodies: list[Any] = []

    ((_, found),) = generate(scripted_llm(answer), [ROW], "{prompt}", schema=Plan)

    assert found.value == WANTED
    asked, answered, told = bodies[1]["messages"]
    assert (asked["content"], answered["role"]) == ("plan!", "assistant")
    assert '"three"' in answered["content"]
    assert "score" in told["content"]
    assert '"enum": ["think", "act"]' in told["content"]


def test_what_stays_malformed_is_dropped_with_its_text(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: "I would rather not.", attempts=2)

    with keep(Ledger()) as ledger:
        assert generate(llm, [ROW], "{prompt}", schema=Plan) == []

    (drop,) = ledger.drops
    assert (drop.row, drop.evidence) == (ROW, "I would rather not.")
    assert "not the JSON asked for" in drop.reason


def test_an_answer_that_was_cut_is_not_mended_but_given_more_room(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        room.append(body["max_tokens"])
        return Reply(GOOD) if len(room) == 2 else Reply('{"title": "t', finish="length")

    room: list[int] = []

    ((_, found),) = generate(scripted_llm(answer), [ROW], "{prompt}", schema=Plan, max_tokens=100)

    assert found.value == WANTED
    assert room == [100, 200]


def test_a_server_that_refuses_response_format_is_told_the_schema_in_words(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        bodies.append(body)
        if "response_format" in body:
            return Reply("'response_format' is not supported by this model", status=400)
        return GOOD

    bodies: list[Any] = []

    ((_, found),) = generate(scripted_llm(answer), [ROW], "{prompt}", schema=Plan)

    assert found.value == WANTED
    assert "valid under this schema" in bodies[-1]["messages"][-1]["content"]


def test_the_same_run_again_asks_nothing_whatever_was_malformed(scripted_llm: BindLLM) -> None:
    bodies: list[Any] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or ("nonsense" if len(bodies) < 3 else GOOD))
    first = generate(llm, [ROW], "{prompt}", schema=Plan)

    assert generate(llm, [ROW], "{prompt}", schema=Plan) == first
    assert len(bodies) == 3


def test_two_rows_that_ask_the_same_get_answers_of_their_own_even_if_malformed(scripted_llm: BindLLM) -> None:
    bodies: list[Any] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or ("nonsense" if len(bodies) < 3 else GOOD))
    rows = [Prompt(prompt="a"), Prompt(prompt="b")]

    pairs = generate(llm, rows, "the same for all", schema=Plan)

    assert [row for row, _ in pairs] == rows
    assert pairs[0][1].call != pairs[1][1].call
