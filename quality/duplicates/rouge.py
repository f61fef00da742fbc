"""ROUGE-L against a pool of texts: a text near to one of the pool is no news (Self-Instruct, its threshold 0.7).

Wang et al., 2023, https://arxiv.org/abs/2212.10560; Lin, 2004, https://aclanthology.org/W04-1013. The score is F1
without stemming, as the package rouge-score computes it, to the same decision in every case.
"""

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

THRESHOLD = 0.7
"""ROUGE-L from which a text is no news, Self-Instruct's."""

_TOKEN = re.compile(r"[a-z0-9]+")


class Match(NamedTuple):
    """A text of a pool, by its key, and the ROUGE-L of another to it."""

    key: str
    similarity: float


class Pool:
    """Texts, indexed by their tokens, so that those near to another are found without a look at the rest.

    A text without Latin letters or digits is like no other: ROUGE sees no token in it. About 150 bytes a token.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._keys: list[str] = []
        self._tokens: list[tuple[int, ...]] = []
        self._lengths = array("i")
        self._numbers: dict[str, int] = {}
        # (token, which of its occurrences in a text) → the texts that have it; a text's pairs are a set.
        self._holders: dict[tuple[int, int], array[int]] = {}
        for text in texts:
            self.add(text)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, text: str, key: str | None = None) -> None:
        """Put a text into the pool; its key is the text itself where none is given."""
        member = len(self._keys)
        mine = tuple(self._numbers.setdefault(token, len(self._numbers)) for token in tokens(text))
        self._keys.append(text if key is None else key)
        self._tokens.append(mine)
        self._lengths.append(len(mine))
        for counted in _counted(mine):
            if (held := self._holders.get(counted)) is None:
                held = self._holders[counted] = array("i")
            held.append(member)

    def nearest(self, text: str, threshold: float = THRESHOLD) -> Match | None:
        """The first text of the pool whose ROUGE-L to this one reaches the threshold.

        Raises:
            ValueError: for a threshold that every text reaches.
        """
        from rapidfuzz.distance import LCSseq

        if threshold <= 0:
            raise ValueError(f"Pool: threshold is {threshold:g}, one above 0 is wanted")
        if threshold > 1 or not (found := tokens(text)):
            return None
        # A token that the pool does not know gets a number of its own.
        mine = [self._numbers.get(token, -1 - place) for place, token in enumerate(found)]
        for member in self._candidates(mine, threshold):
            other = self._tokens[member]
            common = LCSseq.similarity(mine, other, score_cutoff=max(0, _needed(threshold, len(mine) + len(other))))
            if (score := _f1(common, len(mine), len(other))) >= threshold:
                return Match(self._keys[member], score)
        return None

    def _candidates(self, mine: Sequence[int], threshold: float) -> list[int]:
        """Members with as many tokens in common as the threshold needs, in their order, and few others.

        A common subsequence has no more tokens than two texts have in common. Of a text's tokens, one fewer than any
        member must share may be left unseen: those that most of the pool has. A member must then have all that it
        needs, less those unseen, among the others.
        """
        import numpy as np

        # The shortest member that has as many tokens as it needs to share, from _needed(threshold, n + m) <= n.
        shortest = max(math.ceil((threshold * len(mine) / 2 - 1) / (1 - threshold / 2) - 1e-9), 1)
        unseen = max(_needed(threshold, len(mine) + shortest) - 1, 0)
        holders = sorted((self._holders.get(counted, ()) for counted in _counted(mine)), key=len)
        seen = [np.frombuffer(held, np.int32) for held in holders[: len(mine) - unseen] if held]
        if not seen:
            return []
        members, hits = np.unique(np.concatenate(seen), return_counts=True)
        lengths = np.frombuffer(self._lengths, np.int32)[members]
        needed = np.ceil(threshold * (lengths + len(mine)) / 2) - 1
        fit = (np.minimum(lengths, len(mine)) >= needed) & (hits >= needed - unseen)
        return members[fit].tolist()


def rouge_l(one: str, other: str) -> float:
    """ROUGE-L (F1, no stemming) of two texts."""
    from rapidfuzz.distance import LCSseq

    first, second = tokens(one), tokens(other)
    return _f1(LCSseq.similarity(first, second), len(first), len(second))


def tokens(text: str) -> list[str]:
    """The lower-case words of Latin letters and digits, as rouge-score cuts them."""
    return _TOKEN.findall(text.lower())


def _counted(mine: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each token with the number of its occurrence."""
    seen: Counter[int] = Counter()
    for token in mine:
        yield token, seen[token]
        seen[token] += 1


def _needed(threshold: float, total: int) -> int:
    """Tokens that two texts of so many must have in common: 2 * common / total is F1.

    One less than that, since rounding may push a score up to the threshold: the exact formula decides.
    """
    return math.ceil(threshold * total / 2) - 1


def _f1(common: int, one: int, other: int) -> float:
    if not common:
        return 0.0
    precision, recall = common / one, common / other
    return 2 * precision * recall / (precision + recall)
