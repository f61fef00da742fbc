"""What every format gives: named columns, and rows of cells or the reason why there is none."""

import json
import re
import zlib
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.errors import Refusal

MESSAGES = "STRUCT(role VARCHAR, content VARCHAR)[]"
"""The type of a column that holds conversations."""

MEMORY = "1GB"
"""What DuckDB may use for an import: a file can say of any column that it needs more than there is."""
COLUMNS = 10_000
"""Columns that a file or table may have."""
TIMES = 200
"""How many times its size on disk a file may come to once it is opened: text packs to a tenth, hardly ever less."""
_FREE = 1 << 28
"""Bytes that any file may come to."""
_EVIDENCE = 200
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True)
class Bad:
    """A row that cannot be used: where it stands, why, and the start of what stands there."""

    place: str
    reason: str
    evidence: str = ""


@dataclass(frozen=True)
class Cells:
    """A row as it was found."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class TooLong:
    """Stands for a value that was not read, because it has more bytes than a cell may have."""

    limit: int


class Fault(Exception):
    """Why a row, or a cell of one, cannot be used."""


class Meter:
    """Counts what comes out of files, which may be far more than lies on disk."""

    def __init__(self, label: str, files: Iterable[Path]) -> None:
        self._label = label
        # What lies on disk: of a file with holes, that is not what it says its size is.
        self._size = sum(min(status.st_size, status.st_blocks * 512) for status in map(Path.stat, files))
        self._left = max(_FREE, TIMES * self._size)

    def count(self, size: int) -> None:
        """Take note of bytes that came out.

        Raises:
            Refusal: where they are too many for what the files are.
        """
        self._left -= size
        if self._left < 0:
            raise Refusal(
                f"{self._label}: it opens to more than {max(_FREE, TIMES * self._size) >> 20} MiB, at most {TIMES} "
                f"times its {self._size:,} bytes on disk (or {_FREE >> 20} MiB) are wanted; if you trust it, unpack it "
                "first"
            )


Reader = Callable[[Sequence[str], int], Iterator[Cells | Bad]]
"""Reads rows: takes the columns that are wanted, and the bytes that a cell may have."""


@dataclass(frozen=True)
class Rows:
    """The columns of one file or table with their DuckDB types, and how to read it.

    Types of JSON are what a first sample holds; `settle` says what the type of a column is over all rows.
    """

    columns: Mapping[str, str]
    read: Reader
    settle: Callable[[str], str]


@dataclass(frozen=True)
class Table(Rows):
    """What an import reads, opened: its kind, what it is called, and the hash of what it holds."""

    kind: str
    origin: str
    content_hash: Callable[[], str]


def common_type(types: Iterable[str]) -> str:
    """The type of a column that holds values of these: nulls are of any, text wins, numbers widen, else it is mixed."""
    there = set(types) - {"NULL"}
    if len(there) <= 1:
        return there.pop() if there else "NULL"
    if "VARCHAR" in there:
        return "VARCHAR"
    return "DOUBLE" if all(kind.startswith(_NUMBERS) for kind in there) else "JSON"


def is_messages(kind: str) -> bool:
    """Whether a column of this type holds conversations: lists of turns with a role and a content."""
    plain = kind.replace('"', "")
    if not plain.startswith("STRUCT(") or not plain.endswith(")[]"):
        return False
    members = {member.strip() for member in plain.removeprefix("STRUCT(").removesuffix(")[]").split(",")}
    return {"role VARCHAR", "content VARCHAR"} <= members


def shown(value: object) -> str:
    """The start of a value as text that can be printed and stored, whatever bytes are in it."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = "(nested too deeply to be shown)"
    start = re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:x}", text[:_EVIDENCE])
    return start.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00").rstrip("\r\n")


def has_surrogates(text: str) -> bool:
    """Whether a text cannot be written as UTF-8: it holds bytes that were none, or half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def few_columns(label: str, names: Collection[str]) -> None:
    """Refuse what has more columns than any data has.

    Raises:
        Refusal: naming the limit.
    """
    if len(names) > COLUMNS:
        raise Refusal(f"{label}: it has {len(names):,} columns, {COLUMNS:,} at most are wanted; leave out some")


@contextmanager
def readable(label: str, kind: str) -> Generator[None]:
    """Turn what goes wrong with a file into a refusal that names the file.

    Raises:
        Refusal: in place of an error of the system, of gzip or of DuckDB.
    """
    import duckdb  # 80 ms that `--help` does not need

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise Refusal(
            f"{label}: it needs more than {MEMORY} of memory to be read, less is wanted; split it or shorten its values"
        ) from None
    except (OSError, EOFError, zlib.error, duckdb.Error) as error:
        raise Refusal(f"{label}: cannot be read ({reason_of(error)}), a sound {kind} file is wanted") from None


def reason_of(error: Exception) -> str:
    """What an error says, in one line, without the file's path where the system's words have it."""
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
