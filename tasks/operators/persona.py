"""`persons`: who stands behind a text, or close to another person, in one sentence (operators.md 6 and 9)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.llm.embedder import Embedder
from tasks.method import Rows
from tasks.operators.dedup import dedup_meaning, dedup_words
from tasks.operators.extract import sentences
from tasks.operators.generate import Prompting, generate
from tasks.operators.rewrite import read

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Person(Record):
    """Somebody, in a sentence, and how many steps they are from a text."""

    persona: str
    round: int


@operator
def persons(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    shots: Sequence[tuple[str, str]] = (),
    round: int = 0,  # noqa: A002 - the column's name
    temperature: float = 0.7,
    seed: int = 0,
) -> list[Person]:
    """The person whom the model describes for each row.

    Args:
        llm: the model.
        rows: texts, or persons.
        prompt: asks for one person.
        shots: (prompt, description) pairs that show how, as earlier turns.
        round: steps that the persons are from a text.
        temperature: of the sampling.
        seed: of the sampling.

    Of an answer the first sentence is taken; one that does not say of somebody "who" they are is asked again.
    """
    answers = generate(
        llm, rows, prompt, turns=shots, parse=read_person, max_tokens=96, temperature=temperature, seed=seed
    )
    return [Person(persona=answer.value, round=round, origin=(row, answer)) for row, answer in answers]


@operator
def distinct_persons(embedder: Embedder, rows: Rows[Person], *, alike: float = 0.9) -> list[Person]:
    """The persons without those whose words or meaning are `alike` to those of one before (Jaccard, cosine)."""
    differing = dedup_words(rows, lambda person: person.persona, threshold=alike)
    return dedup_meaning(embedder, differing, lambda person: person.persona, threshold=alike)


def read_person(text: str) -> str:
    """The first sentence of a description.

    Raises:
        ValueError: where it does not say who somebody is.
    """
    said = [*sentences(read(text)), ""][0]
    if not re.search(r"\b(?:who|whose)\b", said):
        raise ValueError("the answer does not say who somebody is")
    return said
