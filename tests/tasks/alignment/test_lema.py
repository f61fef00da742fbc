import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from catalog.records import Problem
from catalog.sources import sources_of
from tasks.alignment.lema import Lesson, lema
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.answers import final_answer, same_answer

PENS = Problem(prompt="A bag holds 6 pens. How many pens do 3 bags hold?", answer="18", topic="pens")


@cache
def answers() -> dict[str, str]:
    return {row.prompt: row.answer for source in sources_of("raw.problems") for row, _ in source.rows()}


def truth(question: str) -> str:
    if asked := re.fullmatch(r"What is (\d+) \+ (\d+)\?", question):
        return str(int(asked[1]) + int(asked[2]))
    return PENS.answer if question == PENS.prompt else answers()[question]


def good(prompt: str, body: dict[str, Any]) -> str:
    """Wrong one time in four without a schema, always right as a corrector, and able to write sums."""
    seed = body.get("seed") or 0
    if "response_format" in body:
        right = truth(prompt.removeprefix("Question: ").split("\n\nA solution with a mistake:")[0])
        said = {"wrong_step": 1, "why": "The first step adds one.", "solution": f"It gives {right}.", "answer": right}
        return json.dumps(said)
    if prompt.startswith(("Change this question", "Write another question")):
        return f"What is {seed % 90 + 10} + {len(prompt)}?"
    wrong = body["temperature"] > 0 and seed % 4 == 0
    return f"Take way {seed % 50}.\nThe answer is {truth(prompt)}{'1' if wrong else ''}"


def promised(row: Lesson) -> bool:
    """The answer is right; a correction's prompt shows a wrong one and its completion names a step that is there."""
    right = same_answer(final_answer(row.completion), row.answer)
    if row.kind == "cot":
        return right and "mistake" not in row.prompt
    step = re.match(r"Step (\d+) is wrong\. \S", row.completion)
    shown = final_answer(row.prompt.split("Name the first step")[0])
    return right and not same_answer(shown, row.answer) and bool(step) and f"Step {step[1]}: " in row.prompt


def adding(prompt: str, body: dict[str, Any]) -> str:
    """A student who adds where one multiplies, and a corrector who fails for the pens that he subtracts."""
    if "response_format" in body:
        right = "12" if "6 - 3" in prompt else truth(prompt.removeprefix("Question: ").split("\n\nA sol")[0])
        why = "Three bags of 6 are multiplied."
        return json.dumps({"wrong_step": 2, "why": why, "solution": f"3 * 6 = {right}", "answer": right})
    if prompt.startswith(("Change this question", "Write another question")):
        return "What is 20 + 5?"
    if prompt.startswith("What is"):
        return "20 + 5 = 25\nThe answer is: 25"
    if body["temperature"] == 0:
        return "3 * 6 = 18\nThe answer is: 18"
    return ["A bag holds 6.\n3 + 6 = 9\nThe answer is: 9", "So 6 - 3 = 3.\nThe answer is: 3"][body["seed"] % 2]


def test_a_wrong_solution_is_a_prompt_whose_completion_names_explains_and_mends_its_first_wrong_step(
    scripted_llm: Callable[..., LLM],
) -> None:
    llm = scripted_llm(adding)
    with keep(Ledger()) as ledger:
        rows = lema([PENS], llm, llm, paths=6)
    (correction,) = [row for row in rows if row.kind == "correction"]
    assert "Step 1: A bag holds 6.\nStep 2: 3 + 6 = 9\nStep 3: The answer is: 9" in correction.prompt
    assert correction.completion == ("Step 2 is wrong. Three bags of 6 are multiplied.\n3 * 6 = 18\nThe answer is: 18")
    assert "the corrected answer is wrong" in {drop.reason for drop in ledger.drops}
    assert all(map(promised, rows))


def test_questions_grow_from_those_that_had_a_mistake_and_take_the_answer_of_most(
    scripted_llm: Callable[..., LLM],
) -> None:
    llm = scripted_llm(adding)
    easy = Problem(prompt="What is 20 + 6?", answer="26")

    def known(prompt: str, body: dict[str, Any]) -> str:
        return "26. The answer is: 26" if prompt == easy.prompt else adding(prompt, body)

    rows = lema([PENS], llm, llm)
    (grown,) = [row for row in rows if row.prompt == "What is 20 + 5?"]
    assert (grown.answer, grown.kind) == ("25", "cot")
    assert not [row for row in lema([easy], *2 * [scripted_llm(known)]) if row.prompt != easy.prompt]


def test_an_evolved_question_whose_solutions_disagree_is_dropped(scripted_llm: Callable[..., LLM]) -> None:
    def unsure(prompt: str, body: dict[str, Any]) -> str:
        return f"The answer is {body['seed']}" if prompt.startswith("What is") else adding(prompt, body)

    with keep(Ledger()) as ledger:
        rows = lema([PENS], *2 * [scripted_llm(unsure)])
    assert {row.answer for row in rows} == {"18"}
    assert "no answer is stated by more than 0.5 of the solutions" in {drop.reason for drop in ledger.drops}


def test_a_strong_model_publishes_what_is_promised(scripted_llm: Callable[..., LLM]) -> None:
    problems = [row for source in sources_of("raw.problems") for row, _ in source.rows()][:8]
    rows = lema(problems, *2 * [scripted_llm(good)])
    assert {row.kind for row in rows} == {"cot", "correction"}
    assert all(map(promised, rows))
    assert all(row.parents and row.origin[1].call for row in rows)
