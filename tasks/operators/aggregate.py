"""`aggregate`: the mean of what several judgements say of the same things (operators.md 15)."""

from collections.abc import Sequence
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.method import Rows

R = TypeVar("R", bound=Record)


@operator
def aggregate(rows: Rows[tuple[R, Sequence[float]]], *, of: int) -> list[tuple[R, tuple[float, ...]]]:
    """One (row, means) pair for each row: place by place the mean of its `of` rating lists, in the order of the rows.

    A row with fewer lists is dropped: means over different aspects cannot be compared.
    """
    lists: dict[str, list[Sequence[float]]] = {}
    by_id: dict[str, R] = {}
    for row, ratings in rows:
        by_id[row.record_id] = row
        lists.setdefault(row.record_id, []).append(ratings)
    means: list[tuple[R, tuple[float, ...]]] = []
    for record_id, row in by_id.items():
        found = lists[record_id]
        if len(found) < of:
            drop(row, "a judgement is missing", f"{len(found)} of {of}")
        else:
            means.append((row, tuple(sum(place) / len(found) for place in zip(*found, strict=True))))
    return means
