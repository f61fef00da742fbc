"""Screening: what each new row passes before it may enter its table. What a row fails by is written down, with why.

Three kinds of screen, in this order: those that a row passes alone (`malformed`, and `duplicate` of a published row);
the text screens of `quality.screens`, and `contaminated`; those that it passes beside the rows kept before it
(`duplicate`). The first that drops a row names it; a row that is masked or flagged goes on.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, NamedTuple, TypeVar, cast, get_args, get_origin

from catalog.records import Message, Record, columns, content, digest, required
from infra.errors import Refusal
from infra.settings import Policy
from quality.contamination import BenchmarkIndex, Encode, Hit
from quality.measures import Axis
from quality.screens import Fault, load_screens
from quality.screens._spread import find_faults
from quality.texts import texts_in, with_texts, words

R = TypeVar("R", bound=Record)

CELL = 1 << 20
"""Bytes of UTF-8 that one text may have."""


NEAR, MEANING = "near_duplicate", "same_meaning"
"""The screens of texts that nearly repeat another row's, in words or, where it is asked for, by what an encoder makes
of them: `tasks.screening` runs them, since they need the whole table."""
CONTAMINATED = "contaminated"
"""The screen of benchmark items. Its option `by_meaning` says how many rows of a run are compared by an encoder too."""
MEANT_TO_BE_BAD = frozenset({"rejected"})
"""Fields whose text only the screens that look everywhere are asked about."""


@dataclass(frozen=True)
class Rejection:
    """A row that is kept out of its table: by which screen, why, and what shows it."""

    row: Record
    screen: str
    reason: str
    evidence: str = ""


@dataclass(frozen=True)
class Note:
    """A row that is kept although a screen found fault: as it is, or with what was found masked."""

    row: Record
    screen: str
    action: Literal["flag", "mask"]
    reason: str
    evidence: str = ""


@dataclass(frozen=True)
class Match:
    """A benchmark item in a field of a row, whatever the verdict."""

    row: Record
    field: str
    text: str
    hit: Hit

    @property
    def overlap(self) -> str:
        """What the text shares with the item, as the text has it."""
        return self.text[self.hit.start : self.hit.end]


class Screened(NamedTuple, Generic[R]):
    """What screening came to: the rows that pass, in their order, those that do not, and what was found on the way."""

    kept: list[R]
    rejected: list[Rejection]
    notes: list[Note]
    matches: list[Match]


def axes() -> dict[str, Axis]:
    """Screen → the part of the scorecard in which its share of faults stands."""
    return {
        "malformed": "quality",
        "duplicate": "diversity",
        NEAR: "diversity",
        MEANING: "diversity",
        CONTAMINATED: "contamination",
        **{name: found.axis for name, found in load_screens().items()},
    }


def policies(*given: Mapping[str, Policy]) -> dict[str, Policy]:
    """What every screen that is not fixed does: its own policy, or that of the last of `given` which names it.

    Raises:
        Refusal: for a screen that there is none of.
    """
    out: dict[str, Policy] = {NEAR: "drop", MEANING: "off"}
    out |= {name: found.policy for name, found in load_screens().items()}
    for each in given:
        for name, policy in each.items():
            if name not in out:
                raise Refusal.unknown("screen", name, out)
            out[name] = policy
    return out


def check_options(options: Mapping[str, Mapping[str, Any]]) -> None:
    """See whether text screens can work with these options.

    Raises:
        Refusal: for a screen, or an option of one, that there is none of, or a value that does not fit.
    """
    known = load_screens()
    for name, its in options.items():
        if name == CONTAMINATED:
            _check_by_meaning(its)
        elif name in known:
            known[name].check(its)
        else:
            raise Refusal.unknown("screen", name, {CONTAMINATED, *known})


def _check_by_meaning(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if name != "by_meaning":
            raise Refusal.unknown("screen contaminated: option", name, ["by_meaning"])
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Refusal(f"screen contaminated: by_meaning is {value!r}, a number of rows is wanted; 0 turns it off")


def screen(
    rows: Sequence[R],
    *,
    published: Mapping[str, str],
    benchmarks: BenchmarkIndex | None,
    policies: Mapping[str, Policy] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    encode: Encode | None = None,
    spread: bool = True,
) -> Screened[R]:
    """Sort rows into those that pass every screen and those that do not.

    Args:
        rows: the new rows.
        published: `content_key` → `record_id` of the rows that the table has.
        benchmarks: what must not be in training data; None where there is nothing to protect.
        policies: text screen → what it does; one that is not named is off.
        options: text screen → its options.
        encode: texts → unit vectors, to find benchmark items in other words; without it those are not looked for.
        spread: whether many texts may be spread over as many processes as there are cores.
    """
    rejected: list[Rejection] = []
    contents, ids = dict(published), set(published.values())
    keys: dict[int, str] = {}
    sound: list[R] = []
    for row in rows:
        if reason := malformed(row):
            rejected.append(Rejection(row, "malformed", reason))
            continue
        keys[id(row)] = content_key(row)
        if repeats := duplicate(row.record_id, keys[id(row)], contents, ids):
            rejected.append(Rejection(row, "duplicate", *repeats))
        else:
            sound.append(row)
    passed, notes = _texts_screened(sound, policies or {}, options or {}, rejected, spread=spread)
    matches = _matches(passed, benchmarks, encode) if benchmarks else []
    contaminated = {id(match.row): match for match in reversed(matches) if match.hit.verdict == "contaminated"}
    kept: list[R] = []
    for row in passed:
        key = keys.get(id(row)) or content_key(row)  # a masked row is a new one
        if repeats := duplicate(row.record_id, key, contents, ids):
            rejected.append(Rejection(row, "duplicate", *repeats))
        elif match := contaminated.get(id(row)):
            rejected.append(_contamination(match))
        else:
            kept.append(row)
            contents[key] = row.record_id
            ids.add(row.record_id)
    there = {id(row) for row in kept}
    return Screened(kept, rejected, [note for note in notes if id(note.row) in there], matches)


def yield_rate(made: int, kept: int) -> float:
    """The share of made rows that were kept (operators.md 2.4); 0.0 where none was made."""
    return kept / made if made else 0.0


def content_key(row: Record) -> str:
    """A hash of the row's content that Unicode composition and outer white space do not change."""
    return digest({name: _plain(value) for name, value in content(row).items()})


