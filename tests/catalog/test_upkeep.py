"""Upkeep: what may expire and what may not, small files merged, files that nothing needs removed."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.pins import pin, pinned, unpin
from catalog.publish import Findings, Run, publish
from catalog.records import Prompt, PromptCompletion, Record
from catalog.spool import Spool
from catalog.store import Lake, TableRef, Version
from catalog.upkeep import anchor, awaiting, clean, compact, compactable, expire, kept_versions, orphans, space
from infra.errors import Refusal
from infra.settings import load_settings

ROOT = Path(__file__).parents[2]
NOW = timedelta(0)
Put = Callable[..., Version]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(load_settings(home=tmp_path))


@pytest.fixture
def put(lake: Lake, tmp_path: Path) -> Put:
    """Publish rows as a table's next version."""
    count = 0

    def published(*rows: Record, table: str = "sft.demo", inputs: tuple[str, ...] = (), **how: object) -> Version:
        nonlocal count
        count += 1
        stage, _, name = table.partition(".")
        run = Run(run_id=f"run-{count}", stage=stage, method=name, table_name=table, fingerprint=f"f{count}")
        run.inputs = list(inputs)
        with Spool(tmp_path / "spool" / run.run_id, type(rows[0])) as spool:
            spool.add_rows(rows, {})
            return publish(lake, run, spool, Findings(), shape=type(rows[0]), **how)  # type: ignore[arg-type]

    return published


def rows(name: str, count: int = 12) -> list[Prompt]:
    """Enough of them to fill a file: DuckLake keeps up to ten in its catalogue."""
    return [Prompt(prompt=f"{name} {number}") for number in range(count)]


def read(lake: Lake, version: Version) -> str:
    """A hash of everything that a version reads, columns and the order of rows aside."""
    with lake.read() as connection:
        found = connection.execute(f"FROM {version.sql}").fetchall()
    return hashlib.sha256(repr(sorted(map(repr, found))).encode()).hexdigest()


def everything(lake: Lake) -> dict[str, str]:
    return {str(version.ref): read(lake, version) for version in lake.versions() if version.readable}


def files(lake: Lake) -> int:
    return len(list(Path(lake.data).rglob("*.parquet")))


def test_many_small_versions_become_few_files_and_every_version_reads_as_before(lake: Lake, put: Put) -> None:
    for number in range(24):
        put(*rows(str(number)))
    pin(lake, TableRef.parse("sft.demo@7"))
    before, many = everything(lake), files(lake)
    for table in compactable(lake):
        compact(lake, table)
    clean(lake, NOW)
    assert len(before) == 24
    assert everything(lake) == before
    assert files(lake) * 10 < many
    assert [version.added_in for version in lake.versions()] == [version.snapshot for version in lake.versions()]


def test_any_history_reads_as_before_after_any_upkeep(lake: Lake, put: Put) -> None:
    draw = random.Random(3)
    tables = ("sft.demo", "sft.other")
    for step in range(10):
        table = draw.choice(tables)
        last = lake.latest(table)
        size = draw.choice((3, 12, 15))
        shape: list[Record] = [*rows(f"{table} {step}", size)]
        if draw.random() < 0.3:
            shape = [PromptCompletion(prompt=f"{step} {number}", completion="c") for number in range(size)]
        how = draw.choice(("append", "append", "append", "replace", "remake"))
        if how == "replace":
            put(*shape, table=table, replace=True)
        elif how == "remake" and last and last.added:
            put(*shape, table=table, instead_of=last)
        else:
            put(*shape, table=table)
        if step % 5 == 4:
            some = draw.choice([version for version in lake.versions() if version.readable])
            pin(lake, some.ref)
            kept = kept_versions(lake, 0)
            before = {name: each for name, each in everything(lake).items() if name in kept}
            expire(lake, 0, at_once=True)
            for each in compactable(lake):
                compact(lake, each)
            anchor(lake, datetime.now(UTC))
            expire(lake, 0, at_once=True)
            clean(lake, NOW)
            orphans(lake, NOW)
            assert everything(lake) == before, step
            assert awaiting(lake) == 0


def test_what_nothing_keeps_expires_and_says_so(lake: Lake, put: Put) -> None:
    for number in range(4):
        put(*rows(str(number)))
    put(*rows("else"), table="sft.other")
    pin(lake, TableRef.parse("sft.demo@2"), note="the paper's")
    with lake.write("read") as connection:
        connection.execute("INSERT INTO lake.catalog.table_lineage VALUES ('sft.other', 1, 'sft.demo', 3, 'r')")
    assert kept_versions(lake, 0) == {
        "sft.demo@2": "pinned",
        "sft.demo@3": "read by sft.other@1",
        "sft.demo@4": "the last of its table",
        "sft.other@1": "the last of its table",
    }
    assert len(kept_versions(lake, 1)) == 5
    assert expire(lake, 0, dry_run=True).versions == ["sft.demo@1"]
    assert lake.find(TableRef.parse("sft.demo@1")).readable
    assert expire(lake, 0).versions == ["sft.demo@1"]
    with pytest.raises(Refusal, match=r"sft.demo@1: has expired.*still has 2, 3, 4"):
        lake.find(TableRef.parse("sft.demo@1"))
    assert lake.find(TableRef.parse("sft.demo@2")).rows == 24


