"""Templates: how many rows are filled from one mould (operators.md 2.1, structural)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from quality.measures import Bounds, Sample, measure
from quality.texts import words

OPENING = 3
"""Words that make an opening or a closing."""
LENGTH, KEPT = 6, 5
"""Places in a piece of a template, and how many of them at least must not be slots."""
COMMON = 0.05
"""Share of the rows from which a piece that they have in common is of a template."""
_FREQUENT = 0.01
"""Share of the rows that have a word which can be part of a template; any others stand in its slots."""
_FEWEST = 100
_LONGEST = 200
_SLOT, _START, _END = "*", "^", "$"


@measure(
    "diversity",
    bounds={
        "top_opening_share": Bounds(high=0.2),
        "top_closing_share": Bounds(high=0.2),
        "template_rate": Bounds(high=0.25),
    },
    most=2000,
)
def templates(sample: Sample) -> dict[str, float]:
    """Openings, closings and templates, of 100 rows or more.

    - `top_opening_share`, `top_closing_share`: rows that begin (end) with the most common three words;
    - `template_rate`: rows with a piece of a template: six places, of which one may be a slot of any length, that 5 %
      of the rows have in common. After Shaib et al., 2024, https://arxiv.org/abs/2407.00211, where the slots are parts
      of speech; here they are the words that few rows have, which needs no tagger.
    """
    rows = [found for text in sample.texts if (found := words(text)[:_LONGEST])]
    if len(rows) < _FEWEST:
        return {}
    return {
        "top_opening_share": _top(tuple(row[:OPENING]) for row in rows) / len(rows),
        "top_closing_share": _top(tuple(row[-OPENING:]) for row in rows) / len(rows),
        "template_rate": template_rate(rows),
    }


def template_rate(rows: Sequence[Sequence[str]]) -> float:
    """The share of rows of words that have a piece of a template."""
    having = Counter(chain.from_iterable(map(set, rows)))
    frequent = {word for word, count in having.items() if count >= max(3, _FREQUENT * len(rows))}
    pieces = [set(_pieces(_skeleton(row, frequent))) for row in rows]
    shared = Counter(chain.from_iterable(pieces))
    common = {piece for piece, count in shared.items() if count >= max(3, COMMON * len(rows))}
    return sum(not common.isdisjoint(of_row) for of_row in pieces) / len(rows)


def _skeleton(row: Iterable[str], frequent: set[str]) -> list[str]:
    """The row with every run of words that are not frequent taken for one slot."""
    out = [_START]
    for word in row:
        if word in frequent:
            out.append(word)
        elif out[-1] != _SLOT:
            out.append(_SLOT)
    return [*out, _END]


def _pieces(skeleton: Sequence[str]) -> Iterable[tuple[str, ...]]:
    for piece in zip(*(skeleton[start:] for start in range(LENGTH)), strict=False):
        if piece.count(_SLOT) <= LENGTH - KEPT:
            yield piece


def _top(pieces: Iterable[tuple[str, ...]]) -> int:
    return Counter(pieces).most_common(1)[0][1]
