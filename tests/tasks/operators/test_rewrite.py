from collections.abc import Callable
from typing import Any

import pytest
from scripted import Reply

from catalog.records import Document
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.extract import count_tokens
from tasks.operators.rewrite import looped, read, rewrite

SOURCE = Document(
    text="The heart is a muscular organ that circulates blood. In adults it contracts between 60 and 100 times "
    "per minute at rest, and faster during exercise."
)
GOOD = "Blood is circulated by the heart, a muscle; at rest the organ of adults contracts 60 to 100 times per minute."


def test_an_answer_that_says_the_same_in_other_words_is_paired_with_its_row_and_style(
    scripted_llm: Callable[..., LLM],
) -> None:
    llm = scripted_llm(lambda prompt, _body: GOOD if prompt.startswith("Simply") else GOOD.replace("muscle", "organ"))
    made = rewrite(llm, [SOURCE], {"easy": "Simply: {text}", "hard": "Tersely: {text}"})
    assert [(row, style, answer.value) for row, style, answer in made] == [
        (SOURCE, "easy", GOOD),
        (SOURCE, "hard", GOOD.replace("muscle", "organ")),
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (SOURCE.text, "easy: a copy of its source"),
        ("A heart.", "easy: shorter than 0.2 of its source"),
        (f"{GOOD} " * 4, "easy: longer than 1.5 times its source"),
        (
            "The ship sailed far across the green sea while nobody was looking at it.",
            "easy: mostly words that its source",
        ),
        ("The heart contracts at rest. " * 6, "easy: it repeats itself"),
    ],
)
def test_an_answer_that_is_no_rewriting_is_dropped_with_the_reason(
    scripted_llm: Callable[..., LLM], answer: str, reason: str
) -> None:
    with keep(Ledger()) as ledger:
        assert rewrite(scripted_llm(lambda _p, _b: answer), [SOURCE], {"easy": "{text}"}) == []
    assert [d.reason.startswith(reason) for d in ledger.drops] == [True], ledger.drops


def test_no_answer_is_let_run_on_beyond_the_longest_that_is_kept_whatever_the_other_rows(
    scripted_llm: Callable[..., LLM],
) -> None:
    limits: list[int] = []
    other = Document(text=f"{SOURCE.text} {GOOD}")

    def answer(_prompt: str, body: dict[str, Any]) -> str:
        limits.append(body.get("max_tokens") or body["max_completion_tokens"])
        return GOOD

    rewrite(scripted_llm(answer), [SOURCE, other], {"easy": "{text}"}, longest=2.0)
    assert sorted(limits) == [2 * count_tokens(SOURCE.text), 2 * count_tokens(other.text)]


def test_an_answer_that_was_cut_there_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: Reply(GOOD, finish="length"))
    with keep(Ledger()) as ledger:
        assert rewrite(llm, [SOURCE], {"easy": "{text}"}) == []
    assert [drop.reason for drop in ledger.drops] == ["easy: longer than 1.5 times its source"]


def test_an_answer_that_talks_about_the_task_is_asked_again(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[Any] = []

    def answer(_prompt: str, body: dict[str, Any]) -> str:
        asked.append(body)
        return GOOD if len(asked) > 1 else "As an AI language model I cannot paraphrase."

    ((_, _, made),) = rewrite(scripted_llm(answer), [SOURCE], {"easy": "{text}"})
    assert made.value == GOOD
    assert len(asked) == 2


@pytest.mark.parametrize(
    "opening",
    ["Here is a paraphrase:\n", "Sure! Here's the simplified version of it:\n\n", "**Rewritten version:** ", '"'],
)
def test_an_opening_that_announces_the_answer_is_cut_off(opening: str) -> None:
    assert read(opening + GOOD) == GOOD


@pytest.mark.parametrize("text", ["Here is the heart of the matter.", "Sure things are rare: hearts stop.", GOOD])
def test_text_that_only_begins_like_an_announcement_is_kept(text: str) -> None:
    assert read(text) == text


@pytest.mark.parametrize("text", ["", "  \n", "The text describes a heart.", "I'm sorry, but I can't do that."])
def test_blank_answers_and_talk_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the answer"):
        read(text)


def test_a_loop_is_seen_and_plain_prose_is_not() -> None:
    assert looped("you know it is so, " * 10)
    assert not looped(SOURCE.text)
