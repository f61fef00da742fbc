"""Contamination: text that a row shares with an item of a benchmark.

Three layers, from the strictest to the most tolerant of spacing; each finds exact overlap of folded text, so that case,
Unicode form, white space, line breaks, punctuation and underscores make no difference:

- `13-gram`: 13 words in a row (GPT-3, https://arxiv.org/abs/2005.14165, appendix C);
- `50 characters`: 50 letters and digits in a row with everything between them left out (GPT-4,
  https://arxiv.org/abs/2303.08774, appendix C), which finds text that was spaced anew within its words;
- `whole item`: an item from which the other layers can take little, as a whole.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, count, groupby, repeat
from operator import add

from catalog.records import BenchmarkItem
from quality.texts import folded, words

GRAM = 13
"""Words in an n-gram."""
WINDOW = 50
"""Letters and digits in a window."""
LEAST_WORDS = 6
"""Words that a text needs to be looked for as a whole."""
VARIETY = 20
"""Different three-character pieces that a stretch needs to be evidence: rows of digits or repeated words have few."""
WHOLE_VARIETY = 9
"""Different six-character pieces that an item's text needs to be looked for as a whole; its answer needs `VARIETY`."""
COMMON = 3
"""Items of one benchmark that share a stretch which is therefore boilerplate."""

# Windows are taken at every `_STEP`th character of a document and at every `_ITEM_STEP`th of an item. The steps share
# no factor, so that two windows meet in every common stretch of WINDOW + 5 * 4 - 1 characters (in items longer than
# `_LONG`, such as grids, of WINDOW + 5 * 12 - 1), at a fifth of the time and a quarter of the memory of taking all.
_STEP = 5
_ITEM_STEP = 4
_LONG = 1000
_LONG_STEP = 12
_FEW = 40
"""Windows under which an item could pass between the steps (0.8 ** 40 = 1 in 7,500): it is looked for whole as well."""
_ANCHOR = 10
_ROOM = _ANCHOR + _STEP - 1
"""Characters in which an anchor starts at every remainder that a document's step can leave."""


@dataclass(frozen=True)
class Overlap:
    """What a document shares with a benchmark: `overlap` as the document has it, `n` words long."""

    benchmark: str
    item: str
    overlap: str
    n: int
    layer: str


@dataclass(frozen=True)
class _Passage:
    """A text or an answer of an item, folded: its words with one space between them, and with none."""

    owner: int
    spaced: str
    solid: str
    variety: int
    """Different six-character pieces that it needs to be looked for as a whole."""

    def has(self, stretch: str) -> bool:
        return stretch in self.solid or f" {stretch} " in f" {self.spaced} "


@dataclass(frozen=True)
class _Layer:
    """Hash of a stretch → the passages that have it, and how many stretches each passage has."""

    holders: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    sizes: Counter[int] = field(default_factory=Counter[int])


