"""Many publishers at once: processes that publish side by side, readers all the while, and what must hold afterwards.

`python tests/publishing.py publish|read|ask …` is one of those processes.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from catalog.publish import Findings, Run, publish  # noqa: E402 - found by the line above
from catalog.records import Prompt  # noqa: E402
from catalog.spool import Spool  # noqa: E402
from catalog.store import Lake, Version  # noqa: E402
from infra.settings import load_settings  # noqa: E402

SHARED = ("sft.shared_a", "sft.shared_b")
"""Tables that every process publishes to; each has one of its own besides."""
PAUSE = 0.1
"""Seconds between two questions of a reader: like people, it reads what it is told."""
ASKED = "select table_name, max(version), sum(added) from catalog.versions group by all"
HALVES = """
SELECT count(*) FROM catalog.versions AS v
LEFT JOIN (SELECT run_id, count(*) AS edges FROM catalog.lineage AS l JOIN catalog.runs AS r
    ON l.table_name = r.table_name AND l.version = r.version GROUP BY ALL) AS e USING (run_id)
LEFT JOIN catalog.runs AS r USING (run_id)
LEFT JOIN (SELECT run_id, count(*) AS checks FROM catalog.checks GROUP BY ALL) AS c USING (run_id)
LEFT JOIN (SELECT run_id, sum(rows_out) AS out FROM catalog.ledger GROUP BY ALL) AS g USING (run_id)
WHERE r.run_id IS NULL OR r.version <> v.version OR r.kept <> v.added OR coalesce(e.edges, 0) <> v.added
    OR coalesce(c.checks, 0) <> 1 OR coalesce(g.out, 0) <> v.added
