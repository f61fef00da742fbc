"""`cast`: draw who talks with a child of some age, where, how and in which words (operators.md 1, slot assignment)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from catalog.records import Record
from catalog.sources.basic_words import Word
from tasks.ledger import operator
from tasks.method import Rows
from tasks.operators.sample import dice

Slot = Literal["kinds", "settings", "partners"]


@dataclass(frozen=True, kw_only=True)
class Scene(Record):
    """Who talks with the child, where, in what way, in about how many turns; words that are to be said."""

    age: int
    kind: str
    setting: str
    partner: str
    turns: int
    words: tuple[str, ...]


@operator
def cast(
    words: Rows[Word],
    ages: Sequence[int],
    choices: Callable[[Slot, int], Sequence[str]],
    *,
    count: int = 3,
    turns: Sequence[int] = (5, 10),
    seed: int = 0,
) -> list[Scene]:
    """A scene for each of `ages`.

    Args:
        words: each with the age at which it is known; a scene is made of those that it has.
        ages: of the child, in years.
        choices: what there is to draw from for a slot, for a child of an age.
        count: how many words, of those that a child of the age knows.
        turns: lengths to draw from.
        seed: of the draws.
    """
    scenes: list[Scene] = []
    for number, age in enumerate(ages):
        draw = dice(seed, "scene", number)
        origin = draw.sample([word for word in words if word.age <= age], count)
        kind, setting, partner = (draw.choice(choices(name, age)) for name in ("kinds", "settings", "partners"))
        made = Scene(
            age=age,
            kind=kind,
            setting=setting,
            partner=partner,
            turns=draw.choice(turns),
            words=tuple(word.word for word in origin),
            origin=origin,
        )
        scenes.append(made)
    return scenes
