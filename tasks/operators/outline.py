"""`names` and `outline`: a model lists what belongs to a thing: names, or headings with points (operators.md 2)."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, create_model

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import Prompting, generate

R = TypeVar("R", bound=Record)

_WORD = re.compile(r"[^\W\d_]{2}")
"""Two letters: what has none is no name."""


@dataclass(frozen=True)
class Section:
    """A heading, and the points under it."""

    title: str
    points: tuple[str, ...]


@operator
def names(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    most: int = 10,
    shots: Sequence[tuple[str, Sequence[str]]] = (),
    longest: int = 60,
    temperature: float = 0.7,
    max_tokens: int = 512,
    seed: int = 0,
) -> list[tuple[R, Answer[tuple[str, ...]]]]:
    """(row, names) pairs: what the model lists for each row, distinct whatever their case, in its order.

    What has no letters is left out, and a row for which nothing is left is dropped.

    Args:
        llm: the model.
        rows: what to list something for.
        prompt: asks for the list.
        most: names in a list.
        shots: (prompt, names) pairs that show how, as earlier turns.
        longest: characters of a name.
        temperature: of the sampling.
        max_tokens: the longest answer.
        seed: of the sampling.
    """
    schema = create_model("Names", names=_list_of(_name(longest), most))
    turns = [(asked, json.dumps({"names": list(said)})) for asked, said in shots]
    answers: list[tuple[R, Answer[Any]]] = generate(
        llm, rows, prompt, turns=turns, schema=schema, temperature=temperature, max_tokens=max_tokens, seed=seed
    )
    lists: list[tuple[R, Answer[tuple[str, ...]]]] = []
    for row, answer in answers:
        if listed := _distinct(answer.value.names):
            lists.append((row, Answer(listed, answer.call)))
        else:
            drop(row, "the list has no name in it")
    return lists


@operator
def outline(
    llm: LLM,
    rows: Rows[R],
    prompt: "Prompting[R]",
    *,
    most: int = 8,
    points: int = 5,
    shots: Sequence[tuple[str, Sequence[Section]]] = (),
    longest: int = 60,
    temperature: float = 0.7,
    max_tokens: int = 1024,
    seed: int = 0,
) -> list[tuple[R, Answer[tuple[Section, ...]]]]:
    """(row, sections) pairs: what the model plans for each row, headings that differ, each with points under it.

    Args:
        llm: the model.
        rows: what to plan.
        prompt: asks for the plan.
        most: headings in a plan.
        points: under a heading.
        shots: (prompt, sections) pairs that show how, as earlier turns.
        longest: characters of a heading or point.
        temperature: of the sampling.
        max_tokens: the longest answer.
        seed: of the sampling.

    Of headings that repeat the first is kept. A row whose plan has no heading left is dropped.
    """
    name = _name(longest)
    section = create_model("Section", title=name, points=_list_of(name, points))
    schema = create_model("Outline", sections=_list_of(section, most))
    turns = [
        (asked, json.dumps({"sections": [{"title": each.title, "points": list(each.points)} for each in said]}))
        for asked, said in shots
    ]
    answers: list[tuple[R, Answer[Any]]] = generate(
        llm, rows, prompt, turns=turns, schema=schema, temperature=temperature, max_tokens=max_tokens, seed=seed
    )
    plans: list[tuple[R, Answer[tuple[Section, ...]]]] = []
    for row, answer in answers:
        kept: dict[str, Section] = {}
        for each in answer.value.sections:
            title, under = " ".join(each.title.split()), _distinct(each.points)
            if _WORD.search(title) and under:
                kept.setdefault(title.lower(), Section(title, under))
        if kept:
            plans.append((row, Answer(tuple(kept.values()), answer.call)))
        else:
            drop(row, "the plan has no heading with a point")
    return plans


def _name(longest: int) -> Any:
    return Annotated[str, Field(min_length=2, max_length=longest)]


def _list_of(kind: Any, most: int) -> Any:
    return (Annotated[list[kind], Field(min_length=1, max_length=most)], ...)


def _distinct(said: Sequence[str]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for each in said:
        plain = " ".join(each.split())
        if _WORD.search(plain):
            first.setdefault(plain.lower(), plain)
    return tuple(first.values())
