"""`neighbours`: how far each row is in meaning from the nearest other (operators.md 13, 17)."""

from collections.abc import Callable
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import operator
from tasks.llm.embedder import Embedder
from tasks.method import Rows

R = TypeVar("R", bound=Record)

_BLOCK = 1024


@operator
def neighbours(embedder: Embedder, rows: Rows[R], text: Callable[[R], str]) -> list[tuple[R, float]]:
    """(row, distance) for each row: the least cosine distance of its text to that of another row, from 0 to 2.

    A lone row is at distance 2, the greatest there is. Every row is compared with every other, in blocks.
    """
    import numpy as np

    if not rows:
        return []
    vectors = embedder.embed([text(row) for row in rows])
    nearest = np.full(len(rows), 2.0)
    for start in range(0, len(rows), _BLOCK):
        block = vectors[start : start + _BLOCK]
        distance = 1 - block @ vectors.T
        distance[np.arange(len(block)), start + np.arange(len(block))] = 2  # itself
        nearest[start : start + len(block)] = distance.min(axis=1)
    # A float of 32 bits tells two vectors that are the same apart by some millionths.
    return [(row, round(min(max(float(found), 0.0), 2.0), 4)) for row, found in zip(rows, nearest, strict=True)]
