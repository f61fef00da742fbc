"""Repetition: rows that repeat another one, exactly or nearly, and rows that repeat themselves."""

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from quality.measures import Bounds, Sample, measure
from quality.measures._words import Hashes, shuffled
from quality.texts import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SIMILAR = 0.7
"""Jaccard similarity of the sets of 3-grams of words from which rows are near-duplicates."""
_BANDS, _WIDTH = 16, 4
"""16 bands of 4 minima: rows of Jaccard 0.7 meet in one of them with probability 0.99, of 0.8 with 0.9998."""
_CHUNK = 5000
_LONG = 20
"""Words from which a row can be looping."""


@measure(
    "diversity",
    bounds={
        "exact_duplicate_share": Bounds(high=0.02),
        "near_duplicate_share": Bounds(high=0.05),
        "looping_share": Bounds(high=0.02),
    },
)
def repetition(sample: Sample) -> dict[str, float]:
    """The shares of the rows that repeat.

    - `exact_duplicate_share`: they are another row again, white space aside (of n copies, n - 1 count);
    - `near_duplicate_share`: they are not, but share most 3-grams with an earlier row (estimated by MinHash);
    - `looping_share`: they say at least half of their 3-grams before, of the rows of 20 words or more.
    """
    import numpy as np

    if not sample.texts:
        return {}
    rows = shuffled(sample.texts, 0)
    exact, seen = np.zeros(len(rows), bool), set[int]()
    for number, text in enumerate(rows):
        key = hash(" ".join(text.split()))
        exact[number] = key in seen
        seen.add(key)
    signatures, repeated = _signatures(rows)
    out = {
        "exact_duplicate_share": float(exact.mean()),
        "near_duplicate_share": float((_near(signatures) & ~exact).mean()),
    }
    long = repeated >= 0
    if long.any():
        out["looping_share"] = float((repeated[long] >= 0.5).mean())
    return out


def _signatures(texts: Sequence[str]) -> "tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]]":
    """MinHash signatures (n x 64), and the share of each row's 3-grams that it had before (-1 for short rows)."""
    import numpy as np

    hashes = Hashes()
    minima, repeated = list["npt.NDArray[np.uint32]"](), list["npt.NDArray[np.float64]"]()
    for start in range(0, len(texts), _CHUNK):
        grams, starts = _grams(texts[start : start + _CHUNK], hashes)
        minima.append(_minima(grams, starts))
        repeated.append(_repeated(grams, starts))
    return np.concatenate(minima), np.concatenate(repeated)


def _grams(texts: Sequence[str], hashes: Hashes) -> "tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]":
    """The hashed 3-grams of all texts, and where those of each text start; every text has at least one."""
    import numpy as np

    # Two marks end each text, so that one of a single word has a 3-gram as well, and the order of words counts.
    found = [[*map(hashes.__getitem__, words(text) or [""]), 1, 2] for text in texts]
    sizes = np.fromiter(map(len, found), np.int64, len(found))
    flat = np.fromiter(chain.from_iterable(found), np.uint64, int(sizes.sum()))
    grams = flat.copy()
    for shift in (1, 2):
        grams *= np.uint64(0x9E3779B97F4A7C15)
        grams ^= grams >> np.uint64(29)
        grams[:-shift] += flat[shift:]
    grams *= np.uint64(0xBF58476D1CE4E5B9)
    grams ^= grams >> np.uint64(31)
    ends = np.cumsum(sizes)
    kept = np.ones(len(flat), bool)
    kept[ends - 1] = kept[ends - 2] = False
    sizes -= 2
    return grams[kept], np.cumsum(sizes) - sizes


def _minima(grams: "npt.NDArray[np.uint64]", starts: "npt.NDArray[np.int64]") -> "npt.NDArray[np.uint32]":
    import numpy as np

    chance = np.random.default_rng(0)
    out = np.empty((len(starts), _BANDS * _WIDTH), np.uint32)
    scratch = np.empty_like(grams)
    for column in range(out.shape[1]):
        factor = chance.integers(1 << 63, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        np.multiply(grams, factor, out=scratch)
        out[:, column] = np.minimum.reduceat(scratch, starts) >> np.uint64(32)
    return out


def _near(signatures: "npt.NDArray[np.uint32]") -> "npt.NDArray[np.bool_]":
    """Which rows are similar to an earlier one, of those that meet in a band."""
    import numpy as np

    near = np.zeros(len(signatures), bool)
    for band in range(_BANDS):
        columns = signatures[:, band * _WIDTH : (band + 1) * _WIDTH]
        order = np.lexsort(columns.T)
        ordered = columns[order]
        later = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1)) + 1
        for part in np.array_split(later, len(later) // _CHUNK + 1):
            agreed = (signatures[order[part]] == signatures[order[part - 1]]).mean(axis=1)
            near[order[part][agreed >= SIMILAR]] = True
    return near


def _repeated(grams: "npt.NDArray[np.uint64]", starts: "npt.NDArray[np.int64]") -> "npt.NDArray[np.float64]":
    import numpy as np

    sizes = np.diff(np.append(starts, len(grams)))
    owners = np.repeat(np.arange(len(starts)), sizes)
    order = np.lexsort((grams, owners))
    ordered = grams[order]
    again = np.zeros(len(grams))
    again[1:] = (ordered[1:] == ordered[:-1]) & (owners[1:] == owners[:-1])
    return np.where(sizes >= _LONG, np.add.reduceat(again, starts) / sizes, -1.0)
