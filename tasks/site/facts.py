"""What the catalogue knows of every table and version, each system table read once for all of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from catalog.history import Chain, chains
from catalog.pins import Pin, pinned
from catalog.store import RAW, STAGES, Lake, Version
from infra.terms import terms_of
from quality.measures import AXES
from quality.scorecard import Line
from tasks.cards.card import Left, Model, Source, Step
from tasks.method import Method, load_methods

if TYPE_CHECKING:
    import duckdb

ORDER = (RAW, *STAGES)
"""The stages as the site lists them."""
REASONS = 20
"""Reasons that are told of a run, those with the most rows first."""
EXAMPLES = 3
"""Rejected rows that are shown of each reason."""
_LONG = 2_000
"""Characters of a rejected row, or of what was found in it."""

# Figures in a reason count as the same: `is 91 words long` and `is 92 words long` are one reason.
_KEPT = {
    "site_runs": """
        SELECT * FROM catalog.runs SEMI JOIN catalog.version_log USING (run_id)
        UNION ALL
        SELECT * FROM catalog.runs ANTI JOIN catalog.version_log USING (run_id)
        WHERE status IN ('quarantined', 'failed')
        QUALIFY row_number() OVER (PARTITION BY table_name ORDER BY started_at DESC, run_id) = 1
    """,
    "site_withdrawn": "SELECT DISTINCT record_id FROM catalog.withdrawn",
    "site_figures": "SELECT * FROM catalog.scorecards",
    "site_checks": """
        SELECT table_name, version, expectation, severity, passed, observed, broken_rows,
            list_transform(examples[:3], lambda each: left(each, 200)) AS examples, error
        FROM catalog.checks WHERE version IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY table_name, version, expectation ORDER BY snapshot_id DESC) = 1
    """,
    "site_operators": "SELECT * FROM catalog.ledger SEMI JOIN catalog.version_log USING (run_id)",
    "site_notes": """
        SELECT run_id, screen, action, count(*) AS rows, min(left(reason, 200)) AS reason
        FROM catalog.flags SEMI JOIN catalog.version_log USING (run_id) GROUP BY ALL
    """,
    "site_reasons": f"""
        FROM (
            SELECT table_name, run_id, screen, min(reason) AS reason, count(*) AS rows,
                arg_min(
                    {{'record_id': record_id, 'evidence': left(evidence, {_LONG}), 'content': left(content, {_LONG})}},
                    coalesce(record_id, '') || coalesce(evidence, ''), {EXAMPLES}
                ) AS examples
            FROM catalog.rejected
            GROUP BY table_name, run_id, screen, regexp_replace(reason, '[0-9]+([.][0-9]+)?', '0', 'g')
        )
        QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY rows DESC, screen, reason) <= {REASONS}
    """,
    "site_calls": """
        SELECT run_id, model, endpoint, string_agg(DISTINCT role, ', ' ORDER BY role) AS role, count(*) AS calls,
            sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0))::BIGINT AS tokens
        FROM catalog.calls SEMI JOIN catalog.version_log USING (run_id) WHERE error IS NULL GROUP BY ALL
    """,
}
"""What is read once, into tables of this DuckDB: the system tables of a lake may each lie in thousands of files."""


@dataclass(frozen=True)
class Check:
    """An expectation, and how it was found."""

    expectation: str
    severity: str
    passed: bool
    observed: str
    broken_rows: int | None
    examples: Sequence[str]
    error: str


@dataclass(frozen=True)
class Operator:
    """What an operator of a run took in, gave out, dropped and asked."""

    name: str
    rows_in: int
    rows_out: int
    dropped: int
    calls: int
    cost: float | None
    seconds: float


@dataclass(frozen=True)
class Example:
    """A rejected row: what was found in it, and its content as it was kept (JSON, cut where it is long)."""

    record_id: str
    evidence: str
    content: str


@dataclass(frozen=True)
class Reason:
    """Rows that one screen or operator left out for one reason."""

    screen: str
    reason: str
    rows: int
    examples: Sequence[Example]


@dataclass(frozen=True)
class Note:
    """Rows that were kept although a screen found fault."""

    screen: str
    action: str
    rows: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run as `catalog.runs` has it."""

    run_id: str
    table_name: str
    method: str
    status: str
    started_at: datetime
    seconds: float
    rows_in: int
    made: int
    kept: int
    rejected: int
    dropped: int
    calls: int
    reused: int
    failed: int
    tokens: int
    cost: float | None
    unpriced: int
    stopped: str
    inputs: Sequence[str]
    settings: Mapping[str, Any]
    models: Sequence[str]
    code_revision: str
    error: str

    @property
    def share_kept(self) -> float | None:
        """The share of the rows made, or dropped on the way, that were published: the yield; None of an import."""
        tried = self.made + self.dropped
        return self.kept / tried if tried and not self.table_name.startswith(f"{RAW}.") else None


