"""Shingles: the set of 64-bit hashes that stands for a text where near duplicates are looked for.

The hashes are the same on every machine and day (BLAKE2b, then fixed integer arithmetic), so that they can be stored.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from quality.texts import folded

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Counts = npt.NDArray[np.int64]

GRAM = 5
"""Words in a shingle (operators.md 2.3)."""
SHORT = 20
"""Words from which a text has shingles of words.

A shorter one is a single shingle, since one other word asks for something else ("the capital of Iran", "of Iraq"; "he
had", "she had"). Shingles of five characters, the usual resort, call 43 pairs of 6,000 short questions from
benchmarks 0.8 alike, and 270 of 3,693 short problems; most of these ask for different things.
"""

# Scripts that put no space between words: there each character counts as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua000-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff"
_UNITS = re.compile(f"(?=[{_UNSPACED}])[^\\W_]|(?:(?![{_UNSPACED}])[^\\W_])+")
# A `!` after a digit is a factorial, and an apostrophe may be a derivative.
_PUNCTUATION = re.compile(r"(?:(?<!\d)!|[.,;:?…\"“”«»。、])+(?=\s|$)|(?<!\S)[\"“«¿¡]+")

_CHUNK = 4_000_000
_VOCABULARY = 1_000_000
_FACTOR = 0x9E3779B97F4A7C15
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))

_LOWER = bytes(ord(c.lower()) if c.isalnum() else ord(" ") for c in map(chr, range(128))) + bytes(range(128, 256))


class Sets(NamedTuple):
    """One sorted set of hashes a text: set `i` is `values[starts[i] : starts[i + 1]]`."""

    values: "Hashes"
    starts: "Counts"


class _Vocabulary(dict[bytes, int]):
    """Word → its hash, worked out once."""

    def __missing__(self, word: bytes) -> int:
        self[word] = found = stable_hash(word)
        return found


def shingle_sets(texts: Sequence[str], *, gram: int = GRAM, short: int = SHORT) -> Iterator[Sets]:
    """The shingles of the texts, in their order, in pieces of about four million characters.

    A text of `short` words or more (`gram` at least) has every `gram` words in a row; words are runs of letters and
    digits, without case, and single characters of scripts without spaces. A shorter one has a single shingle, in which
    only case, white space and the punctuation at the ends of words make no difference.
    """
    vocabulary = _Vocabulary()
    for part in _parts(texts):
        if len(vocabulary) > _VOCABULARY:
            vocabulary.clear()
        yield _sets(part, vocabulary, gram, max(short, gram))


def stable_hash(text: bytes) -> int:
    """64 bits that stand for a text, the same on every machine and day."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def content_hash(text: str) -> int:
    """The stable hash of a text that Unicode composition and outer white space do not change."""
    plain = (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()
    return stable_hash(plain.encode("utf-8", "surrogatepass"))


def mixed(values: "Hashes") -> "Hashes":
    """The values with every bit spread over all (the finaliser of SplitMix64); equal values stay equal."""
    import numpy as np

    for shift, factor in _MIX:
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(31))


def combined(columns: "Sequence[Hashes] | npt.NDArray[np.uint32]", first: int = 0) -> "Hashes":
    """One hash for a first value and those that stand beside each other in the columns; their order counts."""
    import numpy as np

    total = np.full(len(columns[0]), first, np.uint64)
    for column in columns:
        total *= np.uint64(_FACTOR)
        total += column
    return mixed(total)


def starts_of(sizes: "Counts") -> "Counts":
    """Where each of some sets that follow on each other starts, and where the last one ends."""
    import numpy as np

    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))


def places_in(starts: "Counts") -> "Counts":
    """For each value, its place within its own set, counted from 0."""
    import numpy as np

    return np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first, size = 0, 0
    for number, text in enumerate(texts):
        size += len(text) + 20
        if size >= _CHUNK:
            yield texts[first : number + 1]
            first, size = number + 1, 0
    if first < len(texts) or not texts:
        yield texts[first:]


def _sets(texts: Sequence[str], vocabulary: _Vocabulary, gram: int, least: int) -> Sets:
    import numpy as np

    units = [_units(text) for text in texts]
    sizes = np.fromiter(map(len, units), np.int64, len(units))
    short = sizes < least
    few = np.flatnonzero(short).tolist()
    for number in few:
        units[number] = []
    starts = starts_of(np.where(short, 1, sizes - gram + 1))
    alone = np.zeros(starts[-1], np.bool_)
    alone[starts[:-1][short]] = True
    values = np.empty(starts[-1], np.uint64)
    values[alone] = [stable_hash(_plain(texts[number])) for number in few]
    values[~alone] = _grams(units, np.where(short, 0, sizes), vocabulary, gram)
    return _sorted_sets(values, starts)


def _grams(units: Sequence[Sequence[bytes]], sizes: "Counts", vocabulary: _Vocabulary, gram: int) -> "Hashes":
    import numpy as np

    total = int(sizes.sum())
    hashes = np.fromiter(map(vocabulary.__getitem__, chain.from_iterable(units)), np.uint64, total)
    last = max(total - gram + 1, 0)
    owners = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    whole = owners[:last] == owners[gram - 1 :]
    return combined([hashes[shift : last + shift] for shift in range(gram)])[whole]


def _sorted_sets(values: "Hashes", starts: "Counts") -> Sets:
    """Each set in order, with what it has twice once."""
    import numpy as np

    ordered = sorted_within(values, starts)
    owners = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    new = np.ones(len(ordered), np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]) | (owners[1:] != owners[:-1])
    return Sets(ordered[new], starts_of(np.bincount(owners[new], minlength=len(starts) - 1)))


def sorted_within(values: "Hashes", starts: "Counts") -> "Hashes":
    """The values, those of each set in order."""
    import polars as pl
    import pyarrow as pa

    lists = pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(starts), pa.array(values))))
    return lists.list.sort().explode().to_numpy()


def _units(text: str) -> list[bytes]:
    """The words of a text; those of ASCII are the ones of `quality.texts.words`, cut in a third of the time."""
    if text.isascii():
        return text.encode().translate(_LOWER).split()
    return [unit.encode("utf-8", "surrogatepass") for unit in _UNITS.findall(folded(text))]


def _plain(text: str) -> bytes:
    """A short text without case, punctuation at the ends of words, and white space other than single spaces."""
    plain = folded(text)
    told = " ".join(_PUNCTUATION.sub(" ", plain).split()) or " ".join(plain.split())
    return told.encode("utf-8", "surrogatepass")
