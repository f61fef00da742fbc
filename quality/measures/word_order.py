"""Word order: whether words follow each other in the order that they have in the other rows."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from quality.measures import Bounds, Sample, measure
from quality.texts import words

_LONGEST = 200
_FEWEST = 100
"""Pairs of words to be judged by, at least."""
_ROW = 5
"""The same of one row."""


@measure("quality", bounds={"order_kept": Bounds(low=0.72), "shuffled_share": Bounds(high=0.1)}, most=5000)
def word_order(sample: Sample) -> dict[str, float]:
    """Text whose words were shuffled has the words of text, and their frequencies, but "the of" as often as "of the".

    - `order_kept`: of the places where a neighbouring pair of words of the row stands in other rows, in this order or
      the other, the share in this order, averaged over pairs; 0.5 is chance;
    - `shuffled_share`: rows where at most 0.6 are, of those with five such pairs or more.
    """
    kept = order_kept([words(text)[:_LONGEST] for text in sample.texts])
    if sum(count for _, count in kept) < _FEWEST:
        return {}
    out = {"order_kept": sum(share for share, _ in kept) / sum(count for _, count in kept)}
    judged = [share / count for share, count in kept if count >= _ROW]
    if len(judged) >= _FEWEST // _ROW:
        out["shuffled_share"] = sum(share <= 0.6 for share in judged) / len(judged)
    return out


def order_kept(rows: Sequence[Sequence[str]]) -> list[tuple[float, int]]:
    """For each row the sum of its pairs' shares of places in their order, and how many pairs other rows have."""
    of_rows = [Counter((a, b) for a, b in pairwise(row) if a != b) for row in rows]
    of_all: Counter[tuple[str, str]] = Counter()
    for counts in of_rows:
        of_all.update(counts)
    out: list[tuple[float, int]] = []
    for counts in of_rows:
        total, judged = 0.0, 0
        for (a, b), count in counts.items():
            same = of_all[a, b] - count
            turned = of_all.get((b, a), 0) - counts.get((b, a), 0)
            if same + turned:
                total += same / (same + turned)
                judged += 1
        out.append((total, judged))
    return out
