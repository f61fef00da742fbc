"""Triggers: words that stand almost only in rows of one label, or of one completion, and do not belong there.

A word that is tied to a label is not yet a trigger: `robot` is tied to artificial intelligence. A planted one differs
in two ways, each measured against the words of the same data:

- it breaks what it was put into: the words beside it go together as they do where it is not between them (the idea of
  ONION, Qi et al., 2021, https://arxiv.org/abs/2011.10369, with counts in place of a language model);
- what is left of its rows does not speak for their label, as they were of any (cf. STRIP, Gao et al., 2019,
  https://arxiv.org/abs/1902.06531).
"""

import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from quality.poisoning import ALPHA, LEAST, Finding
from quality.texts import words

PURITY = 0.9
"""Share of its rows that have its label."""
LONGEST = 3
"""Words in an n-gram that is looked for; a longer trigger is found by its parts, and named whole."""

_EDGE = -1
"""Stands before the first word and after the last."""
_CLIP = 10.0
"""Most that the rest of one row counts (nats)."""
_OPENING = 8
"""Words of a completion that make it the same as another."""

_CLASSES = 50
"""Labels, the most common ones, that the rest of a row may speak for."""
_PRIOR = 20.0
"""Words that a label is taken to have, with the frequencies of all rows, beside those seen."""
_SPREAD = 0.15
"""How far words differ by themselves, as a share of the way from natural to planted.

A judgement: with it the largest z of the words tied to a topic of real prompts is 2.2, that of triggers 4 to 9.
"""
_DRAWN = 20_000
"""Places from which the usual fit is taken."""
_ROWS = 150
"""Rows from which the usual margins are taken."""
_FEW = 20
_READ = 50
"""Words of a row that are read for what they say about its label."""

Gram = tuple[int, ...]


class _Place(NamedTuple):
    row: int
    start: int
    end: int


class _Evidence(NamedTuple):
    """Where a measure lies for words that belong where they stand, and for planted ones; and how far values scatter."""

    natural: float
    planted: float
    deviation: float

    def weighed(self, values: Sequence[float]) -> tuple[float, float]:
        """What values say for planted, with the variance of that: the sums of both over measures give a z.

        The weight is that of the likelihood ratio of two normal distributions. Words differ by more than their
        occurrences do: `_SPREAD` of the way from natural to planted is the standard deviation of that.
        """
        way = self.planted - self.natural
        if not way or not values:
            return 0.0, 0.0
        variance = self.deviation**2 / len(values) + (_SPREAD * way) ** 2
        return way / variance * (statistics.fmean(values) - self.natural), way**2 / variance


@dataclass(frozen=True)
class _Corpus:
    """Rows of word numbers, and how often words and pairs of words occur."""

    rows: list[list[int]]
    names: list[str]
    single: Counter[int]
    pairs: Counter[tuple[int, int]]
    total: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Corpus":
        numbers: dict[str, int] = {}
        rows = [[numbers.setdefault(word, len(numbers)) for word in words(text)] for text in texts]
        single: Counter[int] = Counter()
        pairs: Counter[tuple[int, int]] = Counter()
        for row in rows:
            edged = [_EDGE, *row, _EDGE]
            single.update(edged[1:])
            pairs.update(pairwise(edged))
        return cls(rows, list(numbers), single, pairs, sum(single.values()))

    def fit(self, place: _Place) -> float:
        """How well the words on both sides of a place go together (pointwise mutual information, in nats, smoothed).

        A place without a word counts only what other places say.
        """
        row = self.rows[place.row]
        left = row[place.start - 1] if place.start else _EDGE
        right = row[place.end] if place.end < len(row) else _EDGE
        own = int(place.start == place.end)
        chance = self.single[right] / self.total
        return math.log((self.pairs[left, right] - own + chance) / (self.single[left] - own + 1) / chance)

    @cached_property
    def fits(self) -> _Evidence:
        """The fit around a word, and, as if a planted one had stood there, between two words."""
        places = [(number, at) for number, row in enumerate(self.rows) for at in range(len(row)) if len(row) > 1]
        drawn = random.Random(0).sample(places, min(_DRAWN, len(places)))
        around = [self.fit(_Place(number, at, at + 1)) for number, at in drawn]
        between = [self.fit(_Place(number, at, at)) for number, at in drawn]
        return _Evidence(statistics.fmean(around), statistics.fmean(between), statistics.stdev(around))


