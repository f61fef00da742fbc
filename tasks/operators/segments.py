"""`segments`: the pieces of documents that can be read, and be an answer, by themselves (operators.md 9)."""

import re
from collections import Counter

from catalog.records import Document
from tasks.ledger import drop, operator
from tasks.method import Rows
from tasks.operators.extract import chunk

_BEGINS = re.compile(r"[A-Z][^\n]*[a-z]{3}")
_ENDS = re.compile(r"[.!?][\"')*]*\Z")
_LEANS = re.compile(
    r"(?:This|These|That|Those|It|Its|They|Their|He|She|But|And|Or|However|Also|Thus|Then|Therefore|Otherwise|See|Note"
    r"|Changed|Deprecated|Added|Source)\b"
)


@operator
def segments(rows: Rows[Document], *, each: int = 1, max_tokens: int = 300, min_tokens: int = 20) -> list[Document]:
    """The first `each` pieces of every document, as `chunk` cuts them, that are whole sentences and lean on no other.

    The others are dropped: those that begin in the middle, with a word that points back, or end without a full stop.
    """
    kept: list[Document] = []
    taken: Counter[tuple[str, ...]] = Counter()
    for row in chunk(rows, max_tokens=max_tokens, min_tokens=min_tokens):
        if not _BEGINS.match(row.text) or not _ENDS.search(row.text):
            drop(row, "the piece does not begin and end with a sentence")
        elif found := _LEANS.match(row.text):
            drop(row, "the piece leans on what stands before it", found[0])
        elif taken[row.parents] == each:
            drop(row, f"its document has given {each}")
        else:
            taken[row.parents] += 1
            kept.append(row)
    return kept
