"""`write_pair`: a model writes a question together with its answer (operators.md 2)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, create_model

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, generate
from tasks.operators.rewrite import looped

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Pair:
    """A question, or a request, and its answer."""

    question: str
    answer: str


@operator
def write_pair(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    shots: Sequence[tuple[str, Pair]] = (),
    longest: int = 400,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[tuple[R, Answer[Pair]]]:
    """(row, pair) pairs; those whose answer is the question, or that run in a circle, are dropped.

    Args:
        llm: the model.
        rows: what to write about.
        prompt: asks for the two, in JSON as "question" and "answer".
        shots: (prompt, pair) pairs that show how, as earlier turns.
        longest: characters of a question, and of an answer.
        temperature: of the sampling.
        seed: of the sampling.
    """
    text = Annotated[str, Field(min_length=3, max_length=longest)]
    wanted: Any = create_model("Pair", question=(text, ...), answer=(text, ...))
    turns = [(asked, json.dumps({"question": pair.question, "answer": pair.answer})) for asked, pair in shots]
    answers: list[tuple[R, Answer[Any]]] = generate(
        llm, rows, prompt, turns=turns, schema=wanted, temperature=temperature, max_tokens=longest, seed=seed
    )
    pairs: list[tuple[R, Answer[Pair]]] = []
    for row, answer in answers:
        pair = Pair(answer.value.question.strip(), answer.value.answer.strip())
        if pair.question.casefold() == pair.answer.casefold():
            drop(row, "the answer is the question", pair.question)
        elif looped(pair.question) or looped(pair.answer):
            drop(row, "the question or its answer runs in a circle", pair.answer)
        else:
            pairs.append((row, Answer(pair, answer.call)))
    return pairs