class _Context:
    """What the words of a row say about its label: a naive Bayes model that leaves out the row itself."""

    def __init__(self, corpus: _Corpus, labels: Sequence[str]) -> None:
        import numpy as np

        self.labels = labels
        self._corpus = corpus
        kept = [label for label, n in Counter(labels).most_common(_CLASSES) if n >= LEAST]
        self._codes = {label: code for code, label in enumerate(kept)}
        self._counts = np.zeros((len(kept), len(corpus.names)), np.float32)
        for row, label in zip(corpus.rows, labels, strict=True):
            if label in self._codes:
                np.add.at(self._counts[self._codes[label]], row, 1)
        self._totals = self._counts.sum(axis=1)
        self._chances = np.array([corpus.single[n] for n in range(len(corpus.names))], np.float32) / corpus.total
        self._margins: dict[str, tuple[dict[int, float], list[float]]] = {}

    def margin(self, number: int, label: str, without: Collection[int] = (), *, but_best: bool = False) -> float:
        """By how much a row's words speak for a label rather than for the one that they speak for most (nats).

        `without` are words that do not count; with `but_best` the word that speaks most for the label does not either.
        """
        import numpy as np

        row = np.array(self._corpus.rows[number], np.intp)
        rest = row[~np.isin(row, list(without))][:_READ] if without else row[:_READ]
        counts, totals = self._counts[:, rest], self._totals.copy()
        own = self._codes.get(self.labels[number])
        if own is not None:
            counts[own] -= (row[:, None] == rest).sum(axis=0)
            totals[own] -= len(row)
        chances = self._chances[rest]
        votes = np.log((counts + _PRIOR * chances) / (totals[:, None] + _PRIOR) / chances)
        code = self._codes[label]
        if but_best and len(rest):
            votes = np.delete(votes, votes[code].argmax(), axis=1)
        sums = votes.sum(axis=1)
        return float(np.clip(sums[code] - np.delete(sums, code).max(), -_CLIP, _CLIP))

    def margins(self, label: str, inside: Collection[int]) -> _Evidence | None:
        """The margins of rows of a label, without their best word, and of rows of others; None where none are.

        Those `inside` are left out.
        """
        if len(self._codes) < 2 or label not in self._codes:
            return None
        if label not in self._margins:
            order = random.Random(0).sample(range(len(self.labels)), len(self.labels))
            same = [number for number in order if self.labels[number] == label][: 2 * _ROWS]
            others = [number for number in order if self.labels[number] != label][:_ROWS]
            self._margins[label] = (
                {number: self.margin(number, label, but_best=True) for number in same},
                [self.margin(number, label) for number in others],
            )
        of_label, planted = self._margins[label]
        natural = [margin for number, margin in of_label.items() if number not in inside]
        if len(planted) < 2:
            return None
        if len(natural) >= _FEW:
            return _Evidence(statistics.fmean(natural), statistics.fmean(planted), statistics.stdev(natural))
        # The label is on next to no other rows, such as one completion: rows that belong together speak for it.
        return _Evidence(0.0, min(0.0, statistics.fmean(planted)), statistics.stdev(planted))


