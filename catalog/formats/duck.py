"""What DuckDB reads: Parquet, Arrow, its own databases, and PostgreSQL's."""

import glob
import hashlib
import re
import tempfile
import urllib.parse
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.formats.table import MEMORY, Bad, Cells, Meter, Rows, Table, TooLong, few_columns, readable, reason_of
from catalog.postgres import why_not
from catalog.quoting import identifier
from catalog.store import load_extension
from infra.errors import Refusal

if TYPE_CHECKING:
    import duckdb

POSTGRES = ("postgresql://", "postgres://")
"""How the address of a PostgreSQL database begins."""

_BOUND = 1 << 24
"""Bytes, written as text, of a list or a structure that is taken."""
_ROOM = 1 << 20
"""Values that take no bytes, in a batch."""
_FEW = 8
"""Rows with such values that are fetched at once."""
_MANY = 128

_Relation = Callable[[], AbstractContextManager[tuple["duckdb.DuckDBPyConnection", str, list[Any]]]]
"""Opens something to select from, anew each time: a connection, SQL, and what the question marks in it stand for."""


@contextmanager
def memory(file: str = ":memory:", **config: Any) -> "Generator[duckdb.DuckDBPyConnection]":
    """A DuckDB of our own that fetches nothing from anywhere, or an existing one to read only."""
    import duckdb  # 80 ms that `--help` does not need

    settings: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY,
        "threads": 1,  # rows in their order, one after the other, is all that is asked for
        **config,
    }
    connection = duckdb.connect(file, read_only=file != ":memory:", config=settings)
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")  # it would go to standard output
        yield connection
    finally:
        connection.close()


def fetch(connection: "duckdb.DuckDBPyConnection", few: int = _MANY) -> Iterator[tuple[Any, ...]]:
    """The rows of the statement that was executed, few at a time, since each may be large."""
    while rows := connection.fetchmany(few):
        yield from rows


@contextmanager
def plain_path(file: Path) -> Generator[str]:
    """The file's path, by a link where DuckDB would take its name for a pattern."""
    path = file.resolve()
    if not glob.has_magic(str(path)):
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / ("rows.gz" if path.suffix.lower() == ".gz" else "rows")
        link.symlink_to(path)
        yield str(link)


def open_parquet(file: Path, label: str) -> Rows:
    """Read the columns of a Parquet file.

    Raises:
        Refusal: where it is none, or is cut off.
    """

    @contextmanager
    def relation() -> "Generator[tuple[duckdb.DuckDBPyConnection, str, list[Any]]]":
        with plain_path(file) as path, memory() as connection:
            yield connection, "read_parquet(?, hive_partitioning = false)", [path]

    with readable(label, "Parquet"):
        return _rows(label, relation, [file])


def open_arrow(file: Path, label: str) -> Rows:
    """Read the columns of a stream of Arrow batches, as Hugging Face's `datasets` keeps them.

    Raises:
        Refusal: where it is none, is cut off, or holds what does not fit together.
    """

    @contextmanager
    def relation() -> "Generator[tuple[duckdb.DuckDBPyConnection, str, list[Any]]]":
        faults: list[str] = []
        with memory() as connection:
            connection.register("shard", _stream(file, faults))
            yield connection, "shard", []
        if faults:
            raise OSError(None, faults[0])

    with readable(label, "Arrow"):
        return _rows(label, relation, [file])


def _stream(file: Path, faults: list[str]) -> Any:
    """The batches of a file as Arrow's reader, up to one with which something is wrong: that is added to `faults`.

    Raises:
        OSError: where it is no such stream.
    """
    import pyarrow as pa
    from pyarrow import ipc

    try:
        # Buffers that lie in the file as they are take no more memory than it has bytes.
        for message in ipc.MessageReader.open_stream(pa.memory_map(str(file))):
            if _compressed(message.type, message.metadata.to_pybytes()):
                raise OSError(None, "its buffers are compressed")
        stream = ipc.open_stream(pa.memory_map(str(file)))
        for field in stream.schema:
            if kind := _repeated(field.type):
                raise OSError(None, f"column {field.name!r:.40} is {kind!s:.60}, plain types are wanted")
    except pa.ArrowException as error:
        raise OSError(None, reason_of(error)) from None
    return pa.RecordBatchReader.from_batches(stream.schema, _checked(stream, faults))


def _checked(batches: Iterable[Any], faults: list[str]) -> Iterator[Any]:
    """The batches as long as they are sound, each looked through before anything is read of it."""
    import pyarrow as pa

    try:
        for batch in batches:
            batch.validate(full=True)  # offsets that lead elsewhere are no error to Arrow otherwise
            if max(map(_longest, batch.columns), default=0) > _ROOM + 8 * batch.nbytes:
                faults.append("a batch has more values than its bytes can hold")
                return
            yield batch
    except (OSError, pa.ArrowException) as error:
        faults.append(reason_of(error))


