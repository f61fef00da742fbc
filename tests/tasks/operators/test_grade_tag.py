import json
from collections.abc import Callable
from typing import Any

from scripted import schema_of

from catalog.records import PromptCompletion
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.grade import grade
from tasks.operators.tag import REQUEST_TAGS, Tag, tag

TEA = PromptCompletion(prompt="What is tea?", completion="A drink made of {leaves}.")
RAIN = PromptCompletion(prompt="What is rain?", completion="No idea.")


def test_each_answer_gets_a_reason_and_a_rating_and_the_shots_come_before(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[list[dict[str, Any]]] = []

    def answer(prompt: str, body: dict[str, Any]) -> str:
        asked.append(body["messages"])
        return json.dumps({"text_1": {"rationale": "because", "rating": 5 if "leaves" in prompt else 1}})

    rows = grade(
        scripted_llm(answer),
        [TEA, RAIN],
        "{prompt} -> {completion}",
        scale=range(1, 6),
        shots=[("What is a lens?", "Glass.", "Half right.", 3)],
    )
    assert [(row, its.value.rationale, its.value.rating) for row, its in rows] == [
        (TEA, "because", 5),
        (RAIN, "because", 1),
    ]
    assert asked[0][0]["content"] == "What is a lens? -> Glass."
    assert json.loads(asked[0][1]["content"]) == {"text_1": {"rationale": "Half right.", "rating": 3}}


def test_a_row_has_a_label_of_every_tag_or_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        if "Which colour?" in str(body["messages"]) and "rain" in str(body["messages"]):
            return json.dumps({"label": "green"})
        labels = (schema_of(body) or {})["properties"]["label"]["enum"]
        return json.dumps({"label": labels[-1]})

    tags = {"size": Tag("Which size?", ("small", "large")), "colour": Tag("Which colour?", ("red", "blue"))}
    with keep(Ledger()) as ledger:
        ((row, labels),) = tag(scripted_llm(answer), [TEA, RAIN], "{prompt}", tags)
    assert row == TEA
    assert {name: its.value for name, its in labels.items()} == {"size": "large", "colour": "blue"}
    assert [drop.row for drop in ledger.drops] == [RAIN]


def test_the_demonstrations_of_a_tag_have_labels_of_it() -> None:
    for its in REQUEST_TAGS.values():
        assert {label for _, label in its.demos} <= set(its.labels)
