"""OpenLineage: a run that has ended as START and COMPLETE, or FAIL, from what the lake says of it and nothing else.

A job is a method, named for its table; a dataset is a table; a run's UUID follows from its run id. So the same run
gives the same events whenever it is asked for. What OpenLineage has no facet for stands in one of our own,
`everspring_run`.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from catalog.publish import quarantine_of
from catalog.store import RAW, STAGES, Lake, TableRef, Version
from infra.errors import Refusal
from infra.secrets import redacted

if TYPE_CHECKING:
    import duckdb
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset
    from openlineage.client.facet_v2 import (
        DatasetFacet,
        JobFacet,
        OutputDatasetFacet,
        RunFacet,
        column_lineage_dataset,
        data_quality_assertions_dataset,
        schema_dataset,
    )

RUN_FACET = "everspring_run"
_RUN_FACET_SCHEMA = Path(__file__).parent / "openlineage_run_facet.json"
_CODE = Path(__file__).parents[1]
_DONE = {"published", "unchanged", "audited", "withdrawn"}
_SEVERITIES = {"block": "error", "warn": "warn"}
_OF_IMPORT = {"source", "licence", "imported_from"}
"""Columns of `raw.*` that say where a row is from: no method is given them."""
_EARLIEST = date(2020, 1, 1)
"""A seed that is a date before this one is but a number."""
_VERSIONS = """
SELECT table_name || '@' || version, snapshot, rows, added, run_id, fingerprint, mode, added_in,
    snapshot IN (SELECT snapshot_id FROM __ducklake_metadata_lake.ducklake_snapshot)
FROM catalog.versions WHERE table_name IN (SELECT unnest(?)) ORDER BY added_in, table_name
"""
_METHODS = "SELECT summary, title, authors, year, link FROM catalog.methods WHERE method = ? AND table_name = ?"
_FLOWS = "SELECT min(stage) AS stage FROM catalog.runs WHERE flow_run = ? AND stage <> ?"
_CHECKS = """
SELECT expectation, severity, passed, observed, broken_rows, error FROM catalog.checks WHERE run_id = ? ORDER BY ALL
"""
_REJECTED = "SELECT screen, count(*) AS rows FROM catalog.rejected WHERE run_id = ? GROUP BY ALL ORDER BY ALL"
_DROPPED = """
SELECT operator, sum(dropped)::BIGINT AS rows FROM catalog.ledger WHERE run_id = ? AND dropped > 0
GROUP BY ALL ORDER BY ALL
"""
_SOURCES = """
SELECT source, licence, origin, content_hash, rows FROM catalog.sources WHERE run_id = ? ORDER BY ALL
"""
# The files from which a table was read at a snapshot, or that a snapshot wrote.
_FILES = """
SELECT count(*), coalesce(sum(f.record_count), 0), coalesce(sum(f.file_size_bytes), 0)
FROM __ducklake_metadata_lake.ducklake_data_file AS f
JOIN __ducklake_metadata_lake.ducklake_table AS t USING (table_id)
JOIN __ducklake_metadata_lake.ducklake_schema AS s USING (schema_id)
WHERE s.schema_name = $schema AND t.table_name = $name AND f.begin_snapshot <= $snapshot
    AND coalesce(f.end_snapshot > $snapshot, true) AND (NOT $written OR f.begin_snapshot = $snapshot)
"""


@dataclass(frozen=True, kw_only=True)
class _Held:
    """What the lake says of a run."""

    run: Mapping[str, Any]
    method: Mapping[str, Any]
    """Of `catalog.methods`; empty for a run of none."""
    stage: str
    """Of the Prefect flow that it was part of, as far as that is known."""
    version: Version | None
    output: "_Table"
    read: Sequence["_Table"]
    quarantine: "_Table | None"
    checks: Sequence[Mapping[str, Any]]
    rejected: Mapping[str, int]
    dropped: Mapping[str, int]
    sources: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A table as a run found or left it: name → type of its columns, its rows, its files where they hold just these."""

    ref: TableRef
    columns: Mapping[str, Any]
    rows: int | None = None
    files: tuple[int, int] | None = None
    """How many, and their bytes."""
    added: tuple[int, int] | None = None
    snapshot: int | None = None


def events_of_version(lake: Lake, ref: TableRef) -> list[dict[str, Any]]:
    """The events of the run that a version came of.

    Raises:
        Refusal: where there is no such version.
    """
    meant = [version for version in lake.versions(ref.table) if ref.version in (None, version.ref.version)]
    version = meant[-1] if meant else lake.find(ref)  # an expired one will do; of one that is none, this tells
    return events(lake, version.run_id)


