"""Formats: files and tables of users, opened as rows of named cells and read in bounded memory.

Text formats are read line by line here, because only so can one broken line be named and the rest be kept; Parquet,
JSON arrays, DuckDB and PostgreSQL are read by DuckDB. What shape the rows make is decided in `catalog.imports`.
"""

import glob
import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path

from catalog.formats.csv_rows import open_csv
from catalog.formats.duck import POSTGRES, open_arrow, open_duckdb, open_parquet, open_postgres
from catalog.formats.json_rows import open_json, open_jsonl
from catalog.formats.table import Bad, Cells, Rows, Table, common_type, readable, reason_of
from catalog.formats.text import documents
from infra.errors import Refusal

_KINDS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".txt": "text",
    ".md": "text",
    ".rst": "text",
}
"""What a file is, by the end of its name; all but Parquet and Arrow may be gzipped (`.csv.gz`)."""
_PACKED = ("parquet", "arrow")
"""Kinds that are not gzipped as a whole."""
_OPEN: dict[str, Callable[[Path, str], Rows]] = {
    "parquet": open_parquet,
    "arrow": open_arrow,
    "csv": open_csv,
    "jsonl": open_jsonl,
    "json": open_json,
}
_DATABASES = {".duckdb", ".ddb", ".db"}


def open_table(where: str) -> Table:
    """Open a file, a folder, a glob, `FILE.duckdb::SCHEMA.TABLE` or `postgresql://…::SCHEMA.TABLE`.

    Several files are one table: texts one row each, others one after the other if they are of one kind.

    Raises:
        Refusal: where it is not there or cannot be read. No message holds a user name or a password.
    """
    if where.startswith(POSTGRES):
        return open_postgres(where)
    if scheme := re.match(r"([a-z][a-z0-9+.-]+)://", where, re.IGNORECASE):
        raise Refusal(f"import: a {scheme[1]}:// address was given, a file on this machine or postgresql:// is wanted")
    try:
        path = Path(where).expanduser()
        if "::" in where and not path.exists():
            file, _, table = where.rpartition("::")
            return _open_database(Path(file).expanduser(), table)
        if path.suffix.lower() in _DATABASES and path.is_file():
            return _open_database(path, "")
        root, files, outside = _files(where, path)
    except (OSError, ValueError, RuntimeError) as error:  # of a pattern, of a name with a NUL, of a user who is none
        raise Refusal(f"{where}: cannot be read ({reason_of(error)}), a file or folder is wanted") from None
    return _open_files(where, path, {file: _legible(file.relative_to(root).as_posix()) for file in files}, outside)


def open_files(folder: Path, files: Sequence[Path]) -> Table:
    """Open files that a folder says it holds as one table, in the order given.

    Raises:
        Refusal: where one is not there, is none of rows, or leads out of the folder.
    """
    names: dict[Path, str] = {}
    inside = folder.resolve()
    for file in files:
        name = _legible(os.path.relpath(file, folder))
        try:
            if not file.resolve().is_relative_to(inside):
                raise Refusal(f"{folder}: it names {name!r:.100}, a file within the folder is wanted")
            if not file.is_file() or not _kind(file):
                raise Refusal(f"{folder}: it names {name!r:.100}, which is no file of rows there")
        except (OSError, ValueError, RuntimeError) as error:
            raise Refusal(f"{folder}: it names {name!r:.100}, which cannot be read ({reason_of(error)})") from None
        names[file] = name
    if not names:
        raise Refusal(f"{folder}: it names no files of rows, one at least is wanted")
    return _open_files(str(folder), folder, names, [])


def _open_database(file: Path, table: str) -> Table:
    if not file.is_file():
        raise Refusal(f"{file}: there is no such file{_near(file)}")
    return open_duckdb(file, table)


