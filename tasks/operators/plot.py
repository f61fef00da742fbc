"""`plot`: draw what each of many stories is to have in it (operators.md 1, slot assignment)."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.records import Record
from catalog.sources.basic_words import Word
from tasks.ledger import operator
from tasks.method import Rows
from tasks.operators.sample import dice


@dataclass(frozen=True, kw_only=True)
class Plan(Record):
    """What a story is to have in it."""

    noun: str
    verb: str
    adjective: str
    features: tuple[str, ...] = ()


@operator
def plot(words: Rows[Word], n: int, *, features: Sequence[str] = (), chance: float = 0.5, seed: int = 0) -> list[Plan]:
    """`n` draws of a noun, a verb and an adjective, each of `features` joining them with the probability `chance`.

    Two draws may be the same.
    """
    kinds = [[word for word in words if word.part == part] for part in ("noun", "verb", "adjective")]
    plans: list[Plan] = []
    for number in range(n):
        draw = dice(seed, "story", number)
        made = [draw.choice(kind) for kind in kinds]
        noun, verb, adjective = (word.word for word in made)
        wanted = tuple(name for name in features if draw.random() < chance)
        plans.append(Plan(noun=noun, verb=verb, adjective=adjective, features=wanted, origin=made))
    return plans