def events(lake: Lake, run_id: str) -> list[dict[str, Any]]:
    """The events of a run that has ended, in order, each as the JSON object to be written or sent.

    Raises:
        Refusal: where `catalog.runs` has none of that id.
    """
    from openlineage.client.event_v2 import InputDataset, OutputDataset, Run, RunEvent, RunState, set_producer
    from openlineage.client.serde import Serde

    set_producer(_producer())
    held = _held(lake, run_id)
    began = held.run["started_at"].astimezone(UTC)
    ended = began + timedelta(seconds=held.run["seconds"])
    job = _job(held, lake.address)
    inputs = [_input(held, table, lake.address) for table in held.read]
    outputs = _outputs(held, lake.address)
    bare = [OutputDataset(each.namespace, each.name) for each in outputs[:1]]
    known = [InputDataset(each.namespace, each.name, facets=each.facets) for each in inputs]
    told = [
        RunEvent(
            eventTime=began.isoformat(),
            eventType=RunState.START,
            run=Run(_run_id(held), _about_run(held, lake.address)),
            job=job,
            inputs=known,
            outputs=bare,
        ),
        RunEvent(
            eventTime=ended.isoformat(),
            eventType=RunState.COMPLETE if held.run["status"] in _DONE else RunState.FAIL,
            run=Run(_run_id(held), _about_run(held, lake.address) | _error(held)),
            job=job,
            inputs=inputs,
            outputs=outputs,
        ),
    ]
    out = [Serde.to_dict(event) for event in told]
    out[1]["run"]["facets"][RUN_FACET] = _own_facet(held)
    return [_without_secrets(event) for event in out]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {redacted(name): _without_secrets(each) for name, each in value.items()}
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value


@cache
def _producer() -> str:
    return f"urn:everspring:{version_of('everspring')}"


@cache
def _own_schema() -> str:
    """Where our facet's schema is named; the file itself is part of the package."""
    identity = json.loads(_RUN_FACET_SCHEMA.read_text("utf-8"))["$id"]
    return f"{identity}#/$defs/EverspringRunFacet"


# ── what the lake says ──


def _held(lake: Lake, run_id: str) -> _Held:
    """What the lake says of a run. Each question takes some 30 ms: none is asked that can have no answer."""
    with lake.read() as connection:

        def ask(sql: str, *values: Any, of: bool = True) -> list[dict[str, Any]]:
            return _rows(connection, sql, values) if of else []

        found = ask("SELECT * FROM catalog.runs WHERE run_id = ?", run_id)
        if not found:
            raise Refusal(f"run {run_id!r}: is not in catalog.runs, a run that has ended is wanted; list them there")
        run = found[-1]
        ref, made = TableRef.parse(run["table_name"]), run["stage"] in STAGES
        versions = _versions(connection, [ref, *map(TableRef.parse, run["inputs"] or ())])
        of_table = [version for version in versions.values() if version.ref.table == ref.table]
        its = next((version for version in of_table if version.run_id == run_id), None)
        read = [versions[name] for name in run["inputs"] or () if name in versions]
        flows = ask(_FLOWS, run["flow_run"], RAW, of=bool(run["flow_run"]))
        return _Held(
            run=run,
            method=next(iter(ask(_METHODS, run["method"], ref.table, of=made)), {}),
            stage=(flows[0]["stage"] or "") if flows else "",
            version=its,
            output=_table(connection, its) if its else _untouched(connection, ref, of_table),
            read=[_table(connection, version) for version in read],
            quarantine=_quarantined(connection, run) if run["status"] == "quarantined" else None,
            checks=ask(_CHECKS, run_id, of=made and run["status"] in ("published", "quarantined")),
            rejected={row["screen"]: row["rows"] for row in ask(_REJECTED, run_id, of=run["rejected"] > 0)},
            dropped={row["operator"]: row["rows"] for row in ask(_DROPPED, run_id, of=made and run["dropped"] > 0)},
            sources=ask(_SOURCES, run_id, of=run["stage"] == RAW),
        )


def _rows(connection: "duckdb.DuckDBPyConnection", sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, list(values))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _versions(connection: "duckdb.DuckDBPyConnection", tables: Iterable[TableRef]) -> dict[str, Version]:
    """The versions of some tables, by reference, oldest first."""
    found = connection.execute(_VERSIONS, [[ref.table for ref in tables]]).fetchall()
    listed = [Version(TableRef.parse(name), *rest) for name, *rest in found]
    return {str(version.ref): version for version in listed}