def _repeated(kind: Any) -> Any:
    """The type in an Arrow type, or None, of which a value can stand for many: few bytes would be gigabytes of rows."""
    from pyarrow import types

    plain = (
        *(types.is_primitive, types.is_null, types.is_decimal, types.is_fixed_size_binary),
        *(types.is_string, types.is_large_string, types.is_binary, types.is_large_binary),
    )
    nested = (types.is_struct, types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_map)
    if any(is_such(kind) for is_such in nested):
        return next(filter(None, (_repeated(kind.field(at).type) for at in range(kind.num_fields))), None)
    return None if any(is_such(kind) for is_such in plain) else kind


def _longest(values: Any) -> int:
    """How many values an Arrow array has, or one that it is made of: nulls and empty structures take no bytes."""
    from pyarrow import types

    if types.is_struct(values.type):
        return max([len(values), *map(_longest, values.flatten())])
    if types.is_map(values.type):
        return max(len(values), _longest(values.keys), _longest(values.items))
    if types.is_list(values.type) or types.is_large_list(values.type) or types.is_fixed_size_list(values.type):
        return max(len(values), _longest(values.values))
    return len(values)


def _compressed(kind: str, metadata: bytes) -> bool:
    """Whether a message of a stream has compressed buffers.

    Arrow's library does not tell before it unpacks them: this is field 3 of a RecordBatch, which is field 2 of a
    Message, or field 1 of a DictionaryBatch that is (Message.fbs).
    """

    def table(place: int) -> int:
        return place + int.from_bytes(metadata[place : place + 4], "little")

    def field(of: int, number: int) -> int:
        """The place of a table's field; 0 where it has none."""
        places = of - int.from_bytes(metadata[of : of + 4], "little", signed=True)
        size = int.from_bytes(metadata[places : places + 2], "little")
        at = 4 + 2 * number
        offset = int.from_bytes(metadata[places + at : places + at + 2], "little") if at < size else 0
        return of + offset if offset else 0

    if kind not in ("record batch", "dictionary"):
        return False
    batch = table(field(table(0), 2))
    return bool(field(table(field(batch, 1)) if kind == "dictionary" else batch, 3))


def open_duckdb(file: Path, table: str) -> Table:
    """Read the columns of a table or view in a DuckDB file.

    Raises:
        Refusal: where there is no such file or table.
    """

    @contextmanager
    def connect() -> "Generator[duckdb.DuckDBPyConnection]":
        # A view in the file must not read other files of this machine.
        with memory(str(file.resolve()), enable_external_access="false") as connection:
            yield connection

    mended = lambda: readable(file.name, "DuckDB")  # noqa: E731
    return _database("duckdb", file.name, table, connect, mended, schema="main", files=[file])


def open_postgres(where: str) -> Table:
    """Read the columns of a table or view in PostgreSQL.

    Raises:
        Refusal: where there is no such server, database or table. No message holds a user name or a password.
    """
    address, _, table = where.rpartition("::")
    if not address or "/" in table:  # the colons of an IPv6 address
        address, table = where, ""
    try:
        parts = urllib.parse.urlsplit(address)
        host = ":".join(str(part) for part in (parts.hostname, parts.port) if part) or "local"
    except ValueError:
        raise Refusal(
            "PostgreSQL: the address cannot be read, postgresql://USER@HOST:PORT/DATABASE::SCHEMA.TABLE is wanted"
        ) from None
    label = f"postgresql://{host}{parts.path}"
    waiting = "" if "connect_timeout=" in address else f"{'&' if parts.query else '?'}connect_timeout=10"
    quoted = (address + waiting).replace("'", "''")

    @contextmanager
    def connect() -> "Generator[duckdb.DuckDBPyConnection]":
        with memory() as connection:
            _load_postgres(connection)
            connection.execute(f"ATTACH '{quoted}' AS source (TYPE postgres, READ_ONLY)")
            connection.execute("USE source")
            yield connection

    @contextmanager
    def mended() -> Generator[None]:
        import duckdb  # see memory

        try:
            yield
        except duckdb.Error as error:  # its text holds the address with the password
            raise Refusal(f"{label}: cannot be read ({why_not(error)}), a PostgreSQL table is wanted") from None

    return _database("postgresql", label, table, connect, mended, schema="public")


