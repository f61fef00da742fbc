"""Real text of several kinds, from what the installed packages hold, and the defects that are put into it."""

import inspect
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

from catalog.sources import _stdlib
from catalog.sources.champ import champ
from catalog.sources.chatterbot_prompts import chatterbot_prompts
from catalog.sources.python_topics import python_topics

Texts = list[str]


def once(texts: Sequence[str]) -> Texts:
    """Without exact duplicates, as the screens leave them: tables hold none."""
    return list({" ".join(text.split()): text for text in texts if text.strip()}.values())


@cache
def kinds() -> dict[str, Texts]:
    """Kind → its texts, in an order of chance."""
    found = {
        "chat prompts": [row.prompt for row, _ in chatterbot_prompts()],
        "maths problems": [row.text for row, _ in champ()],
        "docs": [part for row, _ in python_topics() for part in row.text.split("\n\n") if len(part.split()) > 20],
        "docstrings": [inspect.cleandoc(function.doc) for function in _stdlib.functions()],
        "code": [function.code for function in _stdlib.functions()],
    }
    out = {kind: once(texts) for kind, texts in found.items()}
    for texts in out.values():
        random.Random(0).shuffle(texts)
    return out


@cache
def labelled() -> list[tuple[str, str]]:
    """Docstrings with the part of the standard library that they are from, of parts with 80 of them or more."""
    pairs = {function.doc: function.package for function in _stdlib.functions()}
    sizes = Counter(pairs.values())
    out = [(doc, package) for doc, package in pairs.items() if sizes[package] >= 80]
    random.Random(0).shuffle(out)
    return out


def some(kind: str, most: int = 600) -> Texts:
    return kinds()[kind][:most]


def on(share: float, change: Callable[[str, random.Random], str]) -> Callable[[Texts], Texts]:
    """A defect that changes a share of the rows."""

    def spoil(texts: Texts) -> Texts:
        chance = random.Random(1)
        chosen = set(chance.sample(range(len(texts)), round(share * len(texts))))
        return [change(text, chance) if number in chosen else text for number, text in enumerate(texts)]

    return spoil


def copied(texts: Texts) -> Texts:
    """10 % of the rows are exact copies of others."""
    return [*texts, *random.Random(1).sample(texts, len(texts) // 9)]


def nearly_copied(texts: Texts) -> Texts:
    """10 % of the rows are others in capitals, without punctuation, with one word in forty another."""
    return [*texts, *(_alike(text) for text in random.Random(1).sample(texts, len(texts) // 9))]


def _alike(text: str) -> str:
    found = re.sub(r"[!?.,;]", " ", text).upper().split(" ")
    for place in range(39, len(found), 40):
        found[place] = "other"
    return " ".join(found) + "."


def words_shuffled(text: str, chance: random.Random) -> str:
    found = text.split()
    chance.shuffle(found)
    return " ".join(found)


def from_template(text: str, chance: random.Random) -> str:
    """A row that says little more than the template that it fills."""
    longest = sorted(set(text.split()), key=lambda word: (-len(word), word))[:3] or ["it"]
    thing, other = chance.choice(longest), "".join(chance.choices(string.ascii_lowercase, k=6))
    return f"Please write a short and simple text about {thing} that mentions {other} at least once, thank you."


def looping(text: str, chance: random.Random) -> str:
    return " ".join(text.split()[:8] * 6)


def blank(text: str, chance: random.Random) -> str:
    return " \n"


def cut(most: int) -> Callable[[str, random.Random], str]:
    return lambda text, chance: text[:most]


def collapsed(texts: Texts) -> Texts:
    """The model says one of five things, with small changes, in 90 % of the rows."""
    chance = random.Random(1)
    few = chance.sample(texts, 5)
    return [text if chance.random() < 0.1 else words_dropped(chance.choice(few), chance) for text in texts]


def one_topic(texts: Texts) -> Texts:
    """Every row is a variant of one text."""
    chance = random.Random(1)
    return [words_dropped(max(texts[:20], key=len), chance) for _ in texts]


def words_dropped(text: str, chance: random.Random) -> str:
    return " ".join(word for word in text.split() if chance.random() < 0.9)


def mislabelled(labels: Sequence[str], share: float) -> list[str]:
    chance, names = random.Random(1), sorted(set(labels))
    return [
        chance.choice([name for name in names if name != label]) if chance.random() < share else label
        for label in labels
    ]
