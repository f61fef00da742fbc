"""Hashes of stretches of benchmark passages, and where each stretch stands: what is looked up in the lake's texts."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from quality.contamination.stream import Flags, Hashes, Places

COMMON = 3
"""Items of one benchmark that share a stretch which is therefore boilerplate."""


class Found(NamedTuple):
    """Where stretches of passages stand in texts: parallel arrays, one entry a pair of places."""

    place: "Places"
    """Which of the looked up hashes it is."""
    key: "Places"
    posting: "Places"


@dataclass(frozen=True)
class Stretches:
    """Stretches by their hash. Units are letters and digits, or tokens, as whoever made them chose."""

    keys: "Hashes"
    """Sorted and distinct."""
    first: "Places"
    """Key → its first posting; one more entry holds the number of postings."""
    passage: "Places"
    start: "Places"
    end: "Places"
    common: "Flags"
    """Keys that are boilerplate: items share them, or common texts have them. They keep `COMMON` postings at most."""
    seen: "Places"
    """Key → texts of the learned corpus that have it."""

    def find(self, hashes: "Hashes") -> Found:
        """Every posting of every hash that is there."""
        import numpy as np

        place, key = self.known(hashes)
        counts = self.first[key + 1] - self.first[key]
        posting = np.repeat(self.first[key] - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(
            counts.sum()
        )
        return Found(np.repeat(place, counts), np.repeat(key, counts), posting)

    def known(self, hashes: "Hashes") -> "tuple[Places, Places]":
        """The places of those hashes that are there, and the number of each one's key."""
        import numpy as np

        if not len(self.keys):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        shift, sieve = self._sieve
        place = np.flatnonzero(sieve[hashes >> shift])
        key = np.minimum(np.searchsorted(self.keys, hashes[place]), len(self.keys) - 1)
        right = self.keys[key] == hashes[place]
        return place[right], key[right]

    @functools.cached_property
    def _sieve(self) -> "tuple[np.uint64, Flags]":
        """A table over the hashes' high bits that lets through one stranger in 32, or more where keys are many."""
        import numpy as np

        bits = min(max(len(self.keys).bit_length() + 5, 16), 27)
        sieve = np.zeros(1 << bits, dtype=np.bool_)
        shift = np.uint64(64 - bits)
        sieve[self.keys >> shift] = True
        return shift, sieve

    def arrays(self) -> "Mapping[str, Any]":
        """Its arrays by name, as they are saved."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def gather(
    hashes: "Hashes", passage: "Places", start: "Places", end: "Places", owner: "Places", benchmark: "Places"
) -> Stretches:
    """The stretches of passages, those of `COMMON` items of a benchmark marked as common.

    Args:
        hashes: of each stretch.
        passage: that has it.
        start: where in the passage it starts.
        end: where it ends.
        owner: passage → item.
        benchmark: item → benchmark.
    """
    import numpy as np

    order = np.argsort(hashes, kind="stable")
    keys, begins, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    number = np.repeat(np.arange(len(keys)), counts)
    common = shared(number, owner[passage[order]], benchmark, len(keys))
    rank = np.arange(len(order)) - np.repeat(begins, counts)
    kept = order[~common[number] | (rank < COMMON)]
    first = np.concatenate(([0], np.cumsum(np.where(common, np.minimum(counts, COMMON), counts))))
    return Stretches(
        keys=keys,
        first=first,
        passage=passage[kept].astype(np.int32),
        start=start[kept].astype(np.int32),
        end=end[kept].astype(np.int32),
        common=common,
        seen=np.zeros(len(keys), dtype=np.uint32),
    )


def shared(key: "Places", item: "Places", benchmark: "Places", size: int) -> "Flags":
    """Which of `size` keys `COMMON` items of one benchmark have, given pairs of a key and an item that has it."""
    import numpy as np

    out = np.zeros(size, dtype=np.bool_)
    if len(key):
        pairs = np.sort(key * np.int64(len(benchmark)) + item)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # np.unique would hash them, which takes five times as long
        of_benchmark = (pairs // len(benchmark)) * np.int64(len(benchmark)) + benchmark[pairs % len(benchmark)]
        distinct, counts = np.unique(of_benchmark, return_counts=True)
        out[distinct[counts >= COMMON] // len(benchmark)] = True
    return out


def concatenated(parts: "Sequence[tuple[Any, ...]]", dtypes: Sequence[Any]) -> "list[Any]":
    """Tuples of arrays, column by column in one array each."""
    import numpy as np

    return [
        np.concatenate([np.asarray(part[column], dtype=dtype) for part in parts] or [np.zeros(0, dtype=dtype)])
        for column, dtype in enumerate(dtypes)
    ]
