import re
from collections.abc import Callable
from functools import cache
from math import log
from typing import Any

import pytest
from scripted import schema_of

from catalog.records import Labelled
from catalog.sources import sources_of
from tasks.data_preparation.coannotating import Annotated, coannotating
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

LOVED = Labelled(text="I love it.", label="positive")
HATED = Labelled(text="I hate it.", label="negative")
MIXED = Labelled(text="It is a thing.", label="positive")


@cache
def moods() -> dict[str, str]:
    """What the texts of the source, and of these tests, are."""
    rows = [row for source in sources_of("raw.sentiments") for row, _ in source.rows()]
    return {row.text: row.label for row in (*rows, LOVED, HATED, MIXED) if isinstance(row, Labelled)}


def answers_of(body: dict[str, Any]) -> list[str]:
    schema = schema_of(body)
    assert schema is not None
    return schema["properties"]["label"]["enum"]


def good(prompt: str, body: dict[str, Any]) -> str:
    """The right label, whichever way it is asked for."""
    mood = moods()[prompt.partition("\n\n")[0]]
    answers = answers_of(body)
    if mood in answers:
        return f'{{"label": "{mood}"}}'
    if "true" in answers:
        return f'{{"label": "{"true" if f"is {mood}." in prompt else "false"}"}}'
    (number,) = re.findall(rf"^(\d)\. {mood}$", prompt, re.MULTILINE)
    return f'{{"label": "{number}"}}'


def wavering(prompt: str, body: dict[str, Any]) -> str:
    """Right, but of what is mixed now the first and now the last of the answers that are offered."""
    if not prompt.startswith(MIXED.text):
        return good(prompt, body)
    return f'{{"label": "{answers_of(body)[-1 if "best" in prompt or "classes" in prompt else 0]}"}}'


def promised(row: Annotated) -> bool:
    """Most votes are for the label, and they differ little."""
    return row.entropy <= 0.6 and 2 * row.votes.count(row.label) > len(row.votes) == 7


def test_seven_ways_of_asking_are_one_vote_each(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or good(prompt, body))
    rows = coannotating([LOVED, HATED], llm)
    assert [(row.text, row.label, row.votes, row.entropy) for row in rows] == [
        (LOVED.text, "positive", ("positive",) * 7, 0.0),
        (HATED.text, "negative", ("negative",) * 7, 0.0),
    ]
    assert all(promised(row) and row.annotator == "scripted" for row in rows)
    assert len({prompt for prompt in asked if prompt.startswith(LOVED.text)}) == 7
    assert any('"positive" or "negative"' in prompt for prompt in asked), "the labels in the other order"
    assert any("is positive. True or false?" in prompt for prompt in asked), "what the instruction gave"


def test_a_text_on_which_the_answers_differ_is_left_to_people(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        rows = coannotating([LOVED, MIXED, HATED], scripted_llm(wavering))
    assert [row.text for row in rows] == [LOVED.text, HATED.text]
    (review,) = ledger.reviews
    assert isinstance(review.row, Annotated)
    assert (review.text, review.decides, review.choices) == (MIXED.text, "label", ("negative", "positive"))
    assert review.row.votes.count("positive") == 3
    assert review.row.entropy == pytest.approx(-(3 / 7 * log(3 / 7) + 4 / 7 * log(4 / 7)))
    assert not promised(review.row)
    assert "positive" in review.reason
    assert MIXED in review.row.origin


def test_the_threshold_decides_who_labels(scripted_llm: Callable[..., LLM]) -> None:
    texts = [LOVED, MIXED, HATED]
    assert len(coannotating(texts, scripted_llm(wavering), threshold=2.0)) == 3
    with keep(Ledger()) as ledger:
        assert coannotating(texts, scripted_llm(good), threshold=-1.0) == []
    assert len(ledger.reviews) == 3


def test_quality_and_cost_of_the_split_and_their_front_are_figures_of_the_run(
    scripted_llm: Callable[..., LLM],
) -> None:
    with keep(Ledger()) as ledger:
        coannotating([LOVED, MIXED, HATED], scripted_llm(wavering), human_cost=3.0, llm_cost=0.5)
    figures = {name: figure.value for name, figure in ledger.figures.items()}
    assert figures == {"cost": 1.5, "quality": 1.0, "frontier.0": pytest.approx(2 / 3), "frontier.0.2": 1.0}


def test_a_row_leads_back_to_its_text_and_seven_calls(scripted_llm: Callable[..., LLM]) -> None:
    (row,) = [row for row in coannotating([LOVED, HATED], scripted_llm(good)) if row.text == LOVED.text]
    assert row.parents == (LOVED.record_id,)
    assert len({answer.call for answer in row.origin[1:]}) == 7  # type: ignore[union-attr]
