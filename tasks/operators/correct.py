"""`mistakes` and `correct`: wrong solutions, and what is wrong with them (operators.md 16 keep-wrong, 20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import Field

from catalog.records import Answer, Problem, Prompt
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.answers import final_answer, same_answer
from tasks.operators.extract import sentences
from tasks.operators.generate import generate

P = TypeVar("P", bound=Problem)


@dataclass(frozen=True, kw_only=True)
class Attempt(Prompt):
    """A question with a solution that ends in a wrong answer; `path` has a line for each step, with its number."""

    path: str
    steps: int
    answer: str


@dataclass(frozen=True, kw_only=True)
class Correction:
    """The first step that is wrong, why, and a right solution with its answer. The bounds keep a weak model short."""

    wrong_step: Annotated[int, Field(ge=1, le=99)]
    why: Annotated[str, Field(min_length=8, max_length=240)]
    solution: Annotated[str, Field(min_length=3, max_length=400)]
    answer: Annotated[str, Field(min_length=1, max_length=40)]


@operator
def mistakes(rows: Rows[tuple[P, Answer[str]]]) -> list[Attempt]:
    """The solutions that state a wrong answer, each once for its problem; right ones and silent ones are dropped."""
    seen: set[tuple[str, str]] = set()
    wrong: list[Attempt] = []
    for row, answer in rows:
        stated = final_answer(answer.value)
        if not stated or same_answer(stated, row.answer):
            drop(row, "the solution has no mistake to correct" if stated else "the solution states no answer")
        elif (row.record_id, answer.value) in seen:
            drop(row, "the mistake repeats another", answer.value[:500])
        else:
            seen.add((row.record_id, answer.value))
            steps = [step for line in answer.value.splitlines() for step in sentences(line)]
            path = "\n".join(f"Step {number}: {step}" for number, step in enumerate(steps, 1))
            wrong.append(
                Attempt(prompt=row.prompt, path=path, steps=len(steps), answer=row.answer, origin=(row, answer))
            )
    return wrong


@operator
def correct(
    corrector: LLM,
    rows: Rows[Attempt],
    prompt: str,
    *,
    turns: Sequence[tuple[str, str]] = (),
    temperature: float = 0.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> list[tuple[Attempt, Answer[Correction]]]:
    """(attempt, correction) pairs; one whose answer is wrong still, or that names no step of the attempt, is dropped.

    Args:
        corrector: the model.
        rows: the wrong solutions.
        prompt: what to ask, with `{prompt}` and `{path}`.
        turns: (asked, correction as JSON) pairs that show how, as earlier turns.
        temperature: of the sampling; 0 is greedy.
        max_tokens: the longest correction.
        seed: of the sampling.
    """
    answers = generate(
        corrector,
        rows,
        prompt,
        schema=Correction,
        turns=turns,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
    )
    right: list[tuple[Attempt, Answer[Correction]]] = []
    for row, answer in answers:
        said = answer.value
        if not same_answer(said.answer, row.answer):
            drop(row, "the corrected answer is wrong", f"{said.answer} was stated, {row.answer[:200]} is right")
        elif said.wrong_step > row.steps:
            drop(row, "the correction names no step of the solution", f"step {said.wrong_step} of {row.steps}")
        else:
            right.append((row, answer))
    return right