def _files(where: str, path: Path) -> tuple[Path, list[Path], list[str]]:
    """The folder that names are relative to, the files, and the names of links that lead out of the folder."""
    if path.is_file():
        if not _kind(path):
            raise Refusal(f"{path.name}: of no known kind, a file that ends in one of these is wanted: {_known()}")
        return path.parent, [path], []
    if path.is_dir():
        root = path
        found = [file for file in path.rglob("*") if _plain(file, root, path)]
    elif glob.has_magic(where):
        root = Path(*itertools.takewhile(lambda part: not glob.has_magic(part), path.parts))
        # Not by the module glob: that follows links, round and round where they make a ring.
        found = [file for file in root.glob("/".join(path.parts[len(root.parts) :])) if _plain(file, root, path)]
    elif path.exists():
        raise Refusal(f"{path.name}: no regular file or folder, one is wanted")
    else:
        raise Refusal(f"{where}: there is no such file or folder{_near(path)}")
    inside = root.resolve()
    files = sorted(file for file in found if file.is_file() and _kind(file))
    outside = [file for file in files if not file.resolve().is_relative_to(inside)]
    if not (files := [file for file in files if file not in outside]):
        raise Refusal(f"{where}: it holds no file of a known kind, one at least is wanted that ends in: {_known()}")
    return root, files, [_legible(file.relative_to(root).as_posix()) for file in outside]


def _plain(file: Path, root: Path, asked: Path) -> bool:
    """Whether neither a file below `root` nor a folder it is in is hidden, or hidden ones are what is asked for."""
    hidden = [part for part in file.relative_to(root).parts if part.startswith(".") and part != ".."]
    return all(any(fnmatch(part, its) for its in asked.parts if its.startswith(".")) for part in hidden)


def _legible(name: str) -> str:
    """A file's name as text, with bytes in it that are none written out."""
    return name.encode("utf-8", "backslashreplace").decode()


def _kind(file: Path) -> str:
    """What a file is by its name; empty where that says nothing."""
    plain = file.name.lower().removesuffix(".gz")
    kind = _KINDS.get(Path(plain).suffix, "")
    return "" if kind in _PACKED and plain != file.name.lower() else kind


def _known() -> str:
    return f"{', '.join(_KINDS)} (all but Parquet and Arrow also with .gz)"


def _near(path: Path) -> str:
    try:
        near = get_close_matches(path.name, [file.name for file in path.parent.iterdir()], n=3)
    except (OSError, ValueError):
        return ""
    return f"; did you mean: {', '.join(near)}" if near else ""


def _open_files(where: str, path: Path, names: Mapping[Path, str], outside: Sequence[str]) -> Table:
    """Files of one kind as one table; `names` are what they are called in places."""
    kind, *others = sorted({_kind(file) for file in names})
    if others:
        raise Refusal(
            f"{where}: it holds files of several kinds ({', '.join([kind, *others])}), one kind is wanted; "
            f"name those you mean, such as '{where.rstrip('/')}/**/*{next(iter(names)).suffix}'"
        )
    if kind == "text":
        rows = documents(names)
    elif len(names) == 1:
        rows = _OPEN[kind](*next(iter(names.items())))
    else:
        rows = _together(_OPEN[kind], names)
    label = _legible(path.name or path.resolve().name)

    def read(columns: Sequence[str], cell: int) -> Iterator[Cells | Bad]:
        yield from (Bad(name, "a link that leads out of the folder") for name in outside)
        with readable(label, kind):
            yield from rows.read(columns, cell)

    def settle(column: str) -> str:
        with readable(label, kind):
            return rows.settle(column)

    return Table(rows.columns, read, settle, kind=kind, origin=label, content_hash=lambda: _hash(names, label, kind))


def _together(one: Callable[[Path, str], Rows], names: Mapping[Path, str]) -> Rows:
    """Files with the same columns, one after the other."""
    columns = one(*next(iter(names.items()))).columns

    def each(wanted: Sequence[str]) -> Iterator[Rows]:
        for file, name in names.items():
            rows = one(file, name)
            if missing := [column for column in wanted if column not in rows.columns]:
                raise Refusal(f"{name}: it has no column {', '.join(missing)}, which the files before it have")
            yield rows

    def read(wanted: Sequence[str], cell: int) -> Iterator[Cells | Bad]:
        for rows in each(wanted):
            yield from rows.read(wanted, cell)

    def settle(column: str) -> str:
        return common_type(rows.settle(column) for rows in each([column]))

    return Rows(columns, read, settle)


def _hash(names: Mapping[Path, str], label: str, kind: str) -> str:
    """Of the bytes of one file; of names and bytes where there are several, or where the name is in the row."""
    hashed: list[tuple[str, str]] = []
    with readable(label, kind):
        for file, name in names.items():
            with file.open("rb") as opened:
                hashed.append((name, hashlib.file_digest(opened, _blake).hexdigest()))
    if len(hashed) == 1 and kind != "text":
        return hashed[0][1]
    return hashlib.blake2b(json.dumps(hashed).encode(), digest_size=16).hexdigest()


def _blake() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=16)
