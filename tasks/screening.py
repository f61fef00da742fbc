"""Screening: what every row passes before it may enter a table, with the lake's own rows and benchmarks at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from catalog.records import BenchmarkItem, Record
from catalog.spool import Spool
from catalog.store import Lake, Version
from infra.settings import Policy, Settings
from quality.contamination import BenchmarkIndex
from quality.duplicates import pair_table
from quality.duplicates.minhash import STORED, near_duplicates, signatures
from quality.screening import NEAR, Match, Note, Rejection, check_options, content_key, screen
from quality.texts import texts_of

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R", bound=Record)

BENCHMARKS = "raw.benchmarks"


class Passed(NamedTuple):
    """What became of rows: those that pass, those that do not, and what is to be kept about both."""

    kept: "list[Any]"
    rejected: list[Rejection]
    notes: list[Note]
    matches: list[Match]
    pairs: "pl.DataFrame"
    """Duplicates, with the row that was kept instead: the columns `quality.duplicates.PAIRS`."""
    signatures: "pl.DataFrame"
    """Of the kept rows: what later ones are compared with."""


def write_down(passed: Passed, kept: Sequence[Record], spool: Spool) -> None:
    """Put what screening found into a run's spool; of the rows that pass, what is known of those that are `kept`."""
    ids = {row.record_id for row in kept}
    spool.add_frame("duplicates", passed.pairs)
    spool.add_frame("signatures", passed.signatures.filter(passed.signatures["record_id"].is_in(list(ids))))
    spool.add_hits([(match.row, match.field, asdict(match.hit)) for match in passed.matches])
    spool.add_flags([(n.row, n.screen, n.action, n.reason, n.evidence) for n in passed.notes if n.row.record_id in ids])
    spool.add_rejected([(r.row, r.screen, r.reason, r.evidence) for r in passed.rejected])


@dataclass
class Screener:
    """The screens for one table: remembers what it let pass, so that partitions are screened against each other too.

    Published rows are looked up by the signatures that the lake keeps of them: their texts are not read again.
    """

    lake: Lake
    version: Version | None
    """Whose rows the new ones are compared with."""
    without: Version | None
    benchmarks: BenchmarkIndex | None
    policies: Mapping[str, Policy]
    options: Mapping[str, Mapping[str, Any]]
    _keys: dict[str, str] = field(default_factory=dict[str, str])
    _own: "list[pl.DataFrame]" = field(default_factory=list[Any])

    @classmethod
    def of(
        cls,
        lake: Lake,
        settings: Settings,
        table: str,
        policies: Mapping[str, Policy],
        *,
        anew: bool = False,
        without: Version | None = None,
    ) -> "Screener":
        """The screener of a table: against every benchmark, and the rows that it will keep.

        Those are the rows of its last version, but none where it is started `anew`, and not what the version
        `without` added where that is made again. A screen that `policies` do not name is off.

        Raises:
            Refusal: for options of screens that do not fit, or benchmarks that cannot be read with the secret given.
        """
        check_options(settings.screen_options)
        version = None if anew else lake.latest(table)
        index = None if table == BENCHMARKS else benchmark_index(lake, settings)
        return cls(lake, version, without, index, policies, settings.screen_options)

    def __call__(self, rows: Sequence[R]) -> Passed:
        """Sort rows into those that pass and those that do not."""
        kept, rejected, notes, matches = screen(
            rows,
            published=self._keys | self.published(rows),
            benchmarks=self.benchmarks,
            policies=self.policies,
            options=self.options,
        )
        signed = _signatures(kept, near=self._near != "off")
        pairs = self._pairs(signed)
        alike = {record_id: (kept_id, similarity) for record_id, kept_id, similarity, *_ in pairs.iter_rows()}
        if self._near == "drop":
            rejected += [_too_near(row, *alike[row.record_id]) for row in kept if row.record_id in alike]
            kept = [row for row in kept if row.record_id not in alike]
            there = {row.record_id for row in kept}
            notes = [note for note in notes if note.row.record_id in there]
        else:
            notes += [
                Note(row, NEAR, "flag", found.reason, found.evidence)
                for row in kept
                if row.record_id in alike and (found := _too_near(row, *alike[row.record_id]))
            ]
        signed = signed.filter(signed["record_id"].is_in([row.record_id for row in kept]))
        self._keys |= dict(zip(signed["content_key"], signed["record_id"], strict=True))
        self._own.append(signed)
        return Passed(kept, rejected, notes, matches, _with_exact(pairs, rejected), signed)

    @property
    def _near(self) -> Policy:
        return self.policies.get(NEAR, "off")

    def published(self, rows: Sequence[Record]) -> dict[str, str]:
        """`content_key` → `record_id` of published rows that have the content, or the id, of one of these."""
        if self.version is None or not rows:
            return {}
        keys, ids = [content_key(row) for row in rows], [row.record_id for row in rows]
        with self.lake.read() as connection:
            found = connection.execute(
                f"SELECT content_key, record_id FROM ({self._current}) "
                "WHERE content_key IN (SELECT unnest(?)) OR record_id IN (SELECT unnest(?))",
                [keys, ids],
            ).fetchall()
        return dict(found)

    def _pairs(self, signed: "pl.DataFrame") -> "pl.DataFrame":
        """The rows that nearly repeat another: published, of an earlier partition, or an earlier one of these."""
        import polars as pl

        if self._near == "off" or signed.is_empty():
            return pair_table([], [])
        found: list[pl.DataFrame] = []
        if self.version is not None:
            with self.lake.read() as connection:
                published = connection.sql(f"SELECT {', '.join(STORED)} FROM ({self._current}) WHERE bands IS NOT NULL")
                found.append(near_duplicates(signed, published))
        own = pl.concat(self._own).select(STORED) if self._own else None
        left = signed.filter(~signed["record_id"].is_in(found[0]["record_id"].implode())) if found else signed
        found.append(near_duplicates(left, own))
        return pl.concat(found)

    @property
    def _current(self) -> str:
        """The signatures of the rows that the table will keep, in SQL."""
        version = self.version
        assert version is not None
        return (
            "SELECT * FROM catalog.signatures SEMI JOIN "
            f"(SELECT record_id FROM {version.ref.sql} AT (VERSION => {version.snapshot}) "
            f"WHERE snapshot_id <> {self.without.snapshot if self.without else -1}) USING (record_id) "
            f"WHERE table_name = '{version.ref.table}'"
        )


