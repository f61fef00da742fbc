"""A stage's flow: every method of the stage, in the order in which they read each other, each a Prefect task."""

import graphlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.flows import Flow
from prefect.runtime import flow_run

from catalog.sources import load_sources
from catalog.store import Lake
from flows.progress import Progress, console
from infra.errors import EverspringError, Failure, Refusal
from infra.settings import Settings, load_settings
from tasks.ingest import ingest_source
from tasks.llm import Models, open_models
from tasks.materialize import GateRefusal, Order, materialize
from tasks.method import Method, find_method, load_methods
from tasks.outcome import Outcome
from tasks.registry import register_methods
from tasks.screening import BENCHMARKS

ROWS = 8
"""Rows of a run that does not say how many: enough to see whether a pipeline works, cheap on any model."""


class StageFailure(Failure):
    """Some tables of a stage could not be made; those that could are published."""

    def __init__(self, errors: Sequence[EverspringError], outcomes: Sequence[Outcome]) -> None:
        self.errors, self.outcomes = list(errors), list(outcomes)
        self.exit_code = max(error.exit_code for error in errors)
        one = f"{len(errors)} tables could not be made; what is wrong with each stands above"
        super().__init__(str(errors[0]) if len(errors) == 1 else one)


@dataclass(frozen=True)
class Workplace:
    """What a run works with: opened once a process, shared by its flows."""

    settings: Settings
    lake: Lake
    models: Models
    progress: Progress


_open: list[Workplace] = []


@contextmanager
def workplace(roles: Mapping[str, str] | None = None) -> Generator[Workplace]:
    """The open workplace, or one opened for the length of the block."""
    if _open:
        yield _open[-1]
        return
    settings = load_settings(**({"roles": dict(roles)} if roles else {}))
    lake = Lake(settings)
    register_methods(lake)
    with open_models(settings) as models:
        _open.append(Workplace(settings, lake, models, Progress(console(stderr=True))))
        try:
            yield _open[-1]
        finally:
            _open.pop()


def stage_flow(stage: str, description: str) -> "Flow[..., list[Outcome]]":
    """The Prefect flow of a stage."""

    def name_run() -> str:
        given = flow_run.parameters
        what = ", ".join(given.get("methods") or []) or "all methods"
        return f"{stage}: {what}, {given.get('rows') or 'all'} rows"

    @flow(name=stage, description=description, flow_run_name=name_run)
    def run(
        methods: list[str] | None = None,
        rows: int | None = ROWS,
        settings: dict[str, dict[str, Any]] | None = None,
        reads: dict[str, dict[str, str]] | None = None,
        roles: dict[str, str] | None = None,
        seed: int | None = None,
        replace: bool = False,
        force: bool = False,
    ) -> list[Outcome]:
        order = Order(rows=rows, replace=replace, force=force, flow_run=str(flow_run.id or ""))
        with workplace(roles) as place:
            return _run_stage(place, _chosen(stage, methods), order, settings or {}, reads or {}, seed)

    return run


def _chosen(stage: str, names: Sequence[str] | None) -> list[Method]:
    """The methods of a stage that are named, or all, each after those of the stage that it reads."""
    of_stage = {m.table: m for m in load_methods().values() if m.stage == stage}
    wanted = {find_method(name).table for name in names} if names else set(of_stage)
    if strangers := wanted - set(of_stage):
        raise Refusal(f"{', '.join(sorted(strangers))}: not of stage {stage}; it has {', '.join(sorted(of_stage))}")
    graph = {
        table: [read for found in method.inputs.values() for read in found.tables if read in of_stage]
        for table, method in of_stage.items()
    }
    return [of_stage[table] for table in graphlib.TopologicalSorter(graph).static_order() if table in wanted]


