"""Rows put into a lake without a run of a method."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.lineage import edges_of, tell_models
from catalog.publish import Findings, Run, publish
from catalog.records import Record
from catalog.spool import Spool
from catalog.store import Lake, Version

_numbers = itertools.count()


def put_rows(
    lake: Lake,
    folder: Path,
    *rows: Record,
    table: str = "sft.demo",
    held: Mapping[str, str] | None = None,
    findings: Findings | None = None,
    rejected: Sequence[tuple[Record | None, str, str, str]] = (),
    **figures: Any,
) -> Version:
    """Publish rows as the next version of a table.

    Args:
        lake: where to.
        folder: for what is spooled.
        rows: the rows; what they were made of is their origin.
        table: its name.
        held: record id → table, of the rows of the lake that they were made of.
        findings: checks and figures.
        rejected: rows left out, with screen, reason and evidence.
        figures: of the run.
    """
    stage, _, name = table.partition(".")
    run = Run(run_id=f"run-{next(_numbers)}", stage=stage, method=name, table_name=table, fingerprint=name, **figures)
    with Spool(folder / "spool" / run.run_id, type(rows[0])) as spool:
        edges, parents = edges_of(rows, {**(held or {}), **{row.record_id: table for row in rows}})
        tell_models(lake, edges)
        spool.add_rows(rows, parents)
        spool.add_edges(edges)
        spool.add_rejected(rejected, {})
        run.kept, run.rejected = len(rows), len(rejected)
        return publish(lake, run, spool, findings or Findings(), shape=type(rows[0]))
