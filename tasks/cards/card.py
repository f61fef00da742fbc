"""What a card says, as the catalogue knows it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from catalog.lineage import trace
from catalog.records import PROVENANCE
from catalog.store import Lake, Version
from infra.errors import Refusal
from infra.terms import terms_of
from quality.scorecard import Line, scorecard
from tasks.method import Method, load_methods

if TYPE_CHECKING:
    import duckdb

SAMPLES = 3


@dataclass(frozen=True)
class Column:
    """A column of the table, its SQL type, and the share of rows in which it has something."""

    name: str
    type: str
    filled: float


@dataclass(frozen=True)
class Source:
    """Real data that the version was made from, however far: its table, licence and origin, and its rows there."""

    table: str
    source: str
    licence: str
    origin: str
    rows: int


@dataclass(frozen=True)
class Model:
    """A model that was asked, at which endpoint, as what, how often, and under which terms its answers stand."""

    name: str
    endpoint: str
    role: str
    calls: int
    tokens: int
    terms: str


@dataclass(frozen=True)
class Step:
    """A version that the card's was made from, or it itself: by which method, from which versions, with which settings.

    `method` is None where it is real data, or where this installation does not know the method any more.
    """

    version: Version
    method: Method | None
    inputs: Sequence[str]
    rows_in: int
    settings: Mapping[str, Any]
    seconds: float
    cost: float | None
    code_revision: str


@dataclass(frozen=True)
class Left:
    """Rows that were left out by one screen or operator, for one reason."""

    screen: str
    reason: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything that a card says of a version."""

    version: Version
    published_at: datetime
    columns: Sequence[Column]
    steps: Sequence[Step]
    """The version itself first, then what it was made from, the newest first."""
    sources: Sequence[Source]
    models: Sequence[Model]
    figures: Sequence[Line]
    left_out: Sequence[Left]
    notes: Sequence[tuple[str, int]]
    """Screen, and rows that were kept although it found fault."""
    samples: Sequence[Mapping[str, Any]]
    history: Sequence[tuple[int, int, int, str, datetime]]
    """Number, rows, rows added, mode and time of each version."""

    @property
    def step(self) -> Step:
        """How the version itself was made."""
        return self.steps[0]

    @property
    def methods(self) -> list[Method]:
        """The methods that had a part in it, its own first."""
        return list({step.method.id: step.method for step in self.steps if step.method}.values())

    @property
    def licences(self) -> list[str]:
        """The licences of all that it was made from."""
        return sorted({source.licence for source in self.sources})


def card_of(lake: Lake, version: Version) -> Card:
    """Read what is known of a version.

    Raises:
        Refusal: where there is no such version.
    """
    versions = {str(each.ref): each for each in lake.versions()}
    try:
        figures = scorecard(lake, version)
    except Refusal:  # imported: nobody has audited it
        figures = []
    with lake.read() as connection:
        runs = _runs(connection, version)
    parts = [reference for reference, each in versions.items() if each.run_id in runs]
    above = {node: None for part in parts for node in trace(lake, part, "up").nodes}
    made_of = [each for reference, each in versions.items() if reference in above and each != version]
    with lake.read() as connection:
        steps = [_step(connection, each) for each in (version, *reversed(made_of))]
        history = connection.execute(
            "SELECT version, rows, added, mode, published_at FROM catalog.versions WHERE table_name = ? ORDER BY 1",
            [version.ref.table],
        ).fetchall()
        return Card(
            version=version,
            published_at=next(when for number, *_, when in history if number == version.ref.version),
            columns=_columns(connection, version),
            steps=steps,
            sources=_sources(connection, [step.version for step in steps]),
            models=_models(connection, [run for step in steps for run in _runs(connection, step.version)]),
            figures=figures,
            left_out=_left_out(connection, runs),
            notes=connection.execute(
                "SELECT screen, count(*) AS n FROM catalog.flags WHERE run_id IN (SELECT unnest(?)) "
                "GROUP BY screen ORDER BY n DESC",
                [runs],
            ).fetchall(),
            samples=_samples(connection, version),
            history=history,
        )


