"""Lengths: how long the rows are, and whether they look cut or made to measure."""

from quality.measures import Bounds, Sample, measure
from quality.texts import words

_FEWEST = 100


@measure(
    "quality",
    bounds={"blank_share": Bounds(high=0.01), "length_spread": Bounds(low=0.05), "cut_share": Bounds(high=0.05)},
)
def lengths(sample: Sample) -> dict[str, float]:
    """How long the rows are.

    - `blank_share`: rows without a letter or a digit;
    - `words_p5`, `words_p50`, `words_p95`: percentiles of the number of words;
    - `length_spread`: their interquartile range over their sum (quartile coefficient of dispersion), of 100 rows or
      more: 0 where all are as long, 1/3 where the third quartile is twice the first;
    - `cut_share`: rows whose number of characters is the highest there is: many are, where something cut them.
    """
    import numpy as np

    if not sample.texts:
        return {}
    counts = np.array([len(words(text)) for text in sample.texts])
    out = {"blank_share": float((counts == 0).mean())}
    for percent, value in zip((5, 50, 95), np.percentile(counts, (5, 50, 95)), strict=True):
        out[f"words_p{percent}"] = float(value)
    if len(counts) >= _FEWEST:
        characters = np.array([len(text) for text in sample.texts])
        first, third = np.percentile(characters, (25, 75))
        out["length_spread"] = float((third - first) / (third + first)) if third else 0.0
        out["cut_share"] = float((characters == characters.max()).mean())
    return out
