"""`subtopics`: one of the narrower things that a model lists under a field (operators.md 2, list-then-pick mode)."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from catalog.records import Labelled
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.dedup import dedup
from tasks.operators.generate import generate
from tasks.operators.sample import dice


@dataclass(frozen=True)
class Subtopics:
    """The answer with the subtopics of a field, some twenty of them."""

    subtopics: Annotated[list[Annotated[str, Field(min_length=3, max_length=40)]], Field(min_length=3, max_length=20)]


@operator
def subtopics(
    llm: LLM, fields: Rows[Labelled], prompt: str, *, temperature: float = 0.7, seed: int = 0
) -> list[Labelled]:
    """A subtopic for each row, which is its text, with the field as its label; a field that comes often has many.

    Args:
        llm: the model.
        fields: whose text is the name of a field; each name is asked about once.
        prompt: asks for up to twenty, in JSON as "subtopics", with a placeholder `{text}`.
        temperature: of the sampling.
        seed: of the sampling and of the draws.
    """
    named = dedup(fields, lambda row: row.text, reason="its subtopics are asked for once")
    answers = generate(llm, named, prompt, schema=Subtopics, temperature=temperature, seed=seed)
    lists = {row.text: answer for row, answer in answers}
    drawn: list[Labelled] = []
    for place, row in enumerate(fields):
        if found := lists.get(row.text):
            name = dice(seed, "subtopic", place).choice(found.value.subtopics)
            drawn.append(Labelled(text=name, label=row.text, origin=(row, found)))
    return drawn
