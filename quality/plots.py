"""Plots of what is in a version: how long its texts are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median


def draw_lengths(words: Mapping[str, Sequence[int]], title: str, file: Path) -> str:
    """Draw how many words the texts of each column have, a histogram each; returns what it shows, in words.

    Args:
        words: column → words of each row; one row at least.
        title: of what.
        file: where to: .png, .svg or .pdf.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, strips = plt.subplots(
        len(words), 1, figsize=(8, 0.9 + 1.3 * len(words)), squeeze=False, layout="constrained"
    )
    figure.suptitle(f"{title}   words in a row, by column", fontsize=11, x=0.02, ha="left")
    for strip, (column, counts) in zip(strips[:, 0], words.items(), strict=True):
        strip.hist(counts, bins=_bins(counts), color="#4c78a8")
        strip.locator_params(integer=True)
        strip.axvline(median(counts), color="#c62828", lw=1)
        strip.set_ylabel(f"{column}  ", rotation=0, ha="right", va="center", fontsize=8)
        strip.tick_params(labelsize=6, length=2, pad=1)
        for side in ("top", "right"):
            strip.spines[side].set_visible(False)
    figure.savefig(file, dpi=150)
    plt.close(figure)
    told = ", ".join(f"{column} {median(counts):g}" for column, counts in words.items())
    return f"Histograms of the words in a row, by column; medians: {told}"


def _bins(counts: Sequence[int]) -> list[float]:
    """Bins of whole numbers, as wide as each other, forty at most."""
    low, high = min(counts), max(counts)
    width = -(-(high - low + 1) // 40)
    return [edge - 0.5 for edge in range(low, high + width + 1, width)]
