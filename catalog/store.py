"""The lake: DuckLake on DuckDB, where a version of a table is a snapshot.

Connections live for one read or one write, never across a method's run. Writes are one transaction each, one at a time
(a file lock on a SQLite catalogue, an advisory lock on PostgreSQL), so that version numbers count without gaps; readers
wait for nobody.
"""

import importlib.util
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from catalog import marts, questions
from catalog.calls import Call, calls_in_duckdb, calls_path, open_store
from catalog.postgres import of_a_team, postgres_failure, psycopg, why_not
from catalog.quoting import literal
from catalog.records import Record, columns, required, sql_type
from catalog.s3 import on_s3, open_s3, s3_address, s3_failure
from infra.errors import Failure, Lost, Refusal
from infra.faults import full_disk
from infra.settings import Settings

if TYPE_CHECKING:
    import duckdb
    import polars as pl

S = TypeVar("S", bound=Record)
T = TypeVar("T")

STAGES = ("data_preparation", "pretraining", "sft", "instruction_tuning", "alignment", "applications")
"""The stages of a language model's life, in order; each is a folder under `tasks/` and a schema of the lake."""
RAW = "raw"
SCHEMAS = (RAW, *STAGES, "quarantine")
EXTENSIONS = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")
"""Of DuckDB: what the lake is, and where its catalogue and its data may be."""

_CALLS = "Every request to a model: what was asked, what came, what it cost, how long it took, and what went wrong"
_ROW_GROUP = 8192
"""Rows that are read together of a file from which rows are taken by their places."""
_SCRIPT = Path(__file__).parent / "schema.sql"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
# From DuckLake's own tables: its catalogue takes four times as long to list.
_TABLES_AND_VIEWS = """
WITH named AS (
    SELECT schema_id, table_name AS name, list(column_name) AS columns, '' AS sql
    FROM __ducklake_metadata_lake.ducklake_table AS t
    JOIN __ducklake_metadata_lake.ducklake_column AS c USING (table_id)
    WHERE t.end_snapshot IS NULL AND c.end_snapshot IS NULL
    GROUP BY schema_id, table_name
    UNION ALL
    SELECT schema_id, view_name, [], sql || coalesce(tag.value, '')
    FROM __ducklake_metadata_lake.ducklake_view AS v
    LEFT JOIN __ducklake_metadata_lake.ducklake_tag AS tag
        ON tag.object_id = v.view_id AND tag.key = 'comment' AND tag.end_snapshot IS NULL
    WHERE v.end_snapshot IS NULL
)
SELECT schema_name || '.' || name, columns, sql
FROM named JOIN __ducklake_metadata_lake.ducklake_schema USING (schema_id)
WHERE schema_name IN ('catalog', 'marts')
"""
# Whatever a snapshot may be read from, by its whole name.
_FILES = """
WITH schemas AS (
    SELECT schema_id, CASE WHEN path_is_relative THEN ? || path ELSE path END AS path
    FROM __ducklake_metadata_lake.ducklake_schema
),
tables AS (
    SELECT table_id, CASE WHEN path_is_relative THEN s.path || t.path ELSE t.path END AS path
    FROM __ducklake_metadata_lake.ducklake_table AS t JOIN schemas AS s USING (schema_id)
),
files AS (
    SELECT table_id, path, path_is_relative FROM __ducklake_metadata_lake.ducklake_data_file
    UNION ALL SELECT table_id, path, path_is_relative FROM __ducklake_metadata_lake.ducklake_delete_file
)
SELECT DISTINCT CASE WHEN path_is_relative THEN t.path || f.path ELSE f.path END
FROM files AS f JOIN tables AS t USING (table_id)
"""
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each further try to reach PostgreSQL: one that starts anew is soon back."""
_ADVISORY_LOCK = 0x45565250  # "EVRP": any fixed number, the same for every writer of a catalogue


@dataclass(frozen=True)
class TableRef:
    """A table by name, and a version of it where one is meant."""

    schema: str
    name: str
    version: int | None = None

    @classmethod
    def parse(cls, text: str) -> "TableRef":
        """Read `stage.method` or `stage.method@version`.

        Raises:
            Refusal: for anything else.
        """
        table, at, version = text.partition("@")
        schema, _, name = table.partition(".")
        if not _NAME.fullmatch(schema) or not _NAME.fullmatch(name) or (at and not version.isdigit()):
            raise Refusal(f"table {text!r}: no table's name, STAGE.METHOD or STAGE.METHOD@VERSION is wanted")
        if schema not in SCHEMAS:
            raise Refusal.unknown("schema", schema, SCHEMAS)
        return cls(schema, name, int(version) if at else None)

    @property
    def table(self) -> str:
        """`stage.method`."""
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The quoted name inside the lake."""
        return f'lake."{self.schema}"."{self.name}"'

    def __str__(self) -> str:
        return self.table if self.version is None else f"{self.table}@{self.version}"