"""
"""How many versions lack something that is written in the same transaction."""


@dataclass(frozen=True)
class Written:
    """A version as its publisher wrote it: the prompts that it added."""

    run_id: str
    table: str
    version: int
    prompts: list[str]
    replaced: bool
    seconds: float


@dataclass(frozen=True)
class Race:
    """What came of it: versions written, seconds of each read, and everything that went wrong."""

    written: list[Written]
    seconds: float
    read: list[float]
    asked: list[float]
    problems: list[str]

    @property
    def publishing(self) -> list[float]:
        """Seconds of each publishing, waiting for its turn included."""
        return [written.seconds for written in self.written]


def p95(seconds: list[float]) -> float:
    """The 95th percentile."""
    return sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))] if seconds else float("nan")


def race(home: Path, lake: str, *, processes: int, runs: int) -> Race:
    """Let processes publish `runs` versions each while others read, then look whether all is as it should be."""
    Lake(load_settings(home=home, lake=lake)).versions()
    stop = home / "stop"
    began = time.monotonic()
    with ExitStack() as stack:
        readers = [stack.enter_context(_process(what, home, lake, str(stop))) for what in ("read", "ask")]
        writers = [stack.enter_context(_process("publish", home, lake, str(n), str(runs))) for n in range(processes)]
        said = [writer.communicate()[0] for writer in writers]
        seconds = time.monotonic() - began
        stop.touch()
        read, asked = [
            json.loads(reader.communicate()[0] or '{"seconds": [], "problems": ["died"]}') for reader in readers
        ]
    written = [Written(**json.loads(line)) for text in said for line in text.splitlines()]
    problems = [f"a publisher ended with {writer.returncode}" for writer in writers if writer.returncode]
    problems += [*read["problems"], *asked["problems"]]
    problems += wrong(Lake(load_settings(home=home, lake=lake)), written)
    return Race(written, seconds, read["seconds"], asked["seconds"], problems)


@contextmanager
def _process(*command: object) -> "Iterator[subprocess.Popen[str]]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, __file__, *map(str, command)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wrong(lake: Lake, written: list[Written]) -> list[str]:
    """What is not as the publishers wrote it: numbers lost or doubled, rows or system rows of halves."""
    versions = lake.versions()
    problems = [*_misnumbered(versions, written), *_misread(lake, versions, {each.run_id: each for each in written})]
    for name in ("runs", "version_log"):
        rows, distinct = lake.query(f"SELECT count(*), count(DISTINCT run_id) FROM catalog.{name}").row(0)
        if not rows == distinct == len(written):
            problems.append(f"catalog.{name}: {rows} rows of {distinct} runs, {len(written)} of each are wanted")
    if halves := lake.query(HALVES).item():
        problems.append(f"{halves} versions are half written")
    return problems


def _misnumbered(versions: list[Version], written: list[Written]) -> Iterator[str]:
    if len(versions) != len(written):
        yield f"{len(written)} versions were written, {len(versions)} are there"
    for table in {each.table for each in written}:
        numbers = [version.ref.version for version in versions if version.ref.table == table]
        told = sorted(each.version for each in written if each.table == table)
        if not numbers == told == list(range(1, len(told) + 1)):
            yield f"{table}: its versions are {numbers}, its publishers were told {told}"


def _misread(lake: Lake, versions: list[Version], written: dict[str, Written]) -> Iterator[str]:
    held: Counter[str] = Counter()
    with lake.read() as connection:
        for version in sorted(versions, key=lambda version: version.snapshot):
            each = written[version.run_id]
            at = f"FROM {version.sql}"
            added = connection.execute(f"SELECT prompt {at} WHERE snapshot_id = {version.snapshot} ORDER BY prompt")
            if [prompt for (prompt,) in added.fetchall()] != sorted(each.prompts):
                yield f"{version.ref}: its new rows are not those that {each.run_id} wrote"
            held[each.table] = len(each.prompts) + (0 if each.replaced else held[each.table])
            (rows,) = connection.execute(f"SELECT count(*) {at}").fetchone() or (0,)
            if not rows == version.rows == held[each.table]:
                yield f"{version.ref}: reads {rows} rows, says {version.rows}, {held[each.table]} are wanted"


# ── the processes ──


def _publish(home: str, lake_address: str, number: str, runs: str) -> None:
    lake = Lake(load_settings(home=home, lake=lake_address))
    for turn in range(int(runs)):
        table = SHARED[turn // 2 % 2] if turn % 2 == 0 else f"sft.own_{number}"
        replaced = turn % 10 == 9
        run_id = f"{number}-{turn}"
        prompts = [f"{run_id} row {row}" for row in range(1 + (int(number) + turn) % 5)]
        rows = [Prompt(prompt=prompt) for prompt in prompts]
        stage, _, method = table.partition(".")
        run = Run(run_id=run_id, stage=stage, method=method, table_name=table, fingerprint=run_id, kept=len(rows))
        findings = Findings(
            checks=[{"expectation": "rows_at_least(1)", "severity": "critical", "passed": True}],
            ledger=[{"operator": "generate", "rows_in": 1, "rows_out": len(rows)}],
        )
        began = time.monotonic()
        with Spool(Path(home) / "spool" / run_id, Prompt) as spool:
            spool.add_rows(rows, {})
            spool.add_edges([{"record_id": row.record_id, "kind": "row", "parent_id": "seed"} for row in rows])
            version = publish(lake, run, spool, findings, shape=Prompt, replace=replaced)
        told = Written(run_id, table, version.ref.version or 0, prompts, replaced, time.monotonic() - began)
        print(json.dumps(vars(told)), flush=True)


def _read(home: str, address: str, stop: str) -> None:
    """Ask in one process, through `Lake.answer`, until there is a file `stop`: nothing may be refused or half there."""
    lake = Lake(load_settings(home=home, lake=address))
    seconds: list[float] = []
    problems: list[str] = []
    while not Path(stop).exists():
        began = time.monotonic()
        try:
            with lake.answer(HALVES) as found:
                (halves,) = found.fetchone() or (None,)
            if halves:
                problems.append(f"{halves} versions were seen half written")
            if latest := lake.latest(SHARED[0]):
                table = latest.ref.table
                said = f"SELECT arg_max(rows, version) FROM catalog.versions WHERE table_name = '{table}'"
                asked = f"SELECT (SELECT count(*) FROM {table}), ({said})"
                with lake.answer(asked) as found:
                    (rows, said) = found.fetchone() or (None, None)
                if rows != said:
                    problems.append(f"{table} was seen with {rows} rows where its last version says {said}")
        except Exception as error:  # noqa: BLE001 - whatever a reader is told is a finding
            problems.append(f"a reader was refused: {error}")
        seconds.append(time.monotonic() - began)
        time.sleep(PAUSE)
    print(json.dumps({"seconds": seconds, "problems": problems}))


def _ask(home: str, address: str, stop: str) -> None:
    """Ask by the command, a process each time."""
    environment = os.environ | {"EVERSPRING_HOME": home, "EVERSPRING_LAKE": address}
    seconds: list[float] = []
    problems: list[str] = []
    while not Path(stop).exists():
        began = time.monotonic()
        command = [sys.executable, "-m", "flows", "sql", ASKED, "--format", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds.append(time.monotonic() - began)
        if done.returncode:
            problems.append(f"everspring sql: exit code {done.returncode}: {done.stderr.strip()}")
        elif any(row['max("version")'] is None for row in json.loads(done.stdout)):
            problems.append("everspring sql: a table without a version")
        time.sleep(PAUSE)
    print(json.dumps({"seconds": seconds, "problems": problems}))


if __name__ == "__main__":
    work: dict[str, Any] = {"publish": _publish, "read": _read, "ask": _ask}
    work[sys.argv[1]](*sys.argv[2:])
