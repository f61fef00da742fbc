"""Tokens: counted exactly for the embedded model, with its own tokenizer; estimated for every other.

The tokenizer is the byte-pair encoding of GPT-2 (Radford et al., 2019) with each digit a token of its own, read from
the file of the weights. It counts what the server counts, special tokens included, and needs no server; only for digits
that are newer than this Python's tables of characters (40 of Unicode 15, in 3.11) the two may differ.
"""

import heapq
import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

_FIRST_GUESS = 3.0
"""Characters of a token before an endpoint has reported any: English has about 4, programs and most languages fewer."""
_MEMORY = 0.98
"""What a report keeps of its weight with each further one: the estimate follows the last hundred or so."""
_SPECIAL = {2, 3, 4}
"""Unknown, control and user-defined tokens, as the file numbers their kinds."""


class TokenEstimate:
    """Tokens of a text by its length, from the characters and tokens of the requests that an endpoint has answered."""

    __slots__ = ("_characters", "_tokens")

    def __init__(self) -> None:
        self._characters = _FIRST_GUESS
        self._tokens = 1.0

    def learn(self, characters: int, tokens: int) -> None:
        """An endpoint has counted `tokens` in a request of `characters`."""
        self._characters = _MEMORY * self._characters + characters
        self._tokens = _MEMORY * self._tokens + tokens

    def estimate(self, characters: int) -> int:
        """About how many tokens so many characters are; at least 1."""
        return int(characters * self._tokens / self._characters) + 1


def count_tokens(text: str) -> int:
    """The number of tokens that the embedded model makes of a text.

    Raises:
        Refusal: where its weights are not installed.
    """
    special = _vocabulary().special
    parts = special.split(text)  # what stands between special tokens, and every second one is such a token
    return len(parts) // 2 + sum(len(_numbers(part[start:end])) for part in parts[::2] for start, end in _words(part))


def token_ids(text: str) -> list[int]:
    """The numbers of the tokens that the embedded model makes of a text; special ones are read as plain text.

    Raises:
        Refusal: where its weights are not installed.
    """
    return [number for start, end in _words(text) for number in _numbers(text[start:end])]


def plain_tokens() -> list[int]:
    """The numbers of the embedded model's tokens in order, but for special ones and digits.

    Raises:
        Refusal: where its weights are not installed.
    """
    return list(_vocabulary().plain)


class _Vocabulary(NamedTuple):
    """What the tokenizer knows: the order in which pairs of symbols are joined, the tokens' numbers, special tokens.

    `plain` are the numbers of the tokens that are neither special nor digits.
    """

    ranks: dict[tuple[str, str], int]
    numbers: dict[str, int]
    plain: tuple[int, ...]
    special: re.Pattern[str]


@cache
def _vocabulary() -> _Vocabulary:
    """Read from the file of the weights: about a second, once a process."""
    from gguf import GGUFReader

    from tasks.llm.embedded import find_weights

    fields = GGUFReader(find_weights()).fields
    tokens, kinds, merges = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type", "merges"))
    special = sorted((t for t, kind in zip(tokens, kinds, strict=True) if kind in _SPECIAL), key=len, reverse=True)
    return _Vocabulary(
        ranks={(left, right): rank for rank, (left, right) in enumerate(merge.split(" ") for merge in merges)},
        numbers={token: number for number, token in enumerate(tokens)},
        plain=tuple(
            number
            for number, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
            if kind not in _SPECIAL and not token.strip("Ġ").isdigit()
        ),
        special=re.compile(f"({'|'.join(map(re.escape, special))})"),
    )


class _Classes(dict[int, str]):
    """Each character's class: L letter, N number, W white space, P anything else; a few stand for themselves."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)[0]
        white = character.isspace() and character not in "\x1c\x1d\x1e\x1f"  # which are so for Python alone
        self[code] = found = "W" if white else kind if kind in "LN" else "P"
        return found


_CLASSES = _Classes({ord(character): character for character in " 'stredvml"})
_WORD = re.compile(
    r"N|'(?:s|t|re|ve|m|ll|d)| ?[Lstredvml]+| ?[P']+|[ W]+(?=N|\Z)|[ W]+(?![^ W])|[ W]+"
)  # the space before a word belongs to it, but a digit stands alone


def _words(text: str) -> list[tuple[int, int]]:
    """Where each word begins and ends: no token reaches beyond."""
    return [found.span() for found in _WORD.finditer(text.translate(_CLASSES))]


@lru_cache(maxsize=65536)
def _numbers(word: str) -> tuple[int, ...]:
    """The tokens of a word."""
    numbers = _vocabulary().numbers
    # What is no token falls apart into its bytes; a byte that is none is left out.
    parts = (part for s in _joined(_spelled(word)) for part in ((s,) if s in numbers else s))
    return tuple(numbers[part] for part in parts if part in numbers)


def _spelled(word: str) -> list[str]:
    """A word's bytes, each as the character that stands for it in the vocabulary."""
    return [_BYTES[byte] for byte in word.encode()]


def _byte_characters() -> list[str]:
    """Bytes that are printable in Latin-1 stand for themselves, the others for the characters from U+0100 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


_BYTES = _byte_characters()


def _joined(symbols: list[str]) -> list[str]:
    """The symbols after every pair that can be joined is, in the order of the ranks and from the left."""
    ranks = _vocabulary().ranks
    before, after = list(range(-1, len(symbols) - 1)), list(range(1, len(symbols) + 1))
    pairs: list[tuple[int, int, str, str]] = []

    def consider(left: int) -> None:
        right = after[left] if left >= 0 else len(symbols)
        if right < len(symbols):
            pair = symbols[left], symbols[right]
            if pair in ranks:
                heapq.heappush(pairs, (ranks[pair], left, *pair))

    for left in range(len(symbols)):
        consider(left)
    while pairs:
        _, left, *pair = heapq.heappop(pairs)
        right = after[left]
        if right < len(symbols) and pair == [symbols[left], symbols[right]]:  # neither was joined meanwhile
            symbols[left], symbols[right] = symbols[left] + symbols[right], ""
            after[left] = after[right]
            if after[right] < len(symbols):
                before[after[right]] = left
            consider(before[left])
            consider(left)
    return [symbol for symbol in symbols if symbol]