def _load_postgres(connection: "duckdb.DuckDBPyConnection") -> None:
    import duckdb  # see memory

    try:
        load_extension(connection, "postgres_scanner")
    except duckdb.Error:
        package = f"duckdb-extension-postgres-scanner=={duckdb.__version__}"
        raise Refusal(
            f"PostgreSQL: DuckDB's extension for it is missing, it is wanted; pip install {package}"
        ) from None


def _database(
    kind: str,
    label: str,
    table: str,
    connect: "Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]",
    mended: Callable[[], AbstractContextManager[None]],
    *,
    schema: str,
    files: Sequence[Path] = (),
) -> Table:
    """A table of a database; `mended` words its errors, `schema` is where it is sought if the name does not say.

    `files` are what it lies in, where it lies on this machine: a view of it may make more than they hold.
    """
    with mended(), connect() as connection:
        found: list[tuple[str, ...]] = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "WHERE database_name = current_database() AND NOT internal "
            "UNION SELECT schema_name, view_name FROM duckdb_views() "
            "WHERE database_name = current_database() AND NOT internal ORDER BY ALL"
        ).fetchall()
    known = {name: ".".join(name) for name in found}
    if not table:
        listed = ", ".join(known.values()) or "none"
        raise Refusal(f"{label}: a table of it is wanted; add ::SCHEMA.TABLE, there are: {listed}")
    name = _parts(table, schema)
    if name not in known:
        raise Refusal.unknown(f"{label}: table", table, known.values())

    @contextmanager
    def relation() -> "Generator[tuple[duckdb.DuckDBPyConnection, str, list[Any]]]":
        with connect() as connection:
            yield connection, ".".join(map(identifier, name)), []

    def read(columns: Sequence[str], cell: int) -> Iterator[Cells | Bad]:
        with mended():
            yield from rows.read(columns, cell)

    def content_hash() -> str:
        """The same whatever the order of the rows, which a database does not keep."""
        total = count = 0
        meter = Meter(label, files) if files else None
        with mended(), relation() as (connection, sql, _):
            connection.execute(f"SELECT CAST(whole AS VARCHAR) FROM {sql} AS whole")
            for (text,) in fetch(connection):
                if meter:
                    meter.count(len(text))
                total += int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
                count += 1
        return hashlib.blake2b(f"{count} {total}".encode(), digest_size=16).hexdigest()

    with mended():
        rows = _rows(known[name], relation, files)
    origin = f"{label}::{known[name]}"
    return Table(rows.columns, read, rows.settle, kind=kind, origin=origin, content_hash=content_hash)


def _parts(table: str, schema: str) -> tuple[str, ...]:
    """Schema and name; either may be in double quotes, as in SQL."""
    parts = [quoted.replace('""', '"') or plain for quoted, plain in re.findall(r'"((?:[^"]|"")+)"|([^".]+)', table)]
    return (schema, *parts) if len(parts) == 1 else tuple(parts)


def _rows(label: str, relation: _Relation, files: Sequence[Path]) -> Rows:
    with relation() as (connection, sql, given):
        described = connection.execute(f"DESCRIBE SELECT * FROM {sql}", given).fetchall()
    types: dict[str, str] = {name: kind for name, kind, *_ in described}
    few_columns(label, types)

    def read(columns: Sequence[str], cell: int) -> Iterator[Cells | Bad]:
        limits = {column: _limit(types[column], cell) for column in columns}
        picked = ", ".join(_picked(column, limit) for column, limit in limits.items())
        few = _FEW if any(limit and types[column] != "VARCHAR" for column, limit in limits.items()) else _MANY
        meter = Meter(label, files) if files else None
        with relation() as (connection, sql, given):
            connection.execute(f"SELECT {picked} FROM {sql}", given)
            for number, row in enumerate(fetch(connection, few), 1):
                sizes = row[1::2]
                if meter:
                    meter.count(sum(sizes))
                values = {
                    column: TooLong(limit) if limit and size > limit else value
                    for (column, limit), value, size in zip(limits.items(), row[::2], sizes, strict=True)
                }
                yield Cells(f"{label}#{number}", values)

    return Rows(types, read, types.__getitem__)


def _limit(kind: str, cell: int) -> int:
    """Bytes that a value of a type may have; 0 for those that have few."""
    if kind == "VARCHAR":
        return cell
    return _BOUND if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "JSON", "BLOB", "BIT")) else 0


def _picked(column: str, limit: int) -> str:
    """What is selected of a column: the value, and its size. One over the limit is left where it is."""
    name = identifier(column)
    if not limit:
        return f"{name}, 8"
    size = f"coalesce(strlen(CAST({name} AS VARCHAR)), 0)"
    return f"CASE WHEN {size} <= {limit} THEN {name} END, {size}"
