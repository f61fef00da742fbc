"""Diversity: how much a set of texts repeats itself (operators.md 2.1, lexical)."""

import zlib
from array import array
from collections.abc import Sequence
from itertools import repeat

from quality.texts import words


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
    owners = array("q")
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
