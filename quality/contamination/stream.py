"""Texts as one stream of letters and digits, in which every stretch has a hash that costs three operations.

Two texts are the same here if they differ in case, Unicode form, white space, punctuation, invisible characters, HTML
tags and entities, or LaTeX's layout commands only. A batch of texts is laid end to end; the hash of characters
`start..end` is (prefix[end] - prefix[start]) / BASE**start modulo 2**64 (Karp & Rabin, 1987,
https://doi.org/10.1147/rd.312.0249), mixed, so that numpy computes all stretches of a batch in a few passes.
"""

import functools
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Places = NDArray[np.integer[Any]]
    Flags = NDArray[np.bool_]

BATCH = 1 << 17
"""Characters that are laid end to end at once: so many that numpy's calls cost little, so few that caches hold them."""

_BASE = 0x9E3779B97F4A7C15 | 1
_MIX = 0xBF58476D1CE4E5B9
_WHOLE = (1 << 64) - 1

_LAYOUT = (
    "begin|bigl|bigr|big|boldsymbol|cdot|cdots|ce|dfrac|displaystyle|end|frac|hspace|ldots|left|limits|mathbb|mathbf"
    "|mathcal|mathrm|mbox|operatorname|over|overline|qquad|quad|right|rm|text|textbf|textit|textrm|tfrac|times|underline"
)
_INLINE = "a|abbr|b|big|cite|code|em|font|i|kbd|mark|q|s|small|span|strong|sub|sup|tt|u|var|wbr"
_BLOCKS = (
    "blockquote|body|br|center|dd|div|dl|dt|figure|footer|form|h[1-6]|head|header|hr|html|img|input|label|li|main|nav|ol"
    "|option|p|pre|section|select|table|tbody|td|th|thead|title|tr|ul"
)
_MARKUP = re.compile(
    rf"</?(?:(?P<inline>{_INLINE})|{_BLOCKS})(?:\s[^<>]{{0,300}})?/?>|<!--.*?-->|&(?:#\d{{1,7}}|#x[0-9a-fA-F]{{1,6}}|[a-zA-Z]{{2,31}});"
    rf"|\\(?:{_LAYOUT})(?![a-zA-Z])",
    re.DOTALL,
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True)
class Stream:
    """Texts laid end to end as letters and digits; places count those of the whole batch."""

    joined: str
    """The folded texts with everything between words left in, case too."""
    where: "Places"
    """Where in `joined` each letter or digit stands."""
    prefix: "Hashes"
    first: "Places"
    """Place at which each text begins; one more entry holds the end of the last."""
    words: "Places"
    """Place at which each word begins; one more entry holds the end of the last."""
    first_word: "Places"
    """Number of the word with which each text begins; one more entry holds the number of words."""
    capital: "Flags"
    """Whether each word begins with a capital letter."""
    numeric: "Flags"
    """Whether each word has a digit."""

    def hashes(self, starts: "Places", ends: "Places") -> "Hashes":
        """The hash of each stretch."""
        return mixed((self.prefix[ends] - self.prefix[starts]) * _powers(len(self.prefix))[1][starts])

    def windows(self, size: int) -> "Hashes":
        """The hash of `size` letters and digits from each place on, those that run into the next text too."""
        count = max(len(self.prefix) - size, 0)
        return mixed((self.prefix[size:] - self.prefix[:count]) * _powers(len(self.prefix))[1][:count])

    def grams(self, size: int) -> "tuple[Places, Places, Hashes]":
        """Where each run of `size` words within one text begins and ends, and its hash."""
        import numpy as np

        count = max(len(self.words) - size, 0)
        text = self.text_of_word()
        number = np.flatnonzero(text[:count] == text[size - 1 : size - 1 + count])
        starts, ends = self.words[number], self.words[number + size]
        return starts, ends, self.hashes(starts, ends)

    def text_of_word(self) -> "Places":
        """The number of the text that each word is in."""
        import numpy as np

        return np.repeat(np.arange(len(self.first_word) - 1), np.diff(self.first_word))

    def solid(self, start: int, end: int) -> str:
        """The letters and digits of a stretch, without case."""
        return "".join(self.joined[i] for i in self.where[start:end]).casefold()


def batches(texts: Iterable[str], most: int = BATCH) -> Iterator[list[str]]:
    """Texts in lists of at most about `most` characters, of one text at least."""
    held: list[str] = []
    size = 0
    for text in texts:
        if held and size + len(text) > most:
            yield held
            held, size = [], 0
        held.append(text)
        size += len(text) + 1
    if held:
        yield held


