"""`dedup`: leave out rows that repeat, or nearly repeat, an earlier one or a pool (operators.md 17)."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeVar

from catalog.records import Record
from quality.duplicates.rouge import Pool
from tasks.ledger import drop, operator
from tasks.llm.embedder import Embedder
from tasks.method import Rows

if TYPE_CHECKING:
    import polars as pl

R = TypeVar("R", bound=Record)


@operator
def dedup(
    rows: Rows[R], by: Callable[[R], Hashable], *, reason: str = "it repeats another row", seen: Sequence[Hashable] = ()
) -> list[R]:
    """The first row of each value of `by`; none of a value that was `seen`."""
    known, kept = set(seen), list[R]()
    for row in rows:
        if (key := by(row)) in known:
            drop(row, reason)
        else:
            known.add(key)
            kept.append(row)
    return kept


@operator
def dedup_near(rows: Rows[R], by: Callable[[R], str], *, pool: Sequence[str] = (), threshold: float = 0.7) -> list[R]:
    """The rows whose text has a ROUGE-L below `threshold` to each text of the pool and each row kept before it.

    A text without Latin letters or digits is like no other: ROUGE sees no token in it.
    """
    texts, kept = Pool(pool), list[R]()
    for row in rows:
        text = by(row)
        if (found := texts.nearest(text, threshold)) is None:
            texts.add(text)
            kept.append(row)
        else:
            reason = f"its ROUGE-L to another is {threshold:g} or more"
            drop(row, reason, f"{found.similarity:.2f}: {found.key[:200]}")
    return kept


@operator
def dedup_words(rows: Rows[R], by: Callable[[R], str], *, gram: int = 1, threshold: float = 0.9) -> list[R]:
    """The rows whose text has a Jaccard similarity below `threshold` to that of each row kept before it.

    Sets of runs of `gram` words are compared: 1 takes single words, whatever their order. The similarity is worked
    out, not estimated by MinHash.

    Raises:
        ValueError: for a threshold that is not above 0.5 and at most 1.
    """
    from quality.duplicates.minhash import near_duplicates, signatures

    places = [str(place) for place in range(len(rows))]
    pairs = near_duplicates(signatures(places, [by(row) for row in rows], gram=gram, short=gram), threshold=threshold)
    return _left(rows, by, pairs, f"its words are {threshold:g} or more those of another")


@operator
def dedup_meaning(embedder: Embedder, rows: Rows[R], by: Callable[[R], str], *, threshold: float = 0.9) -> list[R]:
    """The rows whose text has a vector with a cosine below `threshold` to that of each row kept before it."""
    from quality.duplicates.semantic import semantic_duplicates, vectors

    places = [str(place) for place in range(len(rows))]
    pairs = semantic_duplicates(vectors(places, [by(row) for row in rows], embedder.embed), threshold=threshold)
    return _left(rows, by, pairs, f"its vector has a cosine of {threshold:g} or more to another")


def _left(rows: Rows[R], by: Callable[[R], str], pairs: "pl.DataFrame", reason: str) -> list[R]:
    """The rows that have no earlier one alike among the pairs, whose ids are places."""
    gone = {int(place): (int(kept), found) for place, kept, found, *_ in pairs.iter_rows()}
    for place, (kept, found) in gone.items():
        drop(rows[place], reason, f"{found:.2f}: {by(rows[kept])[:200]}")
    return [row for place, row in enumerate(rows) if place not in gone]