@dataclass(kw_only=True)
class VersionFacts:
    """What is known of a version without a look at its rows."""

    version: Version
    published_at: datetime
    run: Ran | None = None
    method: Method | None = None
    pin: Pin | None = None
    gates: tuple[int, int] = (0, 0)
    """Gated figures and expectations that hold, and how many there are."""
    reads: Sequence[str] = ()
    """The versions it was made from, `table@version`."""
    read_by: Sequence[str] = ()
    above: Sequence[str] = ()
    """All versions it was made from, however far, itself left out; the last published first."""
    sources: Sequence[Source] = ()
    held_by_withdrawal: bool = False
    """Whether rows that were withdrawn since can still be read in it."""

    @property
    def name(self) -> str:
        """`table@version`."""
        return str(self.version.ref)

    @property
    def number(self) -> int:
        """Its number."""
        return self.version.ref.version or 0

    @property
    def licences(self) -> list[str]:
        """The licences of all that it was made from."""
        return sorted({source.licence for source in self.sources})

    @property
    def step(self) -> Step:
        """How it was made, as a card has it."""
        run = self.run
        return Step(
            self.version,
            self.method,
            run.inputs if run else (),
            run.rows_in if run else 0,
            run.settings if run else {},
            run.seconds if run else 0.0,
            run.cost if run else None,
            run.code_revision if run else "",
        )


@dataclass(kw_only=True)
class TableFacts:
    """A table: its versions, oldest first, and their chains."""

    name: str
    versions: Sequence[VersionFacts]
    chains: Sequence[Chain] = ()
    reads: Sequence[str] = ()
    """The tables that any version of it was made from."""
    read_by: Sequence[str] = ()
    broken: Ran | None = None
    """The last run that published nothing because it failed or a gate refused, where none has published since."""

    @property
    def stage(self) -> str:
        """The stage, or `raw`."""
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        """The name without the stage."""
        return self.name.partition(".")[2]

    @property
    def last(self) -> VersionFacts:
        """Its last version."""
        return self.versions[-1]

    @property
    def method(self) -> Method | None:
        """The method that makes it; None for real data, and where this installation does not know it."""
        found = load_methods().get(self.short)
        return found if found and found.table == self.name else None


@dataclass(kw_only=True)
class Details:
    """What is known of the versions of one table, by number; of what a run found, that run's version has it."""

    figures: Mapping[int, Sequence[Line]]
    checks: Mapping[int, Sequence[Check]]
    operators: Mapping[str, Sequence[Operator]]
    """By run, as `reasons`, `notes` and `models`."""
    reasons: Mapping[str, Sequence[Reason]]
    notes: Mapping[str, Sequence[Note]]
    models: Mapping[str, Sequence[Model]]
    left_out: Sequence[Left] = field(default=())
    """By all runs of the table, those that published nothing included."""


@dataclass(frozen=True)
class Facts:
    """Every table, in the order of the stages, and every version by name."""

    tables: Mapping[str, TableFacts]
    versions: Mapping[str, VersionFacts]


def prepare(connection: "duckdb.DuckDBPyConnection") -> None:
    """Read the system tables into this DuckDB, and make it the one in which names are looked for."""
    for name, sql in _KEPT.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
    # Else each name in a question, of a function even, is looked for in the lake's catalogue first.
    connection.execute("USE memory")


def read_facts(connection: "duckdb.DuckDBPyConnection", lake: Lake) -> Facts:
    """Every table and version there is."""
    found = lake.versions()
    published = {
        f"{table}@{number}": when
        for table, number, when in connection.execute(
            "SELECT table_name, version, published_at FROM lake.catalog.version_log"
        ).fetchall()
    }
    runs = {run.run_id: run for run in _runs(connection, "status = 'published' OR version IS NOT NULL")}
    pins, gates, methods = pinned(lake), _gates(connection), load_methods()
    held = {
        name
        for (names,) in connection.execute("SELECT held_by FROM lake.catalog.withdrawals").fetchall()
        for name in names
    }
    versions: dict[str, VersionFacts] = {}
    for version in found:
        name, run = str(version.ref), runs.get(version.run_id)
        its = methods.get(run.method) if run else None
        versions[name] = VersionFacts(
            version=version,
            published_at=published[name],
            run=run,
            method=its if its and its.table == version.ref.table else None,
            pin=pins.get(name),
            gates=gates.get(name, (0, 0)),
            held_by_withdrawal=name in held and version.readable,
        )
    _link(connection, versions)
    return Facts(_tables(connection, lake, versions), versions)