class BenchmarkIndex:
    """The stretches of text that tell benchmark items apart from other text.

    Of an item, its text and its answer are indexed. Not evidence, and so left out: stretches of little variety, those
    in three or more items of one benchmark, answers shorter than 13 words, texts shorter than 6. An item of which
    little else is left is looked for as a whole; one that has too little for that as well is counted in `skipped`.

    Stretches are kept as 64-bit hashes, about 100 bytes each; every hit is compared in full before it counts.
    """

    def __init__(self, items: Iterable[BenchmarkItem]) -> None:
        self._items: list[tuple[str, str]] = []
        self._passages: list[_Passage] = []
        self._grams = _Layer()
        self._windows = _Layer()
        self._anchors: dict[int, list[tuple[int, int]]] = defaultdict(list)
        of_benchmark: dict[str, list[int]] = defaultdict(list)
        for owner, item in enumerate(items):
            self._items.append((item.benchmark, item.item))
            for text, least, variety in ((item.text, LEAST_WORDS, WHOLE_VARIETY), (item.answer, GRAM, VARIETY)):
                if len(found := words(text)) >= least:
                    of_benchmark[item.benchmark].append(len(self._passages))
                    self._passages.append(_Passage(owner, " ".join(found), "".join(found), variety))
        indexed: set[int] = set()
        for passages in of_benchmark.values():
            indexed |= self._index(passages)
        self.skipped = len(self._items) - len({self._passages[number].owner for number in indexed})

    def __len__(self) -> int:
        """The number of items, those that were skipped among them."""
        return len(self._items)

    def find(self, text: str) -> Overlap | None:
        """The first overlap of a text with an item, of the first layer that has one."""
        found = words(text)
        spaced, solid = " ".join(found), "".join(found)
        if len(solid) < _ROOM:
            return None
        starts, ends = _gram_bounds(found)
        if not self._grams.holders.keys().isdisjoint(_hashes(spaced, starts, ends)) and (
            hit := self._best(spaced, zip(starts, ends, strict=False), self._grams)
        ):
            number, start, end = hit
            first = start - spaced.count(" ", 0, start)
            return self._overlap(text, number, "13-gram", slice(first, first + end - start - GRAM + 1))
        bounds = _window_bounds(solid, WINDOW, _STEP)
        if not self._windows.holders.keys().isdisjoint(_hashes(solid, *bounds)) and (
            hit := self._best(solid, zip(*bounds, strict=True), self._windows)
        ):
            number, start, end = hit
            return self._overlap(text, number, "50 characters", slice(start, end))
        if not self._anchors.keys().isdisjoint(_hashes(solid, *_window_bounds(solid, _ANCHOR, _STEP))):
            return self._find_whole(text, solid)
        return None

    def _best(self, text: str, bounds: Iterable[tuple[int, int]], layer: _Layer) -> tuple[int, int, int] | None:
        """The passage of which a text has all, or most, and the bounds of the first stretch: items share phrases."""
        hits: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for start, end in bounds:
            for number in layer.holders.get(hash(stretch := text[start:end]), ()):
                if self._passages[number].has(stretch):
                    hits[number].append((start, end))
        if not hits:
            return None

        def share(number: int) -> tuple[bool, float, int]:
            passage = self._passages[number]
            return (
                passage.spaced in text or passage.solid in text,
                len(hits[number]) / layer.sizes[number],
                len(hits[number]),
            )

        best = max(hits, key=share)
        return best, *hits[best][0]

    def _find_whole(self, text: str, solid: str) -> Overlap | None:
        for position, end in zip(*_window_bounds(solid, _ANCHOR, _STEP), strict=True):
            for number, offset in self._anchors.get(hash(solid[position:end]), ()):
                whole, start = self._passages[number].solid, position - offset
                if start >= 0 and solid.startswith(whole, start):
                    overlap = self._overlap(text, number, "whole item", slice(start, start + len(whole)))
                    # A whole item ends where a word does: "the sum of 2 and 3" is not in "the sum of 2 and 30".
                    if f" {' '.join(words(overlap.overlap))} " in f" {' '.join(words(text))} ":
                        return overlap
        return None

    def _index(self, passages: Sequence[int]) -> set[int]:
        """Index the passages of one benchmark; returns those of which something could be."""
        told = self._index_layer(passages, self._grams, _grams, _grams)
        windows = self._index_layer(passages, self._windows, _sampled_windows, _windows)
        for number in passages:
            passage = self._passages[number]
            if windows[number] < _FEW and _variety(passage.solid, 6) >= passage.variety:
                self._anchor(number)
                told[number] += 1
        return {number for number in passages if told[number] or windows[number]}

    def _index_layer(
        self,
        passages: Sequence[int],
        layer: _Layer,
        sampled: Callable[[_Passage], Iterator[str]],
        every: Callable[[_Passage], Iterator[str]],
    ) -> Counter[int]:
        """Put the evidence in the `sampled` stretches into a layer; returns how many of each passage there are."""
        hashes = {n: [hash(s) for s in sampled(self._passages[n]) if _varied(s)] for n in passages}
        holders: dict[int, tuple[int, ...]] = {}
        for number, alone in zip(passages, zip(passages, strict=True), strict=True):
            for key in hashes[number]:
                held = holders.setdefault(key, alone)
                if held[-1] != number and len(held) < 2 * COMMON:
                    holders[key] = (*held, number)
        shared: Counter[int] = Counter()
        for _, group in groupby(passages, lambda number: self._passages[number].owner):
            stretches = chain.from_iterable(every(self._passages[number]) for number in group)
            shared.update(holders.keys() & map(hash, stretches))
        for key, held in holders.items():
            if shared[key] < COMMON:
                layer.holders[key] = layer.holders.get(key, ()) + held
                layer.sizes.update(held)
        return Counter({n: sum(shared[key] < COMMON for key in hashes[n]) for n in passages})

    def _anchor(self, number: int) -> None:
        """Index the `_ANCHOR` characters at which a document's steps find the passage, where it is most itself."""
        solid = self._passages[number].solid
        # From the end, since that is where items of one template part; 100 places to choose from are enough.
        places = range(len(solid) - _ROOM, -1, -(len(solid) // 100 + 1))
        best = max(places, key=lambda start: _variety(solid[start : start + _ROOM], 3))
        for offset in range(best, best + _STEP):
            self._anchors[hash(solid[offset : offset + _ANCHOR])].append((number, offset))

    def _overlap(self, text: str, number: int, layer: str, span: slice) -> Overlap:
        """The overlap that is the `span` of the letters and digits of the folded text."""
        solid, offsets = "".join(words(text)), _offsets(text)
        where = offsets[span]
        shared = text[where[0][0] : where[-1][1]] if len(offsets) == len(solid) else solid[span]
        benchmark, item = self._items[self._passages[number].owner]
        return Overlap(benchmark, item, shared, len(words(shared)), layer)


def _grams(passage: _Passage) -> Iterator[str]:
    return map(passage.spaced.__getitem__, map(slice, *_gram_bounds(passage.spaced.split(" "))))


def _windows(passage: _Passage) -> Iterator[str]:
    return map(passage.solid.__getitem__, map(slice, *_window_bounds(passage.solid, WINDOW, 1)))


def _sampled_windows(passage: _Passage) -> Iterator[str]:
    step = _LONG_STEP if len(passage.solid) > _LONG else _ITEM_STEP
    return map(passage.solid.__getitem__, map(slice, *_window_bounds(passage.solid, WINDOW, step)))


def _hashes(text: str, starts: Iterable[int], ends: Iterable[int]) -> Iterator[int]:
    """The hashes of the slices of a text, in a loop that no Python code runs in."""
    return map(hash, map(text.__getitem__, map(slice, starts, ends)))


def _gram_bounds(found: Sequence[str]) -> tuple[list[int], list[int]]:
    """Where each n-gram starts and ends in the words joined by spaces."""
    ends = list(map(add, accumulate(map(len, found)), count()))
    return [0, *map(add, ends[:-GRAM], repeat(1))], ends[GRAM - 1 :]


def _window_bounds(solid: str, size: int, step: int) -> tuple[range, range]:
    last = len(solid) - size + 1
    return range(0, last, step), range(size, last + size, step)


def _varied(stretch: str) -> bool:
    solid = stretch.replace(" ", "")
    return len(solid) > VARIETY + 1 and _variety(solid, 3) >= VARIETY


def _variety(solid: str, size: int) -> int:
    """How many different pieces of that size there are."""
    return len(set(zip(*(solid[start:] for start in range(size)), strict=False)))


def _offsets(text: str) -> list[tuple[int, int]]:
    """Where each letter or digit of the folded text stands in the text."""
    if text.isascii():
        return [(i, i + 1) for i, character in enumerate(text) if character.isalnum()]
    out: list[tuple[int, int]] = []
    starts = [i for i, character in enumerate(text) if not unicodedata.combining(character)] or [0]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        out.extend((start, end) for character in folded(text[start:end]) if character.isalnum())
    return out
