"""What every format gives: named columns, and rows of cells or the reason why there is none."""

import json
import re
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infra.errors import Refusal

MESSAGES = "STRUCT(role VARCHAR, content VARCHAR)[]"
"""The type of a column that holds conversations."""

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
    """Stands for a text that was not read, because it has more bytes than a cell may have."""


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
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    start = re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:x}", text[:_EVIDENCE])
    return start.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00").rstrip("\r\n")


def has_surrogates(text: str) -> bool:
    """Whether a text cannot be written as UTF-8: it holds bytes that were none, or half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@contextmanager
def readable(label: str, kind: str) -> Generator[None]:
    """Turn what goes wrong with a file into a refusal that names the file.

    Raises:
        Refusal: in place of an error of the system, of gzip or of DuckDB.
    """
    import duckdb  # 80 ms that `--help` does not need

    try:
        yield
    except (OSError, EOFError, zlib.error, duckdb.Error) as error:
        raise Refusal(f"{label}: cannot be read ({reason_of(error)}), a sound {kind} file is wanted") from None


def reason_of(error: Exception) -> str:
    """What an error says, in one line, without the file's path where the system's words have it."""
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
