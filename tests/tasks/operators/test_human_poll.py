import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from scripted import schema_of

from catalog.records import Labelled, Prompt
from catalog.sources import load_sources
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.human import human
from tasks.operators.poll import Way, poll


@dataclass(frozen=True, kw_only=True)
class Draft(Labelled):
    """A text with a label, and who gave it."""

    annotator: str = ""


def test_rows_that_need_a_person_wait_with_question_and_reason_and_the_others_are_kept() -> None:
    sure, unsure = Draft(text="sure", label="a"), Draft(text="unsure", label="b")
    with keep(Ledger()) as ledger:
        kept = human(
            [sure, unsure],
            lambda row: "doubt" if row.text == "unsure" else "",
            decides="label",
            question="Which?",
            text="{text}!",
            choices=("a", "b"),
        )
    assert kept == [sure]
    (review,) = ledger.reviews
    assert (review.row, review.question, review.text) == (unsure, "Which?", "unsure!")
    assert (review.decides, review.choices, review.reason) == ("label", ("a", "b"), "doubt")


def test_rows_that_could_not_say_who_decided_are_no_rows_to_decide_on() -> None:
    with pytest.raises(TypeError, match="Labelled has no column annotator"):
        human([Labelled(text="t", label="a")], lambda row: "", decides="label", question="?", text="{text}")


def test_each_way_of_asking_gives_what_its_answer_means_and_the_first_is_checked(
    scripted_llm: Callable[..., LLM],
) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str:
        schema = schema_of(body)
        assert schema is not None
        answers = schema["properties"]["label"]["enum"]
        return json.dumps({"label": "maybe" if prompt.startswith("odd") and "1" in answers else answers[0]})

    rows = [Prompt(prompt="even"), Prompt(prompt="odd")]
    ways = [Way("a or b?", {"a": "A", "b": "B"}), Way("1 or 2?", {"1": "B", "2": "A"})]
    with keep(Ledger()) as ledger:
        ((row, answers),) = poll(
            scripted_llm(answer, attempts=1),
            rows,
            ways,
            "{prompt}",
            check=lambda guess: Way(f"Is it {guess}?", {"yes": guess, "no": "none"}),
        )
    assert (row, [found.value for found in answers]) == (rows[0], ["A", "B", "A"])
    assert ledger.drops[-1].reason == "an answer is missing"


def test_the_source_of_sentiments_has_as_many_good_as_bad_and_no_text_twice() -> None:
    rows = [row for row, _ in load_sources()["review_sentiments"].rows()]
    assert all(isinstance(row, Labelled) for row in rows)
    labels = [row.label for row in rows if isinstance(row, Labelled)]
    assert labels.count("positive") == labels.count("negative") == 30
    assert len({row.record_id for row in rows}) == 60
