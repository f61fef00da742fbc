"""`calculate` and `diverse`: the arithmetic of solutions, worked out again and told apart (operators.md 14, 17)."""

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

from catalog.records import Answer, Record
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.answers import same_answer

R = TypeVar("R", bound=Record)

_ANNOTATED = re.compile(r"<<([^<>]*=[^<>]*)>>")
_TERM = r"(?:\d+(?:\.\d+)?|\.\d+|[-+*/() ])+"
_CHAIN = re.compile(rf"{_TERM}(?:={_TERM})+")
_CALCULATION = re.compile(r"[\d)][-+*/]+[-(]*\.?\d")
_PLAIN = (
    (r"^\s*(?:[-+*•]|\d+[.)])\s+", ""),  # a list's marks
    (r"[$€£]|(?<=\d),(?=\d{3}(?!\d))", ""),
    (r"\\(?:times|cdot)\b|[×·]", "*"),
    (r"\\div\b|÷", "/"),
    (r"[−–]", "-"),
    (r"\^", "**"),
    (r"(?<=[\d)])\s*[xX]\s*(?=[\d(])|(?<=[\d)])(?=\()|(?<=\))(?=\d)", "*"),
    (r"(?<=[\d)])\s+(?=\()", "_"),  # 40 (that is 2 * 20) is no product
    (r"(\d+(?:\.\d+)?)\s*%", r"(\1/100)"),
    (r"(?<=\))\s*of\s+(?=\d)", "*"),
    (r"(?<=[\d)])\s*[A-Za-z]{2,}(?:\s+[a-z]{2,})?(?=\s*[-+*/=)])", ""),  # units: 3 bags * 6 pens
)


@dataclass(frozen=True)
class Equation:
    """Two sides that are said to be equal, without spaces: `3*6` and `18`. One of them at least is a calculation."""

    left: str
    right: str

    @cached_property
    def true(self) -> bool:
        """Whether both sides are the same number; one that is rounded is another."""
        return same_answer(self.left, self.right)

    def __str__(self) -> str:
        return f"{self.left}={self.right}"


def equations(text: str) -> list[Equation]:
    """The equations between numbers in a reasoning path, in their order.

    Those marked as `<<3*6=18>>` where a text has such marks, else those in its prose. `2*3+4 = 6+4 = 10` is two. What
    has an unknown in it, or no calculation on either side, is none.
    """
    lines = _ANNOTATED.findall(text) or text.splitlines()
    return [equation for line in lines for equation in _in_line(line)]


@operator
def calculate(rows: Rows[tuple[R, Answer[str]]], *, least: int = 0) -> list[tuple[R, Answer[str]]]:
    """The (row, solution) pairs with no false equation and at least `least` true ones; the others are dropped."""
    right: list[tuple[R, Answer[str]]] = []
    for row, answer in rows:
        found = equations(answer.value)
        if wrong := next((each for each in found if not each.true), None):
            drop(row, "a calculation of the solution is false", str(wrong)[:500])
        elif len(found) < least:
            drop(row, f"the solution has fewer than {least} calculations", answer.value[:500])
        else:
            right.append((row, answer))
    return right


@operator
def diverse(
    rows: Rows[R],
    by: Callable[[R], Hashable],
    text: Callable[[R], str],
    *,
    among: Callable[[R], Hashable] = lambda _: None,
    reason: str = "it repeats one that differs more from the rest",
) -> list[R]:
    """One row of each value of `by` in each group `among` the rows: the one farthest from those kept of other values.

    A later row takes the place of the one kept before it where the sum of its edit distances (Levenshtein's, on `text`)
    to the others of the group that are kept by then is greater.
    """
    from rapidfuzz.distance import Levenshtein

    groups: dict[Hashable, dict[Hashable, R]] = {}
    for row in rows:
        key, kept = by(row), groups.setdefault(among(row), {})
        before = kept.setdefault(key, row)
        if row is before:
            continue
        others = [text(other) for value, other in kept.items() if value != key]
        far, farther = (sum(Levenshtein.distance(text(one), other) for other in others) for one in (before, row))
        kept[key] = row if farther > far else before
        drop(before if farther > far else row, reason)
    return [row for kept in groups.values() for row in kept.values()]


def _in_line(line: str) -> Iterator[Equation]:
    for pattern, plain in _PLAIN:
        line = re.sub(pattern, plain, line)
    for chain in _CHAIN.finditer(line):
        sides = [side.strip(" ") for side in chain[0].split("=")]
        # An operator that begins or ends the chain belongs to an unknown outside it, as in 5*y - 10 + 3 = 20.
        if re.search(r"\w\s*$", line[: chain.start()]) and not sides[0][:1].isdigit():
            sides = sides[1:]
        if re.match(r"[A-Za-z_]", line[chain.end() :]) and not chain[0].endswith(" "):
            sides = sides[:-1]
        for left, right in pairwise(side.replace(" ", "") for side in sides):
            whole = all(re.fullmatch(r"[-(.\d].*[\d)]|\d", side) for side in (left, right))
            if whole and (_CALCULATION.search(left) or _CALCULATION.search(right)):
                yield Equation(left, right)