def read_details(connection: "duckdb.DuckDBPyConnection", table: str) -> Details:
    """What is known of the versions of a table."""

    def ask(what: str, name: str, order: str) -> list[tuple[Any, ...]]:
        by_table = "table_name = ?" if name not in _BY_RUN else f"run_id IN ({_RUNS_OF})"
        return connection.execute(
            f"SELECT {what} FROM temp.{name} WHERE {by_table} ORDER BY {order}", [table]
        ).fetchall()

    figures = _grouped(
        (number, Line(*rest))
        for number, *rest in ask(
            "version, axis, metric, value, n, method, low, high, passed", "site_figures", "version, metric"
        )
    )
    left_out = connection.execute(
        "SELECT screen, min(reason), sum(rows)::BIGINT AS n FROM temp.site_reasons WHERE table_name = ? "
        "GROUP BY screen, regexp_replace(reason, '[0-9]+([.][0-9]+)?', '0', 'g') ORDER BY n DESC, 1, 2 LIMIT 12",
        [table],
    ).fetchall()
    return Details(
        figures={
            number: sorted(lines, key=lambda line: (AXES.index(line.axis), not line.gated, line.metric))  # type: ignore[arg-type]
            for number, lines in figures.items()
        },
        checks=_grouped(
            (number, Check(name, severity, passed, observed or "", broken, examples or (), error or ""))
            for number, name, severity, passed, observed, broken, examples, error in ask(
                "version, expectation, severity, passed, observed, broken_rows, examples, error",
                "site_checks",
                "version, passed, expectation",
            )
        ),
        operators=_grouped(
            (run, Operator(*rest))
            for run, *rest in ask(
                "run_id, operator, rows_in, rows_out, dropped, calls, cost, seconds", "site_operators", "position"
            )
        ),
        reasons=_grouped(
            (run, Reason(screen, reason or "", rows, [_example(each) for each in examples or ()]))
            for run, screen, reason, rows, examples in ask(
                "run_id, screen, reason, rows, examples", "site_reasons", "run_id, rows DESC, screen, reason"
            )
        ),
        notes=_grouped(
            (run, Note(*rest))
            for run, *rest in ask("run_id, screen, action, rows, reason", "site_notes", "run_id, rows DESC, screen")
        ),
        models=_grouped(
            (run, Model(*rest, terms=terms_of(rest[0], rest[1])))
            for run, *rest in ask(
                "run_id, model, endpoint, role, calls, tokens", "site_calls", "run_id, calls DESC, model, endpoint"
            )
        ),
        left_out=[Left(screen, reason or "", rows) for screen, reason, rows in left_out],
    )


_BY_RUN = ("site_notes", "site_calls")
_RUNS_OF = "SELECT run_id FROM temp.site_runs WHERE table_name = ?"
_OF_RUN = (
    "run_id, table_name, method, status, started_at, seconds, rows_in, made, kept, rejected, dropped, calls, reused, "
    "failed, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) AS tokens, cost, unpriced, stopped, inputs, "
    "settings, models, code_revision, error"
)


def _runs(connection: "duckdb.DuckDBPyConnection", which: str) -> list[Ran]:
    cursor = connection.execute(f"SELECT {_OF_RUN} FROM temp.site_runs WHERE {which} ORDER BY started_at, run_id")
    names = [column[0] for column in cursor.description or []]
    runs: list[Ran] = []
    for row in cursor.fetchall():
        told = dict(zip(names, row, strict=True))
        for name in ("rows_in", "made", "kept", "rejected", "dropped", "calls", "reused", "failed", "unpriced"):
            told[name] = told[name] or 0
        for name in ("stopped", "code_revision", "error", "method"):
            told[name] = told[name] or ""
        told |= {
            "settings": json.loads(told["settings"] or "{}"),
            "inputs": told["inputs"] or (),
            "models": told["models"] or (),
            "seconds": told["seconds"] or 0.0,
        }
        runs.append(Ran(**told))
    return runs


def _gates(connection: "duckdb.DuckDBPyConnection") -> dict[str, tuple[int, int]]:
    """Version → how many of its gated figures and expectations hold, and how many there are.

    An expectation `measured(FIGURE, …)` and the gate of that figure are one.
    """
    found = connection.execute(
        """
        SELECT table_name || '@' || version, sum(passed::INT)::INTEGER, count(*)::INTEGER FROM (
            SELECT table_name, version, passed FROM temp.site_figures
            ANTI JOIN (
                SELECT table_name, version, regexp_extract(expectation, '^measured[(]([^,]+),', 1) AS metric
                FROM temp.site_checks
            ) AS checked USING (table_name, version, metric)
            WHERE low IS NOT NULL OR high IS NOT NULL
            UNION ALL SELECT table_name, version, passed FROM temp.site_checks
        ) GROUP BY ALL
        """
    ).fetchall()
    return {name: (good, of) for name, good, of in found}


