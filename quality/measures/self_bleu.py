"""Self-BLEU: how well each row can be put together from phrases of others (operators.md 2.1)."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence

from quality.measures import Bounds, Sample, measure
from quality.measures._words import groups, mean
from quality.texts import words

ORDER = 4
_LONGEST = 200
"""Words of a row that count."""
_EPSILON = 0.1

_Gram = tuple[str, ...]


@measure("diversity", bounds={"self_bleu": Bounds(high=0.6)}, most=1000)
def self_bleu(sample: Sample) -> dict[str, float]:
    """The mean BLEU-4 of each row with the other rows of its group of 200 as references.

    Zhu et al., 2018, https://arxiv.org/abs/1802.01886. Smoothed as there (method 1 of Chen and Cherry, 2014). It rises
    with the number of references, hence the groups of one size.
    """
    scores = [
        mean(self_bleus([words(text)[:_LONGEST] for text in group])) for group in groups(sample.texts, sample.seed)
    ]
    return {"self_bleu": mean(scores)} if scores else {}


def self_bleus(rows: Sequence[Sequence[str]]) -> list[float]:
    """The BLEU-4 of each of at least two rows of words against all others, as `nltk`'s `sentence_bleu` gives it.

    In time linear in the number of words: the highest count of an n-gram in any *other* row is the highest of all, or
    the second highest where the row itself has that.
    """
    matches = [_matches(rows, n) for n in range(1, ORDER + 1)]
    lengths = sorted(map(len, rows))
    out: list[float] = []
    for row, *hits in zip(rows, *matches, strict=True):
        if not hits[0]:
            out.append(0.0)
            continue
        possible = [max(1, len(row) - n) for n in range(ORDER)]
        logs = [math.log((hit or _EPSILON) / total) for hit, total in zip(hits, possible, strict=True)]
        out.append(_brevity(len(row), lengths) * math.exp(sum(logs) / ORDER))
    return out


def _matches(rows: Sequence[Sequence[str]], n: int) -> list[int]:
    """How many n-grams of each row another row has, none more often than that has it."""
    of_rows = [Counter(zip(*(row[start:] for start in range(n)), strict=False)) for row in rows]
    tops: dict[_Gram, tuple[int, int]] = {}
    for counts in of_rows:
        for gram, count in counts.items():
            first, second = tops.get(gram, (0, 0))
            if count > second:
                tops[gram] = (count, first) if count > first else (first, count)
    return [_matched(counts, tops) for counts in of_rows]


def _matched(counts: Mapping[_Gram, int], tops: Mapping[_Gram, tuple[int, int]]) -> int:
    """The matches of one row, by the two highest counts that an n-gram has in any row."""
    total = 0
    for gram, count in counts.items():
        first, second = tops[gram]
        total += min(count, second if count == first else first)
    return total


def _brevity(length: int, lengths: Sequence[int]) -> float:
    """The brevity penalty by the closest length of another row; of two as close, the shorter."""
    place = bisect_left(lengths, length)
    others = [*lengths[max(0, place - 1) : place], *lengths[place + 1 : place + 2]]
    closest = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length > closest else math.exp(1 - closest / length)
