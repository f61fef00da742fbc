"""Run every method on the embedded model, each on a fresh home, as a user does, and print what came of it.

    python tests/run_every_method.py                 all of them, one after the other
    python tests/run_every_method.py rft glan        these

Each has three minutes: `everspring run STAGE --method NAME --rows 8`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tasks.method import Method, load_methods  # noqa: E402 - found by the line above

WHY = "SELECT screen, reason, count(*) AS n FROM catalog.rejected GROUP BY ALL ORDER BY n DESC LIMIT 3"
LIMIT = 180.0
"""Seconds that one run may take."""


class Came(NamedTuple):
    """What came of one method's run."""

    method: str
    code: int
    rows: int
    seconds: float
    why: str


def everspring(home: str, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command on a home of its own; 124 where it took too long."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EVERSPRING", "OPENAI"))}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "flows", *arguments],
            cwd=ROOT,
            env=environment | {"EVERSPRING_HOME": home},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, ""
    return ended.returncode, ended.stdout + ended.stderr


def run(method: Method) -> Came:
    """One method on a fresh home."""
    with tempfile.TemporaryDirectory() as home:
        began = time.monotonic()
        code, said = everspring(home, "run", method.stage, "--method", method.id, "--rows", "8")
        seconds = time.monotonic() - began
        told = rows_of(
            home,
            "SELECT coalesce(sum(kept), 0) AS rows FROM catalog.runs WHERE status = 'published' "
            f"AND method = '{method.id}'",
        )
        rows = int(told[0]["rows"]) if told else 0
        why = "" if rows else "; ".join(f"{one['n']} x {one['screen']}: {one['reason']}" for one in rows_of(home, WHY))
    return Came(method.id, code, rows, seconds, why or ("" if rows else said.strip()[-300:]))


def rows_of(home: str, question: str) -> list[dict[str, Any]]:
    """What SQL says about a home; nothing where it cannot be asked."""
    code, found = everspring(home, "sql", question, "--format", "json")
    return [] if code else json.loads(found)


def main() -> int:
    """Run them, and print the table; 0 where every run ended in time, with exit 0 or a gate's refusal."""
    wanted = sys.argv[1:] or list(load_methods())
    out = Console(width=160)
    came: list[Came] = []
    for name in wanted:
        came.append(run(load_methods()[name]))
        out.print(f"{name}: exit {came[-1].code}, {came[-1].rows} rows, {came[-1].seconds:.0f} s", highlight=False)
    table = Table("method", "exit", "rows", "seconds", "why none")
    for each in came:
        table.add_row(each.method, str(each.code), str(each.rows), f"{each.seconds:.0f}", each.why)
    out.print(table)
    published = sum(1 for each in came if each.rows)
    out.print(f"{published} of {len(came)} published rows; the longest took {max(each.seconds for each in came):.0f} s")
    return int(any(each.code not in (0, 1) or each.seconds > LIMIT for each in came))


if __name__ == "__main__":
    raise SystemExit(main())
