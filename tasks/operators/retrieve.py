"""`retrieve`: for each row, the rows of a pool that are nearest to what it asks for (operators.md 10)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from catalog.records import Record
from quality.texts import words
from tasks.ledger import drop, operator
from tasks.llm.embedder import Embedder
from tasks.method import Rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Scores = npt.NDArray[np.float32]

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=Record)


@dataclass(frozen=True)
class Found(Generic[P]):
    """A row of the pool, and how near it is: its BM25 score, or the cosine of its vector."""

    row: P
    score: float


@operator
def retrieve(
    rows: Rows[R],
    pool: Rows[P],
    query: Callable[[R], str],
    text: Callable[[P], str],
    *,
    k: int = 5,
    embedder: Embedder | None = None,
    fits: Callable[[R, P], bool] = lambda _row, _found: True,
    least: float = 0.0,
) -> list[tuple[R, list[Found[P]]]]:
    """(row, found) pairs: for each row, the `k` rows of the pool nearest to its query, the best first.

    Args:
        rows: what to find something for.
        pool: what to look in.
        query: what of a row is looked for.
        text: what of a row of the pool is looked at.
        k: how many are wanted for each row.
        embedder: makes vectors to compare by their cosine; without it words are compared, by BM25 over their stems
            (Robertson; k1 1.5, b 0.75; English stems, stop words left out).
        fits: whether a row of the pool may be found for a row, such as not for itself.
        least: score that a row of the pool must be above; at 0 it shares a word with the query.

    Of equal scores the first of the pool comes first. A row for which nothing is found is dropped.
    """
    asked, texts = [query(row) for row in rows], [text(row) for row in pool]
    scored = _by_meaning(embedder, asked, texts) if embedder else _by_words(asked, texts)
    pairs: list[tuple[R, list[Found[P]]]] = []
    for row, scores in zip(rows, scored, strict=True):
        found: list[Found[P]] = []
        for place in (-scores).argsort(kind="stable").tolist():
            if len(found) == k or scores[place] <= least:
                break
            if fits(row, pool[place]):
                found.append(Found(pool[place], round(float(scores[place]), 4)))
        if found:
            pairs.append((row, found))
        else:
            drop(row, "nothing near it was found", query(row)[:200])
    return pairs


def _by_words(asked: Sequence[str], texts: Sequence[str]) -> "Iterator[Scores]":
    import bm25s
    import numpy as np

    tokens = [_tokens(text) for text in texts]
    known = set[str]().union(*tokens)
    index: Any = bm25s.BM25()
    if known:  # an index of nothing cannot be made
        index.index(tokens, show_progress=False)
    for query in asked:
        there = [token for token in _tokens(query) if token in known]
        yield index.get_scores(there) if there else np.zeros(len(texts), np.float32)


def _tokens(text: str) -> list[str]:
    """The stems of a text's words, without the words that are in every text."""
    import Stemmer
    from bm25s.stopwords import STOPWORDS_EN_PLUS

    stemmer: Any = Stemmer.Stemmer("english")
    return stemmer.stemWords([word for word in words(text) if word not in STOPWORDS_EN_PLUS])


def _by_meaning(embedder: Embedder, asked: Sequence[str], texts: Sequence[str]) -> "Iterator[Scores]":
    vectors = embedder.embed(texts)
    for vector in embedder.embed(asked):
        yield (vectors @ vector if len(texts) else vectors[:, 0]).astype("float32")
