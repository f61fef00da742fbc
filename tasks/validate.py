"""Validation of versions that are there: are they what was signed, and do they keep what their tables promise?"""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.store import Lake, Version
from infra.errors import Refusal
from quality.expectations import Expectation, promises
from quality.gate import EXAMPLES, Check, judge
from tasks.measuring import shape_of
from tasks.method import load_methods
from tasks.provenance import verify_version

SIGNED = "signed"
"""What the check is called that a version is as it was signed."""


def as_signed(lake: Lake, version: Version, trusted: Collection[str]) -> Check:
    """Whether a version is what was signed."""
    problems = verify_version(lake, version.ref, trusted)
    rows = [problem.subject for problem in problems if problem.kind == "row" and problem.subject]
    return Check(
        expectation=SIGNED,
        severity="block",
        passed=not problems,
        observed="; ".join(map(str, problems[:3])) or "as it was signed",
        broken_rows=len(rows),
        examples=tuple(rows[:EXAMPLES]),
    )


def kept_promises(lake: Lake, version: Version) -> list[Check]:
    """What came of the promises of a version's table: those about its rows, and how many there are.

    Promises about a run, or about the change since the version before, were settled when it was published.
    """
    import polars as pl

    method = next((each for each in load_methods().values() if each.table == version.ref.table), None)
    try:
        shape = shape_of(lake, version)
    except Refusal:  # a table of nobody's shape promises nothing
        return []
    asked = [each for each in promises(shape, method.expects if method else ()) if _stands(each)]
    with tempfile.TemporaryDirectory() as folder:
        rows = pl.scan_parquet(lake.export(version, Path(folder) / "rows.parquet"))
        return [verdict.check for verdict in judge(rows, asked, version.ref.table)]


def checked(version: Version, checks: Sequence[Check], run_id: str) -> list[dict[str, Any]]:
    """Checks of a version as rows of `catalog.checks`."""
    of: Mapping[str, Any] = {"run_id": run_id, "table_name": version.ref.table, "version": version.ref.version}
    now = datetime.now(UTC)
    return [{**of, "checked_at": now, **asdict(check)} for check in checks]


def _stands(promise: Expectation) -> bool:
    """Whether a promise is about the rows that are there."""
    if promise.figure:
        return promise.figure.of != "given" and promise.figure.within is None and not promise.of_new_rows
    return True
