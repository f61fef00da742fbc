"""Materialize: make a table's next version, or nothing. Read → make → screen → audit → publish."""

import json
import os
import shutil
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from catalog.calls import attribution
from catalog.publish import Findings, Run, publish, quarantine, quarantine_of, record
from catalog.records import Record, digest
from catalog.spool import Spool
from catalog.store import RAW, Lake, TableRef, Version, known_tables
from catalog.withdrawals import PURGE, withdrawn_among
from infra.errors import EverspringError, Failure, Lost, Refusal
from infra.faults import full_disk
from infra.settings import Settings
from quality.docs import Page, write_docs
from quality.expectations import measured, promises
from quality.gate import Check, Verdict, blocked, judge
from quality.measures import Figure
from quality.screening import axes, policies, yield_rate
from tasks import track
from tasks.adopt import Part
from tasks.emit import emit
from tasks.ledger import Ledger, Purse, Watcher, keep
from tasks.llm import Models
from tasks.llm.prices import Usage, how_to_price, load_prices
from tasks.measuring import measure
from tasks.method import Method
from tasks.needs import names_of
from tasks.outcome import Outcome, Status
from tasks.portions import Basis, Made, Portion, Spread, make, read
from tasks.provenance import sign_due
from tasks.screening import WITHDRAWN, Screener
from tasks.stop import FIRST, FIRST_PAID, LEAST, Rule, Stop, Tally