def _columns(connection: "duckdb.DuckDBPyConnection", place: str) -> dict[str, Any]:
    return {column[0]: column[1] for column in connection.execute(f"FROM {place} LIMIT 0").description or []}


def _table(connection: "duckdb.DuckDBPyConnection", version: Version) -> _Table:
    added = version.added_in
    return _Table(
        ref=version.ref,
        columns=_columns(connection, version.sql) if version.readable else {},
        rows=version.rows,
        files=_files(connection, version.ref, version.snapshot, version.rows, written=False),
        added=_files(connection, version.ref, added, version.added, written=True) if version.added else None,
        snapshot=added,
    )


def _files(
    connection: "duckdb.DuckDBPyConnection", ref: TableRef, snapshot: int, rows: int, *, written: bool
) -> tuple[int, int] | None:
    """How many files, and bytes; None where they hold other rows too, or rows are not in files (but in the catalogue).

    Once maintenance has merged files, what a snapshot wrote cannot be told any more.
    """
    asked = {"schema": ref.schema, "name": ref.name, "snapshot": snapshot, "written": written}
    ((count, held, size),) = connection.execute(_FILES, asked).fetchall()
    return (int(count), int(size)) if int(held) == rows else None


def _untouched(connection: "duckdb.DuckDBPyConnection", ref: TableRef, versions: Sequence[Version]) -> _Table:
    """A table that a run was to add to, and did not."""
    last = versions[-1] if versions else None
    return _Table(ref=ref, columns=_columns(connection, last.sql) if last and last.readable else {})


def _quarantined(connection: "duckdb.DuckDBPyConnection", run: Mapping[str, Any]) -> _Table:
    ref = quarantine_of(run["table_name"])
    return _Table(ref=ref, columns=_columns(connection, ref.sql), rows=run["kept"])


# ── the parts of an event ──


def _run_id(held: _Held) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"everspring:{held.run['run_id']}"))


def _about_run(held: _Held, namespace: str) -> "dict[str, RunFacet]":
    from openlineage.client.facet_v2 import nominal_time_run, parent_run, processing_engine_run

    run = held.run
    facets: dict[str, RunFacet] = {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
            name="Everspring",
            version=version_of("everspring"),
            openlineageAdapterVersion=version_of("openlineage-python"),
        ),
    }
    if run["flow_run"] and held.stage and _is_uuid(run["flow_run"]):
        facets["parent"] = parent_run.ParentRunFacet(
            run=parent_run.Run(runId=run["flow_run"]), job=parent_run.Job(namespace=namespace, name=held.stage)
        )
    if night := _night(run):
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=night.isoformat(), nominalEndTime=(night + timedelta(days=1)).isoformat()
        )
    return facets


def _error(held: _Held) -> "dict[str, RunFacet]":
    """What ended a run that failed."""
    from openlineage.client.facet_v2 import error_message_run

    if held.run["status"] in _DONE:
        return {}
    message = held.run["error"] or held.run["status"]
    return {"errorMessage": error_message_run.ErrorMessageRunFacet(message=message, programmingLanguage="PYTHON")}


def _job(held: _Held, namespace: str) -> "Job":
    from openlineage.client.event_v2 import Job
    from openlineage.client.facet_v2 import documentation_job, job_type_job, source_code_location_job

    run, method = held.run, held.method
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="EVERSPRING", jobType=_kind(run).upper()
        )
    }
    if method:
        facets["documentation"] = documentation_job.DocumentationJobFacet(
            description=f"{method['summary']}\n\n{method['title']}, {method['authors']}, {method['year']}, "
            f"{method['link']}"
        )
    file = _CODE / "tasks" / run["stage"] / f"{run['method']}.py"
    if method and run["code_revision"] and file.exists():
        facets["sourceCodeLocation"] = source_code_location_job.SourceCodeLocationJobFacet(
            type="git",
            url=file.as_uri(),
            path=str(file.relative_to(_CODE)),
            version=run["code_revision"],
        )
    own = run["method"] != TableRef.parse(run["table_name"]).name
    return Job(
        namespace=namespace, name=f"{run['table_name']}.{run['method']}" if own else run["table_name"], facets=facets
    )


def _kind(run: Mapping[str, Any]) -> str:
    if run["stage"] == RAW and run["method"] == TableRef.parse(run["table_name"]).name:
        return "import"
    return "method" if run["stage"] in STAGES and run["table_name"].endswith(f".{run['method']}") else run["method"]


