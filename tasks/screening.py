"""Screening: what every row passes before it may enter a table, with the lake's own rows and benchmarks at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from catalog.lineage import edges_of
from catalog.records import Answer, BenchmarkItem, Record
from catalog.spool import Spool
from catalog.store import Lake, Version
from catalog.withdrawals import withdrawn_among
from infra.settings import Policy, Settings
from quality.contamination import BenchmarkIndex
from quality.duplicates import minhash, pair_table, semantic
from quality.encoder import default_encoder
from quality.screening import CONTAMINATED, MEANING, NEAR, Match, Note, Rejection, check_options, content_key, screen
from quality.texts import texts_of

if TYPE_CHECKING:
    import polars as pl

    from quality.duplicates import Stored
    from quality.encoder import Encoder

R = TypeVar("R", bound=Record)

BENCHMARKS = "raw.benchmarks"
WITHDRAWN = "withdrawn"
"""The screen of rows that were taken down, or are made of such; nobody can turn it off."""
BY_MEANING = 5000
"""Rows of a run, from its first on, that are compared with benchmarks in other words: the encoder takes 5 ms each."""


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


def write_down(passed: Passed, kept: Sequence[Record], spool: Spool, stored: Mapping[str, str] | None = None) -> None:
    """Put what screening found into a run's spool; of the rows that pass, what is known of those that are `kept`.

    `stored` are the ids of the rows that the lake holds: a rejected row is noted with the nearest it was made from.
    """
    ids = {row.record_id for row in kept}
    spool.add_frame("duplicates", passed.pairs)
    spool.add_frame("signatures", passed.signatures.filter(passed.signatures["record_id"].is_in(list(ids))))
    spool.add_hits([(match.row, match.field, asdict(match.hit)) for match in passed.matches])
    spool.add_flags([(n.row, n.screen, n.action, n.reason, n.evidence) for n in passed.notes if n.row.record_id in ids])
    _, above = edges_of([r.row for r in passed.rejected], stored or {})
    spool.add_rejected([(r.row, r.screen, r.reason, r.evidence) for r in passed.rejected], above)


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
    _by_meaning: int = 0
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
        import polars as pl

        kept, rejected, notes, matches = screen(
            rows,
            published=self._keys | self.published(rows),
            benchmarks=self.benchmarks,
            policies=self.policies,
            options=self.options,
            encode=self._encoder(len(rows)),
        )
        if banned := self._withdrawn(kept):
            rejected += banned
            out = {each.row.record_id for each in banned}
            kept = [row for row in kept if row.record_id not in out]
        signed = _signatures(kept, near=self._policy(NEAR) != "off", meaning=self._policy(MEANING) != "off")
        found: list[pl.DataFrame] = [_exact(rejected)]
        for name, likeness in _LIKENESSES.items():
            if self._policy(name) == "off" or signed.is_empty():
                continue
            found.append(pairs := self._pairs(signed, likeness))
            alike = {row_id: (kept_id, similarity) for row_id, kept_id, similarity, *_ in pairs.iter_rows()}
            too_alike = [_too_alike(row, name, *alike[row.record_id]) for row in kept if row.record_id in alike]
            if self._policy(name) != "drop":
                notes += [Note(each.row, name, "flag", each.reason, each.evidence) for each in too_alike]
                continue
            rejected += too_alike
            kept = [row for row in kept if row.record_id not in alike]
            signed = signed.filter(~signed["record_id"].is_in(list(alike)))
        there = {row.record_id for row in kept}
        self._keys |= dict(zip(signed["content_key"], signed["record_id"], strict=True))
        self._own.append(signed)
        clustered = pl.concat(found).with_columns(cluster=pl.col("kept_id").rank("dense").cast(pl.UInt32))
        notes = [note for note in notes if note.row.record_id in there]
        return Passed(kept, rejected, notes, matches, clustered, signed)

    def _policy(self, name: str) -> Policy:
        return self.policies.get(name, "off")

    def _encoder(self, rows: int) -> "Encoder | None":
        """By what the next rows are compared with benchmarks in other words; none once enough have been."""
        most = self.options.get(CONTAMINATED, {}).get("by_meaning", BY_MEANING)
        self._by_meaning += rows
        return default_encoder() if self._by_meaning - rows < most else None

    def _withdrawn(self, rows: Sequence[Record]) -> list[Rejection]:
        """The rows that were withdrawn, or are made, however indirectly, of rows or answers that were."""
        of = {row.record_id: _made_of(row) for row in rows}
        gone = withdrawn_among(self.lake, frozenset[str]().union(*of.values()))
        return [
            Rejection(row, WITHDRAWN, f"was withdrawn, or made of what was ({gone[hit[0]]})", hit[0])
            for row in rows
            if (hit := sorted(gone.keys() & of[row.record_id]))
        ]

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

    def _pairs(self, signed: "pl.DataFrame", likeness: "_Likeness") -> "pl.DataFrame":
        """The rows that are like another: published, of an earlier partition, or an earlier one of these."""
        import polars as pl

        columns, by = likeness
        found: list[pl.DataFrame] = []
        if self.version is not None:
            with self.lake.read() as connection:
                published = connection.sql(
                    f"SELECT {', '.join(columns)} FROM ({self._current}) WHERE {columns[-1]} IS NOT NULL"
                )
                found.append(by(signed, published))
        own = pl.concat(self._own).select(columns) if self._own else None
        left = signed.filter(~signed["record_id"].is_in(found[0]["record_id"].implode())) if found else signed
        found.append(by(left, own))
        return pl.concat(found)

    @property
    def _current(self) -> str:
        """The signatures of the rows that the table will keep, in SQL."""
        version = self.version
        assert version is not None
        return (
            "SELECT * FROM catalog.signatures SEMI JOIN "
            f"(SELECT record_id FROM {version.ref.sql} AT (VERSION => {version.snapshot}) "
            f"WHERE snapshot_id <> {self.without.added_in if self.without else -1}) USING (record_id) "
            f"WHERE table_name = '{version.ref.table}'"
        )


_Likeness = tuple[tuple[str, ...], "Callable[[pl.DataFrame, Stored | None], pl.DataFrame]"]

_LIKENESSES: Mapping[str, _Likeness] = {
    NEAR: (minhash.STORED, minhash.near_duplicates),
    MEANING: (semantic.STORED, semantic.semantic_duplicates),
}
"""Screen → the columns of signatures that it compares, and what finds the rows that are like another by them."""


def _signatures(rows: Sequence[Record], *, near: bool, meaning: bool) -> "pl.DataFrame":
    """What later rows are compared with: the content, and what duplicates are found by where those count."""
    import polars as pl

    ids = [row.record_id for row in rows]
    texts = texts_of([vars(row) for row in rows], type(rows[0])) if rows and (near or meaning) else []
    frame = pl.DataFrame({"record_id": ids}, {"record_id": pl.String})
    signed = minhash.signatures(*((ids, texts) if near else ([], [])))
    vectors = semantic.vectors(*((ids, texts) if meaning else ([], [])), default_encoder())
    for each in (signed, vectors):
        frame = frame.join(each, on="record_id", how="left", maintain_order="left")
    return frame.with_columns(pl.Series("content_key", [content_key(row) for row in rows], pl.String))


def _made_of(row: Record) -> frozenset[str]:
    """The ids of a row, of its parents, and of all rows and answers that it was made from."""
    ids, queue, seen = set[str](), [row], set[int]()
    while queue:
        made = queue.pop()
        if id(made) not in seen:
            seen.add(id(made))
            ids |= {made.record_id, *made.parents, *(each.call for each in made.origin if isinstance(each, Answer))}
            queue += [each for each in made.origin if isinstance(each, Record)]
    return frozenset(ids)


def _too_alike(row: Record, screen: str, kept_id: str, similarity: float) -> Rejection:
    how = "says the same as another row" if screen == MEANING else "is like another row"
    return Rejection(row, screen, f"{how} ({similarity:.0%})", kept_id)


def _exact(rejected: Sequence[Rejection]) -> "pl.DataFrame":
    """The rows that repeat another's content, as pairs."""
    import polars as pl

    exact = [each for each in rejected if each.screen == "duplicate"]
    columns = {
        "record_id": [each.row.record_id for each in exact],
        "kept_id": [each.evidence for each in exact],
        "similarity": [1.0] * len(exact),
        "kind": ["exact"] * len(exact),
        "cluster": [0] * len(exact),
    }
    return pl.DataFrame(columns, schema=pair_table([], []).schema)


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
        _indexes[key] = BenchmarkIndex.kept(items, settings.folder("indexes"), secret=benchmark_secret(settings))
    return _indexes[key]


def benchmark_secret(settings: Settings) -> bytes:
    """With which private benchmarks are hashed; empty where there is none."""
    return settings.benchmark_secret.get_secret_value().encode() if settings.benchmark_secret else b""
