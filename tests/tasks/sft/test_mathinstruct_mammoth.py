import re
from collections.abc import Callable
from functools import cache
from typing import Any

from catalog.records import Problem
from catalog.sources import sources_of
from tasks.ledger import Ledger, keep
from tasks.llm import LLM
from tasks.operators.answers import final_answer, same_answer
from tasks.sandbox import Program, open_sandbox
from tasks.sft.mathinstruct_mammoth import Rationale, mathinstruct_mammoth

PENS = Problem(prompt="A bag holds 6 pens. How many pens do 3 bags hold?", answer="18", topic="pens")
KNOWN = Problem(prompt="What is 2 + 2?", answer="4", solution="2 + 2 = 4", topic="sums")
PROGRAM = "\n\nWrite a Python program that prints the answer and nothing else."


@cache
def answers() -> dict[str, str]:
    return {row.prompt: row.answer for source in sources_of("raw.problems") for row, _ in source.rows()}


def good(prompt: str, body: dict[str, Any]) -> str:
    number = sum(map(ord, prompt)) + (body.get("seed") or 0)
    if prompt.startswith("Write another problem"):
        return f"What is {number % 90 + 10} + {number % 7 + 1}?"
    problem = prompt.removesuffix(PROGRAM)
    made_up = re.fullmatch(r"What is (\d+) \+ (\d+)\?", problem)
    right = (
        str(int(made_up[1]) + int(made_up[2])) if made_up else {**answers(), PENS.prompt: "18", "2 + 2": "4"}[problem]
    )
    return (
        f"```python\nfound = {right!r}\nprint(found)\n```"
        if prompt != problem
        else f"Way {number % 9}. The answer is {right}"
    )


def promised(row: Rationale) -> bool:
    """A chain of thought states the answer; a program runs and prints it."""
    if row.style == "cot":
        return same_answer(final_answer(row.completion), row.answer) and not row.prompt.endswith(PROGRAM)
    (ran,) = open_sandbox().run([Program(code=row.completion)])
    return ran.ok and same_answer(ran.stdout.strip(), row.answer) and row.prompt.endswith(PROGRAM)


def test_a_problem_gets_a_chain_of_thought_and_a_program(scripted_llm: Callable[..., LLM]) -> None:
    rows = mathinstruct_mammoth([PENS], scripted_llm(good), open_sandbox())
    found = {(row.style, row.source, row.author): row for row in rows if PENS.prompt in row.prompt}
    assert set(found) == {("cot", "pens", "scripted"), ("pot", "pens", "scripted")}
    assert found["pot", "pens", "scripted"].completion == "found = '18'\nprint(found)"
    assert all(map(promised, rows))


def test_a_program_is_kept_only_if_it_runs_and_prints_the_known_answer(scripted_llm: Callable[..., LLM]) -> None:
    programs = {"wrong": "print(19)", "broken": "print(18 / 0)", "wordy": "print('It is', 18)", "right": "print(6 * 3)"}
    problems = [Problem(prompt=f"Pens, {name}: 6 * 3", answer="18") for name in programs]

    def answer(prompt: str, body: dict[str, Any]) -> str:
        named = re.match(r"Pens, (\w+)", prompt)
        return programs[named[1]] if named and prompt.endswith(PROGRAM) else "The answer is unknown."

    with keep(Ledger()) as ledger:
        rows = mathinstruct_mammoth(problems, scripted_llm(answer), open_sandbox())
    assert [row.completion for row in rows if row.style == "pot"] == ["print(6 * 3)"]
    assert {drop.evidence for drop in ledger.drops} >= {
        "19 was stated, 18 is right",
        "It is 18 was stated, 18 is right",
        "ZeroDivisionError: division by zero",
    }


def test_a_rationale_that_the_source_has_is_taken_and_not_asked_for(scripted_llm: Callable[..., LLM]) -> None:
    asked: list[str] = []
    llm = scripted_llm(
        lambda prompt, body: asked.append(prompt) or good(prompt.replace("What is 2 + 2?", "2 + 2"), body)
    )
    rows = mathinstruct_mammoth([KNOWN], llm, open_sandbox())
    (row,) = [row for row in rows if row.prompt == KNOWN.prompt]
    assert (row.completion, row.author, row.source) == ("2 + 2 = 4\nThe answer is: 4", "source", "sums")
    assert KNOWN.prompt not in asked


def test_a_new_problem_has_the_answer_of_most_of_its_solutions(scripted_llm: Callable[..., LLM]) -> None:
    sure = [row for row in mathinstruct_mammoth([PENS], scripted_llm(good), open_sandbox()) if "What is" in row.prompt]
    assert len(sure) == 1
    assert sure[0].origin[0].parents != (PENS.record_id,)  # by way of the new question

    def unsure(prompt: str, body: dict[str, Any]) -> str:
        return f"The answer is {body['seed']}" if prompt.startswith("What is") else good(prompt, body)

    rows = mathinstruct_mammoth([PENS], scripted_llm(unsure), open_sandbox())
    assert [row for row in rows if "What is" in row.prompt] == []


def test_a_strong_model_publishes_what_is_promised(scripted_llm: Callable[..., LLM]) -> None:
    problems = [row for source in sources_of("raw.problems") for row, _ in source.rows()][:8]
    rows = mathinstruct_mammoth(problems, scripted_llm(good), open_sandbox())
    assert len(rows) >= 16
    assert {row.style for row in rows} == {"cot", "pot"}
    assert all(map(promised, rows))
    assert all(row.parents and row.origin for row in rows)
