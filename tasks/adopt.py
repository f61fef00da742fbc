"""Adopting: what was made of a portion goes into the run's spool, but for the rows that did not pass beside others."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.lineage import edges_without
from catalog.records import PROVENANCE, clean
from catalog.spool import FLAG, KINDS, REJECTED, Spool, parts
from catalog.store import as_frame
from tasks.portions import Made
from tasks.screening import Beside, clustered

if TYPE_CHECKING:
    import polars as pl

_AS_THEY_ARE = ("hits", "rejected", "asked")
"""Kinds that do not lose what belongs to rows that have gone."""
_OF_ROWS = ("rows", "edges", "signatures")
"""Kinds that do."""


class Part:
    """What lies in the folder of a portion that was made."""

    def __init__(self, made: Made) -> None:
        self._made = made

    def signed(self) -> "pl.DataFrame":
        """The signatures of the rows that passed by themselves, in their order, with all that they are compared by."""
        signed, shingles = self._read("signatures"), self._read("shingles")
        return signed.hstack(shingles) if shingles.height else signed

    def move(self, spool: Spool, gone: Mapping[str, tuple[str, str, str]], beside: Beside) -> Counter[str]:
        """Take what was made into a spool, but for the rows that have gone; returns how many are noted, by screen.

        Args:
            spool: of the run.
            gone: rows that did not pass → screen, reason, evidence.
            beside: what became of the rows beside others.
        """
        import polars as pl

        flags = [self._read("flags").filter(~pl.col("record_id").is_in(list(gone)))]
        noted = [
            dict(zip(FLAG, (row, screen, "flag", reason, evidence), strict=True))
            for row, its in beside.noted.items()
            if row not in gone
            for screen, reason, evidence in its
        ]
        flags.append(as_frame(noted, FLAG))
        spool.add_frame("flags", pl.concat(flags))
        if gone:
            self._move_without(gone, spool)
        for kind in _AS_THEY_ARE if gone else (*_AS_THEY_ARE, *_OF_ROWS):
            spool.take(kind, self._files(kind), self._made.counts[kind])
        # Reviews are numbered over the run, clusters over all pairs of a portion.
        spool.add_frame("reviews", self._read("reviews").with_columns(pl.col("position") + spool.counts["reviews"]))
        spool.add_frame("duplicates", clustered(self._read("duplicates"), beside.pairs))
        shutil.rmtree(self._made.folder)
        return Counter(pl.concat(flags)["screen"].to_list())

    def _move_without(self, gone: Mapping[str, tuple[str, str, str]], spool: Spool) -> None:
        import polars as pl

        has_gone = pl.col("record_id").is_in(list(gone))
        rows, edges = self._read("rows"), self._read("edges").to_dicts()
        kept = rows.filter(~has_gone)
        its_edges, parents = edges_without(edges, kept["record_id"], gone.keys())
        parents = pl.Series([list(parents[row]) for row in kept["record_id"]], dtype=pl.List(pl.String))
        spool.add_frame("rows", kept.with_columns(parents=parents))
        spool.add_edges(its_edges)
        spool.add_frame("signatures", self._read("signatures").filter(~has_gone))
        made_of: dict[str, list[str]] = {}
        for edge in edges:
            if edge["kind"] == "row" and edge["record_id"] in gone:
                made_of.setdefault(edge["record_id"], []).append(edge["parent_id"])
        rejected = [
            _rejected(row, gone[row["record_id"]], made_of.get(row["record_id"], []))
            for row in rows.filter(has_gone).iter_rows(named=True)
        ]
        spool.add_frame("rejected", as_frame(rejected, REJECTED))

    def _read(self, kind: str) -> "pl.DataFrame":
        import polars as pl

        return pl.read_parquet(files) if (files := self._files(kind)) else as_frame([], KINDS[kind])

    def _files(self, kind: str) -> list[Path]:
        return parts(self._made.folder, kind)


def _rejected(row: Mapping[str, Any], why: tuple[str, str, str], parents: list[str]) -> dict[str, Any]:
    """A row that has gone, as `Spool.add_rejected` writes it."""
    screen, reason, evidence = why
    content = {name: value for name, value in row.items() if name not in PROVENANCE}
    return {
        "record_id": row["record_id"],
        "screen": screen,
        "reason": clean(reason),
        "evidence": clean(evidence),
        "content": clean(json.dumps(content, ensure_ascii=False)),
        "parents": parents,
    }
