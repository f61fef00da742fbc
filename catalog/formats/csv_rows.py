"""CSV and TSV: a header, and rows that may run over several lines; a broken row does not take others along."""

import csv
import itertools
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from catalog.formats.table import Bad, Cells, Rows, few_columns, has_surrogates, readable, shown
from catalog.formats.text import LINE, lines_of
from infra.errors import Refusal


def open_csv(file: Path, label: str) -> Rows:
    """Read the header of a CSV file; every column is text.

    Raises:
        Refusal: where there is no header that columns can be named by.
    """
    with readable(label, "CSV"), lines_of(file, label, "") as lines:
        delimiter = _delimiter(file, next(lines, ""))
    with readable(label, "CSV"), lines_of(file, label, "") as lines:
        _, header, raw = next(_rows(lines, label, delimiter), (0, "", ""))
    if isinstance(header, str) or not any(header) or "\0" in raw:
        raise Refusal(f"{label}: it has no header, a first line with the names of the columns is wanted")
    if has_surrogates(raw):
        raise Refusal(f"{label}: its header is not in UTF-8; convert the file first")
    few_columns(label, header)
    names = [name.strip() for name in header]
    if twice := [name for name, times in Counter(names).items() if name and times > 1]:
        raise Refusal(
            f"{label}: column {twice[0]!r} stands twice in the header, different names are wanted; rename one"
        )

    def read(columns: Sequence[str], _: int) -> Iterator[Cells | Bad]:
        at = {column: names.index(column) for column in columns}
        with lines_of(file, label, "") as lines:
            for number, cells, raw in itertools.islice(_rows(lines, label, delimiter), 1, None):
                place = f"{label}:{number}"
                if isinstance(cells, str):
                    yield Bad(place, cells, shown(raw))
                elif has_surrogates(raw):
                    yield Bad(place, "not UTF-8", shown(raw))
                elif len(cells) != len(names):
                    yield Bad(place, f"it has {len(cells)} cells, the header has {len(names)}", shown(raw))
                else:
                    yield Cells(place, {column: cells[index] for column, index in at.items()})

    return Rows({name: "VARCHAR" for name in names if name}, read, lambda _: "VARCHAR")


def _delimiter(file: Path, header: str) -> str:
    """A tab for `.tsv`, else whichever usual one splits the header into the most columns; a comma where none does."""
    if ".tsv" in file.name.lower():
        return "\t"
    unquoted = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|", key=unquoted.count)


class _Replay(Iterator[str]):
    """Lines that can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        self.number += 1
        return line

    def give_back(self) -> None:
        """Put back all the lines of the row but its first."""
        rest = self.taken[1:]
        self._back.extendleft(reversed(rest))
        self.number -= len(rest)


def _rows(lines: Iterator[str], label: str, delimiter: str) -> Iterator[tuple[int, list[str] | str, str]]:
    """For each row the number of its first line, its cells (or why there are none) and its raw text."""
    csv.field_size_limit(LINE)
    replay = _Replay(lines)
    while True:
        replay.taken.clear()
        number = replay.number + 1
        try:
            # A reader of its own for each row: what state an error leaves an old one in is nowhere said.
            cells = next(csv.reader(replay, delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except csv.Error as error:
            if sum(map(len, replay.taken)) >= LINE:
                raise Refusal(
                    f"{label}: a cell of line {number} does not end within {LINE >> 20} MiB, "
                    "shorter ones are wanted; see whether a quote is left open"
                ) from None
            replay.give_back()
            yield number, f"malformed ({error})", replay.taken[0]
        else:
            if cells:  # an empty line is no row
                yield number, cells, "".join(replay.taken)