def malformed(row: Record) -> str:
    """Why a row is not what its shape says, or has nothing in a required field; empty where nothing is wrong."""
    needed = required(type(row))
    for name, wanted in columns(type(row)).items():
        value = getattr(row, name)
        reason = _misfit(value, wanted)
        if not reason and name in needed and _blank(value):
            reason = "is blank"
        if reason:
            return f"{name} {reason}"
    return ""


def duplicate(record_id: str, key: str, contents: Mapping[str, str], ids: AbstractSet[str]) -> tuple[str, str] | None:
    """Whether another row has the content, by its key, or the id of this one: the reason, and the id of that row."""
    if (other := contents.get(key)) is not None:
        return "repeats the content of another row", other
    if record_id in ids:
        return "has the record_id of a row with other content", record_id
    return None


def _texts(row: Record) -> list[tuple[str, str]]:
    """The field and the text of every text in a row."""
    return [(name, text) for name, value in content(row).items() for text in texts_in(value)]


def _matches(rows: Sequence[Record], benchmarks: BenchmarkIndex, encode: Encode | None) -> list[Match]:
    """What of the benchmarks is in the rows, in their order."""
    places = [(row, field, text) for row in rows for field, text in _texts(row)]
    found = benchmarks.find_batch([text for _, _, text in places], encode=encode)
    return [Match(*place, hit) for place, hits in zip(places, found, strict=True) for hit in hits]


def _contamination(match: Match) -> Rejection:
    """A row that has text of a benchmark; the evidence is JSON with benchmark, item, overlap and layer."""
    hit = match.hit
    evidence = {
        "benchmark": hit.benchmark,
        "item": hit.item,
        "overlap": match.overlap,
        "layer": hit.layer,
        "score": round(hit.score, 3),
    }
    reason = f"{match.field} has {len(words(match.overlap))} words of {hit.benchmark} {hit.item}"
    return Rejection(match.row, CONTAMINATED, reason, json.dumps(evidence, ensure_ascii=False))


class _Found(NamedTuple):
    """A fault that a text screen found in the text of a row with this number, which stands in this field."""

    screen: str
    field: str
    number: int
    fault: Fault


def _texts_screened(
    rows: Sequence[R],
    policies: Mapping[str, Policy],
    options: Mapping[str, Mapping[str, Any]],
    rejected: list[Rejection],
    *,
    spread: bool,
) -> tuple[list[R], list[Note]]:
    """The rows that no text screen drops, masked where one masks, and notes about them; the others go to `rejected`."""
    known = load_screens()
    active = [name for name, policy in policies.items() if policy != "off" and name in known]
    texts = [_texts(row) for row in rows]
    looks = {name: options.get(name, {}) for name in active}
    faults = find_faults(looks, [text for its in texts for _, text in its], spread=spread)
    of_next = {name: iter(found) for name, found in faults.items()}
    kept: list[R] = []
    notes: list[Note] = []
    for row, its in zip(rows, texts, strict=True):
        found = [
            _Found(name, field, number, fault)
            for name in active
            for number, (field, _) in enumerate(its)
            if (fault := next(of_next[name])) and (known[name].everywhere or field not in MEANT_TO_BE_BAD)
        ]
        masks = [each for each in found if policies[each.screen] == "mask" and each.fault.spans]
        flags = [each for each in found if policies[each.screen] == "flag"]
        if drops := [each for each in found if each not in masks and each not in flags]:
            first = drops[0]
            rejected.append(Rejection(row, first.screen, f"{first.field} {first.fault.reason}", first.fault.evidence))
            continue
        final = _masked(row, [text for _, text in its], masks) if masks else row
        kept.append(final)
        notes += [*_notes(final, "mask", masks), *_notes(final, "flag", flags)]
    return kept, notes


def _notes(row: Record, action: Literal["flag", "mask"], found: Sequence[_Found]) -> list[Note]:
    """One note a screen."""
    by_screen = {each.screen: [other for other in found if other.screen == each.screen] for each in found}
    return [
        Note(
            row,
            name,
            action,
            "; ".join(f"{each.field} {each.fault.reason}" for each in its),
            "; ".join(each.fault.evidence for each in its if each.fault.evidence),
        )
        for name, its in by_screen.items()
    ]


def _masked(row: R, texts: Sequence[str], masks: Sequence[_Found]) -> R:
    """A row made from this one, with every span replaced by its kind."""
    out = list(texts)
    for number in {each.number for each in masks}:
        spans = sorted(span for each in masks if each.number == number for span in each.fault.spans)
        parts, end = list[str](), 0
        for span in spans:
            if span.start >= end:  # of two spans that overlap the first stands, as far as the second reaches
                parts += [texts[number][end : span.start], f"<{span.kind}>"]
            end = max(end, span.end)
        out[number] = "".join(parts) + texts[number][end:]
    rest = iter(out)
    changed = {name: with_texts(value, rest) for name, value in content(row).items()}
    return replace(row, record_id="", parents=(), origin=(row,), **changed)


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
