from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from catalog.records import Answer, Prompt, Record
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.generate import generate
from tasks.operators.refine import refine

SEA = Prompt(prompt="Describe the sea.")
CRITIQUE = "Criticise by {principle}: {text} (asked: {prompt})"
REVISE = "Revise by {principle}, since {critique}: {text}"


def editor(prompt: str, body: dict[str, Any]) -> str:
    """Answers with "wet", finds fault by number of the words, and adds the principle's name to the text."""
    head, _, text = prompt.partition(": ")
    if head.startswith("Criticise"):
        return f"{len(text.partition(' (')[0].split())} words are too few"
    return f"{text} {head.split()[2].strip(',')}" if head.startswith("Revise") else "wet"


def answered(llm: LLM) -> list[tuple[Prompt, Answer[str]]]:
    return generate(llm, [SEA], "{prompt}")


def made_of(record: Record) -> Iterator[Record | Answer[Any]]:
    for made in record.origin:
        yield made
        if isinstance(made, Record):
            yield from made_of(made)


def test_each_round_criticises_the_last_text_and_revises_it(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(editor)
    ((row, draft),) = refine(llm, answered(llm), CRITIQUE, REVISE, principles=["care"], rounds=2)
    assert row is SEA
    assert draft.texts == ("wet", "wet care", "wet care care")
    assert draft.critiques == ("1 words are too few", "2 words are too few")
    assert draft.trace == ("wet", "1 words are too few", "wet care", "2 words are too few", "wet care care")
    assert draft.text == "wet care care"


def test_a_principle_is_drawn_for_each_round(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(editor)
    ((_, draft),) = refine(llm, answered(llm), CRITIQUE, REVISE, principles=["care", "truth"], rounds=40)
    assert min(Counter(draft.principles).values()) > 10
    assert draft.text.split()[1:] == list(draft.principles)


def test_every_answer_on_the_way_is_among_what_a_draft_is_made_of(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(editor)
    ((_, draft),) = refine(llm, answered(llm), CRITIQUE, REVISE, principles=["care"], rounds=3)
    assert SEA in made_of(draft)
    assert len({made.call for made in made_of(draft) if isinstance(made, Answer)}) == 1 + 3 * 2


def test_a_row_that_gets_no_critique_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    llm = scripted_llm(lambda prompt, body: "" if prompt.startswith("Criticise") else editor(prompt, body), retries=0)
    with keep(Ledger()) as ledger:
        assert refine(llm, answered(llm), CRITIQUE, REVISE) == []
    assert [drop.operator for drop in ledger.drops] == ["refine"]
