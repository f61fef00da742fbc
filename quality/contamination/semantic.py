"""Benchmark items in other words: first by the stems that a passage shares, then by the cosine of sentence vectors.

A cheap filter goes over every passage of a text: how much of an item's stemmed words, weighted by how few items have
them, the passage has. What it lets through is compared by an encoder, and may be judged last.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from quality.contamination.hits import Candidate, Verdict
from quality.contamination.stream import Stream
from quality.texts import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from quality.contamination.stream import Places

Encode = Callable[[Sequence[str]], "np.ndarray"]
"""Texts → unit vectors, float32, n × d."""
Judge = Callable[[str, str], bool]
"""Whether a document has a benchmark item in whatever words: (document, item) → verdict."""

LEXICAL = 0.25
"""Share of an item's weighted stems that a passage needs to be compared by the encoder."""
LEXICAL_ALONE = 0.6
"""The share that it needs to be possible where there is no encoder."""
INFORMATION = 8.0
"""Weight of the stems that a passage and an item share, in nats: "return true, otherwise false" has less."""
SURE, POSSIBLE = 1.8, 1.5
"""Share of stems + twice the cosine with which an item is in a text, or may be.

By 44 paraphrases and 3,000 documents of installed packages, of which the first reaches 37 and none, the cosine tells
more than the stems.
"""
COSINE = 0.64
"""Cosine that an item in a text has at least: a passage of the same words about something else has less."""
LEAST_STEMS = 2
"""Stems that a passage and an item share at least, short numbers apart."""
PASSAGES = ((24, 56), (80, 200))
"""Stems that an item has at most, and the words of a passage that is compared with it."""
FEW = 100
"""Items as if of so many at least stems are weighed: of a handful each would have stems that seem common."""
TOP = 5
"""Items that a text is compared with at most."""
_CACHED = 1 << 20


class _Near(NamedTuple):
    """A passage of a text that shares stems with an item."""

    text: int
    item: int
    lexical: float
    information: float
    begin: int
    """The first and the last word of the stream that it has."""
    end: int