def _runs(connection: "duckdb.DuckDBPyConnection", version: Version) -> list[str]:
    """The runs whose rows the version holds: those since the table was last begun anew."""
    found = connection.execute(
        "SELECT run_id, rows = added FROM catalog.versions WHERE table_name = ? AND version <= ? ORDER BY version",
        [version.ref.table, version.ref.version],
    ).fetchall()
    begun = max((place for place, (_, anew) in enumerate(found) if anew), default=0)
    return [run for run, _ in found[begun:]]


def _step(connection: "duckdb.DuckDBPyConnection", version: Version) -> Step:
    known = load_methods()
    found = connection.execute(
        "SELECT method, inputs, rows_in, settings, seconds, cost, code_revision FROM catalog.runs WHERE run_id = ?",
        [version.run_id],
    ).fetchone()
    method, inputs, rows_in, settings, seconds, cost, revision = found or ("", [], 0, "{}", 0.0, None, "")
    its = known.get(method)
    own = its if its and its.table == version.ref.table else None
    return Step(version, own, inputs or [], rows_in, json.loads(settings or "{}"), seconds, cost, revision)


def _columns(connection: "duckdb.DuckDBPyConnection", version: Version) -> list[Column]:
    described = connection.execute(f"DESCRIBE FROM {version.sql}").fetchall()
    shares = ", ".join(
        f"coalesce(avg((\"{name}\" IS NOT NULL AND \"{name}\"::VARCHAR NOT IN ('', '[]'))::INT), 0)"
        for name, *_ in described
    )
    filled = connection.execute(f"SELECT {shares} FROM {version.sql}").fetchone() or ()
    return [Column(name, kind, share) for (name, kind, *_), share in zip(described, filled, strict=True)]


def _sources(connection: "duckdb.DuckDBPyConnection", versions: Sequence[Version]) -> list[Source]:
    found = connection.execute(
        "SELECT table_name, source, any_value(licence), max_by(origin, version), sum(rows) FROM catalog.sources AS s "
        "SEMI JOIN (SELECT unnest(?) AS table_name, unnest(?) AS last) AS meant "
        "ON s.table_name = meant.table_name AND s.version <= meant.last GROUP BY 1, 2 ORDER BY 1, 2",
        [[each.ref.table for each in versions], [each.ref.version for each in versions]],
    ).fetchall()
    return [Source(*row) for row in found]


def _models(connection: "duckdb.DuckDBPyConnection", runs: Sequence[str]) -> list[Model]:
    """Who was asked: a model whose answers were there already is named by the runs that first asked."""
    found = connection.execute(
        "SELECT model, endpoint, string_agg(DISTINCT role, ', ' ORDER BY role), count(*), "
        "sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)) "
        "FROM catalog.calls WHERE run_id IN (SELECT unnest(?)) AND error IS NULL GROUP BY 1, 2 ORDER BY 4 DESC",
        [list(runs)],
    ).fetchall()
    return [Model(*row, terms=terms_of(row[0], row[1])) for row in found]


def _left_out(connection: "duckdb.DuckDBPyConnection", runs: Sequence[str]) -> list[Left]:
    found = connection.execute(
        "SELECT screen, any_value(reason), count(*) AS n FROM catalog.rejected WHERE run_id IN (SELECT unnest(?)) "
        "GROUP BY screen, regexp_replace(reason, '[0-9.]+', '', 'g') ORDER BY n DESC, 1 LIMIT 20",
        [list(runs)],
    ).fetchall()
    return [Left(*row) for row in found]


def _samples(connection: "duckdb.DuckDBPyConnection", version: Version) -> list[dict[str, Any]]:
    cursor = connection.execute(f"FROM {version.sql} ORDER BY md5(record_id) LIMIT {SAMPLES}")
    names = [column[0] for column in cursor.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [{name: value for name, value in row.items() if name not in PROVENANCE} for row in rows]