def stream(texts: Sequence[str]) -> Stream:
    """The stream of a batch of texts."""
    import numpy as np

    plain = [plain_text(text) for text in texts]
    joined = "\n".join(plain)
    if joined.isascii():
        codes = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
        lower, kind, keys = _tables(128)
    else:
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        lower, kind, keys = _tables(0x110000)
    kinds = kind[codes]
    where = np.flatnonzero(kinds)
    solid = lower[codes[where]]
    power, _ = _powers(len(where) + 1)
    prefix = np.zeros(len(where) + 1, dtype=np.uint64)
    np.cumsum(keys[solid] * power[: len(where)], out=prefix[1:])
    lengths = np.fromiter((len(text) + 1 for text in plain), dtype=np.int64, count=len(plain))
    begins = np.concatenate(([0], np.cumsum(lengths)))
    first = np.searchsorted(where, begins)
    words = np.flatnonzero(np.diff(where, prepend=-2) > 1)
    first_word = np.searchsorted(words, first)
    starts_kind = kinds[where[words]] if len(words) else kinds[:0]
    digits = np.concatenate(([0], np.cumsum(kinds[where] == _DIGIT)))
    words = np.concatenate((words, [len(where)]))
    return Stream(
        joined=joined,
        where=where,
        prefix=prefix,
        first=first,
        words=words,
        first_word=first_word,
        capital=starts_kind == _CAPITAL,
        numeric=digits[words[1:]] > digits[words[:-1]],
    )


def plain_text(text: str) -> str:
    """The text without markup, invisible characters and compatibility forms; its case stays."""
    if ("<" in text or "&" in text or "\\" in text) and _MARKUP.search(text):
        text = _MARKUP.sub(_without_markup, text)
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    # What grows when its case is taken out ("ß", "ﬁ") cannot be told by a table of characters.
    return text if len(text.casefold()) == len(text) else text.casefold()


def offsets(text: str) -> list[tuple[int, int]]:
    """Where each letter or digit of the stream of a text stands in the text itself."""
    out: list[tuple[int, int]] = []
    done = 0
    for found in _MARKUP.finditer(text):
        out += _plain_offsets(text, done, found.start())
        out += [found.span() for c in plain_text(_without_markup(found)) if c.isalnum()]
        done = found.end()
    return out + _plain_offsets(text, done, len(text))


def mixed(hashes: "Hashes") -> "Hashes":
    """Hashes whose high bits, which choose a place in a table, depend on all of theirs."""
    import numpy as np

    hashes = hashes ^ (hashes >> np.uint64(32))
    hashes *= np.uint64(_MIX)
    return hashes


def sequence_hashes(tokens: "Hashes", size: int) -> "Hashes":
    """The hash of each run of `size` tokens, given theirs."""
    import numpy as np

    power, inverse = _powers(len(tokens) + 1)
    prefix = np.zeros(len(tokens) + 1, dtype=np.uint64)
    np.cumsum(tokens * power[: len(tokens)], out=prefix[1:])
    count = max(len(prefix) - size, 0)
    return mixed((prefix[size:] - prefix[:count]) * inverse[:count])


_CAPITAL, _DIGIT, _OTHER = 1, 2, 3


def _without_markup(found: re.Match[str]) -> str:
    piece = found.group()
    if piece[0] == "&":
        return html.unescape(piece)  # an unknown entity stays as it is written
    return "" if found["inline"] else " "


def _plain_offsets(text: str, begin: int, stop: int) -> list[tuple[int, int]]:
    part = text[begin:stop]
    if part.isascii():
        return [(i, i + 1) for i, character in enumerate(part, begin) if character.isalnum()]
    out: list[tuple[int, int]] = []
    starts = [i for i, character in enumerate(part, begin) if not unicodedata.combining(character)] or [begin]
    for start, end in zip(starts, [*starts[1:], stop], strict=True):
        out += [(start, end) for character in plain_text(text[start:end]) if character.isalnum()]
    return out


@functools.cache
def _tables(size: int) -> "tuple[NDArray[np.uint32], NDArray[np.uint8], Hashes]":
    """For each character: its lower case, what kind it is (0: not part of a word), and its key in hashes."""
    import numpy as np

    lower = np.arange(size, dtype=np.uint32)
    kind = np.zeros(size, dtype=np.uint8)
    for code in range(size):
        character = chr(code)
        if character.isalnum():
            kind[code] = _DIGIT if character.isdigit() else _OTHER
            folded = character.casefold()
            if folded != character and len(folded) == 1:
                kind[code] = _CAPITAL
                lower[code] = ord(folded)
    keys = mixed(mixed(mixed(np.arange(1, size + 1, dtype=np.uint64) * np.uint64(_BASE))))
    return lower, kind, keys


_held: "dict[str, tuple[Hashes, Hashes]]" = {}


def _powers(count: int) -> "tuple[Hashes, Hashes]":
    """Powers of the base and of its inverse, at least so many; kept at the largest size asked for yet."""
    import numpy as np

    if "powers" not in _held or len(_held["powers"][0]) < count:
        size = max(count, BATCH + 1)
        pair = [np.full(size, base, dtype=np.uint64) for base in (_BASE, pow(_BASE, -1, _WHOLE + 1))]
        for powers in pair:
            powers[0] = 1
            np.cumprod(powers, out=powers)
        _held["powers"] = (pair[0], pair[1])
    return _held["powers"]
