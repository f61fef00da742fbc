"""The spool: what a run has made so far, on disk as Parquet, until one transaction takes all of it into the lake."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from catalog.records import Record, clean, columns, content, sql_type
from catalog.store import as_frame

EDGE = {"record_id": "VARCHAR", "kind": "VARCHAR", "parent_id": "VARCHAR", "parent_table": "VARCHAR"}
REJECTED = {
    "record_id": "VARCHAR",
    "screen": "VARCHAR",
    "reason": "VARCHAR",
    "evidence": "VARCHAR",
    "content": "VARCHAR",
    "parents": "VARCHAR[]",
}


class Spool:
    """A folder of parts of three kinds: `rows` to publish, lineage `edges`, and rows `rejected`. Removed at the end."""

    def __init__(self, folder: Path, shape: type[Record], extra: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._types = {
            "rows": {
                "record_id": "VARCHAR",
                **{name: sql_type(kind) for name, kind in columns(shape).items()},
                "parents": "VARCHAR[]",
                **(extra or {}),
            },
            "edges": EDGE,
            "rejected": REJECTED,
        }
        self._parts = 0
        self.counts = dict.fromkeys(self._types, 0)
        folder.mkdir(parents=True)
        for kind in self._types:
            self._write(kind, [])  # so that every kind can be read, empty ones included

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

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

    def add_rejected(self, rejected: Sequence[tuple[Record | None, str, str, str]]) -> None:
        """Add rejected rows: (row, screen, reason, evidence)."""
        self._write(
            "rejected",
            [
                {
                    "record_id": row.record_id if row else None,
                    "screen": screen,
                    "reason": clean(reason),
                    "evidence": clean(evidence),
                    "content": clean(json.dumps(content(row), ensure_ascii=False)) if row else None,
                    "parents": row.parents if row else (),
                }
                for row, screen, reason, evidence in rejected
            ],
        )

    def files(self, kind: str) -> list[str]:
        """The Parquet files of one kind."""
        return [str(file) for file in sorted(self._folder.glob(f"{kind}-*.parquet"))]

    def _write(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows and self.files(kind):
            return
        as_frame(rows, self._types[kind]).write_parquet(self._folder / f"{kind}-{self._parts:06}.parquet")
        self._parts += 1
        self.counts[kind] += len(rows)
