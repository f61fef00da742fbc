"""`sample` and `sample_each`: draw rows, the same ones whenever asked with the same seed (operators.md 1)."""

import random
from collections.abc import Callable, Hashable
from typing import TypeVar

from catalog.records import Record, digest
from tasks.ledger import operator
from tasks.method import Rows

R = TypeVar("R", bound=Record)


@operator
def sample(rows: Rows[R], n: int, *, by: Callable[[R], Hashable] | None = None, seed: int = 0) -> list[R]:
    """`n` rows without replacement, or all in a random order where there are no more.

    Each row has a rank of its own under the seed and the lowest ranks are drawn: neither the order of the pool nor its
    other rows change it, so a grown pool changes few draws. With `by`, strata take turns, each giving its lowest rank.
    """
    ranked = sorted(rows, key=lambda row: digest([seed, row.record_id]))
    if by is None:
        return ranked[:n]
    taken: dict[Hashable, int] = {}
    turns: list[tuple[int, int, R]] = []
    for place, row in enumerate(ranked):
        turn = taken[by(row)] = taken.get(by(row), 0) + 1
        turns.append((turn, place, row))
    return [row for _, _, row in sorted(turns, key=lambda turn: turn[:2])[:n]]


@operator
def sample_each(rows: Rows[R], n: int, *, by: Callable[[R], Hashable], seed: int = 0) -> list[R]:
    """`n` rows at most of each kind that `by` tells apart, in the order of the rows; ranks are those of `sample`."""
    drawn: set[str] = set()
    taken: dict[Hashable, int] = {}
    for row in sample(rows, len(rows), seed=seed):
        taken[by(row)] = taken.get(by(row), 0) + 1
        if taken[by(row)] <= n:
            drawn.add(row.record_id)
    return [row for row in rows if row.record_id in drawn]


def dice(seed: int, *of: str | int) -> random.Random:
    """A stream of random numbers of its own for whatever `of` names: no draw elsewhere moves it."""
    return random.Random(int(digest([seed, *of]), 16))
