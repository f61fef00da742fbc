"""`rephrase` and `assert_answer`: say a problem again in other words, or as a statement (operators.md 5)."""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from catalog.records import Answer, Problem
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.extract import sentences
from tasks.operators.generate import generate
from tasks.operators.rewrite import read

P = TypeVar("P", bound=Problem)


@operator
def rephrase(
    llm: LLM,
    rows: Rows[P],
    prompt: str,
    *,
    shots: Sequence[tuple[str, str]] = (),
    n: int = 1,
    temperature: float = 0.7,
    max_tokens: int = 256,
    seed: int = 0,
) -> list[tuple[P, Answer[str]]]:
    """(problem, text) pairs: the problem in other words, n times.

    `prompt` asks for them, with `{prompt}` for the problem; `shots` are (problem, text) pairs that show how. A text
    that is the problem itself, loses a number of it or gives its answer away is dropped: a right answer to it would be
    luck.
    """
    kept: list[tuple[P, Answer[str]]] = []
    turns = [(prompt.format(prompt=told), said) for told, said in shots]
    ask: dict[str, Any] = {"n": n, "temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    for row, text in generate(llm, rows, prompt, turns=turns, parse=read, **ask):
        if reason := _no_rephrasing(row, text.value):
            drop(row, reason, text.value[:500])
        else:
            kept.append((row, text))
    return kept


@operator
def assert_answer(
    llm: LLM,
    rows: Rows[P],
    prompt: str,
    *,
    shots: Sequence[tuple[str, str, str]] = (),
    max_tokens: int = 256,
    seed: int = 0,
) -> list[Problem]:
    """The problems with a statement that says the answer in place of the sentence that asks for it.

    `prompt` asks for the statement, with `{question}` for that sentence and `{answer}`; `shots` are (question, answer,
    statement) triples that show how. A problem whose statement lacks the answer is dropped.
    """

    def ask(row: P) -> str:
        return prompt.format(question=_parts(row.prompt)[1], answer=row.answer)

    turns = [(prompt.format(question=question, answer=answer), said) for question, answer, said in shots]
    greedy: dict[str, Any] = {"temperature": 0.0, "max_tokens": max_tokens, "seed": seed}
    stated: list[Problem] = []
    for row, text in generate(llm, rows, ask, turns=turns, parse=read, **greedy):
        told = f"{_parts(row.prompt)[0]} {text.value}".strip()
        if row.answer in told:
            stated.append(Problem(prompt=told, answer=row.answer, topic=row.topic, origin=(row, text)))
        else:
            drop(row, "the statement lacks the answer", text.value[:500])
    return stated


def _parts(prompt: str) -> tuple[str, str]:
    """What a problem tells, and the sentence that asks: the last with a question mark, else with a number."""
    said = sentences(prompt) or [prompt]
    asks = [s for s in said if s.endswith("?")] or [s for s in said if re.search(r"\d", s)] or said
    place = len(said) - 1 - said[::-1].index(asks[-1])
    return " ".join(said[:place]), said[place]


def _no_rephrasing(problem: Problem, text: str) -> str:
    before, after = _numbers(problem.prompt), _numbers(text)
    if text == problem.prompt:
        return "the rephrasing is the problem itself"
    if before - after:
        return "the rephrasing loses a number"
    if problem.answer in after - before:
        return "the rephrasing gives the answer away"
    return ""


def _numbers(text: str) -> set[str]:
    """The numbers in a text, without their signs."""
    return set(re.findall(r"\d+(?:[.,]\d+)*", text))