@dataclass(frozen=True)
class Version:
    """An accepted state of a table: read at `snapshot`, unless that has expired; its new rows came in `added_in`."""

    ref: TableRef
    snapshot: int
    rows: int
    added: int
    run_id: str
    fingerprint: str
    mode: str
    added_in: int
    readable: bool

    @property
    def sql(self) -> str:
        """Its rows, to be selected from inside the lake."""
        return f"{self.ref.sql} AT (VERSION => {self.snapshot})"


class Lake:
    """The tables of one home, or of one team."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready = False

    @cached_property
    def _postgres(self) -> bool:
        return of_a_team(self._settings)

    @cached_property
    def _s3(self) -> bool:
        return on_s3(self._settings)

    @property
    def catalogue(self) -> Path:
        """The file of the SQLite catalogue."""
        return self._settings.folder() / "lake.sqlite"

    @property
    def address(self) -> str:
        """Which lake this is among others, without user and password: what OpenLineage calls a namespace."""
        if not self._postgres:
            return f"ducklake:sqlite://{self.catalogue}"
        parts = _postgres_parts(self._settings.lake)
        host = parts.get("host", "localhost")
        host = f"[{host}]" if ":" in host else host
        return f"ducklake:postgres://{host}:{parts.get('port', '5432')}/{parts.get('dbname', '')}"

    @property
    def data(self) -> str:
        """Where the Parquet files lie: a folder, or `s3://BUCKET/PREFIX/`."""
        if self._s3:
            return s3_address(self._settings)
        return self._settings.data or f"{self._settings.folder('data')}/"

    @contextmanager
    def read(self, *, once: bool = False) -> "Generator[duckdb.DuckDBPyConnection]":
        """A read-only connection with the lake as the current catalogue; the lake is made if there is none yet.

        `once`: nobody gets this DuckDB again, as befits one whose configuration the block locks.
        """
        connection = self.connect()
        try:
            yield connection
        except BaseException as error:
            connection.interrupt()  # else closing waits for the query that Ctrl-C has left
            connection.close()
            self._tell(error)
            raise
        if once:
            connection.close()
        else:
            _put_back(connection)

    def connect(self) -> "duckdb.DuckDBPyConnection":
        """A read-only connection as `read` has it, to keep: whoever asks for it closes it."""
        return self._again(lambda: self._found() or self._made())

    @contextmanager
    def answer(self, sql: str) -> "Generator[duckdb.DuckDBPyConnection]":
        """The answer to a question in SQL, to be fetched in the block.

        Nothing but SELECT and its kin runs, no file but the lake's own is in reach, and memory, disk and time are
        bounded by the settings.

        Raises:
            Refusal: for a statement that is no question, or one that DuckDB cannot answer, with DuckDB's words.
        """
        import duckdb

        with self.read(once=True) as connection, _within(self._settings.sql_seconds, connection):
            try:
                self._lock(connection)
                questions.check(connection, sql)
                for statement in connection.extract_statements(sql):
                    connection.execute(statement)
                yield connection
            except (duckdb.OutOfMemoryException, MemoryError):
                raise Refusal(
                    f"sql: it needs more than {self._settings.sql_memory} of memory and {self._settings.sql_disk} of "
                    "disk, less is wanted; ask for less, or set EVERSPRING_SQL_MEMORY and EVERSPRING_SQL_DISK"
                ) from None
            except duckdb.Error as error:
                self._tell(error)
                raise Refusal(f"sql: {str(error).strip()}") from None

    def bound(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Let a connection, got by `read(once=True)`, use no more memory and disk than the settings say."""
        for name, value in {
            "memory_limit": self._settings.sql_memory,
            "temp_directory": str(self._settings.folder("tmp")),
            "max_temp_directory_size": self._settings.sql_disk,
        }.items():
            connection.execute(f"SET {name} = {literal(value)}")

    def _lock(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Let a connection reach nothing but the lake, and use no more than the settings say."""
        self.bound(connection)
        connection.execute("SET python_enable_replacements = false")
        self._allow_its_own(connection)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")

    def _allow_its_own(self, connection: "duckdb.DuckDBPyConnection") -> None:
        """Name the files that are to stay in reach."""
        allowed = [str(calls_path(self._settings))]
        if self._s3:
            # File by file: to DuckDB `s3://…/../x`, and `s3://…/x?s3_endpoint=…`, lie in the folder that they leave.
            connection.execute("BEGIN")
            connection.execute("FROM catalog.version_log LIMIT 0")  # from here on nothing newer is read
            allowed += [name for (name,) in connection.execute(_FILES, [self.data]).fetchall()]
        else:
            connection.execute(f"SET allowed_directories = [{literal(self.data)}]")
        connection.execute(f"SET allowed_paths = [{', '.join(map(literal, allowed))}]")

    def query(self, sql: str) -> "pl.DataFrame":
        """The answer to a question in SQL as a Polars data frame.

        Raises:
            Refusal: as `answer` does.
        """
        with self.answer(sql) as found:
            return found.pl()

    @contextmanager
    def write(self, message: str, extra: Mapping[str, Any] | None = None) -> "Generator[duckdb.DuckDBPyConnection]":
        """One transaction, alone: committed with its message at the end of the block, rolled back where that raises.

        Raises:
            Failure: where the lake cannot be written to.
            Lost: where it went away; whether what was being committed then stands, only looking tells.
        """
        self._again(self._prepare)
        connection, opened = self._again(self._open_alone)
        with opened:
            connection.execute("BEGIN")
            yield connection
            connection.execute(
                "CALL lake.set_commit_message('everspring', ?, extra_info => ?)", [message, json.dumps(extra or {})]
            )
            connection.execute("COMMIT")

    def _again(self, work: Callable[[], T]) -> T:
        """What some work comes to; where a server that was there is away, once it is back, or within half a minute."""
        for wait in _WAITS if self._ready else ():
            try:
                return work()
            except Lost:
                time.sleep(wait)
        return work()

    def _open_alone(self) -> "tuple[duckdb.DuckDBPyConnection, ExitStack]":
        """The lake, opened for the one who writes to it, and what closes it."""
        with ExitStack() as stack:
            stack.enter_context(self._alone())
            connection = stack.enter_context(self._writing())
            return connection, stack.pop_all()

    def versions(self, table: str | None = None) -> list[Version]:
        """Every version, or those of one table, oldest first."""
        with self.read() as connection:
            found = connection.execute(
                "SELECT table_name, version, snapshot, rows, added, run_id, fingerprint, mode, added_in, "
                "snapshot IN (SELECT snapshot_id FROM __ducklake_metadata_lake.ducklake_snapshot) "
                "FROM catalog.versions WHERE table_name = coalesce(?, table_name) ORDER BY added_in, table_name",
                [table],
            ).fetchall()
        return [Version(TableRef.parse(f"{t}@{v}"), *rest) for t, v, *rest in found]

    def latest(self, table: str) -> Version | None:
        """The last version of a table, if it has one."""
        found = self.versions(table)
        return found[-1] if found else None

    def find(self, ref: TableRef) -> Version:
        """The version that a reference means: the one it names, else the last.

        Raises:
            Refusal: where there is none, saying what there is.
        """
        found = {v.ref.version: v for v in self.versions(ref.table)}
        if not found:
            known = {v.ref.table for v in self.versions()}
            raise Refusal.unknown("table", ref.table, known)
        if ref.version is None:
            return list(found.values())[-1]
        if ref.version not in found:
            raise Refusal(f"{ref}: no such version; {ref.table} has {', '.join(str(v) for v in found)}")
        version = found[ref.version]
        if not version.readable:
            kept = ", ".join(str(number) for number, each in found.items() if each.readable)
            raise Refusal(f"{ref}: has expired, a version that is kept is wanted; {ref.table} still has {kept}")
        return version

    def ids(
        self, version: Version, *, rows: int | None = None, seed: int = 0, without: Version | None = None
    ) -> list[str]:
        """The first `rows` record ids of a version, in an order that depends on nothing but the ids and the seed.

        Those that the version `without` added are left out.
        """
        with self.read() as connection:
            found = connection.execute(
                f"SELECT record_id FROM {version.sql} "
                "WHERE snapshot_id <> ? ORDER BY md5(record_id || ?), record_id LIMIT ?",
                [without.added_in if without else -1, str(seed), rows],
            ).fetchall()
        return [record_id for (record_id,) in found]

    def rows(self, version: Version, shape: type[S], ids: Sequence[str]) -> list[S]:
        """The rows of a version with these ids, as records of `shape`, in the order of the ids.

        Raises:
            Refusal: where the table lacks a column that the shape needs.
        """
        with self.read() as connection:
            names = self._names(connection, version, shape)
            found = connection.execute(
                f"SELECT {_listed(names)} FROM {version.sql} WHERE record_id IN (SELECT unnest(?))",
                [list(ids)],
            ).fetchall()
        by_id = {row[0]: row for row in found}
        return _records(shape, names, (by_id[record_id] for record_id in ids))

    def lay_out(
        self, version: Version, shape: type[Record], file: Path, *, rows: int | None = None, seed: int = 0
    ) -> int:
        """Write the first `rows` rows of a version to a Parquet file, in the order of `ids`; returns how many they are.

        `laid_out` reads them from there by their places: to look each up in the table would take a look at all of it.

        Raises:
            Refusal: where the table lacks a column that the shape needs.
        """
        with self.read() as connection:
            names = self._names(connection, version, shape)
            (count,) = connection.execute(
                f"COPY (SELECT {_listed(names)} FROM {version.sql} "
                "WHERE record_id NOT IN (SELECT record_id FROM catalog.withdrawn) "
                f"ORDER BY md5(record_id || ?), record_id LIMIT ?) TO {literal(str(file))} "
                f"(FORMAT parquet, ROW_GROUP_SIZE {_ROW_GROUP})",
                [str(seed), rows],
            ).fetchall()[0]
        return count

    def _names(self, connection: "duckdb.DuckDBPyConnection", version: Version, shape: type[Record]) -> list[str]:
        """The columns of a version that are fields of the shape.

        Raises:
            Refusal: where one is missing that the shape needs.
        """
        there = self.columns(connection, version)
        if missing := [name for name in required(shape) if name not in there]:
            raise Refusal(
                f"{version.ref}: has no column {', '.join(missing)}, which {shape.__name__} needs; "
                f"it has {', '.join(there)}"
            )
        return [name for name in columns(shape) if name in there]

    def export(self, version: Version, file: Path, *, without: Version | None = None) -> Path:
        """Write a version to a Parquet file, but for the rows that the version `without` added; returns the file."""
        with self.read() as connection:
            connection.execute(
                f"COPY (FROM {version.sql} "
                f"WHERE snapshot_id <> {without.added_in if without else -1}) TO {literal(str(file))} (FORMAT parquet)"
            )
        return file

    def reach(self) -> str:
        """Where the data lie, once it was seen that the store lets us in.

        Raises:
            Failure: where it does not.
        """
        if self._s3:
            with self.read() as connection:  # a name that is not there: listing everything takes long
                connection.execute("FROM glob(?)", [f"{self.data}is-anybody-there-*"])
        return self.data

    def calls(self, call_ids: Sequence[str]) -> list[Call]:
        """The model calls with these ids: a look-up, where a question to `catalog.calls` reads all there are."""
        with closing(open_store(self._settings)) as store:
            return store.rows(call_ids)

    def asked(self, call_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Call id → the model that was asked, and its role."""
        with closing(open_store(self._settings)) as store:
            return store.asked(call_ids)

    @staticmethod
    def columns(connection: "duckdb.DuckDBPyConnection", version: Version) -> list[str]:
        """The columns of a version."""
        described = connection.execute(f"FROM {version.sql} LIMIT 0").description
        return [column[0] for column in described or []]

    @staticmethod
    def fit(
        connection: "duckdb.DuckDBPyConnection",
        ref: TableRef,
        shape: type[Record],
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Make the table, or give an existing one the columns of `shape` that it lacks; the marts take note of it.

        Args:
            connection: inside a transaction.
            ref: the table.
            shape: what its rows are.
            extra: further columns, name → SQL type.

        Raises:
            Refusal: where a column has another type than the shape's.
        """
        wanted = {
            "record_id": "VARCHAR",
            **{name: sql_type(kind) for name, kind in columns(shape).items()},
            "parents": "VARCHAR[]",
            **(extra or {}),
        }
        there = dict(
            connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = 'lake' AND schema_name = ? AND table_name = ?",
                [ref.schema, ref.name],
            ).fetchall()
        )
        if not there:
            listed = ", ".join(f'"{name}" {kind}' for name, kind in wanted.items())
            connection.execute(f"CREATE TABLE {ref.sql} ({listed})")
        for name, kind in wanted.items() if there else ():
            if name not in there:
                connection.execute(f'ALTER TABLE {ref.sql} ADD COLUMN "{name}" {kind}')
            elif there[name] != kind:
                raise Refusal(
                    f"{ref.table}.{name}: is {there[name]}, the rows have {kind}; start the table anew with --replace"
                )
        if ref.schema in STAGES and not wanted.keys() <= there.keys():
            marts.refresh(connection)

    def _found(self) -> "duckdb.DuckDBPyConnection | None":
        """A read-only connection to the lake, where there is one and all of it is there."""
        if not self._ready and not self._postgres and not self.catalogue.exists():
            return None
        try:
            connection = self._attach(read_only=True)
        except Failure:  # PostgreSQL has no lake yet, or cannot be reached: then making one says so
            return None
        if self._ready or self._complete(connection):
            self._ready = True
            return connection
        connection.close()
        return None

    def _made(self) -> "duckdb.DuckDBPyConnection":
        self._prepare()
        return self._attach(read_only=True)

    def _prepare(self) -> None:
        """Make schemas and system tables, where they are not there yet."""
        if self._ready:
            return
        install_extensions()
        with self._alone():
            open_store(self._settings).create()
            if not self._postgres:
                _let_all_read(self.catalogue)
            with self._writing() as connection:
                if not self._complete(connection):
                    connection.execute("BEGIN")
                    for schema in SCHEMAS:
                        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
                    for table, held in _system_tables().items():  # a lake of an earlier day lacks columns
                        for name, kind in held.items():
                            connection.execute(
                                f'ALTER TABLE IF EXISTS {table} ADD COLUMN IF NOT EXISTS "{name}" {kind}'
                            )
                    connection.execute(_SCRIPT.read_text("utf-8"))
                    calls = " UNION ALL ".join(f"FROM {source}" for source in calls_in_duckdb(self._settings))
                    connection.execute(f"CREATE OR REPLACE VIEW catalog.calls AS {calls}")
                    connection.execute(f"COMMENT ON VIEW catalog.calls IS '{_CALLS}'")
                    marts.refresh(connection)
                    connection.execute("COMMIT")
        self._ready = True

    def _complete(self, connection: "duckdb.DuckDBPyConnection") -> bool:
        """Whether every system table is there whole, and the view of the calls reads those of this home folder."""
        there = {name: (set(held), sql) for name, held, sql in connection.execute(_TABLES_AND_VIEWS).fetchall()}
        _, view = there.get("catalog.calls", ((), ""))
        view = view.replace("{DUCKLAKE_CATALOG}", "lake")  # as DuckLake writes the name by which it is attached
        return (
            all(table in there and held.keys() <= there[table][0] for table, held in _system_tables().items())
            and set(re.findall(r"CREATE (?:OR REPLACE )?VIEW (?:IF NOT EXISTS )?(\S+) AS", _SCRIPT.read_text("utf-8")))
            <= there.keys()
            and all(source in view for source in calls_in_duckdb(self._settings))
            and marts.edition() in there.get(f"{marts.MARTS}.{marts.COLUMNS}", ((), ""))[1]
            and (self._postgres or calls_path(self._settings).exists())
        )

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Hold the lake's write lock."""
        if self._postgres:
            client = psycopg()
            try:
                lock = client.connect(self._settings.lake, autocommit=True)
                lock.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
            except client.Error as error:
                raise postgres_failure(error) from None
            try:
                yield
            finally:
                lock.close()  # with the connection goes the lock; what was committed stands, whether or not it is gone
            return
        from filelock import FileLock

        with FileLock(f"{self.catalogue}.lock"):
            yield

    @contextmanager
    def _writing(self) -> "Generator[duckdb.DuckDBPyConnection]":
        """A DuckDB with the lake attached for the length of the block; what was not committed is rolled back."""
        connection = self._attach(read_only=False)
        try:
            yield connection
        except BaseException as error:
            connection.close()
            self._tell(error)
            raise
        _put_back(connection)

    def _tell(self, error: BaseException) -> None:
        """Say what an error means where it is one of the store's, of who may do what in PostgreSQL, or of the machine.

        Raises:
            Failure: where it is.
        """
        import duckdb

        if self._s3 and (failure := s3_failure(error, self._settings)):
            raise failure from None
        if not isinstance(error, duckdb.Error):
            return
        if failure := full_disk(error, self._settings.places):
            raise failure from None
        if self._postgres:
            if denied := re.search(r"permission denied for [^\n\"]+|must be owner of [^\n\"]+", str(error)):
                raise Failure(
                    f"lake: PostgreSQL refuses the user of EVERSPRING_LAKE ({denied[0]}), a writer is wanted; "
                    "see infra/roles.sql"
                ) from None
            if isinstance(lost := postgres_failure(error), Lost):
                raise lost from None

    def _attach(self, *, read_only: bool) -> "duckdb.DuckDBPyConnection":
        """A DuckDB with the lake as its current catalogue.

        Raises:
            Failure: where the lake cannot be opened.
        """
        import duckdb  # 80 ms that `--help` does not need

        connection = _idle.pop() if _idle else _new_duckdb()
        mode = ", READ_ONLY" if read_only else ""
        try:
            if self._postgres:
                _load(connection, "postgres_scanner")
                connection.execute(_postgres_secret(self._settings.lake))
                target, mode = "postgres:", f", META_SECRET 'lake_catalogue'{mode}"
            else:  # the home folder may have moved since the lake was made
                target, mode = f"sqlite:{self.catalogue}", f", OVERRIDE_DATA_PATH true{mode}"
            if self._s3:
                _load(connection, "httpfs")
                open_s3(connection, self._settings)
            connection.execute(f"ATTACH {literal(f'ducklake:{target}')} AS lake (DATA_PATH {literal(self.data)}{mode})")
            connection.execute("USE lake")
        except duckdb.Error as error:
            connection.close()
            self._tell(error)
            why = why_not(error) if self._postgres else str(error).splitlines()[0]
            raise Failure(
                f"lake: {'PostgreSQL' if self._postgres else self.catalogue} cannot be opened ({why}), "
                "one that can be is wanted; see `everspring doctor`"
            ) from None
        return connection


def _let_all_read(catalogue: Path) -> None:
    """Have SQLite write ahead: with its other journal readers wait for every commit, and a commit for every reader."""
    with closing(sqlite3.connect(catalogue)) as connection, suppress(sqlite3.Error):  # a file system may not have it
        connection.execute("PRAGMA journal_mode = WAL")


_idle: "list[duckdb.DuckDBPyConnection]" = []
"""DuckDBs with their extensions loaded and nothing attached."""


def _put_back(connection: "duckdb.DuckDBPyConnection") -> None:
    import duckdb

    try:
        connection.execute("USE memory")
        connection.execute("DETACH lake")
    except duckdb.Error:  # what it was asked for is done, and its server is gone since
        connection.close()
    else:
        _idle.append(connection)


@contextmanager
def _within(seconds: float, connection: "duckdb.DuckDBPyConnection") -> Generator[None]:
    """Interrupt what a connection does once the block has taken so long.

    Raises:
        Refusal: in place of the error that the interrupt causes.
    """
    late = threading.Event()

    def end() -> None:
        late.set()
        connection.interrupt()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Refusal:
        if not late.is_set():
            raise
        raise Refusal(
            f"sql: it took longer than {seconds:g} s, an answer within them is wanted; "
            "ask for less, or set EVERSPRING_SQL_SECONDS"
        ) from None
    finally:
        timer.cancel()


def _new_duckdb() -> "duckdb.DuckDBPyConnection":
    import duckdb  # see Lake._attach

    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # DuckDB hashes 36 MB, for 0.1 s, to check an extension's signature. Those from wheels need none: whoever
            # put them there put DuckDB there too.
            "allow_unsigned_extensions": str(all(extension_file(name) for name in EXTENSIONS)).lower(),
        }
    )
    _load(connection, "ducklake")
    _load(connection, "sqlite_scanner")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _load(connection: "duckdb.DuckDBPyConnection", name: str) -> None:
    """Load an extension where its wheel has it."""
    if file := extension_file(name):
        connection.execute(f"LOAD '{file}'")
    else:
        load_extension(connection, name)