def _signatures(rows: Sequence[Record], *, near: bool) -> "pl.DataFrame":
    """What later rows are compared with: the content, and where near duplicates count, what those are found by."""
    import polars as pl

    ids = [row.record_id for row in rows]
    texts = texts_of([vars(row) for row in rows], type(rows[0])) if rows and near else []
    frame = signatures(ids if near else [], texts)
    if not near:
        frame = pl.DataFrame({"record_id": ids}, {"record_id": pl.String}).join(frame, on="record_id", how="left")
    return frame.with_columns(pl.Series("content_key", [content_key(row) for row in rows], pl.String))


def _too_near(row: Record, kept_id: str, similarity: float) -> Rejection:
    return Rejection(row, NEAR, f"is {similarity:.0%} like another row", kept_id)


def _with_exact(pairs: "pl.DataFrame", rejected: Sequence[Rejection]) -> "pl.DataFrame":
    """The pairs, and those of the rows that repeat another's content."""
    import polars as pl

    exact = [each for each in rejected if each.screen == "duplicate"]
    columns = {
        "record_id": [each.row.record_id for each in exact],
        "kept_id": [each.evidence for each in exact],
        "similarity": [1.0] * len(exact),
        "kind": ["exact"] * len(exact),
    }
    both = pl.concat([pairs.drop("cluster"), pl.DataFrame(columns, schema=pairs.drop("cluster").schema)])
    return both.with_columns(cluster=pl.col("kept_id").rank("dense").cast(pl.UInt32))


_indexes: dict[tuple[str, int], BenchmarkIndex] = {}


def benchmark_index(lake: Lake, settings: Settings) -> BenchmarkIndex | None:
    """The index of the benchmarks, built once and kept in the home folder; none where there is no such table.

    Raises:
        Refusal: for benchmarks that were hashed with another secret.
    """
    version = lake.latest(BENCHMARKS)
    if version is None:
        return None
    key = (lake.data, version.snapshot)
    if key not in _indexes:
        items = lake.rows(version, BenchmarkItem, lake.ids(version))
        secret = settings.benchmark_secret.get_secret_value().encode() if settings.benchmark_secret else b""
        _indexes[key] = BenchmarkIndex.kept(items, settings.folder("indexes"), secret=secret)
    return _indexes[key]
