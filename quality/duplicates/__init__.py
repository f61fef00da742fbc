"""Duplicates: rows that repeat, or nearly repeat, an earlier row of their batch or one that is published.

`minhash` finds texts that are equal or share most of their 5-grams, `rouge` texts with a long common subsequence of
words, `semantic` texts whose vectors point the same way. Of two alike rows the earlier one stays. What `minhash` and
`semantic` find is a table of pairs, one row for each row that has to go (`PAIRS`).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import polars as pl
    from duckdb import DuckDBPyRelation

    Stored = pl.DataFrame | DuckDBPyRelation
    """Columns of published rows: in memory, or to be read from a table piece by piece."""

Kind = Literal["exact", "near", "semantic"]

PAIRS = ("record_id", "kept_id", "similarity", "kind", "cluster")
"""The row that goes, the row that stays for it, how alike they are (0 to 1), in what way, and a number that the pairs
with one kept row share, counted from 1."""


class Pair(NamedTuple):
    """A row of a batch, by its place, and the row that stays for it."""

    row: int
    kept_id: str
    similarity: float
    kind: Kind


def pair_table(ids: Sequence[str], pairs: Iterable[Pair]) -> "pl.DataFrame":
    """The pairs as a table with the columns `PAIRS`, in the order of the batch whose `ids` are given."""
    import polars as pl

    ordered = sorted(pairs)
    numbers: dict[str, int] = {}
    for pair in ordered:
        numbers.setdefault(pair.kept_id, len(numbers) + 1)
    columns = (
        pl.Series("record_id", [ids[pair.row] for pair in ordered], pl.String),
        pl.Series("kept_id", [pair.kept_id for pair in ordered], pl.String),
        pl.Series("similarity", [pair.similarity for pair in ordered], pl.Float64),
        pl.Series("kind", [pair.kind for pair in ordered], pl.String),
        pl.Series("cluster", [numbers[pair.kept_id] for pair in ordered], pl.UInt32),
    )
    return pl.DataFrame(columns)


def pieces(stored: "Stored", columns: Sequence[str], rows: int) -> "Iterator[pl.DataFrame]":
    """The columns of published rows, at most so many rows at a time."""
    import polars as pl

    if isinstance(stored, pl.DataFrame):
        yield from stored.select(columns).iter_slices(rows)
        return
    for batch in stored.select(*columns).to_arrow_reader(rows):
        yield pl.DataFrame(pl.from_arrow(batch))
