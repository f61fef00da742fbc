"""Short problems made of formulas, with other numbers: `Find 2^50+3 mod 7.` has no run of words that tells it.

Two sentences are the same here if they differ in case, white space and the digits of their numbers only.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from quality.texts import folded

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_FORMULA = re.compile(r"\d\s*[-+*/^=<>()%|]|[-+*/^=<>(|]\s*\d")
"""What a line has at least where it may hold one: told before anything else is done."""
_END = re.compile(r"[.?!](?=\s|$)|$")
_START = re.compile(r"(?:^|[.?!:;#>)\]*-](?=\s))\s*")
_SIGNS = re.compile(r"[-+*/^=<>()%|]")
_LETTERS = re.compile(r"[^\W\d_]")
LEAST_NUMBERS, LEAST_SIGNS, LEAST_LETTERS = 2, 2, 4
"""Numbers, signs and letters of a template that is evidence."""
LONGEST = 400
"""Characters of an item that is looked for."""
_SENTENCES = 3
"""Sentences in a row that an item may have."""

Span = tuple[int, int]


def template(text: str) -> str:
    """The text without white space, case and the stop at its end, numbers as 0; empty where that tells too little."""
    bare = _NUMBER.sub("0", "".join(folded(text).split())).rstrip(".?!")
    enough = (
        bare.count("0") >= LEAST_NUMBERS
        and len(_SIGNS.findall(bare)) >= LEAST_SIGNS
        and len(_LETTERS.findall(bare)) >= LEAST_LETTERS
    )
    return bare if enough else ""


def templates(texts: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    """Template → the numbers of the items that have it, of items that are short enough."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        if len(text) <= LONGEST and (key := template(text)):
            found[key].append(number)
    return {key: tuple(items) for key, items in found.items()}


def formulas(text: str, known: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[Span, tuple[int, ...]]]:
    """Where sentences of a text have the template of items, and which items those are."""
    start = 0
    for line in text.splitlines(keepends=True):
        if _FORMULA.search(line):
            for span in _runs(line):
                if items := known.get(template(line[slice(*span)])):
                    yield (start + span[0], start + span[1]), items
        start += len(line)


def _runs(line: str) -> Iterator[Span]:
    """Each run of sentences in a line; the first may begin after a mark, as what stands in a list or a comment does."""
    ends = [found.end() for found in _END.finditer(line.rstrip())]
    for begin in (found.end() for found in _START.finditer(line)):
        for end in [end for end in ends if end > begin][:_SENTENCES]:
            if end - begin <= 2 * LONGEST:
                yield begin, end
