"""Materialize: make a table's next version, or nothing. Read → make → screen → audit → publish."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from catalog.calls import attribution
from catalog.lineage import edges_of
from catalog.publish import Findings, Run, publish, quarantine, record
from catalog.records import Record, digest
from catalog.spool import Spool
from catalog.store import RAW, Lake, TableRef, Version, known_tables
from infra.errors import EverspringError, Failure, Refusal
from infra.settings import Settings
from quality.diversity import diversity
from quality.expectations import rows_at_least, unique
from quality.gate import Check, audit, blocked
from quality.screens import yield_rate
from quality.texts import texts_of
from tasks import track
from tasks.ledger import Ledger, Watcher, keep
from tasks.llm import Models
from tasks.method import Method
from tasks.outcome import Outcome, Status
from tasks.screening import Screener

STANDING = (rows_at_least(1), unique("record_id"))
"""What every version promises."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked of a run: names, references and settings, nothing that is heavy.

    `rows` bounds the work: a method with a setting `rows` makes so many, any other takes so many rows of its inputs.
    """

    rows: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reads: Mapping[str, str] = field(default_factory=dict[str, str])
    replace: bool = False
    force: bool = False
    flow_run: str = ""


class GateRefusal(Failure):
    """A blocking expectation is broken: nothing was published, the rows are in quarantine."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome


