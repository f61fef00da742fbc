"""Screening: what every row passes before it may enter a table, with the lake's own rows and benchmarks at hand."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from quality.duplicates.met import Met
from quality.encoder import default_encoder
from quality.screening import (
    CONTAMINATED,
    MEANING,
    NEAR,
    Match,
    Note,
    Rejection,
    check_options,
    content_key,
    duplicate,
    screen,
)
from quality.texts import texts_of

if TYPE_CHECKING:
    import polars as pl

    from quality.duplicates import Stored

R = TypeVar("R", bound=Record)

BENCHMARKS = "raw.benchmarks"
WITHDRAWN = "withdrawn"
"""The screen of rows that were taken down, or are made of such; nobody can turn it off."""
BY_MEANING = 5000
"""Rows of a run's input, from its first on, whose rows are compared with benchmarks in other words: the encoder takes
5 ms each."""


class Passed(NamedTuple):
    """What became of rows: those that pass, those that do not, and what is to be kept about both."""

    kept: "list[Any]"
    rejected: list[Rejection]
    notes: list[Note]
    matches: list[Match]
    pairs: "pl.DataFrame"
    """Duplicates, with the row that was kept instead: the columns `quality.duplicates.PAIRS`."""
    signatures: "pl.DataFrame"
    """Of the kept rows, in their order: what they and later ones are compared by."""


class Beside(NamedTuple):
    """What became of rows beside those that were let pass before them, by record id."""

    gone: dict[str, tuple[str, str, str]]
    """Rows that do not pass: by which screen, why, and what shows it."""
    noted: dict[str, list[tuple[str, str, str]]]
    """Rows that pass although they are like others: the same."""
    pairs: "pl.DataFrame"


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


@dataclass(frozen=True, kw_only=True)
class Against:
    """What the rows of a run are compared with: references only."""

    version: Version | None
    """Whose rows the table will keep; of those not what the version `without` added."""
    without: Version | None
    benchmarks: Version | None

    @classmethod
    def of(cls, lake: Lake, table: str, *, anew: bool, without: Version | None) -> "Against":
        """What the next version of a table is compared with."""
        return cls(
            version=None if anew else lake.latest(table),
            without=without,
            benchmarks=None if table == BENCHMARKS else lake.latest(BENCHMARKS),
        )


@dataclass
class Screener:
    """The screens for one table: remembers what it let pass, so that partitions are screened against each other too.

    Rows are screened in two steps. To `look` at them needs none but themselves and what is published, so that any
    process can do it; `beside` compares them with those that were let pass before, so that one has to do it, in order.
    Published rows are looked up by the signatures that the lake keeps of them: their texts are not read again.
    """

    lake: Lake
    against: Against
    benchmarks: BenchmarkIndex | None
    policies: Mapping[str, Policy]
    options: Mapping[str, Mapping[str, Any]]
    spread: bool = True
    """Whether it may use as many processes as there are cores."""
    _seen: int = 0
    _keys: dict[str, str] = field(default_factory=dict[str, str])
    _ids: set[str] = field(default_factory=set[str])
    _met: Met = field(default_factory=Met)
    _meanings: "list[pl.DataFrame]" = field(default_factory=list[Any])

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
        against = Against.of(lake, table, anew=anew, without=without)
        return cls.for_rows(lake, settings, policies, against)

    @classmethod
    def for_rows(
        cls,
        lake: Lake,
        settings: Settings,
        policies: Mapping[str, Policy],
        against: "Against",
        *,
        spread: bool = True,
    ) -> "Screener":
        """The screener of rows that are compared with what is named; the same in whatever process it is made.

        Raises:
            Refusal: for benchmarks that cannot be read with the secret given.
        """
        index = benchmark_index(lake, settings, against.benchmarks)
        return cls(lake, against, index, policies, settings.screen_options, spread)

    def __call__(self, rows: Sequence[R]) -> Passed:
        """Sort rows into those that pass and those that do not."""
        looked = self.look(rows, self._seen)
        self._seen += len(rows)
        beside = self.beside(looked.signatures)
        by_id = {row.record_id: row for row in looked.kept}
        return Passed(
            kept=[row for row in looked.kept if row.record_id not in beside.gone],
            rejected=[*looked.rejected, *(Rejection(by_id[row], *why) for row, why in beside.gone.items())],
            notes=[
                *(note for note in looked.notes if note.row.record_id not in beside.gone),
                *(Note(by_id[row], name, "flag", *why) for row, its in beside.noted.items() for name, *why in its),
            ],
            matches=looked.matches,
            pairs=clustered(looked.pairs, beside.pairs),
            signatures=looked.signatures.filter(~looked.signatures["record_id"].is_in(list(beside.gone))),
        )

    def look(self, rows: Sequence[R], first: int) -> Passed:
        """Sort rows by what they are by themselves, and beside each other and the published ones for exact duplicates.

        Args:
            rows: the rows.
            first: how many rows the run has had before these, of its input or made: the first are compared with
                benchmarks in other words too.
        """
        most = self.options.get(CONTAMINATED, {}).get("by_meaning", BY_MEANING)
        kept, rejected, notes, matches = screen(
            rows,
            published=self.published(rows),
            benchmarks=self.benchmarks,
            policies=self.policies,
            options=self.options,
            encode=default_encoder() if first < most else None,
            spread=self.spread,
        )
        if banned := self._withdrawn(kept):
            rejected += banned
            out = {each.row.record_id for each in banned}
            kept = [row for row in kept if row.record_id not in out]
        signed = _signatures(kept, near=self._policy(NEAR) != "off", meaning=self._policy(MEANING) != "off")
        return Passed(kept, rejected, notes, matches, _exact(rejected), signed)

    def beside(self, signed: "pl.DataFrame") -> Beside:
        """Compare rows that passed `look`, by their signatures, with those before them; what passes is remembered."""
        import polars as pl

        gone: dict[str, tuple[str, str, str]] = {}
        noted: dict[str, list[tuple[str, str, str]]] = {}
        for key, row in zip(signed["content_key"], signed["record_id"], strict=True):
            if repeats := duplicate(row, key, self._keys, self._ids):
                gone[row] = ("duplicate", *repeats)
        pairs = [_pairs_of((row, other) for row, (_, _, other) in gone.items())]
        left = signed.filter(~signed["record_id"].is_in(list(gone)))
        for name in _LIKENESSES:
            if self._policy(name) == "off" or left.is_empty():
                continue
            pairs.append(found := self._pairs(left, name))
            alike = {row: _too_alike(name, kept_id, share) for row, kept_id, share, *_ in found.iter_rows()}
            if self._policy(name) == "drop":
                gone |= alike
                left = left.filter(~left["record_id"].is_in(list(alike)))
            else:
                for row, why in alike.items():
                    noted.setdefault(row, []).append(why)
        self._remember(left)
        return Beside(gone, {row: its for row, its in noted.items() if row not in gone}, pl.concat(pairs))

    def _remember(self, signed: "pl.DataFrame") -> None:
        self._keys.update(zip(signed["content_key"], signed["record_id"], strict=True))
        self._ids.update(signed["record_id"])
        if self._policy(NEAR) != "off":
            self._met.add(signed)
        if self._policy(MEANING) != "off":
            self._meanings.append(signed.select(semantic.STORED))

    def _policy(self, name: str) -> Policy:
        return self.policies.get(name, "off")

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
        if self.against.version is None or not rows:
            return {}
        keys, ids = [content_key(row) for row in rows], [row.record_id for row in rows]
        with self.lake.read() as connection:
            found = connection.execute(
                f"SELECT content_key, record_id FROM ({self._current}) "
                "WHERE content_key IN (SELECT unnest(?)) OR record_id IN (SELECT unnest(?))",
                [keys, ids],
            ).fetchall()
        return dict(found)

    def _pairs(self, signed: "pl.DataFrame", name: str) -> "pl.DataFrame":
        """The rows that are like another: published, of an earlier partition, or an earlier one of these."""
        import polars as pl

        columns, by = _LIKENESSES[name]
        found: list[pl.DataFrame] = []
        if self.against.version is not None:
            with self.lake.read() as connection:
                published = connection.sql(
                    f"SELECT {', '.join(columns)} FROM ({self._current}) WHERE {columns[-1]} IS NOT NULL"
                )
                found.append(by(signed, published))
        left = signed.filter(~signed["record_id"].is_in(found[0]["record_id"].implode())) if found else signed
        meanings = pl.concat(self._meanings) if self._meanings else None
        found.append(by(left, self._met.like(left) if name == NEAR else meanings))
        return pl.concat(found)

    @property
    def _current(self) -> str:
        """The signatures of the rows that the table will keep, in SQL."""
        version, without = self.against.version, self.against.without
        assert version is not None
        return (
            "SELECT * FROM catalog.signatures SEMI JOIN "
            f"(SELECT record_id FROM {version.sql} "
            f"WHERE snapshot_id <> {without.added_in if without else -1}) USING (record_id) "
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


def _too_alike(screen: str, kept_id: str, similarity: float) -> tuple[str, str, str]:
    how = "says the same as another row" if screen == MEANING else "is like another row"
    return screen, f"{how} ({similarity:.0%})", kept_id


def _exact(rejected: Sequence[Rejection]) -> "pl.DataFrame":
    """The rows that repeat another's content, as pairs."""
    return _pairs_of((each.row.record_id, each.evidence) for each in rejected if each.screen == "duplicate")


def _pairs_of(exact: Iterable[tuple[str, str]]) -> "pl.DataFrame":
    """Rows and those that are kept for them, as pairs."""
    import polars as pl

    pairs = list(exact)
    columns = {
        "record_id": [row for row, _ in pairs],
        "kept_id": [kept for _, kept in pairs],
        "similarity": [1.0] * len(pairs),
        "kind": ["exact"] * len(pairs),
        "cluster": [0] * len(pairs),
    }
    return pl.DataFrame(columns, schema=pair_table([], []).schema)


def clustered(*pairs: "pl.DataFrame") -> "pl.DataFrame":
    """Pairs with a number that those with one kept row share."""
    import polars as pl

    return pl.concat(pairs).with_columns(cluster=pl.col("kept_id").rank("dense").cast(pl.UInt32))


_indexes: dict[tuple[str, int], BenchmarkIndex] = {}


def benchmark_index(lake: Lake, settings: Settings, version: Version | None) -> BenchmarkIndex | None:
    """The index of a version of the benchmarks, built once and kept in the home folder; none where there is no version.

    Raises:
        Refusal: for benchmarks that were hashed with another secret.
    """
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
