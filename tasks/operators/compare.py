"""Whether what a solution says is what is wanted, by kind of answer (operators.md 14); for `verify`'s `same`.

Each takes what is said, which a model wrote, and what is wanted, and never raises over the first.
"""

import ast
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from tasks.operators.answers import normal, same_answer

_NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LONGEST = 100_000  # characters of an answer that is read as structure


def same_number(tolerance: float = 1e-6) -> Callable[[str, str], bool]:
    """Whether two answers are one number, but for a relative (under 1: absolute) difference of `tolerance`.

    Signs of currency, percent and thousands are passed over, as is a unit after the number.
    """

    def same(said: str, wanted: str) -> bool:
        one, other = _number(said), _number(wanted)
        return one is not None and other is not None and abs(one - other) <= tolerance * max(1.0, abs(other))

    return same


def same_output(said: str, wanted: str) -> bool:
    """Whether two programs printed the same: line by line, without white space at the ends, numbers give or take 1e-9.

    Floating-point numbers that stand alone between white space may differ so; all else must be equal.
    """
    one, other = (text.rstrip().splitlines() for text in (said, wanted))
    return len(one) == len(other) and all(map(_same_line, one, other))


def same_set(said: str, wanted: str) -> bool:
    """Whether two lists hold the same, in any order and each as often: as literals, else split at commas or lines."""
    one, other = _elements(said), _elements(wanted)
    if len(one) != len(other):
        return False
    if Counter(one) == Counter(other):
        return True
    for element in one:  # "same" is no equality of texts: 1/2 is 0.5
        match = next((each for each in other if same_answer(element, each)), None)
        if match is None:
            return False
        other.remove(match)
    return True


def same_json(said: str, wanted: str) -> bool:
    """Whether two texts are JSON of the same value: keys in any order, 1 and 1.0 alike, but not 1 and true."""
    one, other = _json(said), _json(wanted)
    return one is not None and one == other


def fits(said: str, pattern: str) -> bool:
    """Whether the whole of what is said matches a regular expression, which must be ours: a model's may take hours."""
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None


def _number(text: str) -> float | None:
    text = re.sub(r"(?<=[-+])\s+", "", text)
    found = _NUMBER.search(text)
    if not found or re.search(r"\d", text[: found.start()] + text[found.end() :]):
        return None  # none, or several
    value = float(found[0].replace(",", ""))
    return value if math.isfinite(value) else None


def _same_line(one: str, other: str) -> bool:
    words, others = one.split(), other.split()
    return len(words) == len(others) and all(map(_same_word, words, others))


def _same_word(one: str, other: str) -> bool:
    if one == other:
        return True
    if "." not in one or "." not in other or not _NUMBER.fullmatch(one) or not _NUMBER.fullmatch(other):
        return False
    return math.isclose(float(one.replace(",", "")), float(other.replace(",", "")), rel_tol=1e-9, abs_tol=1e-9)


def _elements(text: str) -> list[str]:
    """What a list, set or tuple holds, each as text in plain notation."""
    try:
        value = ast.literal_eval(text.strip()) if len(text) <= _LONGEST else None
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        value = None
    if isinstance(value, list | tuple | set | frozenset):
        return [str(element).casefold() for element in value]
    inner = re.sub(r"^[(\[{]|[)\]}]$", "", normal(text))
    return [part.casefold() for each in re.split(r"[,;\n]|\band\b", inner) if (part := each.strip(" \"'*-•"))]


def _json(text: str) -> Any:
    """A value made comparable: every scalar with its kind, so that true is not 1; None where it is no JSON."""
    try:
        return _kinds(json.loads(text, parse_constant=_no_number)) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _kinds(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_kinds(part) for part in value]
    return ("number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__, value)
