"""The row screens, one behaviour each."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from catalog.records import BenchmarkItem, Message, Prompt, PromptCompletion, Record
from quality.contamination import BenchmarkIndex
from quality.screens import content_key, screen, yield_rate

ITEM = BenchmarkItem(
    benchmark="quiz",
    item="quiz/7",
    text="A ferry with nine lorries leaves the harbour at dawn; how many tyres cross the wide river by noon?",
)


@dataclass(frozen=True, kw_only=True)
class Chat(Record):
    messages: list[Message]
    note: str = ""
    score: float = 0.0


def why(*rows: Record, published: dict[str, str] | None = None) -> list[tuple[str, str, str]]:
    _, rejected = screen(rows, published=published or {}, benchmarks=None)
    return [(r.screen, r.reason, r.evidence) for r in rejected]


def chat(*messages: Any, **more: Any) -> Chat:
    return Chat(messages=list(messages), **more)


def test_rows_without_fault_are_kept_in_their_order() -> None:
    rows = [Prompt(prompt="b"), Prompt(prompt="a")]
    assert screen(rows, published={}, benchmarks=None) == (rows, [])


def test_every_row_is_either_kept_or_rejected() -> None:
    rows = [Prompt(prompt="b"), Prompt(prompt=" "), Prompt(prompt="b ")]
    kept, rejected = screen(rows, published={}, benchmarks=None)
    assert (kept, [r.row for r in rejected]) == (rows[:1], rows[1:])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (PromptCompletion(prompt="a", completion=" \n\u00a0"), "completion is blank"),
        (PromptCompletion(prompt="a", completion=None), "completion is missing, text is wanted"),  # type: ignore[arg-type]
        (PromptCompletion(prompt="a", completion=3), "completion is of type int, text is wanted"),  # type: ignore[arg-type]
        (Prompt(prompt="a\0b"), "prompt has a NUL character"),
        (Prompt(prompt="a\ud800b"), "prompt has half a character (a lone surrogate)"),
        (Prompt(prompt="é" * 600_000), "prompt has 600,000 characters, at most 1 MiB is wanted"),
        (chat(), "messages is blank"),
        (chat({"role": "user", "content": " "}), "messages is blank"),
        (chat({"role": "user"}), "messages content is missing, text is wanted"),
        (chat("hi"), "messages holds of type str, a message is wanted"),
        (chat({"role": "user", "content": "hi"}, note=None), "note is missing, text is wanted"),
        (chat({"role": "user", "content": "hi"}, score="high"), "score is of type str, a number is wanted"),
    ],
)
def test_a_malformed_row_says_which_field_and_why(row: Record, reason: str) -> None:
    assert why(row) == [("malformed", reason, "")]


def test_a_field_with_a_default_may_be_blank() -> None:
    assert why(chat({"role": "user", "content": "hi"}, score=1)) == []


def test_a_long_text_within_the_limit_is_kept() -> None:
    assert why(Prompt(prompt="é" * 500_000)) == []


def test_a_repeat_within_the_batch_names_the_row_that_was_kept() -> None:
    first = Prompt(prompt="caf\u00e9")
    assert why(first, Prompt(prompt=" cafe\u0301\n")) == [
        ("duplicate", "repeats the content of another row", first.record_id)
    ]


def test_a_repeat_of_a_published_row_names_it() -> None:
    published = {content_key(Prompt(prompt="a")): "old"}
    assert why(Prompt(prompt="a"), published=published) == [("duplicate", "repeats the content of another row", "old")]


def test_a_record_id_stands_for_one_row() -> None:
    assert why(Prompt(prompt="a", record_id="x"), Prompt(prompt="b", record_id="x")) == [
        ("duplicate", "has the record_id of a row with other content", "x")
    ]


def test_what_differs_in_any_field_or_in_case_is_no_repeat() -> None:
    rows = [PromptCompletion(prompt="a", completion=c) for c in ("b", "B", "c")]
    assert why(*rows) == []


def test_a_contaminated_row_names_benchmark_item_and_overlap() -> None:
    row = PromptCompletion(prompt="Say more.", completion=f"Well. {ITEM.text.upper()}")
    kept, (rejection,) = screen([row], published={}, benchmarks=BenchmarkIndex([ITEM]))
    assert kept == []
    assert rejection.screen == "contaminated"
    assert rejection.reason == "completion has 13 words of quiz quiz/7"
    assert json.loads(rejection.evidence) == {
        "benchmark": "quiz",
        "item": "quiz/7",
        "overlap": "A FERRY WITH NINE LORRIES LEAVES THE HARBOUR AT DAWN; HOW MANY TYRES",
        "layer": "13-gram",
    }


def test_text_in_messages_is_searched_too() -> None:
    row = chat({"role": "user", "content": "hi"}, {"role": "assistant", "content": ITEM.text})
    _, (rejection,) = screen([row], published={}, benchmarks=BenchmarkIndex([ITEM]))
    assert rejection.screen == "contaminated"


def test_text_that_ends_one_field_and_begins_the_next_is_no_overlap() -> None:
    row = PromptCompletion(prompt=ITEM.text[:50], completion=ITEM.text[50:])
    assert screen([row], published={}, benchmarks=BenchmarkIndex([ITEM]))[0] == [row]


def test_yield_is_the_share_that_was_kept() -> None:
    assert (yield_rate(8, 2), yield_rate(0, 0)) == (0.25, 0.0)