@cache
def _system_tables() -> Mapping[str, Mapping[str, str]]:
    """The columns of every system table, name → SQL type, as the script makes them."""
    made = re.findall(r"CREATE TABLE IF NOT EXISTS (\S+) \((.*?)\n\);", _SCRIPT.read_text("utf-8"), re.DOTALL)
    return {table: dict(column.split() for column in held.split(",")) for table, held in made}


def install_extensions() -> None:
    """Put the extensions where plain DuckDB finds them."""
    import duckdb

    with duckdb.connect() as connection, suppress(duckdb.Error):  # there may be no home to install into
        for name in EXTENSIONS:
            if file := extension_file(name):
                connection.execute(f"INSTALL '{file}'")


def load_extension(connection: "duckdb.DuckDBPyConnection", name: str) -> None:
    """Load a DuckDB extension, installing it from its wheel (or, without one, from DuckDB) the first time."""
    import duckdb

    try:
        connection.execute(f"LOAD {name}")
    except duckdb.Error:
        file = extension_file(name)
        try:
            connection.execute(f"INSTALL '{file}'" if file else f"INSTALL {name}")
            connection.execute(f"LOAD {name}")
        except duckdb.Error:  # no home to install into: load the file where it lies
            if not file:
                raise
            connection.execute(f"LOAD '{file}'")


