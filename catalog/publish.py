"""Publishing: one transaction takes a run's rows, version, lineage and checks into the lake, or none of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from catalog.records import Record
from catalog.spool import Spool
from catalog.store import Lake, TableRef, Version, as_frame
from infra.errors import Failure, Lost

if TYPE_CHECKING:
    import duckdb


@dataclass(kw_only=True)
class Run:
    """One run of a method, as it will stand in `catalog.runs`.

    Tokens are those of the answers, but for `unmetered` ones whose endpoint did not say. `cost` is what this run paid,
    in dollars: nothing for an answer that was there already, and None where the price of one (`unpriced` counts them)
    is not known. `stopped` names the rule that ended it. `sign`: its version is to be signed. `began`: when, on
    a clock that nobody sets.
    """

    run_id: str
    stage: str
    method: str
    table_name: str
    fingerprint: str
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "running"
    version: int | None = None
    seconds: float = 0.0
    rows_in: int = 0
    made: int = 0
    kept: int = 0
    rejected: int = 0
    dropped: int = 0
    calls: int = 0
    reused: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unmetered: int = 0
    cost: float | None = 0.0
    unpriced: int = 0
    stopped: str = ""
    inputs: list[str] = field(default_factory=list[str])
    settings: str = "{}"
    models: list[str] = field(default_factory=list[str])
    code_revision: str = ""
    flow_run: str = ""
    mlflow_run: str = ""
    error: str = ""
    sign: bool = False
    began: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was found out about a run's rows: rows of `checks`, `metrics`, `ledger` and `sources`, by column name."""

    checks: Sequence[Mapping[str, Any]] = ()
    metrics: Sequence[Mapping[str, Any]] = ()
    ledger: Sequence[Mapping[str, Any]] = ()
    sources: Sequence[Mapping[str, Any]] = ()


def publish(
    lake: Lake,
    run: Run,
    spool: Spool,
    findings: Findings,
    *,
    shape: type[Record],
    replace: bool = False,
    instead_of: Version | None = None,
    extra: Mapping[str, str] | None = None,
) -> Version:
    """Add the spooled rows to the run's table as its next version; `run` is completed with number and status.

    Args:
        lake: where to.
        run: the run, with its figures.
        spool: its rows, lineage and rejected rows.
        findings: its checks, metrics, ledger and sources.
        shape: what the rows are.
        replace: leave out the rows of earlier versions (which stay readable under their numbers).
        instead_of: leave out the rows that this version added.
        extra: further columns of the table, name → SQL type.

    Raises:
        Lost: where the lake went away, and nothing was published.
    """
    try:
        _publish(lake, run, spool, findings, shape=shape, replace=replace, instead_of=instead_of, extra=extra)
    except Lost:  # in the middle of the commit, perhaps: the server knows what came of it
        if not (there := [version for version in lake.versions(run.table_name) if version.run_id == run.run_id]):
            raise
        run.version = there[0].ref.version
    ref = TableRef.parse(run.table_name)
    return lake.find(TableRef(ref.schema, ref.name, run.version))


def _publish(
    lake: Lake,
    run: Run,
    spool: Spool,
    findings: Findings,
    *,
    shape: type[Record],
    replace: bool,
    instead_of: Version | None,
    extra: Mapping[str, str] | None,
) -> None:
    ref = TableRef.parse(run.table_name)
    mode = "replace" if replace else "remake" if instead_of else "append"
    with lake.write(f"{run.table_name}: {mode} {spool.counts['rows']} rows", _extra(run)) as connection:
        _refuse_withdrawn(connection, run, spool)
        run.version, run.status = next_version(connection, ref.table), "published"
        if replace:
            connection.execute(f"DROP TABLE IF EXISTS {ref.sql}")
        lake.fit(connection, ref, shape, extra)
        if instead_of:
            connection.execute(f"DELETE FROM {ref.sql} WHERE snapshot_id = ?", [instead_of.added_in])
        connection.execute(
            f"INSERT INTO {ref.sql} BY NAME SELECT * FROM read_parquet(?, union_by_name => true)", [spool.files("rows")]
        )
        (rows,) = _one(connection, f"SELECT count(*) FROM {ref.sql}", [])
        insert(
            connection,
            "version_log",
            [
                {
                    "table_name": ref.table,
                    "stage": run.stage,
                    "method": run.method,
                    "version": run.version,
                    "rows": rows,
                    "added": spool.counts["rows"],
                    "mode": mode,
                    "run_id": run.run_id,
                    "fingerprint": run.fingerprint,
                    "published_at": datetime.now(UTC),
                }
            ],
        )
        connection.execute(
            "INSERT INTO lake.catalog.lineage BY NAME SELECT ? AS table_name, ?::INTEGER AS version, * "
            "FROM read_parquet(?) ORDER BY record_id",  # a look-up reads the part of the file where the row may be
            [ref.table, run.version, spool.files("edges")],
        )
        connection.execute(
            "INSERT INTO lake.catalog.signatures BY NAME SELECT ? AS table_name, ?::INTEGER AS version, * "
            "FROM read_parquet(?)",
            [ref.table, run.version, spool.files("signatures")],
        )
        insert(
            connection,
            "table_lineage",
            [
                {
                    "table_name": ref.table,
                    "version": run.version,
                    "parent_table": parent.table,
                    "parent_version": parent.version,
                    "run_id": run.run_id,
                }
                for parent in map(TableRef.parse, run.inputs)
            ],
        )
        _record(connection, run, spool, findings)


