import random
from collections.abc import Callable
from typing import Any

import pytest
from scripted import WORDS, Reply
from scripted.weighed import weighed

from catalog.records import Labelled
from tasks.data_preparation.gpt3mix import Soft, gpt3mix
from tasks.ledger import Ledger, keep
from tasks.llm import LLM

REAL = [
    Labelled(text="A warm and funny film.", label="positive"),
    Labelled(text="A cold and endless film.", label="negative"),
    Labelled(text="The bread was fresh.", label="positive"),
]


def good(prompt: str, body: dict[str, Any]) -> str:
    """Another review, or the label of one; each draw its own."""
    if prompt.endswith("(sentiment:"):
        return "positive" if "Wonderful" in prompt.rpartition("\n")[2] else "negative"
    draw = random.Random(f"{prompt} {body['seed']}")
    mood = draw.choice(("wonderful", "dreadful"))
    return f" {mood.capitalize()} {' '.join(draw.sample(WORDS, 9))}. (sentiment: {mood})"


def promised(row: Soft) -> bool:
    """Probabilities of all labels, which sum to 1, and the likeliest is the label, which fits the text."""
    weights = dict(zip(row.labels, row.probabilities, strict=True))
    fits = row.label == ("positive" if "Wonderful" in row.text else "negative")
    return sum(weights.values()) == pytest.approx(1) and max(weights, key=lambda x: weights[x]) == row.label and fits


def test_the_prompt_tells_the_task_and_shows_two_real_texts(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    gpt3mix(REAL, scripted_llm(lambda prompt, body: asked.append(prompt) or good(prompt, body)), rows=4)
    begun = {prompt for prompt in asked if prompt.endswith("\nReview:")}
    assert len(begun) > 1, "each draw has examples of its own"
    for prompt in begun:
        task, listed = prompt.split("\n\n")
        assert "review" in task
        assert "sentiment" in task
        assert "negative, positive" in task
        shown = listed.splitlines()[:-1]
        assert len(set(shown)) == 2
        assert set(shown) <= {f"Review: {row.text} (sentiment: {row.label})" for row in REAL}


def test_the_soft_label_is_what_the_model_thinks_of_the_label_words(scripted_llm: Callable[..., LLM]) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        if not prompt.endswith("(sentiment:"):
            return " Long but lovely. (sentiment: negative)\nReview: more"
        assert prompt.endswith("\nReview: Long but lovely. (sentiment:")
        return weighed({" positive": 0.6, " negative": 0.2, " mixed": 0.2}, chat=False)

    (row,) = gpt3mix(REAL, scripted_llm(answer), rows=1)
    assert (row.text, row.label, row.labels) == ("Long but lovely.", "positive", ("negative", "positive"))
    assert row.probabilities == pytest.approx((0.25, 0.75))
    assert row.elsewhere == pytest.approx(0.2)


def test_a_row_leads_back_to_its_examples_and_both_calls(scripted_llm: Callable[..., LLM]) -> None:
    for row in gpt3mix(REAL, scripted_llm(good), rows=2):
        text, weights = row.origin
        begun, said = text.origin  # type: ignore[union-attr]
        assert begun.origin[0] in REAL
        assert begun.origin[1] in REAL
        assert weights.call != said.call


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("A review that has no end", "the item is no text with a label behind it"),
        (" (sentiment: negative)", "the item is no text with a label behind it"),
        (" A warm and funny film! (sentiment: positive)", "its ROUGE-L to another is 0.7 or more"),
    ],
)
def test_a_cut_a_blank_and_a_copied_text_are_dropped(scripted_llm: Callable[..., LLM], said: str, reason: str) -> None:
    with keep(Ledger()) as ledger:
        assert gpt3mix(REAL, scripted_llm(lambda prompt, body: said), rows=1) == []
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_as_many_texts_as_asked_for_and_all_as_promised(scripted_llm: Callable[..., LLM]) -> None:
    rows = gpt3mix(REAL, scripted_llm(good), rows=6, seed=3)
    assert len({row.text for row in rows}) == 6
    assert all(promised(row) for row in rows)
    assert {row.record_id for row in rows}.isdisjoint(
        row.record_id for row in gpt3mix(REAL, scripted_llm(good), rows=6, seed=4)
    )
    assert gpt3mix([], scripted_llm(good), rows=6) == []