def extension_file(name: str) -> str | None:
    """The file of a DuckDB extension in its wheel `duckdb-extension-…`, if that is installed."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in Path(folder).rglob(f"{name}.duckdb_extension"):
            return str(file).replace("'", "''")
    return None


def _postgres_secret(address: str) -> str:
    """A DuckDB secret for the catalogue: unlike a connection string it is redacted wherever DuckDB shows it."""
    names = {"host": "HOST", "port": "PORT", "dbname": "DATABASE", "user": "USER", "password": "PASSWORD"}
    given = ", ".join(f"{names[k]} {literal(v)}" for k, v in _postgres_parts(address).items() if k in names)
    return f"CREATE OR REPLACE SECRET lake_catalogue (TYPE postgres, {given})"


def _postgres_parts(address: str) -> dict[str, str]:
    """What an address of PostgreSQL says: host, port, dbname, user, password.

    Raises:
        Failure: where it cannot be read.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {key: str(value) for key, value in conninfo_to_dict(address).items()}
    except ProgrammingError:  # its text holds parts of the address
        raise Failure(
            "lake: the address of PostgreSQL cannot be read, postgresql://USER:PASSWORD@HOST:PORT/DATABASE is wanted; "
            "see EVERSPRING_LAKE, and write / and @ in a password as %2F and %40"
        ) from None


