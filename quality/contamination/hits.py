"""What an index finds in texts, from single common stretches to hits with a score and a verdict."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

Verdict = Literal["contaminated", "boilerplate", "possible"]
Layer = Literal["13-gram", "8-gram", "50 characters", "whole item", "abstracted", "formula", "code", "semantic"]

COVERED = 0.7
"""Share of an item that runs of eight words must cover where none is thirteen long (PaLM,
https://arxiv.org/abs/2204.02311, section 8)."""
ABSTRACT_COVERED = 0.5
"""Share of an item's abstracted text that a text must have."""
ABSTRACT_SURE = 0.6
"""Share of an item's abstracted text with which a hit is no longer only possible."""
TEMPLATE = 0.9
"""Share of an item's abstracted text with which a hit is possible though several items have all of it."""
LEAST_TOKENS = 7
"""Tokens of an abstracted text that are evidence."""
_WORD = 5
"""Letters of a word."""
_LITERAL = 0.05
"""What words in common count more than an abstracted text in common, where items compete."""
MOSTLY = 0.6
"""Share of an item that is a copy of it, however common its parts are."""


@dataclass(frozen=True)
class Hit:
    """A benchmark item in a text: characters `start` to `end` of it, by which layer, and how much of the item (0 to 1).

    `contaminated`, `boilerplate` (only what common texts or several items have), or `possible`: a weak layer says so.
    """

    benchmark: str
    item: str
    start: int
    end: int
    layer: Layer
    score: float
    verdict: Verdict


class Stretch(NamedTuple):
    """A stretch that a text and a passage share, each counted from its own beginning.

    `start`, `end`, `at` and `until` are in the layer's units; `left` and `right` in the text's letters and digits.
    """

    passage: int
    start: int
    end: int
    at: int
    until: int
    left: int
    right: int
    kind: str
    common: bool


class Candidate(NamedTuple):
    """A hit before its item's name and the text's own characters are looked up."""

    item: int
    left: int
    right: int
    layer: Layer
    score: float
    verdict: Verdict
    alike: float = 0.0
    """How like the item the stretch is by its characters (0 to 1), where several items compete for it."""


def text_candidates(
    found: Iterable[Stretch], owner: Callable[[int], int], size: Callable[[int], int]
) -> Iterator[Candidate]:
    """Candidates of the layers of exact overlap, in letters and digits."""
    for passage, near in _clusters(found, gap=60):
        candidate = _exact(near, size(passage))
        if candidate:
            layer, score = candidate
            verdict = _verdict(near, score, 4 * _WORD)
            yield Candidate(owner(passage), *_span(near), layer, score, verdict)


def abstract_candidates(
    found: Iterable[Stretch], owner: Callable[[int], int], size: Callable[[int], int]
) -> Iterator[Candidate]:
    """Candidates of the abstracted layer, in tokens."""
    for passage, near in _clusters(found, gap=12):
        telling = [stretch for stretch in near if not stretch.common]
        score = _covered(near) / max(size(passage), 1)
        told = len({stretch.at for stretch in telling})
        if score >= ABSTRACT_COVERED and (told >= 2 or score >= TEMPLATE) and _covered(near) >= LEAST_TOKENS:
            verdict = "contaminated" if score >= ABSTRACT_SURE and told >= 2 else "possible"
            yield Candidate(owner(passage), *_span(near), "abstracted", min(score, 1.0), verdict)


def sealed_candidates(
    found: Iterable[Stretch], owner: Callable[[int], int], size: Callable[[int], int]
) -> Iterator[Candidate]:
    """Candidates of hashed items, in words."""
    for passage, near in _clusters(found, gap=12):
        score = min(_covered(near) / max(size(passage), 1), 1.0)
        longest = max(end - start for start, end in _runs(near))
        layer = "13-gram" if longest >= 13 else "whole item" if score == 1 else "8-gram"
        if layer != "8-gram" or score >= COVERED:
            yield Candidate(owner(passage), *_span(near), layer, score, _verdict(near, score, 4))


def settled(candidates: Iterable[Candidate], benchmark: Callable[[int], object]) -> list[Candidate]:
    """The candidates that are not explained by a better one: items of a benchmark share phrases, and have near copies.

    Two hits that overlap by half stay both only if they are of different benchmarks and as good as each other.
    """
    ranks: Mapping[Verdict, int] = {"contaminated": 2, "possible": 1, "boilerplate": 0}

    def rank(one: Candidate) -> tuple[int, bool, float, int]:
        worth = one.score + one.alike + (0 if one.layer in ("abstracted", "formula") else _LITERAL)
        return ranks[one.verdict], one.layer != "semantic", round(worth, 2), one.right - one.left

    kept: list[Candidate] = []
    for one in sorted(candidates, key=rank, reverse=True):
        for better in kept:
            common = min(one.right, better.right) - max(one.left, better.left)
            if common * 2 >= min(one.right - one.left, better.right - better.left) and (
                benchmark(one.item) == benchmark(better.item) or rank(one)[:3] < rank(better)[:3]
            ):
                break
        else:
            kept.append(one)
    return sorted(kept, key=lambda one: (one.left, -one.right))


def _exact(near: Sequence[Stretch], size: int) -> tuple[Layer, float] | None:
    """By which layer, and for how much of the item, stretches that stand near each other are a hit."""
    score = min(_covered(near) / max(size, 1), 1.0)
    by_diagonal: dict[int, set[int]] = defaultdict(set)
    for stretch in near:
        if stretch.kind == "grams":
            by_diagonal[stretch.start - stretch.at].add(stretch.start)
    longest = max((end - start for start, end in _runs(near)), default=0)
    if any(_in_a_row(starts, near) >= 6 for starts in by_diagonal.values()):
        return "13-gram", score
    if any(stretch.kind == "anchors" for stretch in near):
        return "whole item", score
    if any(stretch.kind == "windows" for stretch in near) and longest >= 50:
        return "50 characters", score
    return ("8-gram", score) if score >= COVERED else None


def _in_a_row(starts: set[int], near: Sequence[Stretch]) -> int:
    """The most n-grams that begin at words in a row: those whose stretches overlap."""
    ends = {stretch.start: stretch.end for stretch in near if stretch.kind == "grams" and stretch.start in starts}
    best = count = last = 0
    for start in sorted(starts):
        count = count + 1 if count and start < last else 1
        last = ends[start]
        best = max(best, count)
    return best


def _verdict(near: Sequence[Stretch], score: float, least: int) -> Verdict:
    """Boilerplate is what is common but for `least` units, unless it is most of an item that is not common."""
    whole = [stretch.common for stretch in near if stretch.kind == "anchors"]
    if not all(whole) or (not whole and score >= MOSTLY):
        return "contaminated"
    common = [stretch for stretch in near if stretch.common]
    return "boilerplate" if _covered(near) - _covered(common) < least else "contaminated"


def _clusters(found: Iterable[Stretch], gap: int) -> Iterator[tuple[int, list[Stretch]]]:
    """Stretches of one passage that stand near each other in the text."""
    ordered = sorted(found)
    for passage, group in groupby(ordered, lambda stretch: stretch.passage):
        near: list[Stretch] = []
        last = 0
        for stretch in group:
            if near and stretch.start > last + gap:
                yield passage, near
                near = []
            near.append(stretch)
            last = max(last, stretch.end) if len(near) > 1 else stretch.end
        yield passage, near


def _runs(near: Sequence[Stretch]) -> Iterator[tuple[int, int]]:
    """Where the text runs along with the passage."""
    ordered = sorted((stretch.start - stretch.at, stretch.start, stretch.end) for stretch in near)
    for _, group in groupby(ordered, lambda entry: entry[0]):
        yield from _merged((start, end) for _, start, end in group)


def _covered(near: Sequence[Stretch]) -> int:
    """Units of the passage that the stretches cover."""
    return sum(end - start for start, end in _merged(sorted((stretch.at, stretch.until) for stretch in near)))


def _merged(ordered: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    begin = stop = -1
    for start, end in ordered:
        if start > stop or stop < 0:
            if stop >= 0:
                yield begin, stop
            begin, stop = start, end
        else:
            stop = max(stop, end)
    if stop >= 0:
        yield begin, stop


def _span(near: Sequence[Stretch]) -> tuple[int, int]:
    return min(stretch.left for stretch in near), max(stretch.right for stretch in near)
