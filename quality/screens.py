"""Screens: the checks that each new row passes or fails alone. A row that fails goes to `catalog.rejected`, with why.

A screen is a function in `SCREENS`; a row is shown to them in that order, and the first that finds fault names the row.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast, get_args, get_origin

from catalog.records import Message, Record, columns, content, digest, required
from quality.contamination import BenchmarkIndex
from quality.texts import texts_in

R = TypeVar("R", bound=Record)

CELL = 1 << 20
"""Bytes of UTF-8 that one text may have."""


@dataclass(frozen=True)
class Rejection:
    """A row that is kept out of its table: by which screen, why, and what shows it."""

    row: Record
    screen: str
    reason: str
    evidence: str = ""


class Fault(NamedTuple):
    """What a screen finds wrong with a row."""

    reason: str
    evidence: str = ""


@dataclass
class Surroundings:
    """What a row is compared with: `contents` and `ids` are of published rows and of earlier rows of the batch."""

    contents: dict[str, str]
    ids: set[str]
    benchmarks: BenchmarkIndex | None


def screen(
    rows: Sequence[R], *, published: Mapping[str, str], benchmarks: BenchmarkIndex | None
) -> tuple[list[R], list[Rejection]]:
    """The rows that pass every screen, in their order, and those that do not.

    Args:
        rows: the new rows.
        published: `content_key` → `record_id` of the rows that the table has.
        benchmarks: what must not be in training data; None where there is nothing to protect.
    """
    around = Surroundings(dict(published), set(published.values()), benchmarks)
    kept: list[R] = []
    rejected: list[Rejection] = []
    for row in rows:
        for name, find_fault in SCREENS.items():
            if fault := find_fault(row, around):
                rejected.append(Rejection(row, name, fault.reason, fault.evidence))
                break
        else:
            kept.append(row)
            around.contents[content_key(row)] = row.record_id
            around.ids.add(row.record_id)
    return kept, rejected


def yield_rate(made: int, kept: int) -> float:
    """The share of made rows that were kept (operators.md 2.4); 0.0 where none was made."""
    return kept / made if made else 0.0


def content_key(row: Record) -> str:
    """A hash of the row's content that Unicode composition and outer white space do not change."""
    return digest({name: _plain(value) for name, value in content(row).items()})


def malformed(row: Record, around: Surroundings) -> Fault | None:
    """A field that is not what its shape says, or a required one with nothing in it."""
    del around
    needed = required(type(row))
    for name, wanted in columns(type(row)).items():
        value = getattr(row, name)
        reason = _misfit(value, wanted)
        if not reason and name in needed and _blank(value):
            reason = "is blank"
        if reason:
            return Fault(f"{name} {reason}")
    return None


def duplicate(row: Record, around: Surroundings) -> Fault | None:
    """A row whose content, or whose id, another row has; the evidence is the id of that row."""
    if (other := around.contents.get(content_key(row))) is not None:
        return Fault("repeats the content of another row", other)
    if row.record_id in around.ids:
        return Fault("has the record_id of a row with other content", row.record_id)
    return None


def contaminated(row: Record, around: Surroundings) -> Fault | None:
    """A row with text of a benchmark; the evidence is JSON with benchmark, item, overlap and layer."""
    if around.benchmarks is None:
        return None
    for name, value in content(row).items():
        for text in texts_in(value):
            if overlap := around.benchmarks.find(text):
                evidence = {
                    "benchmark": overlap.benchmark,
                    "item": overlap.item,
                    "overlap": overlap.overlap,
                    "layer": overlap.layer,
                }
                reason = f"{name} has {overlap.n} words of {overlap.benchmark} {overlap.item}"
                return Fault(reason, json.dumps(evidence, ensure_ascii=False))
    return None


SCREENS: Mapping[str, Callable[[Record, Surroundings], Fault | None]] = {
    "malformed": malformed,
    "duplicate": duplicate,
    "contaminated": contaminated,
}
"""Every screen, cheapest first."""


def _misfit(value: Any, wanted: Any) -> str:
    """Why a value is not of a field's type, or empty."""
    if wanted is str:
        return _unreadable(value) if isinstance(value, str) else f"is {_kind(value)}, text is wanted"
    if wanted is Message:
        if not isinstance(value, Mapping):
            return f"holds {_kind(value)}, a message is wanted"
        message = cast("Mapping[str, Any]", value)
        return next((f"{key} {why}" for key in ("role", "content") if (why := _misfit(message.get(key), str))), "")
    if get_origin(wanted) in (tuple, list, Sequence):
        if isinstance(value, str) or not isinstance(value, Sequence):
            return f"is {_kind(value)}, a list is wanted"
        part = get_args(wanted)[0]
        return next((why for each in cast("Sequence[Any]", value) if (why := _misfit(each, part))), "")
    if wanted is float:
        wanted = (int, float)
    return "" if isinstance(value, wanted) else f"is {_kind(value)}, a number is wanted"


def _unreadable(text: str) -> str:
    if len(text) > CELL or (len(text) > CELL // 4 and len(text.encode("utf-8", "surrogatepass")) > CELL):
        return f"has {len(text):,} characters, at most {CELL >> 20} MiB is wanted"
    if "\0" in text:
        return "has a NUL character"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "has half a character (a lone surrogate)"
    return ""


def _kind(value: Any) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"


def _blank(value: Any) -> bool:
    """Whether a text, every text of a list, or every message has nothing but white space."""
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, Sequence) and not any(_filled(part) for part in cast("Sequence[Any]", value))


def _filled(part: Any) -> bool:
    texts = list(texts_in(part))
    return any(text.strip() for text in texts) if texts else not isinstance(part, (str, Mapping, Sequence))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip()
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, Sequence):
        return [_plain(part) for part in cast("Sequence[Any]", value)]
    return value
