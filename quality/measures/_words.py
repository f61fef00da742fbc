"""How measures look at a set of texts: in an order of chance that does not depend on the one given, in blocks of words.

Most figures of diversity depend on how much text there is. Over blocks of one size they do not, so that one gate holds
for a table of 200 rows and for one of 100,000.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from quality.texts import words

BLOCK = 1000
"""Words in a block."""
BLOCKS = 50
"""Blocks that are looked at, at most."""
ROW = 100
"""Words that a row gives to a block at most, so that no block is of one long text."""
GROUP = 200
"""Rows in a group, for figures that depend on the number of rows."""


def shuffled(texts: Sequence[str], seed: int) -> list[str]:
    """The texts in an order that depends on them and the seed only; copies of one text lie as far apart as others."""
    copies: Counter[str] = Counter()

    def place(text: str) -> bytes:
        copies[text] += 1
        key = f"{seed} {copies[text]} {text}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(key, digest_size=8).digest()

    return [text for _, text in sorted((place(text), text) for text in texts)]


def blocks(texts: Sequence[str], seed: int) -> list[list[str]]:
    """Whole blocks of words, each of at least ten rows; none where the texts have too few words."""
    found: list[str] = []
    for text in shuffled(texts, seed):
        found += words(text)[:ROW]
        if len(found) >= BLOCK * BLOCKS:
            break
    return [found[start : start + BLOCK] for start in range(0, len(found) - BLOCK + 1, BLOCK)][:BLOCKS]


def groups(texts: Sequence[str], seed: int) -> Iterator[list[str]]:
    """Whole groups of rows; none where there are fewer rows than one has."""
    rows = shuffled(texts, seed)
    for start in range(0, len(rows) - GROUP + 1, GROUP):
        yield rows[start : start + GROUP]


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean of at least one value."""
    return sum(values) / len(values)


class Hashes(dict[str, int]):
    """64-bit hashes of words, the same in every process, each reckoned once: Python's own differ from run to run."""

    def __missing__(self, word: str) -> int:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self[word] = value = int.from_bytes(digest, "little")
        return value
