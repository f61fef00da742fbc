"""Files of reviews: written for annotators as CSV, JSON Lines or a page, and read back with their decisions."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.reviews import Item
from infra.errors import Refusal

FORMATS = (".csv", ".jsonl", ".html")
_ASKED = ("record_id", "question", "text", "choices")
_FORMULA = re.compile(r"\s*'*[=+\-@\t\r|%＝＋－＠]")
"""How a formula begins; what was shielded before is shielded again, so that one apostrophe can be taken away."""
_PAGE = Path(__file__).parent / "review.html"


@dataclass(frozen=True)
class Given:
    """A decision as a file has it; `place` is its line."""

    record_id: str
    decision: str
    decided_at: str
    place: str


def write_reviews(items: Sequence[Item], file: Path, by: str = "", *, overwrite: bool = False) -> None:
    """Write reviews to a file, for one annotator where `by` names one.

    Neither what the model said nor what others have decided is in it: that would lead people.

    Raises:
        Refusal: for a file that is no CSV, JSON Lines or HTML file, cannot be written, or is there and is to stay.
    """
    form = file.suffix.lower()
    if file.exists() and not overwrite:
        raise Refusal(
            f"review file {file}: is there, and may hold decisions, a new one is wanted; name another, or --overwrite"
        )
    rows = [{name: getattr(item, name) for name in _ASKED} | {"decision": ""} for item in items]
    if form == ".csv":
        made = io.StringIO(newline="")
        writer = csv.DictWriter(made, [*_ASKED, "decision"])
        writer.writeheader()
        for row in rows:
            cells = row | {"choices": " | ".join(row["choices"])}
            writer.writerow({name: _shielded(cell) for name, cell in cells.items()})
        text = made.getvalue()
    elif form == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif form == ".html":
        text = _page(rows, items[0].table if items else "", by)
    else:
        wanted = ", ".join(FORMATS)
        raise Refusal(f"review file {file}: its name ends in {form or 'nothing'}, one of {wanted} is wanted")
    try:
        file.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise Refusal(f"review file {file}: cannot be written ({error.strerror}); name another") from None


def _shielded(cell: str) -> str:
    """A cell that a spreadsheet takes for text: one that begins as a formula does gets an apostrophe before it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _page(rows: Sequence[Mapping[str, Any]], table: str, by: str) -> str:
    """The page: the reviews stand in it as JSON, in which nothing can end the element that holds it."""
    data = json.dumps({"table": table, "by": by, "items": rows}, ensure_ascii=True)
    for character in "<>&":
        data = data.replace(character, f"\\u{ord(character):04x}")
    return _PAGE.read_text("utf-8").replace("{{data}}", data)


def read_decisions(file: Path) -> list[Given]:
    """The decisions in a file; rows that are not decided yet are left out.

    Raises:
        Refusal: for a file that is none of reviews, saying what is wrong with which line.
    """
    form = file.suffix.lower()
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise Refusal(f"review file {file}: cannot be read ({error.strerror}); name another") from None
    except UnicodeDecodeError:
        raise Refusal(f"review file {file}: is no UTF-8 text; save it as CSV UTF-8 or JSON Lines") from None
    if form == ".csv":
        rows = _csv(text, file)
    elif form == ".jsonl":
        rows = _json_lines(text, file)
    else:
        wanted = "the .csv or .jsonl file with the decisions is wanted (the page saves one)"
        raise Refusal(f"review file {file}: its name ends in {form or 'nothing'}, {wanted}")
    given: dict[str, Given] = {}
    for place, row in rows:
        named = {name: _text(row, name, file, place) for name in ("record_id", "decision", "decided_at")}
        found = Given(**named, place=place)
        if not found.record_id:
            raise Refusal(f"review file {file}, {place}: has no record_id; keep that column as it was exported")
        if not found.decision:
            continue
        before = given.setdefault(found.record_id, found)
        if before.decision != found.decision:
            raise Refusal(
                f"review file {file}, {place}: decides {found.record_id} another way than {before.place}; keep one"
            )
    return list(given.values())


def _csv(text: str, file: Path) -> list[tuple[str, Mapping[str, Any]]]:
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","  # a spreadsheet may have changed it
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows: list[tuple[str, Mapping[str, Any]]] = [(f"line {reader.line_num}", _bared(row)) for row in reader]
    except csv.Error as error:
        raise Refusal(f"review file {file}, line {reader.line_num}: is no CSV ({error}); export it again") from None
    if missing := [name for name in ("record_id", "decision") if name not in (reader.fieldnames or ())]:
        raise Refusal(f"review file {file}: has no column {', '.join(missing)}; export it again and fill in `decision`")
    return rows


def _bared(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row as it was before its cells were shielded."""
    return {
        name: cell[1:] if isinstance(cell, str) and cell.startswith("'") and _FORMULA.match(cell) else cell
        for name, cell in row.items()
    }


def _json_lines(text: str, file: Path) -> list[tuple[str, Mapping[str, Any]]]:
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise Refusal(f"review file {file}, line {number}: is no JSON object, one a line is wanted")
        rows.append((f"line {number}", row))
    return rows


def _text(row: Mapping[str, Any], name: str, file: Path, place: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal(f"review file {file}, {place}: {name} is {value!r}, a text is wanted")
    return value.strip()
