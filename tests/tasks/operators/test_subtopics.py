import json
from collections.abc import Callable
from typing import Any

from catalog.records import Labelled
from tasks.llm import LLM
from tasks.operators.subtopics import subtopics

SEAS = [Labelled(text="the sea", label="world", parents=(str(number),)) for number in range(30)]


def listing(prompt: str, body: dict[str, Any]) -> str:
    return json.dumps({"subtopics": [f"{prompt.removeprefix('List: ')} {word}" for word in ("tides", "salt", "ships")]})


def test_a_field_is_asked_about_once_and_each_of_its_rows_has_a_draw(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or listing(prompt, body))
    found = subtopics(llm, [*SEAS, Labelled(text="bread", label="world")], "List: {text}")
    assert sorted(asked) == ["List: bread", "List: the sea"]
    assert {row.text for row in found[:30]} == {"the sea tides", "the sea salt", "the sea ships"}
    assert [row.label for row in found] == ["the sea"] * 30 + ["bread"]
    assert [row.parents for row in found[:30]] == [(sea.record_id,) for sea in SEAS]


def test_a_field_without_a_list_has_no_subtopic(scripted_llm: Callable[..., LLM]) -> None:
    assert subtopics(scripted_llm(lambda prompt, body: "Tides.", retries=0), SEAS[:1], "List: {text}") == []
