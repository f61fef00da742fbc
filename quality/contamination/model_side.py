"""Whether a model has seen a benchmark, where it can be asked: guided completion and Min-K% probability."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalog.records import BenchmarkItem
from quality.texts import words

Complete = Callable[[str], str]
"""A prompt → the model's answer."""
LogProbs = Callable[[str], Sequence[float]]
"""A text → the natural log-probability of each of its tokens but the first, given those before."""

EXACT, NEAR = 1.0, 0.75
"""Overlap with which a completion is an exact match, or a near-exact one. The paper has GPT-4 or people judge."""


class Completion(NamedTuple):
    """How near a model came to the second half of an item, with the benchmark named and without."""

    item: str
    guided: float
    general: float


@dataclass(frozen=True)
class GuidedCompletion:
    """What guided completion says of a benchmark."""

    completions: Sequence[Completion]
    gain: float
    """Mean overlap that naming the benchmark adds."""
    p: float
    """Share of bootstrap samples in which it adds nothing."""
    exact: int
    near: int
    contaminated: bool


def guided_completion(
    items: Sequence[BenchmarkItem], complete: Complete, *, most: int = 10, rounds: int = 10_000, seed: int = 0
) -> GuidedCompletion:
    """Whether a model completes a benchmark's items better when it is told whose they are.

    Golchin & Surdeanu, 2023, https://arxiv.org/abs/2308.08493. The benchmark counts as seen if naming it raises
    ROUGE-L (p ≤ 0.05), or if one completion is an exact match, or two are near-exact. Near-exact is told by ROUGE-L
    here; the paper asks a judge.

    Args:
        items: of one benchmark; those of fewer than eight words cannot be halved and are passed over.
        complete: the model, at temperature 0.
        most: items that are drawn.
        rounds: bootstrap samples.
        seed: of the draw and the samples.
    """
    pick = random.Random(seed)
    fit = [item for item in items if len(words(item.text)) >= 8]
    completions: list[Completion] = []
    for item in pick.sample(fit, min(most, len(fit))):
        first, second = _halves(item.text)
        guided = complete(GUIDED.format(benchmark=item.benchmark, first=first))
        general = complete(GENERAL.format(first=first))
        completions.append(Completion(item.item, rouge_l(guided, second), rouge_l(general, second)))
    gains = [one.guided - one.general for one in completions]
    p = _no_gain(gains, rounds, pick)
    exact = sum(one.guided >= EXACT for one in completions)
    near = sum(one.guided >= NEAR for one in completions)
    return GuidedCompletion(
        completions=completions,
        gain=sum(gains) / len(gains) if gains else 0.0,
        p=p,
        exact=exact,
        near=near,
        contaminated=p <= 0.05 or exact >= 1 or near >= 2,
    )


def min_k_prob(text: str, logprobs: LogProbs, *, k: float = 0.2) -> float | None:
    """The mean log-probability of the `k` least likely tokens of a text: the nearer to 0, the likelier it was seen.

    Shi et al., 2023, https://arxiv.org/abs/2310.16789 (their k is 20 %). None for a text without tokens to tell by.

    Raises:
        ValueError: for a `k` that is no share, or a log-probability that is no number.
    """
    if not 0 < k <= 1:
        raise ValueError(f"min_k_prob: k is {k}, a share above 0 and up to 1 is wanted")
    values = sorted(logprobs(text))
    if any(math.isnan(value) for value in values):
        raise ValueError("min_k_prob: a log-probability is not a number; ask the model again")
    least = values[: max(1, int(len(values) * k))]
    return sum(least) / len(least) if least else None


def min_k_auc(seen: Sequence[str], unseen: Sequence[str], logprobs: LogProbs, *, k: float = 0.2) -> float | None:
    """How often a text of `seen` has a higher Min-K% than one of `unseen`: 0.5 where a model knows neither better.

    `unseen` are texts of the same kind that the model cannot have seen, such as items with numbers changed. None where
    either side is empty.
    """
    ours = [value for text in seen if (value := min_k_prob(text, logprobs, k=k)) is not None]
    others = [value for text in unseen if (value := min_k_prob(text, logprobs, k=k)) is not None]
    if not ours or not others:
        return None
    wins = sum((a > b) + 0.5 * (a == b) for a in ours for b in others)
    return wins / (len(ours) * len(others))


def rouge_l(text: str, reference: str) -> float:
    """ROUGE-L F1 of the words of two texts (Lin, 2004, https://aclanthology.org/W04-1013), 0 to 1."""
    from rapidfuzz.distance import LCSseq

    ours, theirs = words(text), words(reference)
    common = LCSseq.similarity(ours, theirs)
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def _halves(text: str) -> tuple[str, str]:
    """The text parted at the space nearest to its middle."""
    middle = len(text) // 2
    spaces = [place for place, character in enumerate(text) if character.isspace()]
    cut = min(spaces, key=lambda place: abs(place - middle), default=middle)
    return text[:cut], text[cut:]


def _no_gain(gains: Sequence[float], rounds: int, pick: random.Random) -> float:
    """The share of bootstrap samples of the gains whose mean is not above 0; 1.0 without gains."""
    if not gains:
        return 1.0
    samples = (sum(pick.choices(gains, k=len(gains))) for _ in range(rounds))
    return sum(total <= 0 for total in samples) / rounds


GUIDED = """The text below is the first part of an item of the benchmark {benchmark}.
Write the second part exactly as it stands in {benchmark}. Write nothing else.

First part: {first}
Second part:"""

GENERAL = """The text below is the first part of a longer text.
Write a second part that completes it. Write nothing else.

First part: {first}
Second part:"""
