"""The row screens, one behaviour each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from catalog.records import BenchmarkItem, Message, Preference, Prompt, PromptCompletion, Record
from infra.errors import Refusal
from infra.settings import Policy
from quality.contamination import BenchmarkIndex
from quality.screening import Note, Screened, check_options, content_key, policies, screen, yield_rate
from quality.screens import Fault, Screen, Span, load_screens
from quality.screens._spread import find_faults

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
    _, rejected, *_ = screen(rows, published=published or {}, benchmarks=None)
    return [(r.screen, r.reason, r.evidence) for r in rejected]


def chat(*messages: Any, **more: Any) -> Chat:
    return Chat(messages=list(messages), **more)


def test_rows_without_fault_are_kept_in_their_order() -> None:
    rows = [Prompt(prompt="b"), Prompt(prompt="a")]
    assert screen(rows, published={}, benchmarks=None) == (rows, [], [], [])


def test_every_row_is_either_kept_or_rejected() -> None:
    rows = [Prompt(prompt="b"), Prompt(prompt=" "), Prompt(prompt="b ")]
    kept, rejected, *_ = screen(rows, published={}, benchmarks=None)
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
    kept, (rejection,), *_ = screen([row], published={}, benchmarks=BenchmarkIndex([ITEM]))
    assert kept == []
    assert rejection.screen == "contaminated"
    assert rejection.reason == "completion has 19 words of quiz quiz/7"
    assert json.loads(rejection.evidence) == {
        "benchmark": "quiz",
        "item": "quiz/7",
        "overlap": ITEM.text.upper().rstrip("?"),
        "layer": "13-gram",
        "score": 1.0,
    }


def test_text_in_messages_is_searched_too() -> None:
    row = chat({"role": "user", "content": "hi"}, {"role": "assistant", "content": ITEM.text})
    _, (rejection,), *_ = screen([row], published={}, benchmarks=BenchmarkIndex([ITEM]))
    assert rejection.screen == "contaminated"


def test_text_that_ends_one_field_and_begins_the_next_is_no_overlap() -> None:
    row = PromptCompletion(prompt=ITEM.text[:50], completion=ITEM.text[50:])
    assert screen([row], published={}, benchmarks=BenchmarkIndex([ITEM]))[0] == [row]


# ── text screens, by policy ──


@pytest.fixture
def _finds_fish(monkeypatch: pytest.MonkeyPatch) -> None:
    """One text screen alone, which faults the word fish."""

    def fish(texts: Sequence[str]) -> list[Fault | None]:
        places = [text.find("fish") for text in texts]
        return [Fault("smells", "of fish", (Span(at, at + 4, "FISH"),)) if at >= 0 else None for at in places]

    known = {"fish": Screen("fish", "", "flag", 1, "quality", everywhere=False, find=fish)}
    monkeypatch.setattr("quality.screens._spread.load_screens", lambda: known)
    monkeypatch.setattr("quality.screening.load_screens", lambda: known)


def fishy(policy: Policy, *rows: Record) -> Screened[Record]:
    return screen(rows, published={}, benchmarks=None, policies={"fish": policy})


@pytest.mark.usefixtures("_finds_fish")
def test_a_screen_that_drops_names_field_reason_and_evidence() -> None:
    row = PromptCompletion(prompt="a", completion="a fish")
    kept, (rejection,), notes, _ = fishy("drop", row)
    assert (kept, notes) == ([], [])
    assert (rejection.row, rejection.screen) == (row, "fish")
    assert (rejection.reason, rejection.evidence) == ("completion smells", "of fish")


@pytest.mark.usefixtures("_finds_fish")
def test_a_screen_that_flags_keeps_the_row_and_notes_it_once() -> None:
    row = PromptCompletion(prompt="fish?", completion="a fish")
    assert fishy("flag", row) == (
        [row],
        [],
        [Note(row, "fish", "flag", "prompt smells; completion smells", "of fish; of fish")],
        [],
    )


@pytest.mark.usefixtures("_finds_fish")
def test_a_screen_that_masks_makes_another_row_of_it() -> None:
    row = Chat(
        messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "one fish, no"}], note="fish"
    )
    (masked,), rejected, (note,), _ = fishy("mask", row)
    assert rejected == []
    assert isinstance(masked, Chat)
    assert [message["content"] for message in masked.messages] == ["hi", "one <FISH>, no"]
    assert masked.note == "<FISH>"
    assert (masked.parents, masked.origin) == ((row.record_id,), (row,))
    assert masked.record_id != row.record_id
    assert (note.row, note.action) == (masked, "mask")


@pytest.mark.usefixtures("_finds_fish")
def test_a_screen_that_is_off_does_not_look() -> None:
    row = Prompt(prompt="fish")
    assert fishy("off", row) == ([row], [], [], [])


@pytest.mark.usefixtures("_finds_fish")
def test_a_row_that_repeats_a_masked_one_is_a_duplicate() -> None:
    kept, (rejection,), notes, _ = fishy("mask", Prompt(prompt="one fish"), Prompt(prompt="one <FISH>"))
    assert [row.prompt for row in kept if isinstance(row, Prompt)] == ["one <FISH>"]
    assert rejection.screen == "duplicate"
    assert len(notes) == 1


@pytest.mark.usefixtures("_finds_fish")
def test_an_answer_that_is_meant_to_be_bad_may_be() -> None:
    row = Preference(prompt="a", chosen="a bird", rejected="a fish")
    assert fishy("drop", row).kept == [row]


def test_many_texts_are_screened_by_several_processes_as_few_are_by_one() -> None:
    texts = [f"row {number}: {'AKIAIOSFODNN7EXAMPL' + 'Q' if number % 7 == 0 else 'bird'}" for number in range(2100)]
    alone = {"secrets": load_screens()["secrets"].find(texts)}
    assert find_faults({"secrets": {}}, texts) == alone
    assert [number for number, fault in enumerate(alone["secrets"]) if fault] == list(range(0, 2100, 7))


def test_a_policy_is_the_users_before_the_methods_before_the_screens() -> None:
    name, found = next(iter(load_screens().items()))
    others: tuple[Policy, Policy] = ("off", "flag") if found.policy == "drop" else ("off", "drop")
    assert policies()[name] == found.policy
    assert policies({name: others[0]})[name] == others[0]
    assert policies({name: others[0]}, {name: others[1]})[name] == others[1]


def test_a_policy_of_no_screen_is_refused() -> None:
    with pytest.raises(Refusal, match="screen 'no_such_screen'"):
        policies({"no_such_screen": "drop"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"no_such": {}}, "screen 'no_such'"),
        ({"language": {"expekted": ["en"]}}, "language: option 'expekted'"),
        ({"language": {"expected": ["martian"]}}, "screen language: cannot work with"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        check_options(options)


def test_yield_is_the_share_that_was_kept() -> None:
    assert (yield_rate(8, 2), yield_rate(0, 0)) == (0.25, 0.0)
