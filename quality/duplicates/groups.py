"""Groups of rows that belong together: near duplicates of each other, near or far, and rows that share a key.

What is drawn from the groups, such as the splits of an export, leaves no row on one side and its like on the other.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

ALIKE = 0.7
"""Jaccard similarity from which two texts are of one group: under that of near duplicates, to be on the safe side."""
_WHOLE = 100
"""Texts with a band in common of which every pair is looked at; of more, each and the next."""


def groups(signed: "pl.DataFrame", keys: Iterable[Sequence[Hashable]], *, alike: float = ALIKE) -> list[int]:
    """The number of each row's group.

    Args:
        signed: the `minhash.signatures` of the rows.
        keys: for each row, what it shares with the others of its group.
        alike: similarity of texts from which they are of one group; estimated for texts of more shingles than a sketch
            holds.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = [*_alike(signed, alike), *_sharing(keys)]
    if not len(signed):
        return []
    one, other = np.array(edges, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(one), np.int8), (one, other)), (len(signed), len(signed)))
    return connected_components(links, directed=False)[1].tolist()


def _alike(signed: "pl.DataFrame", alike: float) -> Iterator[tuple[int, int]]:
    """Pairs of rows whose texts are alike, of those that share a band."""
    import polars as pl

    bands = signed.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), "bands").explode("bands")
    met = bands.group_by("bands").agg("row").filter(pl.col("row").list.len() > 1)["row"].unique()
    sketches = [sketch.to_numpy() for sketch in signed["sketch"]]
    seen: set[tuple[int, int]] = set()
    for members in met.to_list():
        rows = sorted(members)
        for pair in combinations(rows, 2) if len(rows) <= _WHOLE else pairwise(rows):
            if pair not in seen:
                seen.add(pair)
                if _similarity(*(sketches[row] for row in pair)) >= alike:
                    yield pair


def _similarity(one: "pl.Series", other: "pl.Series") -> float:
    """The Jaccard similarity of two texts, by the least hashes of their shingles."""
    import numpy as np

    from quality.duplicates.minhash import SKETCH

    either = np.union1d(one, other)
    if len(one) >= SKETCH or len(other) >= SKETCH:
        either = either[:SKETCH]  # above it, nothing is known of the longer text
    common = np.isin(either, one) & np.isin(either, other)
    return float(common.mean()) if len(either) else 1.0


def _sharing(keys: Iterable[Sequence[Hashable]]) -> Iterator[tuple[int, int]]:
    """Each row with the first that has a key of its own."""
    first: dict[Hashable, int] = {}
    for row, its in enumerate(keys):
        for key in its:
            yield first.setdefault(key, row), row
