"""Audit: every screen and every measure on a version that is there, such as an import; its rows stay as they are."""

import uuid

from catalog.publish import Findings, Run, record
from catalog.records import Record
from catalog.spool import Spool
from catalog.store import Lake, TableRef, Version
from infra.settings import Policy, Settings
from quality.measures import Figure
from quality.screening import Note, axes, policies, yield_rate
from tasks import track
from tasks.ledger import Ledger, Watcher
from tasks.materialize import code_revision, spool_folder
from tasks.measuring import measure, shape_of
from tasks.outcome import Outcome
from tasks.screening import Screener, write_down


def audit_version(
    lake: Lake, ref: TableRef, settings: Settings, watcher: Watcher | None = None, flow_run: str = ""
) -> Outcome:
    """Screen and measure a version; what is found stands in `catalog.flags`, `catalog.metrics` and its scorecard.

    Raises:
        Refusal: where there is no such version, or its rows have no known shape.
    """
    import polars as pl

    version = lake.find(ref)
    shape = shape_of(lake, version)
    before = _before(lake, version)
    ledger = Ledger(watcher)
    run = Run(
        run_id=f"audit-{uuid.uuid4().hex[:12]}",
        stage=version.ref.schema,
        method="audit",
        table_name=version.ref.table,
        fingerprint=version.fingerprint,
        version=version.ref.version,
        inputs=[str(version.ref)],
        code_revision=code_revision(),
        flow_run=flow_run,
    )
    with Spool(spool_folder(settings, run.run_id), shape) as spool:
        _screen(lake, version, shape, settings, ledger, spool)
        run.rows_in = run.made = run.kept = version.rows
        rows = pl.scan_parquet(lake.export(version, spool.folder / "audited.parquet"))
        earlier = pl.scan_parquet(lake.export(before, spool.folder / "before.parquet")) if before else None
        taken = measure(lake, rows, shape, settings, ledger, earlier=earlier)
        figures = [
            *(
                Figure(f"noted.{name}", yield_rate(version.rows, ledger.noted[name]), version.rows, axis, "screening/1")
                for name, axis in axes().items()
            ),
            *taken.figures,
        ]
        run.mlflow_run, warning = track.begin(run, {figure.metric: figure.value for figure in figures}, [], settings)
        record(lake, run, spool, Findings(metrics=[figure._asdict() for figure in figures]), "audited")
        track.end(run, version, settings)
    return Outcome(
        table=version.ref.table,
        status="audited",
        rows_in=version.rows,
        made=version.rows,
        kept=version.rows,
        rejected=dict(ledger.noted),
        seconds=run.seconds,
        version=version.ref.version,
        run_id=run.run_id,
        mlflow_run=run.mlflow_run,
        note="; ".join(filter(None, (*(f"{name} broke off ({why})" for name, why in taken.broken.items()), warning))),
    )


def _screen(
    lake: Lake, version: Version, shape: type[Record], settings: Settings, ledger: Ledger, spool: Spool
) -> None:
    """Show every row to every screen; what one would drop or mask is noted."""
    flag: dict[str, Policy] = {name: "flag" for name, its in policies(settings.screens).items() if its != "off"}
    screener = Screener.of(lake, settings, version.ref.table, flag, anew=True)  # beside nothing but each other
    ids = lake.ids(version)
    for done in range(0, len(ids), settings.partition):
        ledger.reach("screening", done, len(ids), "rows")
        rows = lake.rows(version, shape, ids[done : done + settings.partition])
        passed = screener(rows)
        noted = [Note(found.row, found.screen, "flag", found.reason, found.evidence) for found in passed.rejected]
        write_down(passed._replace(rejected=[], notes=[*passed.notes, *noted]), rows, spool)
        ledger.noted.update(note.screen for note in (*passed.notes, *noted))


def _before(lake: Lake, version: Version) -> Version | None:
    """The version before this one, of those that can be read."""
    numbered = ((v.ref.version or 0, v) for v in lake.versions(version.ref.table) if v.readable)
    earlier = [each for number, each in numbered if number < (version.ref.version or 0)]
    return earlier[-1] if earlier else None