def test_a_pin_holds_until_it_is_taken_off(lake: Lake, put: Put) -> None:
    put(*rows("a"))
    put(*rows("b"))
    ref = TableRef.parse("sft.demo@1")
    pin(lake, ref, note="first", who="Ann")
    pin(lake, ref, note="again", who="Ben")
    assert {name: (each.who, each.note) for name, each in pinned(lake).items()} == {"sft.demo@1": ("Ben", "again")}
    assert expire(lake, 0).versions == []
    unpin(lake, ref)
    assert expire(lake, 0).versions == ["sft.demo@1"]
    for wrong, what in (("sft.demo@1", "has expired"), ("sft.demo", "names no version"), ("sft.demo@9", "no such")):
        with pytest.raises(Refusal, match=what):
            pin(lake, TableRef.parse(wrong))
    with pytest.raises(Refusal, match="is not pinned"):
        unpin(lake, ref)


def test_a_last_version_is_anchored_so_that_what_others_were_then_can_go(lake: Lake, put: Put) -> None:
    put(*rows("large", 500))
    old = put(*rows("small"), table="sft.other")
    put(*rows("new"), replace=True)
    expire(lake, 0, at_once=True)
    assert (clean(lake, NOW), files(lake)) == (0, 3), "the snapshot of sft.other@1 still has the large table"
    assert anchor(lake, datetime.now(UTC) - timedelta(days=1)) == []
    assert anchor(lake, datetime.now(UTC)) == ["sft.other@1"], "the other is of the last snapshot"
    expire(lake, 0, at_once=True)
    assert (clean(lake, NOW), files(lake)) == (1, 2)
    now = lake.find(TableRef.parse("sft.other@1"))
    assert now.snapshot > old.snapshot == now.added_in
    assert now.rows == len(lake.ids(now)) == 12
    again = put(*rows("later"), table="sft.other", instead_of=now)
    assert (again.rows, again.added) == (12, 12)


def test_what_killed_writers_left_is_removed_and_nothing_that_is_not_the_lakes(lake: Lake, put: Put) -> None:
    put(*rows("a"))
    folder = Path(lake.data) / "sft" / "demo"
    (folder / "ducklake-01a2008f-6e94-7e49-9a40-3a248b414d99.parquet").write_bytes(b"half")
    assert orphans(lake, timedelta(hours=1)) == (0, "")
    assert orphans(lake, NOW, dry_run=True) == (1, "")
    assert (orphans(lake, NOW), space(lake).files) == ((1, ""), 1)
    (folder / "thesis.parquet").write_bytes(b"mine")
    found, why = orphans(lake, NOW)
    assert (found, (folder / "thesis.parquet").exists()) == (1, True)
    assert "thesis.parquet; move it away" in why


UPKEEP = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from catalog.store import Lake
from catalog.upkeep import anchor, clean, compact, compactable, expire, orphans
from infra.settings import load_settings

lake = Lake(load_settings(home=Path(sys.argv[1])))
lake.versions()
print("begun", flush=True)
expire(lake, 0, at_once=True)
anchor(lake, datetime.now(UTC))
for table in compactable(lake):
    compact(lake, table)
clean(lake, timedelta(0))
orphans(lake, timedelta(0))
expire(lake, 0, at_once=True)
print("done", flush=True)
"""


def test_upkeep_that_is_killed_leaves_a_good_lake_and_can_be_begun_again(lake: Lake, put: Put, tmp_path: Path) -> None:
    script = tmp_path / "upkeep.py"
    script.write_text(UPKEEP)
    how: dict[str, Any] = {"cwd": ROOT, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    draw = random.Random(5)
    for turn in range(2):
        for number in range(3):
            put(*rows(f"{turn} {number}"))
        if not turn:
            pin(lake, TableRef.parse("sft.demo@2"))
        kept = kept_versions(lake, 0)
        before = {name: each for name, each in everything(lake).items() if name in kept}
        child = subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True, **how)
        assert child.stdout
        assert child.stdout.readline() == "begun\n"
        time.sleep(draw.random() * 1.5)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        after = everything(lake)
        assert {name: after[name] for name in before} == before
    subprocess.run([sys.executable, script, tmp_path], check=True, **how)
    assert {name: everything(lake)[name] for name in before} == before