class Statements:
    """What items ask, as weighted stems and as vectors.

    Args:
        texts: of the items in their order; empty ones are never found.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        import numpy as np

        self._statements = [statement(text) for text in texts]
        stems = [sorted(set(self._stem(words(text)))) for text in self._statements]
        counts = Counter(stem for found in stems for stem in found)
        total = max(sum(map(bool, stems)), FEW)
        self._numbers = {stem: number for number, stem in enumerate(counts)}
        self._plain = np.array([stem.isalpha() or len(stem) > 2 for stem in counts], dtype=np.float32)
        # A short number says half of what a word does: any list of numbers has many.
        self._weight = np.array([np.log(1 + total / count) for count in counts.values()], dtype=np.float32)
        self._weight *= (1 + self._plain) / 2
        self._stems = [np.array([self._numbers[stem] for stem in found], dtype=np.int64) for found in stems]
        self._of_hash: dict[int, int] = {}
        self._vectors: dict[int, np.ndarray] = {}

    def find(
        self, s: Stream, texts: Sequence[str], encode: Encode | None, judge: Judge | None
    ) -> Iterator[tuple[int, Candidate]]:
        """The number of a text, and a hit in it, for every text that has an item in other words."""
        near = self._near(s)
        cosines = self._cosines(s, near, encode) if encode and near else [None] * len(near)
        for one, cosine in zip(near, cosines, strict=True):
            score, verdict = _judged(one, cosine)
            if verdict is None:
                continue
            if judge:
                if not judge(texts[one.text], self._statements[one.item]):
                    continue
                verdict = "contaminated"
            base = int(s.first[one.text])
            left, right = int(s.words[one.begin]) - base, int(s.words[one.end + 1]) - base
            yield one.text, Candidate(one.item, left, right, "semantic", score, verdict)

    def _near(self, s: Stream) -> list[_Near]:
        """For each text the `TOP` items of which it has most stems."""
        import numpy as np

        stems = self._stems_of(s)
        out: list[_Near] = []
        found = [near for most, width in PASSAGES for near in self._passages(s, stems, most, width)]
        for _, group in groupby(sorted(found), lambda near: near.text):
            best: dict[int, _Near] = {}
            for near in group:
                if near.item not in best or near.lexical > best[near.item].lexical:
                    best[near.item] = near
            out += sorted(best.values(), key=lambda near: -near.lexical)[:TOP]
        return [self._trimmed(near, stems, np) for near in out]

    def _passages(self, s: Stream, stems: "Places", most: int, width: int) -> Iterator[_Near]:
        """Passages of so many words that share enough with an item of so many stems."""
        import numpy as np
        from scipy import sparse

        known = np.flatnonzero(stems >= 0)
        if not len(known) or not len(self._weight):
            return
        step = width // 2
        text = s.text_of_word()
        # Each word is in two passages: the one that begins last before it, and the one before that.
        place = known - s.first_word[text[known]]
        counts = np.maximum(np.diff(s.first_word) - 1, 0) // step + 1
        base = np.cumsum(counts) - counts
        of_passage = base[text[known]] + place // step
        rows = np.concatenate((of_passage, np.maximum(of_passage - 1, base[text[known]])))
        columns = np.concatenate((stems[known], stems[known]))
        passages = sparse.csr_array(
            (np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(int(counts.sum()), len(self._weight))
        )
        passages.data[:] = 1
        items, total, shares, ones = self._matrices(most)
        score = (passages @ shares).tocoo()
        enough = (score.data >= LEXICAL) & (score.data * total[score.col] >= INFORMATION)
        row, column, value = score.row[enough], score.col[enough], score.data[enough]
        if not len(row):
            return
        shared = passages[row].multiply(ones[column])
        told = np.asarray(shared @ self._plain).ravel()
        information = value * total[column]
        owner = np.repeat(np.arange(len(counts)), counts)
        for number, item, lexical, weight, plain in zip(
            *(each.tolist() for each in (row, column, value, information, told)), strict=True
        ):
            if plain >= LEAST_STEMS:
                begin = int(s.first_word[owner[number]] + (number - base[owner[number]]) * step)
                end = min(begin + width, int(s.first_word[owner[number] + 1])) - 1
                yield _Near(int(owner[number]), int(items[item]), min(lexical, 1.0), weight, begin, end)

    @functools.lru_cache(maxsize=8)  # noqa: B019 - an index lives as long as its process
    def _matrices(self, most: int) -> "tuple[Places, NDArray[np.float32], Any, Any]":
        """The items of that size, their weights, what share of them each stem is, and by item which stems it has."""
        import numpy as np
        from scipy import sparse

        least = max((size for size, _ in PASSAGES if size < most), default=LEAST_STEMS - 1)
        items = np.array([n for n, found in enumerate(self._stems) if least < len(found) <= most], dtype=np.int64)
        rows = np.concatenate([self._stems[n] for n in items] or [np.zeros(0, dtype=np.int64)])
        columns = np.repeat(np.arange(len(items)), [len(self._stems[n]) for n in items])
        total = np.array([self._weight[self._stems[n]].sum() for n in items], dtype=np.float32)
        shape = (len(self._weight), len(items))
        shares = sparse.csr_array((self._weight[rows] / total[columns], (rows, columns)), shape=shape)
        ones = sparse.csr_array((np.ones(len(rows), dtype=np.float32), (columns, rows)), shape=shape[::-1])
        return items, total, shares, ones

    def _trimmed(self, near: _Near, stems: "Places", np: Any) -> _Near:
        """The passage from the first to the last word that the item has."""
        has = np.flatnonzero(np.isin(stems[near.begin : near.end + 1], self._stems[near.item]))
        return near._replace(begin=near.begin + int(has[0]), end=near.begin + int(has[-1]))

    def _cosines(self, s: Stream, near: Sequence[_Near], encode: Encode) -> list[float | None]:
        import numpy as np

        new = sorted({one.item for one in near} - self._vectors.keys())
        vectors = encode([*(_quoted(s, one) for one in near), *(self._statements[item] for item in new)])
        self._vectors.update(zip(new, vectors[len(near) :], strict=True))
        return [float(np.dot(vector, self._vectors[one.item])) for one, vector in zip(near, vectors, strict=False)]

    def _stems_of(self, s: Stream) -> "Places":
        """The number of each word's stem, or -1 for one that no item has."""
        import numpy as np

        keys, first, inverse = np.unique(s.hashes(s.words[:-1], s.words[1:]), return_index=True, return_inverse=True)
        if len(self._of_hash) > _CACHED:
            self._of_hash.clear()
        new = [(key, word) for key, word in zip(keys.tolist(), first.tolist(), strict=True) if key not in self._of_hash]
        texts = [s.solid(int(s.words[word]), int(s.words[word + 1])) for _, word in new]
        for (key, _), word in zip(new, texts, strict=True):
            stem = next(self._stem([word]), None)
            self._of_hash[key] = -1 if stem is None else self._numbers.get(stem, -1)
        return np.array([self._of_hash[key] for key in keys.tolist()], dtype=np.int64)[inverse]

    def _stem(self, found: Sequence[str]) -> Iterator[str]:
        """The stems of the words that say something."""
        stemmer = _stemmer()
        for word in found:
            if word not in _STOP and (len(word) > 1 or not word.isalpha()):
                yield stemmer.stemWord(word)