def _input(held: _Held, table: _Table, namespace: str) -> "InputDataset":
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.facet_v2 import (
        InputDatasetFacet,
        data_quality_metrics_input_dataset,
        input_statistics_input_dataset,
    )

    count, size = table.files or (None, None)
    facets: dict[str, InputDatasetFacet] = {
        "dataQualityMetrics": data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            columnMetrics={}, rowCount=table.rows, bytes=size, fileCount=count
        )
    }
    if len(held.read) == 1:  # of several, the run knows how many rows it read in all
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=held.run["rows_in"]
        )
    return InputDataset(namespace, table.ref.table, facets=_about(table), inputFacets=facets)


def _outputs(held: _Held, namespace: str) -> "list[OutputDataset]":
    """The table, and quarantine where the rows went there: there is always a table that the job is about."""
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import documentation_dataset

    table, lineage = held.output, _column_lineage(held, namespace)
    facets = _about(table)
    if lineage and held.version:
        facets["columnLineage"] = lineage
    if text := "\n".join(f"{s['source']}, {s['licence']}: {s['origin']}" for s in held.sources):
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(description=text)
    elif held.method:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(description=held.method["summary"])
    if held.checks and not held.quarantine:
        facets["dataQualityAssertions"] = _assertions(held)  # type: ignore[assignment] - see there
    written = held.version.added if held.version else 0
    out = [OutputDataset(namespace, table.ref.table, facets=facets, outputFacets=_statistics(written, table.added))]
    if held.quarantine:
        kept = _about(held.quarantine)
        if lineage:
            kept["columnLineage"] = lineage
        kept["dataQualityAssertions"] = _assertions(held)  # type: ignore[assignment] - see there
        its = _statistics(held.run["kept"], None)
        out.append(OutputDataset(namespace, held.quarantine.ref.table, facets=kept, outputFacets=its))
    return out


def _statistics(rows: int, files: tuple[int, int] | None) -> "dict[str, OutputDatasetFacet]":
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    count, size = files or (None, None)
    return {
        "outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows, size=size, fileCount=count)
    }


def _about(table: _Table) -> "dict[str, DatasetFacet]":
    """Columns and version of a table; the DuckLake snapshot stands beside the version."""
    from openlineage.client.facet_v2 import dataset_version_dataset, schema_dataset

    facets: dict[str, DatasetFacet] = {}
    if table.columns:
        fields = [_field(name, kind, place) for place, (name, kind) in enumerate(table.columns.items(), 1)]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields)
    if table.ref.version is not None:
        version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(table.ref.version))
        facets["version"] = cast("DatasetFacet", version.with_additional_properties(ducklakeSnapshot=table.snapshot))
    return facets


def _field(name: str, kind: Any, place: int | None = None) -> "schema_dataset.SchemaDatasetFacetFields":
    """A column; what lists and structs hold stands below it, the members of a list as `_element`."""
    from openlineage.client.facet_v2 import schema_dataset

    within: list[schema_dataset.SchemaDatasetFacetFields] = []
    if kind.id == "list":
        within = [_field("_element", kind.children[0][1])]
    elif kind.id == "struct":
        within = [_field(inner, its) for inner, its in kind.children]
    return schema_dataset.SchemaDatasetFacetFields(name=name, type=str(kind), ordinal_position=place, fields=within)


def _column_lineage(held: _Held, namespace: str) -> "column_lineage_dataset.ColumnLineageDatasetFacet | None":
    """Which columns came of which.

    A method is given whole rows, and which of their columns went into a value is recorded nowhere: so each column of
    content is said to come of all of them. What names rows is known for certain.
    """
    from openlineage.client.facet_v2 import column_lineage_dataset as lineage

    if not held.read:
        return None

    def origin(table: _Table, column: str, *kinds: str, why: str = "", hashed: bool = False) -> lineage.InputField:
        kind, subtype = kinds
        how = lineage.Transformation(type=kind, subtype=subtype, description=why, masking=hashed)
        return lineage.InputField(namespace, table.ref.table, column, [how])

    ids = [table for table in held.read if "record_id" in table.columns]
    content = [(table, column) for table in held.read for column in _content(table)]
    fields: dict[str, lineage.Fields] = {}
    for column in (held.quarantine or held.output).columns:
        if held.run["status"] == "withdrawn":
            (same,) = held.read
            origins = [origin(same, column, "DIRECT", "IDENTITY", why="rows are left out, none is changed")]
        elif column == "record_id":
            why = "a hash of the content, the parents and the model calls"
            origins = [origin(t, c, "DIRECT", "TRANSFORMATION", why=why, hashed=True) for t, c in content]
            origins += [origin(t, "record_id", "DIRECT", "TRANSFORMATION", why=why, hashed=True) for t in ids]
        elif column == "parents":
            why = "the ids of the rows that a row was made from"
            origins = [origin(table, "record_id", "DIRECT", "TRANSFORMATION", why=why) for table in ids]
        elif column == "run_id":
            continue
        else:
            why = "the method is given the whole row; which of its columns it made use of is not recorded"
            origins = [origin(t, c, "DIRECT", "TRANSFORMATION", why=why) for t, c in content]
        fields[column] = lineage.Fields(inputFields=origins)
    why = "rows are taken in the order of a hash of it and the seed"
    whole = [origin(table, "record_id", "INDIRECT", "SORT", why=why) for table in ids]
    return lineage.ColumnLineageDatasetFacet(fields=fields, dataset=whole)


