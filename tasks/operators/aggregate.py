"""`aggregate` and `vote`: make one of what several judgements say of the same things (operators.md 15)."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.method import Rows

R = TypeVar("R", bound=Record)
T = TypeVar("T")
V = TypeVar("V", bound=Hashable)


@dataclass(frozen=True)
class Vote(Generic[V]):
    """What most say, the share of those who do, and how far they differ: the entropy of all answers, in nats."""

    value: V
    share: float
    entropy: float
    votes: tuple[V, ...]


@operator
def aggregate(rows: Rows[tuple[R, Sequence[float]]], *, of: int) -> list[tuple[R, tuple[float, ...]]]:
    """One (row, means) pair for each row: place by place the mean of its `of` rating lists, in the order of the rows.

    A row with fewer lists is dropped: means over different aspects cannot be compared.
    """
    means: list[tuple[R, tuple[float, ...]]] = []
    for row, found in gathered(rows):
        if len(found) < of:
            drop(row, "a judgement is missing", f"{len(found)} of {of}")
        else:
            means.append((row, tuple(sum(place) / len(found) for place in zip(*found, strict=True))))
    return means


@operator
def vote(rows: Rows[tuple[R, V]], *, of: int = 1) -> list[tuple[R, Vote[V]]]:
    """One (row, vote) pair for each row: what most of its values are, the first given of several.

    A row with fewer than `of` values is dropped.
    """
    voted: list[tuple[R, Vote[V]]] = []
    for row, found in gathered(rows):
        if len(found) < of:
            drop(row, "a vote is missing", f"{len(found)} of {of}")
            continue
        ((first, votes),) = Counter(found).most_common(1)
        voted.append((row, Vote(first, votes / len(found), entropy(found), tuple(found))))
    return voted


def gathered(rows: Iterable[tuple[R, T]]) -> list[tuple[R, list[T]]]:
    """Each row once, in the order in which they first come, with everything that it is paired with."""
    by_id: dict[str, tuple[R, list[T]]] = {}
    for row, value in rows:
        by_id.setdefault(row.record_id, (row, []))[1].append(value)
    return list(by_id.values())


def entropy(values: Sequence[Hashable]) -> float:
    """The entropy of how often each value is there, in nats: 0 where all are one, ln n where n differ."""
    shares = [count / len(values) for count in Counter(values).values()]
    return -sum(share * math.log(share) for share in shares) + 0.0


@operator
def average_orders(rows: Rows[tuple[R, float]], swapped: Rows[tuple[R, float]]) -> list[tuple[R, float]]:
    """(row, p) for each row: how likely its first answer is the better one, as the mean over both orders of showing.

    Both arguments say how likely the row's first answer is the better one: in `rows` it was shown first, in `swapped`
    second. A row of which the verdict turns with the order is dropped: the judge liked a place, not an answer. So are
    those on which it is of two minds, or was not heard twice.
    """
    second = {row.record_id: p for row, p in swapped}
    out: list[tuple[R, float]] = []
    for row, p in rows:
        other = second.get(row.record_id)
        if other is None:
            drop(row, "a judgement is missing", "1 of 2")
        elif (p - 0.5) * (other - 0.5) > 0:
            out.append((row, (p + other) / 2))
        else:
            drop(row, "the verdict turns with the order", f"{p:.3f} shown first, {other:.3f} shown second")
    heard = {row.record_id for row, _ in rows}
    for row, _ in swapped:
        if row.record_id not in heard:
            drop(row, "a judgement is missing", "1 of 2")
    return out
