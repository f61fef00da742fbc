"""Compaction: 500 small versions of a table, some of them pinned, then a maintenance.

Every version is read whole before and after, and compared; every one that is kept must verify as it was signed.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.pins import pin  # noqa: E402
from catalog.publish import Findings, Run, publish  # noqa: E402
from catalog.records import Prompt  # noqa: E402
from catalog.spool import Spool  # noqa: E402
from catalog.store import Lake, TableRef, Version  # noqa: E402
from infra.settings import Settings, load_settings  # noqa: E402
from tasks.provenance import sign_version, signing_key, trusted, verify_version  # noqa: E402

VERSIONS, ROWS, PINNED, SIGNED = 500, 20, 50, 25
"""Of the versions, one in PINNED is pinned, and one in SIGNED signed."""


def make(lake: Lake, settings: Settings, home: Path, versions: int) -> None:
    key = signing_key(settings)
    for number in range(1, versions + 1):
        run = Run(run_id=f"run-{number}", stage="sft", method="small", table_name="sft.small", fingerprint=f"{number}")
        with Spool(home / "spool" / run.run_id, Prompt) as spool:
            spool.add_rows([Prompt(prompt=f"question {number} {row} " * 5) for row in range(ROWS)], {})
            version = publish(lake, run, spool, Findings(), shape=Prompt)
        if number % SIGNED == 0 or number == versions:
            sign_version(lake, version, key)
        if number % PINNED == 1:
            pin(lake, version.ref)


def read(lake: Lake, version: Version) -> str:
    with lake.read() as connection:
        found = connection.execute(f"FROM {version.sql} ORDER BY record_id")
        return hashlib.sha256(repr(found.fetchall()).encode()).hexdigest()


def every(lake: Lake) -> dict[str, str]:
    return {str(version.ref): read(lake, version) for version in lake.versions() if version.readable}


def lines(versions: int = VERSIONS) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = load_settings(home=home)
        lake = Lake(settings)
        make(lake, settings, home, versions)
        before, many = every(lake), len(list(Path(lake.data).rglob("*.parquet")))
        environment = {**os.environ, "EVERSPRING_HOME": folder, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "flows", "maintain", "--grace", "0"]
        began = time.perf_counter()
        subprocess.run(command, env=environment, cwd=ROOT, check=True)
        taken = time.perf_counter() - began
        few = len(list(Path(lake.data).rglob("*.parquet")))
        after = every(lake)
        assert after == before, "a version reads otherwise"
        assert len(after) == versions
        keys = trusted(settings)
        wrong = 0
        for number in (*range(SIGNED, versions + 1, SIGNED), versions):
            wrong += len(verify_version(lake, TableRef("sft", "small", number), keys))
    return [
        Line(f"files of {versions} versions, after maintenance", few, many, "files", "before it"),
        Line("versions that read otherwise", 0, None, "versions"),
        Line("signed versions' problems", wrong, None, "problems"),
        Line("maintenance, as a command", taken, None, "s"),
    ]


if __name__ == "__main__":
    show(lines(int(sys.argv[1]) if len(sys.argv) > 1 else VERSIONS))