def _judged(near: _Near, cosine: float | None) -> tuple[float, Verdict | None]:
    """How sure it is that the item is there (0 to 1), and what follows."""
    informed = min(near.information / 30, 1.0)
    if cosine is None:
        return (near.lexical + informed) / 2, "possible" if near.lexical >= LEXICAL_ALONE else None
    score, likeness = max((near.lexical + cosine + informed) / 3, 0.0), near.lexical + 2 * cosine
    if cosine >= COSINE and likeness >= SURE:
        return score, "contaminated"
    return score, "possible" if likeness >= POSSIBLE else None


def statement(text: str) -> str:
    """What an item asks: of a function to be completed, the docstring before its examples."""
    found = _DOCSTRING.search(text)
    return _EXAMPLES.split(found.group(2) if found else text, maxsplit=1)[0].strip() or text


def _quoted(s: Stream, near: _Near) -> str:
    """The passage from the beginning of its first sentence to the end of its last, within reason."""
    begin, end = int(s.where[s.words[near.begin]]), int(s.where[s.words[near.end + 1] - 1]) + 1
    before, after = s.joined[max(begin - 80, 0) : begin], s.joined[end : end + 80]
    opening = max((found.end() for found in re.finditer(r"[.?!:]\s+|\n", before)), default=len(before))
    closing = re.search(r"[.?!](?=\s|$)|\n", after)
    return s.joined[begin - len(before) + opening : end + (closing.end() if closing else 0)].strip()


@functools.cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


_DOCSTRING = re.compile(r"(\"\"\"|''')(.+?)(?:\1|\Z)", re.DOTALL)
_EXAMPLES = re.compile(r">>>|\n\s*(?:for example|examples?\b|e\.g\.)", re.IGNORECASE)
_STOP = frozenset(
    re.findall(
        "[a-z]+",
        """
        a about above after again all also am an and any are as at be because been before being below
        between both but by can could did do does doing down during each either else ever every few for from
        further get give given gives had has have having he her here hers him his how if in into is it its
        itself just let like made make makes many may me might more most much must my no nor not now of off
        on once one only or other our out over own per same say see she should so some such than that the
        their them then there these they this those through to too under until up upon us use used using
        very was way we were what when where whether which while who whom whose why will with within without
        would write you your
        """,
    )
)
