from collections.abc import Callable

import pytest

from catalog.records import Problem
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.restate import assert_answer, rephrase

PENS = Problem(prompt="A bag holds 6 pens. How many pens do 3 bags hold?", answer="18", topic="pens")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PENS.prompt, "the rephrasing is the problem itself"),
        ("How many pens are in 3 bags?", "the rephrasing loses a number"),
        ("Why do 3 bags of 6 pens hold 18?", "the rephrasing gives the answer away"),
    ],
)
def test_a_text_that_does_not_ask_the_problem_is_no_rephrasing(
    scripted_llm: Callable[..., LLM], text: str, reason: str
) -> None:
    with keep(Ledger()) as ledger:
        assert rephrase(scripted_llm(lambda prompt, body: text), [PENS], "{prompt}") == []
    assert [drop.reason for drop in ledger.drops] == [reason]


def test_the_sentence_that_asks_becomes_a_statement_and_the_rest_stays(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(prompt) or "3 bags hold 18 pens.")
    (stated,) = assert_answer(llm, [PENS], "{question} {answer}")
    assert asked == ["How many pens do 3 bags hold? 18"]
    assert stated.prompt == "A bag holds 6 pens. 3 bags hold 18 pens."
    assert stated.parents == (PENS.record_id,)


def test_a_statement_without_the_answer_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    with keep(Ledger()) as ledger:
        assert assert_answer(scripted_llm(lambda prompt, body: "Many."), [PENS], "{question} {answer}") == []
    assert [drop.reason for drop in ledger.drops] == ["the statement lacks the answer"]
