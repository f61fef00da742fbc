"""TinyDialogues: talks of a child of 2, 5, 10 or 15 years in words that it knows, ordered by its age.

Feng et al., 2024, https://arxiv.org/abs/2408.03617

Departs from the paper:
- Words, kinds of talk, settings and people are our own lists, shorter than the paper's; the child talks with one other
  person, in the paper sometimes with several.
- The table is in the order of the curriculum, youngest first; to shuffle it is left to who trains.
- A talk in which others speak, or that has fewer than `least` of its words or runs in a circle, is dropped.
- Two talks of ours show the form.
"""

import re
from dataclasses import dataclass
from typing import Any

from catalog.records import Document, content
from catalog.sources.basic_words import Word
from quality.expectations import between, matches, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.cast import Scene, Slot, cast
from tasks.operators.converse import script, transcript
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.rewrite import looped
from tasks.prompts import read_examples, read_prompts


@dataclass(frozen=True, kw_only=True)
class Talk(Scene, Document):
    """A talk, each turn on a line with the speaker's name."""


@method(
    paper=Paper(
        "Is Child-Directed Speech Effective Training Data for Language Models?", "Feng et al.", 2024, "2408.03617"
    ),
    categories=["general-model-distillation"],
    reads={"words": "raw.words"},
    expects=[unique("text"), matches("text", r"(?m)^Child: \S"), between("age", 2, 15)],
)
def tinydialogues(
    words: Rows[Word],
    llm: LLM,
    *,
    rows: int = 130_000,
    count: int = 3,
    least: int = 2,
    temperature: float = 1.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> Rows[Talk]:
    """Draw the scenes, as many for each age, have one model act both parts, and keep the talks in the child's words."""
    known = {word.word: word for word in words}
    ages = [AGES[number * len(AGES) // rows] for number in range(rows)]
    scenes = cast(words, ages, choices, count=count, seed=seed)
    sampling: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    acted = script(llm, scenes, ask, lambda row: ("Child", row.partner), turns=shots, **sampling)
    talks = [Talk(**content(row), text=transcript(said.value), origin=(row, said)) for row, said in acted]
    distinct = dedup(talks, lambda row: row.text, reason="the talk repeats another")
    return keep(distinct, lambda row: fault(row, sum(known[word].stands_in(row.text) for word in row.words), least))


def choices(name: Slot, age: int) -> list[str]:
    """What there is to draw from for a child of this age."""
    return "\n".join([PROMPTS[name], *([PROMPTS[f"{name}: older"]] if age > YOUNG else [])]).splitlines()


def ask(row: Scene) -> str:
    """What the model is asked for a scene."""
    return PROMPTS["talk"].format(**content(row) | {"words": ", ".join(row.words)})


def shots(row: Scene) -> list[tuple[str, str]]:
    """The example of a younger or an older child, who talks with the one that the row's child talks with."""
    shown = EXAMPLES[row.age > YOUNG]
    return [(PROMPTS["talk"].format(**shown, partner=row.partner), shown["talk"].format(partner=row.partner))]


def fault(row: Talk, used: int, least: int) -> str:
    """Why a talk is not the one that was asked for."""
    if used < least:
        return "the talk lacks the words that it was to have"
    if set(re.findall(r"^\W*([A-Z]\w+)\W*:", row.text, re.MULTILINE)) != {"Child", row.partner}:
        return "somebody else speaks"
    return "the talk runs in a circle" if looped(row.text) else ""


AGES, YOUNG = (2, 5, 10, 15), 5
PROMPTS = read_prompts(__file__)
EXAMPLES = read_examples(PROMPTS, "age", "kind", "setting", "turns", "words", "talk")