def _run_stage(
    place: Workplace,
    methods: Sequence[Method],
    order: Order,
    settings: Mapping[str, Mapping[str, Any]],
    reads: Mapping[str, Mapping[str, str]],
    seed: int | None,
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    errors: list[EverspringError] = []
    for table in (BENCHMARKS, *_raw_tables(place.lake, methods, reads)):
        state = _ingest.with_options(task_run_name=f"import {table}")(table, return_state=True)
        _collect(state.result(raise_on_failure=False), outcomes, errors)
    outcomes = [outcome for outcome in outcomes if outcome.status != "unchanged"]
    for method in methods:
        given = dict(settings.get(method.id, {}))
        rows = given.pop("rows", order.rows) if "rows" not in method.settings else order.rows
        if seed is not None and "seed" in method.settings:
            given.setdefault("seed", seed)
        its_order = replace(order, rows=rows, settings=given, reads=reads.get(method.id, {}))
        read = ", ".join(its_order.reads.get(name) or found.tables[0] for name, found in method.inputs.items())
        named = _materialize.with_options(task_run_name=f"make {method.table} from {read}")
        state = named(method.id, its_order, return_state=True)
        _collect(state.result(raise_on_failure=False), outcomes, errors)
    create_table_artifact(
        key="results", table=[line(outcome) for outcome in outcomes], description="What became of each table"
    )
    if errors:
        raise StageFailure(errors, outcomes)
    return outcomes


def _raw_tables(lake: Lake, methods: Sequence[Method], reads: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The raw tables that the methods will read and that packages feed."""
    fed = {source.table for source in load_sources().values()}
    made = {version.ref.table for version in lake.versions()} | {method.table for method in methods}
    wanted: dict[str, None] = {}
    for method in methods:
        for name, found in method.inputs.items():
            named = reads.get(method.id, {}).get(name)
            tables = (named.partition("@")[0],) if named else found.tables
            first = next((table for table in tables if table in made or table in fed), None)
            if first in fed:
                wanted[first] = None
    return list(wanted)


def _collect(result: Any, outcomes: list[Outcome], errors: list[EverspringError]) -> None:
    """Sort what a task came to; an error that no user can act on is a bug, and raised."""
    if isinstance(result, Outcome):
        outcomes.append(result)
    elif isinstance(result, EverspringError):
        errors.append(result)
        if isinstance(result, GateRefusal):
            outcomes.append(result.outcome)
    else:
        raise result


@task(name="import", cache_policy=NO_CACHE)
def _ingest(table: str) -> Outcome:
    place = _open[-1]
    with place.progress.table(table):
        outcome = ingest_source(place.lake, table, place.settings, flow_run=str(flow_run.id or ""))
    if outcome.status == "published":
        place.progress.say(f"{table}@{outcome.version}: {outcome.kept} rows imported", "dim")
    return outcome


@task(name="materialize", cache_policy=NO_CACHE)
def _materialize(method_id: str, order: Order) -> Outcome:
    place, method = _open[-1], find_method(method_id)
    artifact = create_progress_artifact(
        progress=0.0, key=f"progress-{method_id.replace('_', '-')}", description=method.table
    )
    report: Callable[[float], None] = lambda share: update_progress_artifact(artifact, 100 * share)  # type: ignore[arg-type]  # noqa: E731
    try:
        with place.progress.table(method.table, report):
            outcome = materialize(method, place.lake, place.models, order, place.settings, place.progress)
    except EverspringError as error:
        place.progress.say(str(error), "red")
        raise
    update_progress_artifact(artifact, 100.0)  # type: ignore[arg-type]
    if outcome.status == "unchanged":
        place.progress.say(f"{method.table}: nothing to do, {outcome.note}", "dim")
        return outcome
    place.progress.say(f"{method.table}@{outcome.version}: {outcome.kept} of {outcome.made} rows kept", "green")
    with place.lake.read() as connection:
        cursor = connection.execute(
            "SELECT * EXCLUDE (run_id, table_name) FROM catalog.ledger WHERE run_id = ? ORDER BY position",
            [outcome.run_id],
        )
        names = [column[0] for column in cursor.description or []]
        ledger = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    create_table_artifact(
        key=f"ledger-{method_id.replace('_', '-')}", table=ledger, description=f"Operators of {method.table}"
    )
    return outcome


def drain() -> None:
    """Send the logs and events that Prefect still has, before its server ends: it would wait for it at exit."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=10)
    EventsWorker.drain_all(timeout=10)


def line(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a line of the results."""
    return {
        "stage": outcome.stage,
        "method": outcome.method,
        "rows in": outcome.rows_in,
        "made": outcome.made,
        "kept": outcome.kept,
        "rejected": counts(outcome.rejected),
        "dropped": counts(outcome.dropped),
        "tokens": outcome.tokens,
        "seconds": round(outcome.seconds, 1),
        "version": outcome.version if outcome.status == "published" else f"{outcome.version or '–'} ({outcome.status})",
    }


def counts(by_name: Mapping[str, int]) -> str:
    """`duplicate 3, malformed 1`."""
    return ", ".join(f"{name} {count}" for name, count in by_name.items()) or "0"
