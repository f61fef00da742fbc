"""Text files: documents as a whole, and lines for the formats that have one row a line."""

import gzip
import io
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from catalog.formats.table import Bad, Cells, Meter, Rows, TooLong, reason_of, shown
from infra.errors import Refusal

LINE = 1 << 26
"""Characters of one line, or of one quoted CSV cell, that are held in memory at most."""


def documents(names: Mapping[Path, str]) -> Rows:
    """Each file is one row: its `text`, and its name as the `title`."""

    def read(_: Sequence[str], cell: int) -> Iterator[Cells | Bad]:
        return (_document(file, name, cell) for file, name in names.items())

    return Rows({"text": "VARCHAR", "title": "VARCHAR"}, read, lambda _: "VARCHAR")


def _document(file: Path, name: str, cell: int) -> Cells | Bad:
    data = b""
    try:
        with open_bytes(file) as opened:
            data = opened.read(cell + 1)
        text = TooLong(cell) if len(data) > cell else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = data[max(0, error.start - 20) :].decode("utf-8", "surrogateescape")
        return Bad(f"{name}:{line}", "not UTF-8", shown(found))
    except (OSError, EOFError, zlib.error) as error:
        return Bad(name, f"cannot be read ({reason_of(error)})")
    return Cells(name, {"text": text, "title": name})


def open_bytes(file: Path) -> BinaryIO:
    """The file's bytes, unzipped where its name ends in `.gz`."""
    return cast("BinaryIO", gzip.open(file)) if file.suffix.lower() == ".gz" else file.open("rb")


@contextmanager
def lines_of(file: Path, label: str, newline: str) -> Generator[Iterator[str]]:
    """The lines of a file, ends included; a byte that is no UTF-8 is kept as a surrogate, to be found in its row.

    A line longer than `LINE` comes in pieces.

    Raises:
        Refusal: where the file is in UTF-16, or, on the way, where it opens to far more than it is.
    """
    meter = Meter(label, [file])

    def line() -> str:
        found = text.readline(LINE)
        meter.count(len(found))
        return found

    with open_bytes(file) as raw:
        if raw.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise Refusal(f"{label}: it is in UTF-16, UTF-8 is wanted; convert it first")
        raw.seek(0)
        with io.TextIOWrapper(raw, "utf-8-sig", errors="surrogateescape", newline=newline) as text:
            yield iter(line, "")
