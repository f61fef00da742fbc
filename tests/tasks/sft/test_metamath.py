import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.records import Problem
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.sft.metamath import metamath

PENS = Problem(prompt="A bag holds 6 pens. How many pens do 3 bags hold?", answer="18", topic="pens")
RIGHT = {
    PENS.prompt: "3 * 6 = 18. The answer is 18.",
    "What do 3 bags of 6 pens each hold?": "The answer is 18.",
    "A bag holds x pens. 3 bags hold 18 pens. What is the value of the unknown x?": "18 / 3 = 6. The answer is 6.",
    "A bag holds 6 pens. x bags hold 18 pens. What is the value of the unknown x?": "18 / 6 = 3. The answer is 3.",
    "A bag holds x pens. How many pens do 3 bags hold?\n"
    "If we know that the answer to this is 18, what is the value of the unknown x?": "The answer is 6.",
    "A bag holds 6 pens. How many pens do x bags hold?\n"
    "If we know that the answer to this is 18, what is the value of the unknown x?": "The answer is 3.",
}


def teacher(prompt: str, body: dict[str, Any]) -> str:
    if prompt.startswith("Say the problem"):
        return "What do 3 bags of 6 pens each hold?"
    if prompt.startswith("Turn the question"):
        return "3 bags hold 18 pens."
    return RIGHT[prompt]


def test_a_problem_is_asked_from_four_sides(scripted_llm: Callable[..., LLM]) -> None:
    rows = metamath([PENS], scripted_llm(teacher))
    asked = {(row.kind, row.prompt, row.answer) for row in rows}
    prompts = list(RIGHT)
    assert asked == {
        ("answer augmentation", prompts[0], "18"),
        ("rephrasing", prompts[1], "18"),
        ("self-verification", prompts[2], "6"),
        ("self-verification", prompts[3], "3"),
        ("fobar", prompts[4], "6"),
        ("fobar", prompts[5], "3"),
    }
    assert rows[0].completion == "3 * 6 = 18. The answer is 18.\nThe answer is: 18"


def test_only_solutions_with_the_right_answer_stay(scripted_llm: Callable[..., LLM]) -> None:
    def careless(prompt: str, body: dict[str, Any]) -> str:
        said = teacher(prompt, body)
        return said.replace("is 18", "is 19").replace("is 6", "is 7") if prompt in RIGHT else said

    with keep(Ledger()) as ledger:
        rows = metamath([PENS], scripted_llm(careless))
    assert {row.answer for row in rows} == {"3"}
    assert {drop.evidence for drop in ledger.drops if "wrong" in drop.reason} == {
        "19 was stated, 18 is right",
        "7 was stated, 6 is right",
    }


@pytest.mark.parametrize(
    ("rephrased", "reason"),
    [
        (PENS.prompt, "the rephrasing is the problem itself"),
        ("How many pens are in 3 bags?", "the rephrasing loses a number"),
        ("Why do 3 bags of 6 pens hold 18?", "the rephrasing gives the answer away"),
    ],
)
def test_a_text_that_does_not_ask_the_problem_is_no_rephrasing(
    scripted_llm: Callable[..., LLM], rephrased: str, reason: str
) -> None:
    llm = scripted_llm(
        lambda prompt, body: rephrased if prompt.startswith("Say the problem") else teacher(prompt, body)
    )
    with keep(Ledger()) as ledger:
        assert "rephrasing" not in {row.kind for row in metamath([PENS], llm)}
    assert reason in {drop.reason for drop in ledger.drops}


def test_a_problem_without_a_number_or_a_statement_of_its_answer_is_not_asked_backwards(
    scripted_llm: Callable[..., LLM],
) -> None:
    day = Problem(prompt="Which day comes after Thursday?", answer="Friday")

    def answer(prompt: str, body: dict[str, Any]) -> str:
        return "It is the weekend." if prompt.startswith("Turn the question") else "The answer is Friday."

    with keep(Ledger()) as ledger:
        rows = metamath([day], scripted_llm(answer))
    assert {row.kind for row in rows} <= {"answer augmentation", "rephrasing"}
    assert {drop.reason for drop in ledger.drops} >= {"the statement lacks the answer", "there is no number to mask"}


def test_what_is_asked_about_a_problem_does_not_depend_on_the_others(scripted_llm: Callable[..., LLM]) -> None:
    other = Problem(prompt="How many pens do 2 bags of 4 hold?", answer="8", solution="2 * 4 = 8", topic="pens")
    asked: list[str] = []
    llm = scripted_llm(lambda prompt, body: asked.append(json.dumps(body)) or teacher(prompt, body))
    metamath([PENS], llm)
    alone = len(asked)

    metamath([PENS, other], llm)

    assert alone > 0
    assert not any(PENS.prompt in json.loads(body)["messages"][-1]["content"] for body in asked[alone:])


def test_every_row_leads_back_to_its_problem_and_calls(scripted_llm: Callable[..., LLM]) -> None:
    for row in metamath([PENS], scripted_llm(teacher)):
        question, solution = row.origin
        assert question.parents == (PENS.record_id,) or question.origin[0].parents == (PENS.record_id,)
        assert solution.call


def test_the_same_seed_makes_the_same_rows(scripted_llm: Callable[..., LLM]) -> None:
    first, second = (metamath([PENS], scripted_llm(teacher), seed=4) for _ in range(2))
    assert [row.record_id for row in first] == [row.record_id for row in second]