BATCHED = 50_000
"""Rows in one partition where requests go through a Batch API: as many as one batch takes."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked of a run: names, references and settings, nothing that is heavy.

    `rows` bounds the work: a method with a setting `rows` makes so many, any other takes so many rows of its inputs.
    Where `stop` bounds it too, a method with that setting makes at most so many in one round.
    """

    rows: int | None = None
    stop: Stop = field(default_factory=Stop)
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
    method: Method,
    lake: Lake,
    models: Models,
    order: Order,
    settings: Settings,
    watcher: Watcher | None = None,
    purse: Purse | None = None,
    spread: Spread | None = None,
) -> Outcome:
    """Make the next version of a method's table from the newest versions of its inputs.

    The same method, settings, models and input versions have the same fingerprint: what it stands for is published
    once, unless forced. What the run pays comes out of `purse`, by default one of its own with the order's cap; so does
    what earlier runs with the same fingerprint paid without coming to an end.

    A method that maps row by row has its portions made by `spread`, where there is one, but not under a bound, which is
    counted from one portion to the next, nor where batches are asked for: the rows are the same.

    Raises:
        Refusal: for settings or inputs that do not fit, or a cap that cannot be kept.
        GateRefusal: where a blocking expectation is broken.
        Failure: where the method could not be run to its end.
    """
    plan = plan_of(method, lake, models, order)
    purse = purse or Purse(order.stop.dollars)
    same = find_published(lake, method.table, plan.fingerprint, anew=order.replace)
    if order.stop.dollars is not None:
        refuse_unpriced(method, models, settings)
        _book_earlier(lake, plan, purse, ended=bool(same and not order.force))
    if same and not order.force:
        if settings.sign:
            sign_due(lake, method.table, settings)
        note = f"{same.ref} stands for the same code, settings, models and inputs; --force makes another version"
        return Outcome(table=method.table, status="unchanged", version=same.ref.version, note=note)
    run = Run(
        run_id=f"{plan.name}-{uuid.uuid4().hex[:8]}",
        stage=method.stage,
        method=method.id,
        table_name=method.table,
        fingerprint=plan.fingerprint,
        inputs=[str(version.ref) for version in plan.inputs.values()],
        settings=json.dumps(plan.configured, default=list),
        models=plan.models,
        code_revision=code_revision(),
        flow_run=order.flow_run,
        sign=settings.sign,
    )
    ledger = Ledger(watcher, purse)
    with Spool(spool_folder(settings, run.run_id), method.shape) as spool:
        try:
            with keep(ledger), attribution(run_id=run.run_id, method=method.table):
                screener = screener_of(method, lake, settings, anew=order.replace, without=same)
                making = _Making(method, lake, models, plan, order.stop, settings, run, ledger, spool, screener, spread)
                why = making.work()
        except Exception as error:
            if isinstance(error, Lost) or getattr(error, "exit_code", 0) == os.EX_TEMPFAIL:
                raise  # it has not ended: the next run with this fingerprint goes on with it
            _settle(run, ledger)
            run.error = f"{type(error).__name__}: {error}"
            with suppress(EverspringError):  # what ended the run is told, not what that brought with it
                record(lake, run, spool, Findings(ledger=_steps(ledger)), "failed")
                emit(lake, run.run_id, settings)
            if failure := full_disk(error, settings.places):
                raise failure from error
            if isinstance(error, EverspringError):
                raise
            raise Failure(
                f"{method.table}: the method broke off ({run.error}); see {run.run_id} in catalog.runs"
            ) from error
        _settle(run, ledger)
        run.kept = spool.counts["rows"]
        if run.made and not same and run.made == ledger.rejected["duplicate"] + ledger.rejected[WITHDRAWN]:
            record(lake, run, spool, Findings(ledger=_steps(ledger)), "unchanged")
            emit(lake, run.run_id, settings)
            gone = f", but for {count} that were withdrawn" if (count := ledger.rejected[WITHDRAWN]) else ""
            note = f"all {run.made} rows that were made are in the table already{gone}"
            return _outcome(run, ledger, note="; ".join(filter(None, (note, why))))
        if not run.made and (asked := spool.counts["reviews"]):
            record(lake, run, spool, Findings(ledger=_steps(ledger)), "unchanged")
            emit(lake, run.run_id, settings)
            note = f"all {asked} rows wait for people, see `everspring review list`"
            return _outcome(run, ledger, note="; ".join(filter(None, (note, why))))
        return conclude(method, lake, order, settings, run, ledger, spool, same, why)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run will be made from."""

    name: str
    """How the ids of all runs of this plan begin."""

    inputs: Mapping[str, Version]
    taken: int | None
    configured: Mapping[str, Any]
    sized: bool
    """Whether the order says how many rows."""
    models: list[str]
    fingerprint: str


def plan_of(method: Method, lake: Lake, models: Models, order: Order) -> Plan:
    """What a run of this order will be made from.

    Raises:
        Refusal: for settings or inputs that do not fit.
    """
    configured, taken = sizes_of(method, order)
    inputs = {name: find_input(lake, method, name, order.reads.get(name)) for name in method.inputs}
    names = names_of(method, models)
    references = {name: str(version.ref) for name, version in inputs.items()}
    fingerprint = digest([method.table, method.code, configured, taken, names, references, asdict(order.stop)])
    return Plan(
        name=f"{method.id}-{fingerprint[:8]}",
        inputs=inputs,
        taken=taken,
        configured=configured,
        sized=order.rows is not None or "rows" in order.settings,
        models=names,
        fingerprint=fingerprint,
    )


def sizes_of(method: Method, order: Order) -> tuple[dict[str, Any], int | None]:
    """The settings of a run, and how many rows of its inputs it takes; None for all.

    Raises:
        Refusal: for settings that do not fit.
    """
    given = dict(order.settings)
    if "rows" not in method.settings:
        return method.configure(given), order.rows
    if order.rows is not None:
        given.setdefault("rows", order.rows)
    return method.configure(given), None


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
    begin = max((i for i, v in enumerate(versions) if v.rows == v.added or v.mode == PURGE), default=0)
    current = versions[begin:]
    if anew and len(current) > 1:
        return None
    return next((version for version in reversed(current) if version.fingerprint == fingerprint), None)


def screener_of(
    method: Method, lake: Lake, settings: Settings, *, anew: bool = False, without: Version | None = None
) -> Screener:
    """The screener of a method's table, with the policies of the method, and of the user over them.

    Raises:
        Refusal: for a policy of a screen that there is none of.
    """
    its = policies(method.screens, settings.screens)
    return Screener.of(lake, settings, method.table, its, anew=anew, without=without)


def refuse_unpriced(method: Method, models: Models, settings: Settings) -> None:
    """Refuse a cap in dollars on models whose price is not known.

    Raises:
        Refusal: naming the first of them, and how to give its price.
    """
    prices = load_prices(settings)
    one = Usage(prompt_tokens=1, completion_tokens=1, images=1)
    for role in sorted(set(method.roles.values())):
        for model in models.names(role):
            if prices.cost(model, one, batch=settings.batch) is None:
                how = "in a batch " if settings.batch and prices.cost(model, one) is not None else ""
                raise Refusal(
                    f"{method.table}: the price of {model} {how}is not known, a cap in dollars wants one; "
                    f"{how_to_price(model)}, or leave out --max-dollars"
                )


def _book_earlier(lake: Lake, plan: Plan, purse: Purse, *, ended: bool) -> None:
    """Book what earlier runs of the plan paid: those that did not come to their end, or all of them."""
    with lake.read() as connection:
        spent, unpriced = connection.execute(
            "SELECT coalesce(sum(cost), 0), count(*) FILTER (WHERE cost IS NULL AND text IS NOT NULL) "
            "FROM catalog.calls WHERE starts_with(run_id, ?) AND "
            "(? OR run_id NOT IN (SELECT run_id FROM catalog.runs WHERE status <> 'failed'))",
            [f"{plan.name}-", ended],
        ).fetchall()[0]
    purse.pay(spent)
    for _ in range(unpriced):
        purse.pay(None)


def _book_lost(lake: Lake, run: Run, ledger: Ledger) -> None:
    """Book what the run paid by processes that were killed before they could say so."""
    with lake.read() as connection:
        ((spent, unpriced),) = connection.execute(
            "SELECT coalesce(sum(cost), 0), count(*) FILTER (WHERE cost IS NULL AND text IS NOT NULL) "
            "FROM catalog.calls WHERE run_id = ?",
            [run.run_id],
        ).fetchall()
    ledger.paid(max(0.0, spent - ledger.own.spent))
    for _ in range(unpriced - ledger.own.unpriced):
        ledger.paid(None)


@dataclass
class _Making:
    """A run at work: calls the method, portion by portion, and spools what passes the screens, until a rule ends it."""

    method: Method
    lake: Lake
    models: Models
    plan: Plan
    stop: Stop
    settings: Settings
    run: Run
    ledger: Ledger
    spool: Spool
    screener: Screener
    spread: Spread | None
    _taken: int = 0

    def work(self) -> str:
        """Make everything; returns why it ended, in words, where a rule was set."""
        rule: Rule = ""
        for made in self._portions() if self.method.partitioned else self._rounds():
            self._adopt(made)
            if rule := self.stop.reached(self._tally, self.ledger.refusal()):
                break
        else:
            if self.stop.counts_rows:
                rule = "input" if self.method.partitioned else "nothing new"
        self.run.stopped = rule
        return self.stop.words(rule, self._tally, self.ledger.refusal())

    @property
    def _tally(self) -> Tally:
        dropped = sum(step.dropped for step in self.ledger.steps.values())
        return Tally(
            taken=self._taken,
            candidates=self.run.made + dropped,
            accepted=self.spool.counts["rows"],
            old=self.ledger.rejected["duplicate"] if self.method.partitioned else 0,
            cost=self.ledger.own.spent,
        )

    def _portions(self) -> Iterator[Made]:
        """What is made of the input, part by part; where rows are counted, of as much as the yield so far asks for."""
        ((name, version),) = self.plan.inputs.items()
        basis = Basis(
            method=self.method.id,
            code=self.method.code,
            models=tuple(self.plan.models),
            configured=self.plan.configured,
            policies=self.screener.policies,
            against=self.screener.against,
            run_id=self.run.run_id,
            folder=self.spool.folder,
            name=name,
            table=version.ref.table,
        )
        total = self.lake.lay_out(
            version, self.method.inputs[name].shape, basis.file, rows=self.plan.taken, seed=self._seed
        )
        if self.spread and not self.settings.batch and self.stop == Stop() and self.ledger.purse.cap is None:
            yield from self._spread(self.spread, basis, total)
            return
        while self._taken < total:
            most = BATCHED if self.settings.batch else self.settings.partition
            size = self._portion(most, first=FIRST if self.ledger.purse.cap is None else FIRST_PAID)
            portion = Portion(basis=basis, first=self._taken, size=min(size, total - self._taken))
            self._taken += portion.size
            yield self._make(read(portion, self.method), self.plan.configured, portion.first)

    def _spread(self, spread: Spread, basis: Basis, total: int) -> Iterator[Made]:
        """What others make of the input."""
        size = self.settings.partition
        sizes = [min(size, total - first) for first in range(0, total, size)]
        for done, made in enumerate(
            spread(Portion(basis=basis, first=n * size, size=its) for n, its in enumerate(sizes)), 1
        ):
            self._taken += made.rows_in
            if made.books:
                self.ledger.add(made.books)
            self.ledger.reach("partitions", done, len(sizes), "partitions")
            yield made
        _book_lost(self.lake, self.run, self.ledger)

    @property
    def _seed(self) -> int:
        return int(self.plan.configured.get("seed", 0))

    def _ids(self, version: Version) -> list[str]:
        """The rows of an input that the run takes, but for those that were withdrawn."""
        ids = self.lake.ids(version, rows=self.plan.taken, seed=self._seed)
        gone = withdrawn_among(self.lake, ids)
        return [each for each in ids if each not in gone]

    def _rounds(self) -> Iterator[Made]:
        """What is made of the whole input with one seed after the other, until two in a row bring nothing new."""
        inputs = {
            name: self.lake.rows(version, self.method.inputs[name].shape, self._ids(version))
            for name, version in self.plan.inputs.items()
        }
        again = self.stop.counts_rows and "seed" in self.plan.configured
        turn = barren = 0
        while barren < 2:
            before = self._tally.accepted
            made = self._make(inputs, self._configured(turn), self.run.made)
            yield replace(made, rows_in=0) if turn else made
            if not again:
                return
            barren = 0 if self._tally.accepted > before else barren + 1
            turn += 1

    def _configured(self, turn: int) -> Mapping[str, Any]:
        """The settings of a round: the next seed, and the rows that are still missing."""
        configured = dict(self.plan.configured)
        if turn:
            configured["seed"] += turn
        if "rows" in configured:
            if self.stop.counts_rows:
                most = configured["rows"]
                configured["rows"] = self._portion(most if self.plan.sized else None, first=most, least=LEAST)
            self._taken += configured["rows"]
        return configured

    def _portion(self, most: int | None, *, first: int, least: int = 1) -> int:
        """How many rows to take next.

        Under a cap no more than what is left pays for: a method asks about all its rows step by step, and rows whose
        later steps are refused were paid for in vain.
        """
        purse = self.ledger.purse
        left = None if purse.cap is None else max(0.0, purse.cap - purse.spent)
        return self.stop.portion(self._tally, most, first=first, least=least, left=left)

    def _make(self, inputs: Mapping[str, Sequence[Record]], configured: Mapping[str, Any], first: int) -> Made:
        """Call the method once, here."""
        return make(
            self.lake,
            self.method,
            self.models,
            inputs,
            configured,
            tables={name: version.ref.table for name, version in self.plan.inputs.items()},
            first=first,
            screener=self.screener,
            ledger=self.ledger,
            folder=self.spool.folder,
        )

    def _adopt(self, made: Made) -> None:
        """Take what was made, and passes beside what was made before, into the spool."""
        part = Part(made)
        signed = part.signed()
        beside = self.screener.beside(signed)
        gone = dict(beside.gone)
        if self.stop.accepted is not None:
            missing = self.stop.accepted - self._tally.accepted
            reason = f"the run had the {self.stop.accepted:,} rows that it was to add"
            passed = [row for row in signed["record_id"] if row not in gone]
            gone |= dict.fromkeys(passed[missing:], ("surplus", reason, ""))
        self.ledger.noted.update(part.move(self.spool, gone, beside))
        self.run.rows_in += made.rows_in
        self.run.made += made.made
        for screen, count in (Counter(made.rejected) + Counter(screen for screen, *_ in gone.values())).items():
            self.ledger.rejected[screen] += count
            self.run.rejected += count


def conclude(
    method: Method,
    lake: Lake,
    order: Order,
    settings: Settings,
    run: Run,
    ledger: Ledger,
    spool: Spool,
    same: Version | None,
    why: str,
) -> Outcome:
    """Audit what would be published, then publish it (instead of the `same`, made before) or put it in quarantine."""
    import polars as pl

    last = lake.latest(method.table)
    new = pl.scan_parquet(spool.files("rows"))
    before = pl.scan_parquet(lake.export(last, spool.folder / "before.parquet", without=same)) if last else None
    whole = new if before is None or order.replace else pl.concat([before, new], how="diagonal")
    taken = measure(lake, whole, method.shape, settings, ledger, earlier=before)
    figures = [*_of_run(run, ledger), *taken.figures]
    ledger.reach("checking", 0, 1, "gate")
    gates = [measured(f.metric, f.low, f.high).warn() for f in taken.figures if f.low is not None or f.high is not None]
    promised = promises(method.shape, method.expects, gates)
    observed = {figure.metric: figure.value for figure in figures}
    verdicts = [
        verdict
        for rows, of_new in ((new, True), (whole, False))
        for verdict in judge(
            rows,
            [promise for promise in promised if promise.of_new_rows == of_new],
            method.table,
            previous=None if order.replace else before,
            figures=observed,
        )
    ]
    checks = [verdict.check for verdict in verdicts]
    findings = Findings(
        checks=[asdict(check) for check in checks],
        metrics=[figure._asdict() for figure in figures],
        ledger=_steps(ledger),
    )
    broken = blocked(checks)
    run.mlflow_run, warning = track.begin(run, observed, checks, settings)
    if broken:
        run.error = "; ".join(filter(None, (_refusal(method.table, last, broken, len(checks), run.run_id), why)))
        quarantine(lake, run, spool, findings, shape=method.shape)
        track.end(run, None, settings)
        emit(lake, run.run_id, settings)
        _document(run, verdicts, settings)
        raise GateRefusal(run.error, _outcome(run, ledger, note=run.error))
    version = publish(lake, run, spool, findings, shape=method.shape, replace=order.replace, instead_of=same)
    if settings.sign:
        sign_due(lake, method.table, settings)
    track.end(run, version, settings)
    emit(lake, run.run_id, settings)
    undocumented = _document(run, verdicts, settings)
    broken_off = [f"measure {name} broke off ({what})" for name, what in taken.broken.items()]
    return _outcome(run, ledger, note="; ".join(filter(None, (why, warning, undocumented, *broken_off))))


def _document(run: Run, verdicts: Sequence[Verdict], settings: Settings) -> str:
    """Write the run's page of Great Expectations' Data Docs; returns a warning where it cannot be."""
    page = Page(table=run.table_name, run_id=run.run_id, at=run.started_at, verdicts=verdicts, version=run.version)
    try:
        write_docs(settings.folder("docs"), page)
    except OSError as error:
        return f"no page of Data Docs ({error.strerror or error})"
    return ""


def _of_run(run: Run, ledger: Ledger) -> list[Figure]:
    """What screening came to, as figures of the version: shares of the rows that the run made."""
    kept = yield_rate(run.made + run.dropped, run.kept + ledger.rejected["surplus"])
    out = [
        Figure("rows", run.kept, run.made, "quality", "run/1"),
        Figure("yield", kept, run.made + run.dropped, "quality", "run/1"),
        *ledger.figures.values(),
    ]
    for name, axis in axes().items():
        for kind, counts in (("rejected", ledger.rejected), ("noted", ledger.noted)):
            if kind == "rejected" or counts[name]:
                share = yield_rate(run.made, counts[name])
                out.append(Figure(f"{kind}.{name}", share, run.made, axis, "screening/1"))
    return out


def _refusal(table: str, last: Version | None, broken: Sequence[Check], of: int, run_id: str) -> str:
    number = last.ref.version if last and last.ref.version else 0
    shows = f"{table} still shows version {number}" if number else f"{table} has no version yet"
    listed = "; ".join(f"{check.expectation}: {check.error or check.observed}" for check in broken)
    verb = "is" if len(broken) == 1 else "are"
    return (
        f"{table}@{number + 1}: {len(broken)} of {of} expectations {verb} broken ({listed}); {shows}. "
        f"Rows: {quarantine_of(table)} where run_id = '{run_id}'; offending ones: catalog.checks"
    )


def _settle(run: Run, ledger: Ledger) -> None:
    """Put the ledger's totals into the run."""
    steps = ledger.steps.values()
    run.calls = sum(step.calls for step in steps)
    run.reused = sum(step.reused for step in steps)
    run.failed = sum(step.failed for step in steps)
    run.dropped = sum(step.dropped for step in steps)
    run.prompt_tokens = sum(step.prompt_tokens for step in steps)
    run.completion_tokens = sum(step.completion_tokens for step in steps)
    run.unmetered = sum(step.unmetered for step in steps)
    run.cost, run.unpriced = ledger.cost, ledger.own.unpriced


def _steps(ledger: Ledger) -> list[dict[str, Any]]:
    return [asdict(step) | {"cost": None if step.unpriced else step.cost} for step in ledger.steps.values()]


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
        failed=run.failed,
        tokens=run.prompt_tokens + run.completion_tokens,
        unmetered=run.unmetered,
        cost=run.cost,
        seconds=run.seconds,
        version=run.version,
        run_id=run.run_id,
        mlflow_run=run.mlflow_run,
        note=note,
    )


def spool_folder(settings: Settings, run_id: str) -> Path:
    """A folder for a run's spool; those of processes that have died are cleared away."""
    for left in dead_spools(settings):
        shutil.rmtree(left, ignore_errors=True)
    return settings.folder("spool") / f"{os.getpid()}-{run_id}"


def dead_spools(settings: Settings) -> list[Path]:
    """The spools of processes that have died."""
    spools = ((folder, folder.name.partition("-")[0]) for folder in settings.folder("spool").iterdir())
    return [folder for folder, pid in spools if pid.isdigit() and not _alive(int(pid))]


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
