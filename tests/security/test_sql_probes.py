"""Attacks through a question in SQL: each is refused in one clear line, and leaves no trace."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake
from infra.errors import Refusal
from infra.settings import load_settings

ROOT = Path(__file__).parents[2]
SECRET = "the-secret-that-lies-beside"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with one table, beside files that are no business of a question."""
    home = tmp_path_factory.mktemp("home")
    lake = Lake(load_settings(home=home))
    run = Run(run_id="r1", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(home / "spool" / "r1", Prompt) as spool:
        spool.add_rows([Prompt(prompt="a"), Prompt(prompt="b")], {})
        publish(lake, run, spool, Findings(), shape=Prompt)
    for name in ("beside.csv", "beside.json", "schema.sql"):
        (home / name).write_text(SECRET)
    with sqlite3.connect(home / "beside.db") as connection:
        connection.execute("CREATE TABLE secrets (a)")
        connection.execute("INSERT INTO secrets VALUES (?)", [SECRET])
    return home


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(load_settings(home=home))


def files(home: Path) -> dict[Path, int]:
    """Every file under the home folder, but for the catalogue's own, and when it was written."""
    return {
        path: path.stat().st_mtime_ns
        for path in home.rglob("*")
        if path.is_file() and not path.name.startswith(("lake.sqlite", "calls.sqlite"))
    }


PROBES = {
    "read_csv": "FROM read_csv('{home}/beside.csv')",
    "read_csv_auto": "FROM read_csv_auto('{home}/beside.csv')",
    "sniff_csv": "FROM sniff_csv('{home}/beside.csv')",
    "read_text": "FROM read_text('{home}/beside.csv')",
    "read_text of the system": "FROM read_text('/etc/passwd')",
    "read_text of the environment": "FROM read_text('/proc/self/environ')",
    "read_blob": "FROM read_blob('{home}/beside.csv')",
    "read_json": "FROM read_json('{home}/beside.json')",
    "read_ndjson_objects": "FROM read_ndjson_objects('{home}/beside.json')",
    "read_parquet": "FROM read_parquet('{home}/data/**/*.parquet')",
    "parquet_metadata": "FROM parquet_metadata('{home}/data/*.parquet')",
    "parquet_kv_metadata": "FROM parquet_kv_metadata('{home}/data/*.parquet')",
    "read_duckdb": "FROM read_duckdb('{home}/beside.db')",
    "glob": "FROM glob('{home}/*')",
    "glob of the data": "FROM glob('{home}/data/**')",
    "a path out of the data": "FROM read_text('{home}/data/../beside.csv')",
    "a file as a table": "FROM '{home}/beside.csv'",
    "a data file as a table": "FROM '{home}/data/sft/demo/x.parquet'",
    "a file in double quotes": 'FROM "{home}/beside.csv"',
    "a file in the working directory": "FROM 'pyproject.toml'",
    "a file in a join": "SELECT * FROM sft.demo, read_text('{home}/beside.csv')",
    "a file in a subquery": "SELECT (SELECT content FROM read_text('{home}/beside.csv'))",
    "a file in a CTE": "WITH x AS MATERIALIZED (FROM read_text('{home}/beside.csv')) FROM x",
    "a file in a lateral join": "SELECT * FROM range(2) AS t(i), LATERAL (FROM read_text('{home}/beside.csv'))",
    "a file in a WHERE": "FROM sft.demo WHERE EXISTS (FROM read_text('{home}/beside.csv'))",
    "a file described": "DESCRIBE SELECT * FROM read_csv('{home}/beside.csv')",
    "a file summarized": "SUMMARIZE FROM read_csv('{home}/beside.csv')",
    "a file explained": "EXPLAIN ANALYZE FROM read_text('{home}/beside.csv')",
    "a function in capitals": "FROM READ_TEXT('{home}/beside.csv')",
    "a function by its schema": "FROM system.main.read_text('{home}/beside.csv')",
    "sqlite_scan": "FROM sqlite_scan('{home}/beside.db', 'secrets')",
    "sqlite_scan of the calls": "FROM sqlite_scan('{home}/calls.sqlite', 'calls_0')",
    "sqlite_attach": "FROM sqlite_attach('{home}/beside.db')",
    "sqlite_query": "FROM sqlite_query('__ducklake_metadata_lake', 'VACUUM INTO ''{home}/copy.db''')",
    "postgres_query": "FROM postgres_query('__ducklake_metadata_lake', 'SELECT pg_read_file(''/etc/passwd'')')",
    "postgres_scan": "FROM postgres_scan('host=127.0.0.1', 'public', 'x')",
    "postgres_execute": "FROM postgres_execute('__ducklake_metadata_lake', 'DROP TABLE x')",
    "the catalogue's own tables": "FROM __ducklake_metadata_lake.ducklake_metadata",
    "the catalogue's own tables, shown": "SHOW TABLES FROM __ducklake_metadata_lake",
    "the catalogue's own tables in capitals": 'FROM "__DUCKLAKE_METADATA_LAKE".main.ducklake_metadata',
    "ducklake_add_data_files": "FROM ducklake_add_data_files('lake', 'demo', '{home}/beside.csv')",
    "ducklake_cleanup_old_files": "FROM ducklake_cleanup_old_files('lake', cleanup_all => true)",
    "ducklake_delete_orphaned_files": "FROM ducklake_delete_orphaned_files('lake', cleanup_all => true)",
    "ducklake_expire_snapshots": "FROM ducklake_expire_snapshots('lake', older_than => now())",
    "ducklake_merge_adjacent_files": "FROM ducklake_merge_adjacent_files('lake')",
    "ducklake_rewrite_data_files": "FROM ducklake_rewrite_data_files('lake')",
    "ducklake_flush_inlined_data": "FROM ducklake_flush_inlined_data('lake')",
    "ducklake_set_option": "FROM ducklake_set_option('lake', 'data_path', '/tmp')",
    "CHECKPOINT": "CHECKPOINT lake",
    "force_checkpoint": "FROM force_checkpoint()",
    "query() of a file": "FROM query('FROM read_text(''{home}/beside.csv'')')",
    "query() of a change": "FROM query('DROP TABLE sft.demo')",
    "query_table() of a file": "FROM query_table('{home}/beside.csv')",
    "SQL as JSON": "FROM json_execute_serialized_sql(json_serialize_sql('FROM glob(''/etc/*'')'))",
    "a plan of a file": "SELECT json_serialize_plan('FROM sqlite_scan(''{home}/beside.db'', ''secrets'')')",
    "getenv": "SELECT getenv('HOME')",
    "logging to a file": "FROM enable_logging(storage := 'file', storage_config := {{'path': '{home}/logs'}})",
    "writing a log": "SELECT write_log('x')",
    "profiling to a file": "FROM enable_profiling(save_location := '{home}/profile.txt')",
    "COPY to a file": "COPY (SELECT 1) TO '{home}/copy.csv'",
    "COPY from a file": "COPY sft.demo FROM '{home}/beside.csv'",
    "COPY, explained": "EXPLAIN ANALYZE COPY (SELECT 1) TO '{home}/data/copy.parquet'",
    "EXPORT DATABASE": "EXPORT DATABASE '{home}/export'",
    "IMPORT DATABASE": "IMPORT DATABASE '{home}'",
    "ATTACH": "ATTACH '{home}/beside.db' AS beside",
    "DETACH": "DETACH lake",
    "INSTALL": "INSTALL httpfs",
    "LOAD": "LOAD httpfs",
    "PRAGMA": "PRAGMA database_list",
    "PRAGMA with a file": "PRAGMA import_database('{home}')",
    "SET": "SET memory_limit = '1TB'",
    "SET access again": "SET enable_external_access = true",
    "RESET": "RESET lock_configuration",
    "CALL": "CALL ducklake_expire_snapshots('lake', older_than => now())",
    "USE": "USE memory",
    "CREATE TABLE": "CREATE TABLE sft.x AS SELECT 1",
    "CREATE TEMP TABLE": "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE VIEW": "CREATE VIEW sft.x AS SELECT 1",
    "CREATE MACRO": "CREATE MACRO f() AS 1",
    "CREATE SECRET": "CREATE SECRET s (TYPE postgres, HOST '127.0.0.1')",
    "INSERT": "INSERT INTO sft.demo (record_id) VALUES ('x')",
    "INSERT into the catalogue": "INSERT INTO __ducklake_metadata_lake.ducklake_metadata VALUES ('a', 'b', NULL, NULL)",
    "INSERT into the calls": "INSERT INTO catalog.calls SELECT * FROM catalog.calls",
    "UPDATE": "UPDATE sft.demo SET prompt = 'x'",
    "DELETE": "DELETE FROM sft.demo",
    "DELETE, explained": "EXPLAIN ANALYZE DELETE FROM sft.demo",
    "TRUNCATE": "TRUNCATE sft.demo",
    "DROP": "DROP TABLE sft.demo",
    "ALTER": "ALTER TABLE sft.demo ADD COLUMN x INTEGER",
    "MERGE": "MERGE INTO sft.demo USING sft.demo AS s ON true WHEN MATCHED THEN DELETE",
    "VACUUM": "VACUUM",
    "BEGIN": "BEGIN; DELETE FROM sft.demo; COMMIT",
    "INSERT after a CTE": "WITH x AS (SELECT 'a' AS record_id) INSERT INTO sft.demo BY NAME FROM x",
    "DELETE in a CTE": "WITH x AS (DELETE FROM sft.demo RETURNING *) FROM x",
    "two statements": "SELECT 1; DROP TABLE sft.demo",
    "two statements, a semicolon in a text": "SELECT ';--'; DELETE FROM sft.demo",
    "two questions, one of a file": "SELECT 1; FROM read_text('{home}/beside.csv')",
    "a statement after a comment": "-- SELECT 1\nDROP TABLE sft.demo",
    "a statement in a comment's clothes": "/* SELECT 1 */ DELETE FROM sft.demo /* WHERE false */",
    "PREPARE": "PREPARE p AS DELETE FROM sft.demo",
    "EXECUTE": "EXECUTE p",
    "a variable of Python": "FROM connection",
    "another variable of Python": "FROM sql",
    "http": "FROM 'http://127.0.0.1:9/x.csv'",
    "https by function": "FROM read_csv('https://127.0.0.1:9/x.csv')",
    "s3": "FROM 's3://bucket/x.parquet'",
    "a NUL": "SELECT 1 \0; DROP TABLE sft.demo",
    "half a surrogate pair": "SELECT '\udcff'",
    "too many terms": "SELECT " + "+".join(["1"] * 3000),
    "lists in lists": "SELECT " + "[" * 3000 + "]" * 3000,
    "a placeholder": "SELECT ?",
    "nothing": "",
    "a comment alone": "-- nothing",
    "no SQL": "SELEC 1",
}


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_what_is_no_question_to_the_lake_is_refused(lake: Lake, home: Path, probe: str) -> None:
    before = files(home)
    with pytest.raises(Refusal, match=r"^sql: ") as refused:
        lake.query(probe.format(home=home) if "{home}" in probe else probe)
    assert SECRET not in str(refused.value)
    assert files(home) == before
    assert lake.query("FROM sft.demo ORDER BY prompt")["prompt"].to_list() == ["a", "b"]


@pytest.mark.parametrize(
    "question",
    [
        "FROM catalog.versions",
        "FROM sft.demo AT (VERSION => 2) WHERE false",
        "SELECT * FROM sft.demo, range(3) AS r(i), unnest(['a']) AS u(x)",
        "SELECT m.value FROM sft.demo, json_each('[1]') AS m",
        "FROM lake.snapshots()",
        "SHOW ALL TABLES",
        "DESCRIBE sft.demo",
        "SUMMARIZE sft.demo",
        "EXPLAIN FROM sft.demo",
        "-- how?\nEXPLAIN (ANALYZE, FORMAT json) FROM sft.demo",
        "PIVOT sft.demo ON prompt IN ('a', 'b') USING count(*)",
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION SELECT a + 1 FROM t WHERE a < 5) SELECT count(*) FROM t",
        "SELECT 'DROP TABLE sft.demo; FROM read_text(''x'')' AS text",
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'demo'",
        "SELECT table_name FROM information_schema.tables",
        "SELECT 1; SELECT 2",
    ],
)
def test_what_is_one_is_answered(lake: Lake, question: str) -> None:
    lake.query(question)


