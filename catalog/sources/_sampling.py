"""How a labelled data set takes some of many rows."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def spread(rows: Sequence[T], most: int) -> list[T]:
    """At most `most` of the rows, from all over them at even distances, so that no class outnumbers the rest."""
    count = min(most, len(rows))
    return [rows[index * len(rows) // count] for index in range(count)]
