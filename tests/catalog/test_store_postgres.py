"""The lake with its catalogue in a real PostgreSQL."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake, TableRef
from infra.errors import Failure
from infra.settings import load_settings

pytestmark = pytest.mark.postgres


def put(lake: Lake, folder: Path, prompt: str) -> int | None:
    run = Run(run_id=f"run-{prompt}", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(folder / run.run_id, Prompt) as spool:
        spool.add_rows([Prompt(prompt=prompt)], {})
        return publish(lake, run, spool, Findings(), shape=Prompt).ref.version


def test_versions_count_and_travel_in_time(postgres_database: str, tmp_path: Path) -> None:  # noqa: F811
    lake = Lake(load_settings(home=tmp_path, lake=postgres_database))
    assert [put(lake, tmp_path, "a"), put(lake, tmp_path, "b")] == [1, 2]
    first = lake.find(TableRef.parse("sft.demo@1"))
    assert [row.prompt for row in lake.rows(first, Prompt, lake.ids(first))] == ["a"]
    assert lake.query("SELECT count(*) FROM sft.demo").rows() == [(2,)]


def test_processes_publish_side_by_side_without_losing_or_doubling_a_version(
    postgres_database: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    lake = Lake(load_settings(home=tmp_path, lake=postgres_database))
    lake.versions()
    (tmp_path / "writer.py").write_text(WRITER)
    command = [sys.executable, tmp_path / "writer.py", tmp_path, postgres_database]
    writers = [subprocess.Popen([*command, str(n)], cwd=Path(__file__).parents[2]) for n in range(3)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 3
    assert [version.ref.version for version in lake.versions("sft.demo")] == list(range(1, 7))


def test_the_password_shows_neither_in_sql_nor_in_errors(postgres_database: str, tmp_path: Path) -> None:  # noqa: F811
    password = postgres_database.split(":")[2].partition("@")[0]
    lake = Lake(load_settings(home=tmp_path, lake=postgres_database))
    for question in ("FROM duckdb_databases()", "FROM duckdb_secrets()", "FROM duckdb_settings()"):
        shown = str(lake.query(question).rows())
        assert password not in shown
        assert unquote(password) not in shown
    wrong = postgres_database.replace(password, "not-the-word")
    with pytest.raises(Failure) as failed:
        Lake(load_settings(home=tmp_path / "other", lake=wrong)).versions()
    assert "not-the-word" not in str(failed.value)


WRITER = """
import sys
from pathlib import Path
from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake
from infra.settings import load_settings

home, address, number = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
lake = Lake(load_settings(home=home, lake=address))
for turn in range(2):
    run = Run(run_id=f"{number}-{turn}", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(home / "spool" / run.run_id, Prompt) as spool:
        spool.add_rows([Prompt(prompt=run.run_id)], {})
        publish(lake, run, spool, Findings(), shape=Prompt)
"""