BOUNDED = {
    "counting for ever": ("SELECT count(*) FROM range(1000000000000)", "it took longer than 1 s"),
    "rows that never come": ("FROM range(1000000000000) AS t(a) WHERE a < 0", "it took longer than 1 s"),
    "recursion without an end": (
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT count(*) FROM t",
        "it took longer than 1 s",
    ),
    "sleeping": ("SELECT sleep_ms(100000)", "it took longer than 1 s"),
    "a list of all": ("SELECT list(range) FROM range(1000000000)", "it needs more than 100MB of memory"),
    "a sort of more than fits": (
        "SELECT hash(range) AS x, repeat('x', 500) || range FROM range(10000000) ORDER BY x",
        "it needs more than 100MB of memory and 50MB of disk|it took longer",
    ),
}


@pytest.mark.parametrize(("question", "told"), BOUNDED.values(), ids=BOUNDED)
def test_a_question_is_bounded_in_memory_disk_and_time(home: Path, question: str, told: str) -> None:
    lake = Lake(load_settings(home=home, sql_seconds=1, sql_memory="100MB", sql_disk="50MB"))
    began = time.monotonic()
    with pytest.raises(Refusal, match=told):
        lake.query(question)
    assert time.monotonic() - began < 20
    assert not list((home / "tmp").iterdir())