def materialize(
    method: Method, lake: Lake, models: Models, order: Order, settings: Settings, watcher: Watcher | None = None
) -> Outcome:
    """Make the next version of a method's table from the newest versions of its inputs.

    The same method, settings, models and input versions have the same fingerprint: what it stands for is published
    once, unless forced.

    Raises:
        Refusal: for settings or inputs that do not fit.
        GateRefusal: where a blocking expectation is broken.
        Failure: where the method could not be run to its end.
    """
    plan = _plan(method, lake, models, order)
    same = find_published(lake, method.table, plan.fingerprint, anew=order.replace)
    if same and not order.force:
        note = f"{same.ref} stands for the same code, settings, models and inputs; --force makes another version"
        return Outcome(table=method.table, status="unchanged", version=same.ref.version, note=note)
    run = Run(
        run_id=f"{method.id}-{uuid.uuid4().hex[:12]}",
        stage=method.stage,
        method=method.id,
        table_name=method.table,
        fingerprint=plan.fingerprint,
        inputs=[str(version.ref) for version in plan.inputs.values()],
        settings=json.dumps(plan.configured, default=list),
        models=plan.models,
        code_revision=code_revision(),
        flow_run=order.flow_run,
    )
    ledger = Ledger(watcher)
    with Spool(spool_folder(settings, run.run_id), method.shape) as spool:
        try:
            with keep(ledger), attribution(run_id=run.run_id, method=method.table):
                screener = Screener.of(lake, method.table, method.shape, anew=order.replace, without=same)
                _make(method, lake, models, plan, settings, run, ledger, spool, screener)
        except Exception as error:
            _settle(run, ledger)
            run.error = f"{type(error).__name__}: {error}"
            record(lake, run, spool, Findings(ledger=_steps(ledger)), "failed")
            if isinstance(error, EverspringError):
                raise
            raise Failure(
                f"{method.table}: the method broke off ({run.error}); see {run.run_id} in catalog.runs"
            ) from error
        _settle(run, ledger)
        run.kept = spool.counts["rows"]
        if run.made and not same and run.made == ledger.rejected["duplicate"]:
            record(lake, run, spool, Findings(ledger=_steps(ledger)), "unchanged")
            return _outcome(run, ledger, note=f"all {run.made} rows that were made are in the table already")
        return _decide(method, lake, order, settings, run, ledger, spool, same)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What a run will be made from."""

    inputs: Mapping[str, Version]
    taken: int | None
    configured: Mapping[str, Any]
    models: list[str]
    fingerprint: str


def _plan(method: Method, lake: Lake, models: Models, order: Order) -> _Plan:
    given = dict(order.settings)
    if "rows" in method.settings and order.rows is not None:
        given.setdefault("rows", order.rows)
    configured = method.configure(given)
    inputs = {name: find_input(lake, method, name, order.reads.get(name)) for name in method.inputs}
    taken = None if "rows" in method.settings else order.rows
    names = [f"{role}={name}" for role in sorted(set(method.roles.values())) for name in models.names(role)]
    references = {name: str(version.ref) for name, version in inputs.items()}
    fingerprint = digest([method.table, method.code, configured, taken, names, references])
    return _Plan(inputs=inputs, taken=taken, configured=configured, models=names, fingerprint=fingerprint)


def find_input(lake: Lake, method: Method, name: str, given: str | None) -> Version:
    """The version that an input reads: of the table given, else of the first of its own tables that has one.

    Raises:
        Refusal: where there is none, saying how to make one.
    """
    if given:
        return lake.find(TableRef.parse(given))
    tables = method.inputs[name].tables
    for table in tables:
        if version := lake.latest(table):
            return version
    first = tables[-1]
    how = f"everspring import … --table {first}" if first.startswith(RAW) else f"everspring run {first.split('.')[0]}"
    raise Refusal(
        f"{method.table}: its input {name} is nowhere (looked for {', '.join(tables)}; there are "
        f"{', '.join(known_tables(lake)) or 'no tables'}); make one with `{how}` or name one with --read {name}=TABLE"
    )


def find_published(lake: Lake, table: str, fingerprint: str, *, anew: bool) -> Version | None:
    """The version, still part of the table, that has this fingerprint; `anew`: that is the whole of the table."""
    versions = lake.versions(table)
    begin = max((i for i, v in enumerate(versions) if v.rows == v.added), default=0)
    current = versions[begin:]
    if anew and len(current) > 1:
        return None
    return next((version for version in reversed(current) if version.fingerprint == fingerprint), None)


def _make(
    method: Method,
    lake: Lake,
    models: Models,
    plan: _Plan,
    settings: Settings,
    run: Run,
    ledger: Ledger,
    spool: Spool,
    screener: Screener,
) -> None:
    """Call the method, over partitions where it allows, and spool what passes the screens."""
    needs = {name: models.get(role) for name, role in method.roles.items()}
    for inputs in _partitions(method, lake, plan, settings.partition):
        run.rows_in += sum(map(len, inputs.values()))
        made = method.run(**inputs, **needs, **plan.configured)
        run.made += len(made)
        kept, rejected = screener(made)
        stored = {row.record_id: plan.inputs[name].ref.table for name, rows in inputs.items() for row in rows}
        edges, parents = edges_of(kept, stored | dict.fromkeys((row.record_id for row in kept), method.table))
        spool.add_rows(kept, parents)
        spool.add_edges(edges)
        spool.add_rejected([(r.row, r.screen, r.reason, r.evidence) for r in rejected])
        spool.add_rejected([(d.row, d.operator, d.reason, d.evidence) for d in ledger.drops])
        run.rejected += len(rejected)
        for rejection in rejected:
            ledger.rejected[rejection.screen] += 1
        ledger.drops.clear()


def _partitions(method: Method, lake: Lake, plan: _Plan, size: int) -> Iterator[dict[str, Sequence[Record]]]:
    ids = {
        name: lake.ids(version, rows=plan.taken, seed=int(plan.configured.get("seed", 0)))
        for name, version in plan.inputs.items()
    }
    if method.partitioned:
        ((name, of_input),) = ids.items()
        for begin in range(0, len(of_input), size):
            part = of_input[begin : begin + size]
            yield {name: lake.rows(plan.inputs[name], method.inputs[name].shape, part)}
        return
    yield {name: lake.rows(plan.inputs[name], method.inputs[name].shape, part) for name, part in ids.items()}


def _decide(
    method: Method,
    lake: Lake,
    order: Order,
    settings: Settings,
    run: Run,
    ledger: Ledger,
    spool: Spool,
    same: Version | None,
) -> Outcome:
    """Audit what would be published, then publish it (instead of the `same`, made before) or put it in quarantine."""
    import polars as pl

    last = lake.latest(method.table)
    new = pl.read_parquet(spool.files("rows"))
    whole = pl.concat([lake.frame(last, without=same), new], how="diagonal") if last and not order.replace else new
    promises = (*STANDING, *method.expects)
    checks = [
        *audit(new, [e for e in promises if e.of_new_rows], method.table),
        *audit(whole, [e for e in promises if not e.of_new_rows], method.table),
    ]
    metrics = {
        "rows": float(whole.height),
        "yield": yield_rate(run.made + run.dropped, run.kept),
        "contaminated": yield_rate(run.made, ledger.rejected["contaminated"]),
        **diversity(texts_of(whole.iter_rows(named=True), method.shape)),
    }
    findings = Findings(checks=[asdict(check) for check in checks], metrics=metrics, ledger=_steps(ledger))
    broken = blocked(checks)
    run.mlflow_run, warning = track.begin(run, metrics, checks, settings)
    if broken:
        place = quarantine(lake, run, spool, findings, shape=method.shape)
        run.error = _refusal(method.table, last, broken, len(checks), place, run.run_id)
        track.end(run, None, settings)
        raise GateRefusal(run.error, _outcome(run, ledger, note=run.error))
    version = publish(lake, run, spool, findings, shape=method.shape, replace=order.replace, instead_of=same)
    track.end(run, version, settings)
    return _outcome(run, ledger, note=warning)


def _refusal(table: str, last: Version | None, broken: Sequence[Check], of: int, place: TableRef, run_id: str) -> str:
    number = last.ref.version if last and last.ref.version else 0
    shows = f"{table} still shows version {number}" if number else f"{table} has no version yet"
    listed = "; ".join(f"{check.expectation}: {check.error or check.observed}" for check in broken)
    verb = "is" if len(broken) == 1 else "are"
    return (
        f"{table}@{number + 1}: {len(broken)} of {of} expectations {verb} broken ({listed}); {shows}. "
        f"Rows: {place} where run_id = '{run_id}'; offending ones: catalog.checks"
    )


def _settle(run: Run, ledger: Ledger) -> None:
    """Put the ledger's totals into the run."""
    steps = ledger.steps.values()
    run.calls = sum(step.calls for step in steps)
    run.reused = sum(step.reused for step in steps)
    run.dropped = sum(step.dropped for step in steps)
    run.prompt_tokens = sum(step.prompt_tokens for step in steps)
    run.completion_tokens = sum(step.completion_tokens for step in steps)


