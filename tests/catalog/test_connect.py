"""`catalog.connect`: a read-only connection for notebooks."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from moto_store import Bucket, bucket, s3_server  # noqa: F401 - fixtures
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures

import catalog
from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake
from infra.settings import load_settings

ROOT = Path(__file__).parents[2]


def put(lake: Lake, folder: Path, prompt: str) -> None:
    run = Run(run_id=f"run-{prompt}", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(folder / run.run_id, Prompt) as spool:
        spool.add_rows([Prompt(prompt=prompt)], {})
        publish(lake, run, spool, Findings(), shape=Prompt)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose table has one row."""
    home = tmp_path_factory.mktemp("home")
    put(Lake(load_settings(home=home)), home, "a")
    return home


@pytest.fixture
def connection(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with catalog.connect(home) as connection:
        yield connection


def test_its_answers_are_data_frames_of_polars_and_of_pandas(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.sql("FROM sft.demo").pl()["prompt"].to_list() == ["a"]
    assert connection.sql("FROM lake.catalog.versions").df()["published_at"].notna().all()


def test_it_sees_what_is_published_meanwhile(tmp_path: Path) -> None:
    lake = Lake(load_settings(home=tmp_path))
    put(lake, tmp_path, "a")
    with catalog.connect(tmp_path) as connection:
        assert connection.sql("SELECT count(*) FROM sft.demo").fetchall() == [(1,)]
        put(lake, tmp_path, "b")
        assert connection.sql("SELECT count(*) FROM sft.demo").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sft.demo (prompt) VALUES ('b')",
        "DELETE FROM sft.demo",
        "DROP TABLE sft.demo",
        "CREATE TABLE sft.other (a INTEGER)",
        "DELETE FROM __ducklake_metadata_lake.ducklake_snapshot",
        "CALL ducklake_expire_snapshots('lake', older_than => now())",
    ],
)
def test_duckdb_itself_refuses_to_write(connection: duckdb.DuckDBPyConnection, home: Path, statement: str) -> None:
    with pytest.raises(duckdb.Error, match="read-only"):
        connection.execute(statement)
    assert Lake(load_settings(home=home)).query("SELECT prompt FROM sft.demo").rows() == [("a",)]


def test_it_takes_the_home_of_the_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSPRING_HOME", str(home))
    with catalog.connect() as connection:
        assert connection.execute("SELECT prompt FROM sft.demo").fetchall() == [("a",)]


@pytest.mark.postgres
def test_a_team_s_lake_in_postgresql_and_on_s3_is_read_and_not_written(
    postgres_database: str,  # noqa: F811
    bucket: Bucket,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**bucket.environment, "EVERSPRING_LAKE": postgres_database}.items():
        monkeypatch.setenv(name, value)
    put(Lake(load_settings(home=tmp_path)), tmp_path, "a")
    with catalog.connect(tmp_path) as connection:
        assert connection.sql("FROM sft.demo").pl()["prompt"].to_list() == ["a"]
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("DELETE FROM sft.demo")


def test_the_package_stays_light() -> None:
    code = "import catalog, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"duckdb", "pydantic", "catalog.store"} & set(loaded.stdout.split())