def test_a_table_without_an_end_is_read_a_little_at_a_time_and_can_be_left(lake: Lake) -> None:
    with lake.answer("FROM range(1000000000000)") as found:
        assert found.fetchmany(3) == [(0,), (1,), (2,)]


def everspring(home: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = {"EVERSPRING_HOME": str(home), "PATH": "/usr/bin:/bin", **settings}
    return subprocess.run(
        [sys.executable, "-m", "flows", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel bounds a process so on Linux only")
def test_texts_that_no_memory_holds_end_the_command_and_not_the_machine(home: Path) -> None:
    asked = "SELECT repeat('x', 300000000) FROM range(2048)"
    ended = everspring(home, "sql", asked, EVERSPRING_SQL_MEMORY="200MB")
    assert ended.returncode == 2
    assert "error: sql: it needs more than 200MB of memory" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_a_row_holds_is_no_command_to_the_terminal(home: Path) -> None:
    ended = everspring(home, "sql", "SELECT chr(27) || ']52;c;cHduZWQ=' || chr(7) AS prompt")
    assert "\x1b" not in ended.stdout
    assert "\\x1b]52;c;cHduZWQ=\\x07" in ended.stdout


@pytest.fixture
def polling(home: Path) -> Iterator[list[object]]:
    """Another reader, all the while."""
    found: list[object] = []
    stop = threading.Event()

    def poll() -> None:
        lake = Lake(load_settings(home=home))
        while not stop.is_set():
            found.append(lake.query("SELECT count(*) FROM sft.demo").item())

    thread = threading.Thread(target=poll)
    thread.start()
    yield found
    stop.set()
    thread.join()


def test_one_that_is_stopped_takes_no_other_along(home: Path, polling: list[object]) -> None:
    lake = Lake(load_settings(home=home, sql_seconds=0.5))
    for _ in range(2):
        with pytest.raises(Refusal, match="it took longer"):
            lake.query("SELECT count(*) FROM range(1000000000000)")
    assert len(polling) > 1
    assert set(polling) == {2}
