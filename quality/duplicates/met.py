"""Rows met before: those that share a band with new ones are found by what they share, not by a look at all of them.

Bands lie in sorted runs, each twice as long as the next at least; a run that is not is merged with the one before it
(a log-structured merge tree, O'Neil et al., 1996, https://doi.org/10.1007/s002360050048). To add n rows, some at a
time, takes time in proportion to n log n, and memory of 8 bytes a band.
"""

from typing import TYPE_CHECKING

from quality.duplicates.minhash import STORED

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Run = npt.NDArray[np.uint64]
    """Bands in order, each with the number of its row in the lower half."""


class Met:
    """Signatures of the rows that were met, in the order in which they came."""

    def __init__(self) -> None:
        self._frames: list[pl.DataFrame] = []
        self._begin: list[int] = [0]
        self._runs: list[Run] = []

    def add(self, signed: "pl.DataFrame") -> None:
        """Take in the signatures of rows."""
        import numpy as np
        import polars as pl

        rows = signed.select(STORED)
        if rows.is_empty():
            return
        numbers = pl.int_range(self._begin[-1], self._begin[-1] + rows.height, dtype=pl.UInt64, eager=True)
        told = rows.select("bands", number=numbers).explode("bands").drop_nulls()
        run = np.sort(told["bands"].to_numpy().astype(np.uint64) << np.uint64(32) | told["number"].to_numpy())
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")  # linear, of two that are sorted
        self._runs.append(run)
        self._frames.append(rows)
        self._begin.append(self._begin[-1] + rows.height)

    def like(self, signed: "pl.DataFrame") -> "pl.DataFrame":
        """The columns `STORED` of the rows that share a band with one of these, in their order."""
        import numpy as np
        import polars as pl

        bands = np.unique(signed["bands"].explode().drop_nulls().to_numpy()).astype(np.uint64) << np.uint64(32)
        found = [_numbers(run, bands) for run in self._runs]
        numbers = np.unique(np.concatenate(found)) if found else np.empty(0, np.uint64)
        if not len(numbers):
            return signed.select(STORED).clear()
        places = np.searchsorted(self._begin, numbers, "right") - 1
        return pl.concat(
            self._frames[place][(numbers[places == place] - np.uint64(self._begin[place])).astype(np.int64)]
            for place in np.unique(places).tolist()
        )


def _numbers(run: "Run", bands: "Run") -> "Run":
    """The rows of a run that have one of these bands."""
    import numpy as np

    low = np.uint64(0xFFFFFFFF)
    at = run.searchsorted(bands)
    held = np.flatnonzero(at < len(run))
    held = held[(run[at[held]] | low) == (bands[held] | low)]
    ends = run.searchsorted(bands[held] | low, "right")
    parts = [run[start:end] & low for start, end in zip(at[held].tolist(), ends.tolist(), strict=True)]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)
