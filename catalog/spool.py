"""The spool: what a run has made so far, on disk as Parquet, until one transaction takes all of it into the lake."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from catalog.records import Record, clean, columns, content, sql_type
from catalog.reviews import Review
from catalog.store import as_frame

if TYPE_CHECKING:
    import polars as pl

EDGE = {
    "record_id": "VARCHAR",
    "kind": "VARCHAR",
    "parent_id": "VARCHAR",
    "parent_table": "VARCHAR",
    "model": "VARCHAR",
    "role": "VARCHAR",
}
REJECTED = {
    "record_id": "VARCHAR",
    "screen": "VARCHAR",
    "reason": "VARCHAR",
    "evidence": "VARCHAR",
    "content": "VARCHAR",
    "parents": "VARCHAR[]",
}

DUPLICATE = {
    "record_id": "VARCHAR",
    "kept_id": "VARCHAR",
    "similarity": "DOUBLE",
    "kind": "VARCHAR",
    "cluster": "UINTEGER",
}
SIGNATURE = {
    "record_id": "VARCHAR",
    "content_key": "VARCHAR",
    "content": "UBIGINT",
    "size": "UINTEGER",
    "bands": "UINTEGER[]",
    "sketch": "UINTEGER[]",
    "vector": "FLOAT[]",
}
SHINGLES = {"shingles": "UBIGINT[]"}
"""Of the rows of `signatures`, one for one, until they have been compared with each other."""
HIT = {
    "record_id": "VARCHAR",
    "field": "VARCHAR",
    "benchmark": "VARCHAR",
    "item": "VARCHAR",
    "span_start": "BIGINT",
    "span_end": "BIGINT",
    "layer": "VARCHAR",
    "score": "DOUBLE",
    "verdict": "VARCHAR",
}
REVIEW = {
    "position": "BIGINT",
    "record_id": "VARCHAR",
    "decides": "VARCHAR",
    "question": "VARCHAR",
    "text": "VARCHAR",
    "choices": "VARCHAR[]",
    "reason": "VARCHAR",
    "content": "VARCHAR",
    "parents": "VARCHAR[]",
}
FLAG = {"record_id": "VARCHAR", "screen": "VARCHAR", "action": "VARCHAR", "reason": "VARCHAR", "evidence": "VARCHAR"}
KINDS = {
    "edges": EDGE,
    "rejected": REJECTED,
    "reviews": REVIEW,
    "asked": EDGE,
    "flags": FLAG,
    "hits": HIT,
    "duplicates": DUPLICATE,
    "signatures": SIGNATURE,
    "shingles": SHINGLES,
}
"""What is spooled beside rows, with its columns."""


class Spool:
    """A folder of parts: `rows` to publish, lineage `edges`, rows `rejected` or in `reviews`, what is known of rows.

    Removed at the end.
    """

    def __init__(self, folder: Path, shape: type[Record], extra: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._types = {
            "rows": {
                "record_id": "VARCHAR",
                **{name: sql_type(kind) for name, kind in columns(shape).items()},
                "parents": "VARCHAR[]",
                **(extra or {}),
            },
            **KINDS,
        }
        self._parts = 0
        self.counts = dict.fromkeys(self._types, 0)
        folder.mkdir(parents=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def add_rows(self, rows: Sequence[Record], parents: Mapping[str, Sequence[str]], **extra: Sequence[Any]) -> None:
        """Add rows; `parents` gives each row's nearest stored ancestors, `extra` further columns, row by row."""
        self._write(
            "rows",
            [
                {
                    "record_id": row.record_id,
                    **content(row),
                    "parents": parents.get(row.record_id, ()),
                    **{name: values[index] for name, values in extra.items()},
                }
                for index, row in enumerate(rows)
            ],
        )

    def add_edges(self, edges: Sequence[Mapping[str, Any]]) -> None:
        """Add lineage edges, with the columns of `EDGE`."""
        self._write("edges", edges)

    def add_rejected(
        self,
        rejected: Sequence[tuple[Record | None, str, str, str]],
        parents: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Add rejected rows: (row, screen, reason, evidence); `parents` gives each row's nearest stored ancestors."""
        above = parents or {}
        self._write(
            "rejected",
            [
                {
                    "record_id": row.record_id if row else None,
                    "screen": screen,
                    "reason": clean(reason),
                    "evidence": clean(evidence),
                    "content": clean(json.dumps(content(row), ensure_ascii=False)) if row else None,
                    "parents": above.get(row.record_id) or row.parents if row else (),
                }
                for row, screen, reason, evidence in rejected
            ],
        )

    def add_reviews(
        self,
        reviews: Sequence[Review],
        edges: Sequence[Mapping[str, Any]],
        parents: Mapping[str, Sequence[str]],
    ) -> None:
        """Add rows that wait for people, with the lineage `edges` of them, and each row's nearest stored ancestors."""
        self._write("asked", edges)
        self._write(
            "reviews",
            [
                {
                    "position": self.counts["reviews"] + place,
                    "record_id": review.row.record_id,
                    "decides": review.decides,
                    "question": clean(review.question),
                    "text": clean(review.text),
                    "choices": review.choices,
                    "reason": clean(review.reason),
                    "content": clean(json.dumps(content(review.row), ensure_ascii=False, default=list)),
                    "parents": parents.get(review.row.record_id, ()),
                }
                for place, review in enumerate(reviews)
            ],
        )

    def add_flags(self, flags: Sequence[tuple[Record, str, str, str, str]]) -> None:
        """Add what is noted about rows that are kept: (row, screen, action, reason, evidence)."""
        self._write(
            "flags",
            [
                {
                    "record_id": row.record_id,
                    "screen": screen,
                    "action": action,
                    "reason": clean(reason),
                    "evidence": clean(evidence),
                }
                for row, screen, action, reason, evidence in flags
            ],
        )

    def add_frame(self, kind: str, frame: "pl.DataFrame") -> None:
        """Add rows of a kind that come as a frame with its columns."""
        if not frame.is_empty():
            self._keep(kind, frame.select(*self._types[kind]))

    def add_hits(self, hits: Sequence[tuple[Record, str, Mapping[str, Any]]]) -> None:
        """Add benchmark items that were found: (row, field, the hit by its fields)."""
        self._write(
            "hits",
            [
                {
                    "record_id": row.record_id,
                    "field": field,
                    **hit,
                    "span_start": hit["start"],
                    "span_end": hit["end"],
                }
                for row, field, hit in hits
            ],
        )

    def take(self, kind: str, files: Sequence[Path], rows: int) -> None:
        """Take over files of a kind, which hold so many rows."""
        for file in files:
            file.rename(self._next(kind))
        self.counts[kind] += rows

    def files(self, kind: str) -> list[str]:
        """The Parquet files of one kind, at least one: a kind of which there are no rows can be read too."""
        if not parts(self.folder, kind):
            self._keep(kind, as_frame([], self._types[kind]))
        return [str(file) for file in parts(self.folder, kind)]

    def _write(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._keep(kind, as_frame(rows, self._types[kind]))

    def _keep(self, kind: str, frame: "pl.DataFrame") -> None:
        frame.write_parquet(self._next(kind))
        self.counts[kind] += frame.height

    def _next(self, kind: str) -> Path:
        self._parts += 1
        return self.folder / f"{kind}-{self._parts:06}.parquet"


def parts(folder: Path, kind: str) -> list[Path]:
    """The Parquet files of one kind that a spool has written to its folder."""
    return sorted(folder.glob(f"{kind}-*.parquet"))
