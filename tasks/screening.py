"""Screening: what every row passes before it may enter a table, with the lake's own rows and benchmarks at hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from catalog.records import BenchmarkItem, Record
from catalog.store import Lake, Version
from quality.contamination import BenchmarkIndex
from quality.screens import Rejection, content_key, screen

R = TypeVar("R", bound=Record)

BENCHMARKS = "raw.benchmarks"


@dataclass
class Screener:
    """The screens for one table: remembers what it let pass, so that partitions are screened against each other too."""

    benchmarks: BenchmarkIndex | None
    published: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(
        cls, lake: Lake, table: str, shape: type[Record], *, anew: bool = False, without: Version | None = None
    ) -> "Screener":
        """The screener of a table: against every benchmark, and the rows that it will keep.

        Those are the rows of its last version, but none where it is started `anew`, and not what the version
        `without` added where that is made again.
        """
        last = None if anew else lake.latest(table)
        rows = lake.rows(last, shape, lake.ids(last, without=without)) if last else []
        index = None if table == BENCHMARKS else benchmark_index(lake, lake.latest(BENCHMARKS))
        return cls(index, {content_key(row): row.record_id for row in rows})

    def __call__(self, rows: Sequence[R]) -> tuple[list[R], list[Rejection]]:
        """The rows that pass, and the others with the reasons."""
        kept, rejected = screen(rows, published=self.published, benchmarks=self.benchmarks)
        self.published |= {content_key(row): row.record_id for row in kept}
        return kept, rejected


_indexes: dict[tuple[str, int], BenchmarkIndex] = {}


def benchmark_index(lake: Lake, version: Version | None) -> BenchmarkIndex | None:
    """The index of one version of `raw.benchmarks`, built once a process; none where there is no such table."""
    if version is None:
        return None
    key = (lake.data, version.snapshot)
    if key not in _indexes:
        _indexes[key] = BenchmarkIndex(lake.rows(version, BenchmarkItem, lake.ids(version)))
    return _indexes[key]
