"""The commands of upkeep and take-down, as their user gives them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake, TableRef
from flows.cli import app
from infra.errors import Refusal
from infra.settings import load_settings

ROOT = Path(__file__).parents[2]
SEED = Prompt(prompt="seed 0")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with twelve seeds and three versions of what came of them."""
    lake = Lake(load_settings(home=tmp_path / "home"))
    seeds = [Prompt(prompt=f"seed {number}") for number in range(12)]
    for turn, (table, rows) in enumerate(
        [("raw.seeds", seeds), *(("sft.demo", [Prompt(prompt=f"{t} {n}") for n in range(12)]) for t in range(3))]
    ):
        stage, _, name = table.partition(".")
        run = Run(run_id=f"run-{turn}", stage=stage, method=name, table_name=table, fingerprint=f"{turn}")
        with Spool(tmp_path / "spool" / run.run_id, Prompt) as spool:
            spool.add_rows(rows, {})
            if turn:
                spool.add_edges(
                    [
                        {
                            "record_id": row.record_id,
                            "kind": "row",
                            "parent_id": seed.record_id,
                            "parent_table": "raw.seeds",
                        }
                        for row, seed in zip(rows, seeds, strict=True)
                    ]
                )
            publish(lake, run, spool, Findings(), shape=Prompt)
    return tmp_path / "home"


@pytest.fixture
def say(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Give a command in that home; a refusal is raised."""
    monkeypatch.setenv("EVERSPRING_HOME", str(home))
    monkeypatch.setenv("EVERSPRING_SIGN", "false")

    def said(*command: str) -> str:
        found = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
        if isinstance(found.exception, Refusal):
            raise found.exception
        assert found.exit_code == 0, found.output
        return found.output

    return said


def test_pins_are_listed_with_the_versions(say: Callable[..., str]) -> None:
    assert "sft.demo@2: pinned, 24 rows" in say("pin", "sft.demo@2", "--note", "the paper's")
    (line,) = [line for line in say("versions", "sft.demo").splitlines() if line.strip().startswith("2 ")]
    assert "pinned by" in line
    assert line.rstrip().endswith("the paper's")
    assert "no longer pinned" in say("unpin", "sft.demo@2")
    assert "pinned" not in say("versions", "sft.demo")


def test_a_record_is_previewed_withdrawn_and_shown(say: Callable[..., str]) -> None:
    say("pin", "sft.demo@2")
    told = say("withdraw", "--record", SEED.record_id)
    assert "4 rows of 2 tables" in told
    assert "sft.demo@1 (1), sft.demo@2 (2, pinned), sft.demo@3 (3)" in told
    assert SEED.record_id in say("withdraw", "--record", SEED.record_id, "--list")
    found = json.loads(say("withdraw", "--record", SEED.record_id[:8], "--format", "json"))
    assert {table: len(ids) for table, ids in found["rows"].items()} == {"raw.seeds": 1, "sft.demo": 3}
    assert "nothing was withdrawn" in say("withdraw", "--show")
    with pytest.raises(Refusal, match="no reason is given"):
        say("withdraw", "--record", SEED.record_id, "--yes")
    told = say("withdraw", "--record", SEED.record_id, "--yes", "--why", "asked to", "--by", "Ann")
    assert "4 rows withdrawn; new versions: raw.seeds@2, sft.demo@4" in told
    assert "still have such rows: raw.seeds@1 (1), sft.demo@1 (1), sft.demo@2 (2, pinned), sft.demo@3 (3)" in told
    told = say("withdraw", "--show")
    assert f"Ann: record {SEED.record_id} (asked to); 4 rows" in told
    assert "sft.demo@2 (2, pinned)" in told
    with pytest.raises(Refusal, match="nothing is named"):
        say("withdraw")


def test_a_dry_run_says_what_would_be_done_and_does_nothing(say: Callable[..., str]) -> None:
    before = say("sql", "from catalog.versions", "-f", "csv")
    told = say("maintain", "--dry-run", "--keep-days", "0", "--no-validate")
    assert "sft.demo@1, sft.demo@2" in told
    assert "sft.demo 3 files" in told
    assert say("sql", "from catalog.versions", "-f", "csv") == before
    assert "0" in say("sql", "select count(*) from catalog.maintenance", "-f", "csv")


def test_maintenance_runs_as_a_flow_and_shows_its_steps(home: Path) -> None:
    before = len(list(home.rglob("data/**/*.parquet")))
    ended = subprocess.run(
        [sys.executable, "-m", "flows", "maintain", "--keep-days", "0", "--grace", "0"],
        env={**os.environ, "EVERSPRING_HOME": str(home), "EVERSPRING_SIGN": "false", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "sft.demo@1, sft.demo@2" in ended.stdout
    assert "sft.demo 3 → 1" in ended.stdout
    assert len(list(home.rglob("data/**/*.parquet"))) < before
    with pytest.raises(Refusal, match=r"sft.demo@1: has expired"):
        Lake(load_settings(home=home)).find(TableRef.parse("sft.demo@1"))