def _steps(ledger: Ledger) -> list[dict[str, Any]]:
    return [asdict(step) for step in ledger.steps.values()]


def _outcome(run: Run, ledger: Ledger, *, note: str) -> Outcome:
    return Outcome(
        table=run.table_name,
        status=cast("Status", run.status),
        rows_in=run.rows_in,
        made=run.made,
        kept=run.kept,
        rejected=dict(ledger.rejected),
        dropped={step.operator: step.dropped for step in ledger.steps.values() if step.dropped},
        calls=run.calls,
        reused=run.reused,
        tokens=run.prompt_tokens + run.completion_tokens,
        seconds=run.seconds,
        version=run.version,
        run_id=run.run_id,
        mlflow_run=run.mlflow_run,
        note=note,
    )


def spool_folder(settings: Settings, run_id: str) -> Path:
    """A folder for a run's spool; those of processes that have died are cleared away."""
    spools = settings.folder("spool")
    for left in spools.iterdir():
        pid = left.name.partition("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    return spools / f"{os.getpid()}-{run_id}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@cache
def code_revision() -> str:
    """The git revision of this code, with `+` where the tree has changes; empty outside a checkout."""
    git = shutil.which("git")
    here = Path(__file__).parent
    if not git:
        return ""
    revision = subprocess.run([git, "-C", here, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S603
    if revision.returncode:
        return ""
    changed = subprocess.run([git, "-C", here, "status", "--porcelain"], capture_output=True, text=True, check=False)  # noqa: S603
    return revision.stdout.strip() + ("+" if changed.stdout.strip() else "")