def _link(connection: "duckdb.DuckDBPyConnection", versions: Mapping[str, VersionFacts]) -> None:
    """Say of each version what it was made from and what was made from it, near and far, and its sources.

    A version of a table that grows holds what earlier versions added, so that it was made from what those were, too:
    those since the table was last begun anew.
    """
    edges = connection.execute(
        "SELECT DISTINCT table_name || '@' || version, parent_table || '@' || parent_version "
        "FROM lake.catalog.table_lineage WHERE parent_version IS NOT NULL ORDER BY ALL"
    ).fetchall()
    reads: dict[str, list[str]] = {}
    read_by: dict[str, list[str]] = {}
    for one, other in edges:
        if one in versions and other in versions:
            reads.setdefault(one, []).append(other)
            read_by.setdefault(other, []).append(one)
    place = {name: number for number, name in enumerate(versions)}
    names = list(versions)
    parts = _parts(versions)
    reach: dict[str, int] = {}  # as bits, by place: thousands of versions may stand above thousands

    for name, facts in versions.items():
        bits = 0
        for part in parts[name]:
            bits |= 1 << place[part]
            for parent in reads.get(part, ()):
                bits |= 1 << place[parent] | reach.get(parent, 0)
        reach[name] = bits
        facts.reads, facts.read_by = reads.get(name, ()), read_by.get(name, ())
        facts.above = [names[at] for at in range(place[name] - 1, -1, -1) if bits >> at & 1]
    sources = _sources(connection)
    for name, facts in versions.items():
        raw = [each for each in (name, *facts.above) if each.startswith(f"{RAW}.")]
        facts.sources = _merged(source for each in raw for source in sources.get(each, ()))


def _parts(versions: Mapping[str, VersionFacts]) -> dict[str, list[str]]:
    """Version → the versions whose rows it may hold, itself included: those since the table was last begun anew."""
    begun: dict[str, list[str]] = {}
    parts: dict[str, list[str]] = {}
    for name, facts in versions.items():
        its = facts.version
        if its.rows == its.added or its.ref.table not in begun:
            begun[its.ref.table] = []
        begun[its.ref.table].append(name)
        parts[name] = list(begun[its.ref.table])
    return parts


def _sources(connection: "duckdb.DuckDBPyConnection") -> dict[str, list[Source]]:
    """Version of a raw table → where the rows that it added come from."""
    return _grouped(
        (f"{table}@{number}", Source(table, source, licence or "unknown", origin or "", rows or 0))
        for table, number, source, licence, origin, rows in connection.execute(
            "SELECT table_name, version, source, licence, origin, rows FROM lake.catalog.sources ORDER BY ALL"
        ).fetchall()
    )


def _merged(sources: Iterable[Source]) -> list[Source]:
    """One line for each table and source, with the rows of all its imports."""
    found: dict[tuple[str, str], Source] = {}
    for each in sources:
        key = (each.table, each.source)
        rows = each.rows + (found[key].rows if key in found else 0)
        found.setdefault(key, each)
        found[key] = Source(*key, found[key].licence, found[key].origin, rows)
    return [found[key] for key in sorted(found)]


def _tables(
    connection: "duckdb.DuckDBPyConnection", lake: Lake, versions: Mapping[str, VersionFacts]
) -> dict[str, TableFacts]:
    by_table: dict[str, list[VersionFacts]] = {}
    for facts in versions.values():
        by_table.setdefault(facts.version.ref.table, []).append(facts)
    chained: dict[str, list[Chain]] = {}
    for chain in chains(lake, [facts.version for facts in versions.values()]):
        chained.setdefault(chain.last.ref.table, []).append(chain)
    readers: dict[str, set[str]] = {}
    for name, its in by_table.items():
        for parent in {_table(each) for facts in its for each in facts.reads}:
            readers.setdefault(parent, set()).add(name)
    broken = {
        table: run
        for (table,), run in zip(
            connection.execute(
                "SELECT table_name FROM temp.site_runs WHERE version IS NULL ORDER BY started_at, run_id"
            ).fetchall(),
            _runs(connection, "version IS NULL"),
            strict=True,
        )
    }
    tables: dict[str, TableFacts] = {}
    for name in sorted(by_table, key=lambda each: (ORDER.index(each.partition(".")[0]), each)):
        its, last = by_table[name], broken.get(name)
        tables[name] = TableFacts(
            name=name,
            versions=its,
            chains=chained.get(name, ()),
            reads=sorted({_table(each) for facts in its for each in facts.reads}),
            read_by=sorted(readers.get(name, ())),
            broken=last if last and last.started_at > its[-1].published_at else None,
        )
    return tables


def _table(name: str) -> str:
    return name.partition("@")[0]


def _example(told: Mapping[str, Any]) -> Example:
    return Example(told["record_id"] or "", told["evidence"] or "", told["content"] or "")


def _grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found
