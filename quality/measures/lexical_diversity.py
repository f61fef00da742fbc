"""Lexical diversity: how much a set of texts repeats its words and phrases (operators.md 2.1)."""

import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat

from quality.measures import Bounds, Sample, measure
from quality.measures._words import blocks, mean, shuffled
from quality.texts import words

_BYTES = 4096
"""Bytes that are packed at a time."""
_PIECES = 50
THRESHOLD = 0.72
"""Type-token ratio at which MTLD starts a new factor."""


@measure(
    "diversity",
    bounds={
        "distinct_2_block": Bounds(low=0.55),
        "distinct_3_block": Bounds(low=0.75),
        "compression_block": Bounds(high=2.8),
    },
)
def lexical_diversity(sample: Sample) -> dict[str, float]:
    """The figures of `diversity` over the whole set, and means over blocks of one size.

    - `distinct_2_block`, `distinct_3_block`: different n-grams over n-grams, in 1,000 words;
    - `mtld`: words that a type-token ratio of 0.72 lasts (McCarthy and Jarvis, 2010,
      https://doi.org/10.3758/BRM.42.2.381);
    - `compression_block`: bytes over deflated bytes, of 4 KB.
    """
    out = diversity(sample.texts)
    if found := blocks(sample.texts, sample.seed):
        out |= {f"distinct_{n}_block": mean([distinct(block, n) for block in found]) for n in (2, 3)}
        out["mtld"] = mean([mtld(block) for block in found])
    if pieces := list(_pieces(shuffled(sample.texts, sample.seed))):
        out["compression_block"] = mean([len(piece) / len(zlib.compress(piece)) for piece in pieces])
    return out


def diversity(texts: Sequence[str]) -> dict[str, float]:
    """Lexical diversity over the whole set; a measure that the texts are too short for is left out.

    - `distinct_1`, `distinct_2`, `distinct_3`: different n-grams of words over all of them, none across two texts
      (Li et al., 2016, https://arxiv.org/abs/1510.03055); it falls as a set grows, so compare sets of like size;
    - `compression_ratio`: bytes over gzip'd bytes, higher is more redundant (Shaib et al., 2024,
      https://arxiv.org/abs/2403.00553);
    - `mean_tokens`: words a text.
    """
    import polars as pl

    hashes = array("q")
    owners = array("i")
    size, packed = 0, 0
    gzip = zlib.compressobj(wbits=31)
    for owner, text in enumerate(texts):
        before = len(hashes)
        hashes.extend(map(hash, words(text)))
        owners.extend(repeat(owner, len(hashes) - before))
        line = text.encode("utf-8", "surrogatepass") + b"\n"
        size += len(line)
        packed += len(gzip.compress(line))
    if not hashes:
        return {}
    packed += len(gzip.flush())
    frame = pl.DataFrame(
        {"gram": pl.Series(hashes, dtype=pl.Int64).reinterpret(signed=False), "owner": pl.Series(owners)}
    )
    out: dict[str, float] = {}
    grams = frame["gram"]
    for n in (1, 2, 3):
        if n > 1:
            # Mixed before the next word's hash is added, so that the order of words counts.
            grams = grams * 0x9E3779B97F4A7C15 + frame["gram"].shift(1 - n)
        whole = grams.filter(frame["owner"] == frame["owner"].shift(1 - n))
        if len(whole):
            out[f"distinct_{n}"] = whole.n_unique() / len(whole)
    return out | {"compression_ratio": size / packed, "mean_tokens": len(hashes) / len(texts)}


def distinct(tokens: Sequence[str], n: int) -> float:
    """Different n-grams over n-grams; there must be at least one."""
    grams = list(zip(*(tokens[start:] for start in range(n)), strict=False))
    return len(set(grams)) / len(grams)


def mtld(tokens: Sequence[str]) -> float:
    """The measure of textual lexical diversity of at least one word: the mean of both reading directions."""
    return (_mtld(tokens) + _mtld(reversed(tokens))) / 2


def _mtld(tokens: Iterable[str]) -> float:
    factors, total, length, ratio = 0.0, 0, 0, 1.0
    types: set[str] = set()
    for token in tokens:
        types.add(token)
        total += 1
        length += 1
        ratio = len(types) / length
        if ratio <= THRESHOLD:
            factors, length, ratio = factors + 1, 0, 1.0
            types.clear()
    factors += (1 - ratio) / (1 - THRESHOLD)
    # Words that are all different make no factor at all; at most all of them are one.
    return total / factors if factors else float(total)


def _pieces(texts: Iterable[str]) -> Iterable[bytes]:
    held = bytearray()
    given = 0
    for text in texts:
        held += text[:_BYTES].encode("utf-8", "surrogatepass") + b"\n"
        while len(held) >= _BYTES and given < _PIECES:
            yield bytes(held[:_BYTES])
            del held[:_BYTES]
            given += 1
        if given == _PIECES:
            return
