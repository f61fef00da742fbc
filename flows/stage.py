"""A stage's flow: every method of the stage, in the order in which they read each other, each a Prefect task."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.flows import Flow
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from catalog.sources import load_sources
from catalog.store import Lake
from flows.limits import places
from flows.lives import tell_lives
from flows.monitor import show_results, show_run, tag_flow_run, tags_of, tell_gate_failed, tell_yield_dropped
from flows.parameters import Count, Dollars, described, name_of, seed_of
from flows.telling import noting, tell
from flows.workplace import ROWS, Workplace, at_work, chosen, order_for, workplace
from infra.errors import EverspringError, Failure, Lost
from tasks.ingest import ingest_source
from tasks.materialize import GateRefusal, Order, materialize
from tasks.method import Method, find_method
from tasks.outcome import Outcome
from tasks.screening import BENCHMARKS
from tasks.stop import Stop


class StageFailure(Failure):
    """Some tables of a stage could not be made; those that could are published."""

    def __init__(self, errors: Sequence[EverspringError], outcomes: Sequence[Outcome]) -> None:
        self.errors, self.outcomes = list(errors), list(outcomes)
        codes = {error.exit_code for error in errors}
        self.exit_code = max(codes - {os.EX_TEMPFAIL} or codes)
        one = f"{len(errors)} tables could not be made; what is wrong with each stands above"
        super().__init__(str(errors[0]) if len(errors) == 1 else one)


def stage_flow(stage: str, description: str) -> "Flow[..., list[Outcome]]":
    """The Prefect flow of a stage."""

    def name_run() -> str:
        return name_of(stage, flow_run.parameters)

    @flow(name=stage, description=description, flow_run_name=name_run)
    @described(description, stage)
    def run(
        methods: list[str] | None = None,
        rows: Count | None = ROWS,
        settings: dict[str, dict[str, Any]] | None = None,
        reads: dict[str, dict[str, str]] | None = None,
        roles: dict[str, str] | None = None,
        seed: int | None = None,
        replace: bool = False,
        force: bool = False,
        accept: Count | None = None,
        candidates: Count | None = None,
        max_dollars: Dollars | None = None,
        batch: bool = False,
        wait: bool = True,
        runner: str | None = None,
    ) -> list[Outcome]:
        stop = Stop(accepted=accept, candidates=candidates, dollars=max_dollars)
        order = Order(rows=rows, stop=stop, replace=replace, force=force, flow_run=str(flow_run.id or ""))
        with workplace(roles, max_dollars, batch=batch, wait=wait, runner=runner) as place:
            tell(lambda: tell_lives(place.settings))
            its = chosen(stage, methods)
            tell(lambda: tag_flow_run(place, stage, its, named=bool(methods)))
            drawn = seed_of(seed)
            return noting(stage, lambda: _run_stage(place, stage, its, order, settings or {}, reads or {}, drawn))

    return run


def _run_stage(
    place: Workplace,
    stage: str,
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
        its_order = order_for(method, order, settings, reads, seed)
        read = ", ".join(its_order.reads.get(name) or found.tables[0] for name, found in method.inputs.items())
        named = _materialize.with_options(
            task_run_name=f"make {method.table} from {read}", tags=tags_of(method, place.settings)
        )
        state = named(method.id, its_order, return_state=True)
        _collect(state.result(raise_on_failure=False), outcomes, errors)
    tell(lambda: show_results(place, stage, outcomes, errors))
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


def _passes(_task: object, _run: object, state: Any) -> bool:
    """Whether what ended a task run may be over the next time."""
    return isinstance(state.result(raise_on_failure=False), Lost)


RETRIES = [2.0, 10.0, 30.0]
"""Seconds before a task whose lake went away is tried again: nothing that was answered is asked again."""


@task(
    name="import", cache_policy=NO_CACHE, retries=len(RETRIES), retry_delay_seconds=RETRIES, retry_condition_fn=_passes
)
def _ingest(table: str) -> Outcome:
    place = at_work()
    with place.progress.table(table):
        outcome = ingest_source(place.lake, table, place.settings, flow_run=str(flow_run.id or ""))
    if outcome.status == "published":
        _say(place, f"{table}@{outcome.version}: {outcome.kept} rows imported", "dim")
    return outcome


@task(
    name="materialize",
    cache_policy=NO_CACHE,
    retries=len(RETRIES),
    retry_delay_seconds=RETRIES,
    retry_condition_fn=_passes,
)
def _materialize(method_id: str, order: Order) -> Outcome:
    place, method = at_work(), find_method(method_id)
    key = f"progress-{method_id.replace('_', '-')}"
    artifact = tell(lambda: create_progress_artifact(progress=0.0, key=key, description=method.table))

    def report(share: float) -> None:
        if artifact:
            tell(lambda: update_progress_artifact(artifact, 100 * share))  # type: ignore[arg-type]

    if place.runner and order.stop != Stop():
        place.progress.say(
            f"{method.table}: rows are counted from one partition to the next, so all are made here", "dim"
        )
    try:
        with places(place.settings, method), place.progress.table(method.table, report):
            outcome = materialize(
                method, place.lake, place.models, order, place.settings, place.progress, place.purse, place.runner
            )
    except EverspringError as error:
        _say(place, str(error), "yellow" if error.exit_code == os.EX_TEMPFAIL else "red")
        if isinstance(error, GateRefusal):
            refused = error.outcome
            tell(lambda: show_run(place.lake, refused))
            tell_gate_failed(refused)
            tell_yield_dropped(place.lake, refused, place.settings)
        raise
    report(1.0)
    if outcome.status == "unchanged":
        _say(place, f"{method.table}: nothing to do, {outcome.note}", "dim")
        return outcome
    _say(place, f"{method.table}@{outcome.version}: {outcome.kept} of {outcome.made} rows kept", "green")
    if outcome.note:
        _say(place, f"{method.table}@{outcome.version}: {outcome.note}", "yellow")
    tell(lambda: show_run(place.lake, outcome))
    tell_yield_dropped(place.lake, outcome, place.settings)
    return outcome


_LEVELS = {"yellow": logging.WARNING, "red": logging.ERROR}


def _say(place: Workplace, text: str, style: str) -> None:
    """Say a line on the terminal, and in the task run's log in Prefect's UI."""
    place.progress.say(text, style)
    get_run_logger().log(_LEVELS.get(style, logging.INFO), text)