def next_version(connection: "duckdb.DuckDBPyConnection", table: str) -> int:
    """The number of a table's next version; inside a transaction."""
    (last,) = _one(connection, "SELECT max(version) FROM catalog.version_log WHERE table_name = ?", [table])
    return (last or 0) + 1


def _refuse_withdrawn(connection: "duckdb.DuckDBPyConnection", run: Run, spool: Spool) -> None:
    """Refuse rows made of what was withdrawn while the run was at work, after it had read or screened them.

    Raises:
        Failure: nothing is published.
    """
    if not connection.execute("FROM catalog.withdrawn LIMIT 1").fetchall():
        return
    (count,) = _one(
        connection,
        "SELECT count(*) FROM (SELECT record_id FROM read_parquet(?) UNION SELECT parent_id FROM read_parquet(?)) "
        "SEMI JOIN catalog.withdrawn USING (record_id)",
        [spool.files("rows"), spool.files("edges")],
    )
    if count:
        raise Failure(
            f"{run.table_name}: {count} rows that this run made, or read, were withdrawn meanwhile, and must not come "
            "back; nothing was published, run it again: it asks for nothing twice"
        )


def quarantine_of(table: str) -> TableRef:
    """Where the rows of a table's refused runs are kept: `quarantine.<stage>__<method>`."""
    return TableRef("quarantine", table.replace(".", "__"))


def quarantine(lake: Lake, run: Run, spool: Spool, findings: Findings, *, shape: type[Record]) -> None:
    """Keep a refused run's rows in quarantine, under its run id, beside its checks."""
    ref = quarantine_of(run.table_name)
    run.status = "quarantined"
    with lake.write(f"{run.table_name}: {spool.counts['rows']} rows quarantined", _extra(run)) as connection:
        lake.fit(connection, ref, shape, {"run_id": "VARCHAR"})
        connection.execute(
            f"INSERT INTO {ref.sql} BY NAME SELECT *, ? AS run_id FROM read_parquet(?, union_by_name => true)",
            [run.run_id, spool.files("rows")],
        )
        connection.execute(
            "INSERT INTO lake.catalog.lineage BY NAME SELECT ? AS table_name, * FROM read_parquet(?)",
            [ref.table, spool.files("edges")],
        )
        _record(connection, run, spool, findings)


def record(
    lake: Lake, run: Run, spool: Spool, findings: Findings, status: Literal["failed", "unchanged", "audited"]
) -> None:
    """Note a run that leaves its table as it is: one that broke off, made nothing new, or looked at a version."""
    run.status = status
    with lake.write(f"{run.table_name}: run {status}", _extra(run)) as connection:
        _record(connection, run, spool, findings)


def _record(connection: "duckdb.DuckDBPyConnection", run: Run, spool: Spool, findings: Findings) -> None:
    of_run: dict[str, Any] = {"run_id": run.run_id, "table_name": run.table_name}
    of_version = {**of_run, "version": run.version}
    now = datetime.now(UTC)
    for kind in ("rejected", "flags", "hits", "duplicates"):
        connection.execute(
            f"INSERT INTO lake.catalog.{kind} BY NAME "
            "SELECT ? AS run_id, ? AS table_name, ?::INTEGER AS version, * FROM read_parquet(?)",
            [run.run_id, run.table_name, run.version, spool.files(kind)],
        )
    # A question about a text is asked once, however often a run comes to it.
    connection.execute(
        "INSERT INTO lake.catalog.reviews BY NAME SELECT ? AS run_id, ? AS table_name, ?::INTEGER AS version, "
        "?::TIMESTAMPTZ AS asked_at, * FROM (FROM read_parquet(?) QUALIFY row_number() OVER "
        "(PARTITION BY question, text ORDER BY position) = 1) AS new ANTI JOIN (SELECT question, text FROM "
        "lake.catalog.reviews WHERE table_name = ?) AS there USING (question, text)",
        [run.run_id, run.table_name, run.version, now, spool.files("reviews"), run.table_name],
    )
    connection.execute(
        "INSERT INTO lake.catalog.lineage BY NAME SELECT ? AS table_name, ?::INTEGER AS version, * "
        "FROM read_parquet(?)",
        [run.table_name, run.version, spool.files("asked")],
    )
    insert(connection, "checks", [{**of_version, "checked_at": now, **check} for check in findings.checks])
    insert(connection, "metrics", [{**of_version, **metric} for metric in findings.metrics])
    insert(connection, "ledger", [{**of_run, "position": i, **step} for i, step in enumerate(findings.ledger)])
    insert(connection, "sources", [{**of_version, "imported_at": now, **source} for source in findings.sources])
    run.seconds = time.monotonic() - run.began
    insert(connection, "runs", [asdict(run)])


def insert(connection: "duckdb.DuckDBPyConnection", table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, by column name, to a table of `catalog`; inside a transaction."""
    if not rows:
        return
    types = dict(
        connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = 'lake' AND schema_name = 'catalog' AND table_name = ?",
            [table],
        ).fetchall()
    )
    connection.register("incoming", as_frame(rows, types))
    connection.execute(f"INSERT INTO lake.catalog.{table} BY NAME SELECT * FROM incoming")
    connection.unregister("incoming")


def _one(connection: "duckdb.DuckDBPyConnection", query: str, values: Sequence[Any]) -> tuple[Any, ...]:
    row = connection.execute(query, list(values)).fetchone()
    assert row is not None, query
    return row


def _extra(run: Run) -> dict[str, Any]:
    kept = ("run_id", "stage", "method", "table_name", "fingerprint", "code_revision", "sign")
    return {f.name: getattr(run, f.name) for f in fields(run) if f.name in kept}
