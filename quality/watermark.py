"""Watermark: a keyed set of tokens that generation prefers, by which text can later be told to come from it.

The green list of Kirchenbauer et al., 2023, https://arxiv.org/abs/2301.10226, fixed for all places as in Zhao et al.,
2023, https://arxiv.org/abs/2306.17439: `logit_bias` is one for a whole request. Departs from both in what it takes and
in what it counts, since a fixed list would else carry the frequencies of common tokens into every text:

- of each run of neighbouring token ids the same share is green: byte-pair encoding numbers tokens about in the order
  of their frequency, so both halves are about as common;
- each different token counts once a text, however often it comes.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from infra.errors import Refusal

GAMMA = 0.5
"""Share of the tokens that is green; with a quarter SmolLM2-135M repeats itself, and few different tokens are left."""
DELTA = 4.0
"""Added to the logit of a green token."""
TOKENS = 8192
"""How many of the most frequent tokens a green list is chosen among.

Of all 49,152 the bias of a request is six times as large (about 50 KB of these). 600 of them (half green, as many
as some servers take) are too few on SmolLM2-135M: z stays under 4 while the text falls apart.
"""
FOUND = 4.0
"""The z from which on a text counts as watermarked (Kirchenbauer et al., section 3)."""

_RUN = 20
"""Neighbouring tokens among which the share of green ones is exact."""


class Detection(NamedTuple):
    """How a text stands to a green list: of `n` different tokens that count, `green` are green.

    `z` is how many standard deviations that is above chance, `p` the chance of as many or more.
    """

    z: float
    green: int
    n: int
    p: float


@dataclass(frozen=True)
class GreenList:
    """The tokens that a key makes green, and all among which it chose."""

    green: frozenset[int]
    tokens: frozenset[int]
    gamma: float


def green_list(tokens: Iterable[int], key: str, gamma: float = GAMMA) -> GreenList:
    """The tokens that a secret key makes green.

    Args:
        tokens: those to choose from; the first `TOKENS` of a vocabulary but for special ones and digits will do.
        key: the secret; whoever has it can find the watermark, and take it out.
        gamma: their share.

    Raises:
        Refusal: where there is no key, or no share between 0 and 1.
    """
    if not key:
        raise Refusal("watermark: its key is empty, a secret text is wanted")
    if not 0 < gamma < 1:
        raise Refusal(f"watermark: gamma is {gamma:g}, a share between 0 and 1 is wanted")
    secret = hashlib.blake2b(key.encode("utf-8", "surrogatepass")).digest()

    def rank(token: int) -> bytes:
        return hashlib.blake2b(token.to_bytes(8), key=secret, digest_size=16).digest()

    ordered = sorted(set(tokens))
    green: set[int] = set()
    for start in range(0, len(ordered), _RUN):
        run = sorted(ordered[start : start + _RUN], key=rank)
        green.update(run[: round(gamma * len(run))])
    return GreenList(frozenset(green), frozenset(ordered), gamma)


def logit_bias(greens: GreenList, delta: float = DELTA) -> dict[str, float]:
    """The bias of a request that writes with the watermark: token id → `delta`, for each green token."""
    return {str(token): delta for token in sorted(greens.green)}


def detect(text: Sequence[int], greens: GreenList) -> Detection:
    """Whether the tokens of a text have more green ones among them than chance gives."""
    counted = greens.tokens.intersection(text)
    n, green = len(counted), len(counted & greens.green)
    if not n:
        return Detection(0.0, 0, 0, 1.0)
    z = (green - greens.gamma * n) / math.sqrt(n * greens.gamma * (1 - greens.gamma))
    return Detection(z, green, n, _tail(green, n, greens.gamma))


def _tail(green: int, n: int, gamma: float) -> float:
    """The chance of at least so many of n (binomial)."""
    from scipy.stats import binom

    return float(binom.sf(green - 1, n, gamma))