def laid_out(file: Path, shape: type[S], first: int, size: int) -> list[S]:
    """Rows of a file that `Lake.lay_out` wrote, by their places in it."""
    import polars as pl

    found = pl.scan_parquet(file).slice(first, size).collect()
    return _records(shape, found.columns[2:], found.iter_rows())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in ("record_id", "parents", *names))


def _records(shape: type[S], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[S]:
    """Records of rows with the columns `record_id`, `parents` and `names`."""
    return [
        shape(
            record_id=record_id,
            parents=tuple(parents),
            **{name: tuple(v) if isinstance(v, list) else v for name, v in zip(names, values, strict=True)},
        )
        for record_id, parents, *values in rows
    ]


def known_tables(lake: Lake) -> list[str]:
    """Every table that has a version."""
    return sorted({version.ref.table for version in lake.versions()})


def as_frame(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> "pl.DataFrame":
    """Rows as a Polars frame with columns of the given SQL types, empty ones included."""
    import polars as pl

    kinds: dict[str, Any] = {
        "VARCHAR": pl.String,
        "BIGINT": pl.Int64,
        "INTEGER": pl.Int32,
        "UBIGINT": pl.UInt64,
        "UINTEGER": pl.UInt32,
        "FLOAT": pl.Float32,
        "DOUBLE": pl.Float64,
        "BOOLEAN": pl.Boolean,
        "TIMESTAMP WITH TIME ZONE": pl.Datetime("us", "UTC"),
        "STRUCT(role VARCHAR, content VARCHAR)": pl.Struct({"role": pl.String, "content": pl.String}),
    }

    def kind(sql: str) -> Any:
        return pl.List(kind(sql[:-2])) if sql.endswith("[]") else kinds[sql]

    return pl.DataFrame(
        [{name: _plain(row.get(name)) for name in types} for row in rows],
        schema={name: kind(sql) for name, sql in types.items()},
        orient="row",
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
