"""`dedup`: leave out rows that repeat, or nearly repeat, an earlier one or a pool (operators.md 17)."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from catalog.records import Record
from quality.duplicates.rouge import Pool
from tasks.ledger import drop, operator
from tasks.method import Rows

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
