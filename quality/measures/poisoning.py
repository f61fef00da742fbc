"""Poisoning: triggers, bursts of near duplicates, and rows that stand out within their class (operators.md 2.8)."""

from collections.abc import Mapping, Sequence
from typing import Any

from quality.measures import Bounds, Sample, measure
from quality.poisoning.bursts import find_bursts
from quality.poisoning.spectral import spectral_ratio, spectral_scores
from quality.poisoning.triggers import find_triggers, openings


@measure("security", bounds={"triggers": Bounds(high=0), "burst_share": Bounds(high=0.005)}, most=20_000)
def poisoning(sample: Sample) -> dict[str, float]:
    """What looks planted among rows and their labels, or their completions where they have no labels.

    - `triggers`: words or sentences that look planted to stand for a label, or for one completion;
    - `burst_share`: the share of rows in bursts of near duplicates;
    - `spectral_ratio`: how far the rows that stand out most lie from their class along its first direction.
    """
    bursts = find_bursts(sample.texts)
    figures = {"burst_share": len({row for burst in bursts for row in burst.rows}) / max(1, len(sample.texts))}
    texts, labels = _tied(sample)
    if labels:
        figures["triggers"] = float(len(find_triggers(texts, labels)))
    if sample.labels:
        from quality.encoder import bulk_encoder

        vectors = (sample.encode or bulk_encoder())(texts)
        figures["spectral_ratio"] = spectral_ratio(spectral_scores(vectors, labels), labels)
    return figures


def _tied(sample: Sample) -> tuple[Sequence[str], Sequence[str]]:
    """What a trigger may stand in, and what it may be tied to: a text and its label, or a prompt and its completion."""
    if sample.labels and sample.rows:
        return [_input(row) for row in sample.rows], sample.labels
    if sample.rows and {"prompt", "completion"} <= sample.rows[0].keys():
        return [str(row["prompt"]) for row in sample.rows], openings([str(row["completion"]) for row in sample.rows])
    return sample.texts, sample.labels


def _input(row: Mapping[str, Any]) -> str:
    return str(row.get("text") or row.get("prompt") or row.get("code") or "")