def _content(table: _Table) -> Iterable[str]:
    left_out = {"record_id", "parents", *(_OF_IMPORT if table.ref.schema == RAW else ())}
    return [column for column in table.columns if column not in left_out]


def _assertions(held: _Held) -> "data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet":
    """The checks of a run. OpenLineage thinks of them as made on what is read; ours are on what a run has made."""
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

    columns = (held.quarantine or held.output).columns
    found: list[quality.Assertion] = []
    for check in held.checks:
        named = re.match(r"(\w+)(?:\((\w+))?", check["expectation"])
        kind, column = named.groups() if named else (check["expectation"], None)
        found.append(
            quality.Assertion(
                assertion=kind,
                success=check["passed"],
                column=column if column in columns else None,
                severity=_SEVERITIES.get(check["severity"], check["severity"]),
                name=check["expectation"],
                description=check["error"] or None,
                actual=check["observed"] or None,
                params={"brokenRows": check["broken_rows"]} if check["broken_rows"] else {},
            )
        )
    return quality.DataQualityAssertionsDatasetFacet(assertions=found)


def _own_facet(held: _Held) -> dict[str, Any]:
    """What `openlineage_run_facet.json` describes; what is not known is left out."""
    run = held.run
    settings = _settings(run)
    seed = settings.get("seed")
    told = {
        "_producer": _producer(),
        "_schemaURL": _own_schema(),
        "runId": run["run_id"],
        "status": run["status"],
        "table": run["table_name"],
        "version": held.version.ref.version if held.version else None,
        "mode": held.version.mode if held.version else None,
        "snapshot": held.version.added_in if held.version else None,
        "inputs": list(run["inputs"] or ()),
        "fingerprint": run["fingerprint"],
        "codeRevision": run["code_revision"] or None,
        "settings": settings,
        "seed": seed if isinstance(seed, int) else None,
        "models": list(run["models"] or ()),
        "seconds": run["seconds"],
        "stopped": run["stopped"] or None,
        "rows": {
            "read": run["rows_in"],
            "made": run["made"],
            "kept": run["kept"],
            "rejected": run["rejected"],
            "dropped": run["dropped"],
            **({"version": held.version.rows} if held.version else {}),
        },
        "yield": run["kept"] / (run["made"] + run["dropped"]) if run["made"] else None,
        "rejectedBy": held.rejected,
        "droppedBy": held.dropped,
        "calls": {
            "made": run["calls"],
            "reused": run["reused"],
            "failed": run["failed"],
            "unmetered": run["unmetered"],
            "unpriced": run["unpriced"],
        },
        "tokens": {"prompt": run["prompt_tokens"], "completion": run["completion_tokens"]},
        "cost": run["cost"],
        "sources": [
            {
                "source": source["source"],
                "licence": source["licence"],
                "origin": source["origin"],
                "contentHash": source["content_hash"],
                "rows": source["rows"],
            }
            for source in held.sources
        ],
        "flowRun": run["flow_run"] or None,
        "mlflowRun": run["mlflow_run"] or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _settings(run: Mapping[str, Any]) -> dict[str, Any]:
    # A number that JSON does not have is a text here: the events must be JSON.
    return json.loads(run["settings"] or "{}", parse_constant=str)


def _night(run: Mapping[str, Any]) -> datetime | None:
    """The date that a scheduled run, or one that makes a night anew, draws with as its seed."""
    found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", str(_settings(run).get("seed", "")))
    with suppress(ValueError):  # a number, and no date
        if found and run["flow_run"] and (day := date(*map(int, found.groups()))) >= _EARLIEST:
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
    return None


def _is_uuid(text: str) -> bool:
    with suppress(ValueError):
        return str(uuid.UUID(text)) == text
    return False