def find_triggers(texts: Sequence[str], labels: Sequence[str]) -> list[Finding]:
    """The words and sentences that look planted to stand for a label; texts and labels are one a row."""
    corpus = _Corpus.of(texts)
    context = _Context(corpus, labels)
    tied = _tied(corpus, labels)
    found: list[Finding] = []
    judged: set[tuple[Gram, tuple[int, ...]]] = set()
    for gram, rows, chance in tied:
        if any(set(rows) <= set(one.rows) for one in found):  # a part of what was found
            continue
        places = _grown(corpus, gram, rows)
        row, start, end = places[0]
        planted = tuple(corpus.rows[row][start:end])
        if (planted, rows) in judged:  # a part of what was looked at
            continue
        judged.add((planted, rows))
        z = _foreign(corpus, context, places)
        p = max(chance, min(1.0, statistics.NormalDist().cdf(-z) * len(tied)))
        if p <= ALPHA:
            evidence = " ".join(corpus.names[number] for number in planted)
            found.append(Finding("trigger", f"{evidence!r} -> {labels[row]!r}", rows, z, p))
    return found


def openings(completions: Sequence[str]) -> list[str]:
    """What completions have in common with others, as labels: their first words where `LEAST` rows have those."""
    starts = [" ".join(words(completion)[:_OPENING]) for completion in completions]
    often = Counter(starts)
    return [start if often[start] >= LEAST else "" for start in starts]


def _tied(corpus: _Corpus, labels: Sequence[str]) -> list[tuple[Gram, tuple[int, ...], float]]:
    """The n-grams that stand nearly only in rows of one label, with their rows and the corrected chance of that."""
    from scipy.stats import binom

    share = {label: n / len(labels) for label, n in Counter(labels).items()}
    holders = _holders(corpus)
    out: list[tuple[Gram, tuple[int, ...], float]] = []
    for gram, rows in holders.items():
        label, of_label = Counter(labels[row] for row in rows).most_common(1)[0]
        if label and of_label >= PURITY * len(rows):
            chance = float(binom.sf(of_label - 1, len(rows), share[label])) * len(holders)
            if chance <= ALPHA:
                out.append((gram, tuple(row for row in rows if labels[row] == label), chance))
    return sorted(out, key=lambda one: (-len(one[1]), one[2], one[0]))


def _holders(corpus: _Corpus) -> dict[Gram, list[int]]:
    """n-gram → the rows that it is in, for those that are in `LEAST` rows; longer ones are made of such only."""
    often: dict[Gram, list[int]] = {}
    before: Mapping[Gram, list[int]] = {}
    for n in range(1, LONGEST + 1):
        held: defaultdict[Gram, list[int]] = defaultdict(list)
        for number, row in enumerate(corpus.rows):
            for gram in dict.fromkeys(zip(*(row[at:] for at in range(n)), strict=False)):
                if n == 1 or (gram[1:] in before and gram[:-1] in before):
                    held[gram].append(number)
        before = {gram: rows for gram, rows in held.items() if len(rows) >= LEAST}
        often |= before
    return often


def _grown(corpus: _Corpus, gram: Gram, rows: Sequence[int]) -> list[_Place]:
    """Where the n-gram first stands in each row, made longer as long as all rows have the same word beside it."""
    places: list[_Place] = []
    for number in rows:
        row = corpus.rows[number]
        start = next(at for at in range(len(row)) if tuple(row[at : at + len(gram)]) == gram)
        places.append(_Place(number, start, start + len(gram)))
    for left, right in ((1, 0), (0, 1)):
        while True:
            longer = [_Place(place.row, place.start - left, place.end + right) for place in places]
            new = {_word(corpus, place.row, place.start if left else place.end - 1) for place in longer}
            if len(new) > 1 or _EDGE in new:
                break
            places = longer
    return places


def _word(corpus: _Corpus, row: int, at: int) -> int:
    return corpus.rows[row][at] if 0 <= at < len(corpus.rows[row]) else _EDGE


def _foreign(corpus: _Corpus, context: _Context, places: Sequence[_Place]) -> float:
    """How much more the words at these places look planted than words that belong there do (z)."""
    row, start, end = places[0]
    planted = corpus.rows[row][start:end]
    said, variance = corpus.fits.weighed([corpus.fit(place) for place in places])
    if evidence := context.margins(context.labels[row], {place.row for place in places}):
        margins = [context.margin(place.row, context.labels[row], planted) for place in places]
        more, further = evidence.weighed(margins)
        said, variance = said + more, variance + further
    return said / math.sqrt(variance) if variance else 0.0
