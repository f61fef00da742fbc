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
from random import Random
from typing import Any

from catalog.records import Document, Record, content
from catalog.sources.basic_words import Word
from quality.expectations import between, matches, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.converse import script, transcript
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.rewrite import looped
from tasks.operators.sample import dice
from tasks.prompts import read_prompts


@dataclass(frozen=True, kw_only=True)
class Scene(Record):
    """Who talks with the child, where, in what way, in about how many turns; words that are to be said."""

    age: int
    kind: str
    setting: str
    partner: str
    turns: int
    words: tuple[str, ...]


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
    scenes = [scene(words, age, count, dice(seed, "scene", number)) for number, age in enumerate(ages)]
    sampling: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    acted = script(llm, scenes, ask, lambda row: ("Child", row.partner), turns=shots, **sampling)
    talks = [Talk(**content(row), text=transcript(said.value), origin=(row, said)) for row, said in acted]
    distinct = dedup(talks, lambda row: row.text, reason="the talk repeats another")
    return keep(distinct, lambda row: fault(row, sum(known[word].stands_in(row.text) for word in row.words), least))


def scene(words: Rows[Word], age: int, count: int, draw: Random) -> Scene:
    """A scene with `count` words that a child of this age knows."""
    origin = draw.sample([word for word in words if word.age <= age], count)
    kind, setting, partner = (draw.choice(choices(name, age)) for name in ("kinds", "settings", "partners"))
    said = tuple(word.word for word in origin)
    turns = draw.choice((5, 10))
    return Scene(age=age, kind=kind, setting=setting, partner=partner, turns=turns, words=said, origin=origin)


def choices(name: str, age: int) -> list[str]:
    """What there is to draw from for a child of this age."""
    return "\n".join([PROMPTS[name], *([PROMPTS[f"{name}: older"]] if age > YOUNG else [])]).splitlines()


def ask(row: Scene, **other: str) -> str:
    """What the model is asked for a scene."""
    return PROMPTS["talk"].format(**content(row) | {"words": ", ".join(row.words)} | other)


def shots(row: Scene) -> list[tuple[str, str]]:
    """The example of a younger or an older child, who talks with the one that the row's child talks with."""
    shown = EXAMPLES[row.age > YOUNG]
    return [(ask(shown, partner=row.partner), PROMPTS[f"example: {shown.age}"].format(partner=row.partner))]


def fault(row: Talk, used: int, least: int) -> str:
    """Why a talk is not the one that was asked for."""
    if used < least:
        return "the talk lacks the words that it was to have"
    if set(re.findall(r"^\W*([A-Z]\w+)\W*:", row.text, re.MULTILINE)) != {"Child", row.partner}:
        return "somebody else speaks"
    return "the talk runs in a circle" if looped(row.text) else ""


AGES, YOUNG = (2, 5, 10, 15), 5
PROMPTS = read_prompts(__file__)
EXAMPLES = (
    Scene(age=2, kind="playing", setting="at home", partner="Dad", turns=5, words=("ball", "throw", "big")),
    Scene(age=10, kind="asking", setting="on the bus", partner="Friend", turns=5, words=("museum", "see", "famous")),
)
