"""Semantic duplicates: texts whose vectors have a cosine of 0.9 or more (SemDeDup, https://arxiv.org/abs/2303.09540).

Every vector is compared with every other, in blocks of matrix products: 50,000 new rows with one another take 2,500
million products, which is minutes at most; an approximate index would miss some.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from quality.duplicates import Pair, pair_table, pieces

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from quality.duplicates import Stored

    Vectors = npt.NDArray[np.float32]

THRESHOLD = 0.9
"""Cosine from which two texts say the same (operators.md 17)."""
STORED = ("record_id", "vector")
"""The columns of `vectors` to keep of a published row: VARCHAR, FLOAT[]."""

_BLOCK = 1024
_PIECE = 8192


def vectors(ids: Sequence[str], texts: Sequence[str], encode: "Callable[[Sequence[str]], Vectors]") -> "pl.DataFrame":
    """What semantic duplicates are found by, one row a text: the columns `STORED`.

    Raises:
        ValueError: where there are not as many ids, texts and vectors.
    """
    import numpy as np
    import polars as pl

    made = np.asarray(encode(texts), np.float32) if len(texts) else np.empty((0, 1), np.float32)
    if not len(ids) == len(texts) == len(made) or made.ndim != 2:
        raise ValueError(
            f"vectors: {len(ids):,} ids and vectors of the form {made.shape} for {len(texts):,} texts,"
            " one id and one vector a text are wanted"
        )
    lists = pl.Series("vector", made).cast(pl.List(pl.Float32))
    return pl.DataFrame((pl.Series("record_id", ids, pl.String), lists))


def semantic_duplicates(
    new: "pl.DataFrame", published: "Stored | None" = None, *, threshold: float = THRESHOLD
) -> "pl.DataFrame":
    """The new rows whose vector is like that of a published or an earlier new one that stays: the columns `PAIRS`.

    The kept row is the most similar one, a published one before a new one. A vector of zeros is like no other.
    Cosines are of 32-bit floats: one that is the threshold to six digits may fall on either side on another machine.

    Raises:
        ValueError: for vectors of different lengths, or with a value that is no number.
    """
    mine = _unit(new)
    pairs = _match_published(mine, published, threshold) if published is not None and len(mine) else []
    pairs += _match_batch(mine, new["record_id"].to_list(), {pair.row for pair in pairs}, threshold)
    return pair_table(new["record_id"].to_list(), pairs)


def _match_published(mine: "Vectors", published: "Stored", threshold: float) -> list[Pair]:
    import numpy as np

    best = np.full(len(mine), -np.inf, np.float32)
    kept = [""] * len(mine)
    for piece in pieces(published, STORED, _PIECE):
        theirs, ids = _unit(piece, mine.shape[1]), piece["record_id"]
        for first in range(0, len(mine), _BLOCK):
            cosines = mine[first : first + _BLOCK] @ theirs.T
            places = cosines.argmax(axis=1)
            values = cosines[np.arange(len(places)), places]
            for row in np.flatnonzero(values > best[first : first + _BLOCK]).tolist():
                best[first + row], kept[first + row] = values[row], ids[int(places[row])]
    return [
        Pair(row, kept[row], min(float(best[row]), 1.0), "semantic")
        for row in np.flatnonzero(best >= threshold).tolist()
    ]


def _match_batch(mine: "Vectors", ids: Sequence[str], gone: set[int], threshold: float) -> list[Pair]:
    import numpy as np

    pairs: list[Pair] = []
    kept: list[int] = []
    stay = np.empty_like(mine)
    for first in range(0, len(mine), _BLOCK):
        block = mine[first : first + _BLOCK]
        best, places = _best(block, stay[: len(kept)])
        within = block @ block.T
        before = len(kept)
        for place in range(len(block)):
            if (row := first + place) in gone:
                continue
            value, other = best[place], places[place]
            near = within[place, [number - first for number in kept[before:]]]
            if len(near) and near.max() > value:
                value, other = near.max(), before + int(near.argmax())
            if value >= threshold:
                pairs.append(Pair(row, ids[kept[other]], min(float(value), 1.0), "semantic"))
            else:
                stay[len(kept)] = mine[row]
                kept.append(row)
    return pairs


def _best(block: "Vectors", others: "Vectors") -> "tuple[Vectors, npt.NDArray[np.int64]]":
    """For each vector of a block the greatest cosine to another, and the first place that has it."""
    import numpy as np

    best = np.full(len(block), -np.inf, np.float32)
    places = np.zeros(len(block), np.int64)
    for first in range(0, len(others), _PIECE):
        cosines = block @ others[first : first + _PIECE].T
        found = cosines.argmax(axis=1)
        values = cosines[np.arange(len(block)), found]
        better = values > best
        best[better], places[better] = values[better], found[better] + first
    return best, places


def _unit(frame: "pl.DataFrame", width: int | None = None) -> "Vectors":
    """The vectors of a frame, each of length 1 (or 0).

    Args:
        frame: has a column `vector`.
        width: numbers that a vector must have; None: as many as the first.
    """
    import numpy as np

    lists = frame["vector"]
    if not len(lists):
        return np.empty((0, width or 1), np.float32)
    widths = lists.list.len()
    width = width or widths[0]
    if (wrong := widths.ne_missing(width).arg_max()) is not None and widths[wrong] != width:
        row = frame["record_id"][wrong]
        raise ValueError(f"semantic_duplicates: the vector of {row} has {widths[wrong]} numbers, {width} are wanted")
    flat = lists.explode().to_numpy().astype(np.float32).reshape(len(lists), -1)
    if not np.isfinite(flat).all():
        row = frame["record_id"][int(np.flatnonzero(~np.isfinite(flat).all(axis=1))[0])]
        raise ValueError(f"semantic_duplicates: the vector of {row} has a value that is no number")
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
