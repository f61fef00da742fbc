"""Code Less, Align More: prune instruction-code pairs to a share of each cluster of those that mean alike.

Tsai et al., 2024, https://arxiv.org/abs/2407.05040

Departs from the paper:
- The vectors are the embedder's, in place of those of text-embedding-ada-002; of long pairs it may read only the start.
- Chances in proportion to density are for keeping the typical pairs; a pair without a neighbour in its cluster is kept.
- Pairs that HDBSCAN leaves in no cluster are one more cluster. The number of clusters, where the algorithm wants one,
  is at the elbow of k-means' inertia among 20.
- The ratio is a setting: one run is one point of the paper's sweep. No model is trained to compare them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from catalog.records import PromptCompletion
from quality.expectations import between, distinct_together, not_blank
from tasks.llm.embedder import Embedder
from tasks.method import Paper, Rows, method
from tasks.operators.cluster import Place, cluster, thin
from tasks.operators.dedup import dedup

Metric = Literal["diversity", "density", "random"]


@dataclass(frozen=True, kw_only=True)
class Pruned(PromptCompletion):
    """A pair that was kept, and where it lies: its cluster, the nearest pair and the density in it."""

    cluster: int
    to_nearest: float
    density: float


@method(
    paper=Paper(
        "Code Less, Align More: Efficient LLM Fine-tuning for Code Generation with Data Pruning",
        "Tsai et al.",
        2024,
        arxiv="2407.05040",
    ),
    categories=["data-augmentation:non-llm"],
    reads={"pairs": ("applications.oss_instruct_magicoder", "raw.code_instructions")},
    expects=[
        not_blank("completion"),
        distinct_together("prompt", "completion"),
        between("to_nearest", 0),
        between("density", 0, 1),
    ],
)
def tsai_pruning(
    pairs: Rows[PromptCompletion],
    embedder: Embedder,
    *,
    ratio: float = 0.1,
    metric: Metric = "diversity",
    algorithm: Literal["hdbscan", "kmeans", "agglomerative"] = "hdbscan",
    components: int = 10,
    clusters: int = 0,
    seed: int = 0,
) -> Rows[Pruned]:
    """Embed the pairs, reduce by PCA, cluster, and keep `ratio` of each cluster by the metric."""
    distinct = dedup(pairs, lambda pair: (pair.prompt, pair.completion))
    placed = cluster(embedder, distinct, both, algorithm=algorithm, clusters=clusters, components=components, seed=seed)
    return [
        Pruned(
            prompt=pair.prompt,
            completion=pair.completion,
            cluster=place.cluster,
            to_nearest=place.to_nearest,
            density=place.density,
            origin=(pair,),
        )
        for pair, place in thin(placed, ratio, METRICS[metric], seed=seed)
    ]


def both(pair: PromptCompletion) -> str:
    """An instruction with its code: what is embedded."""
    return f"{pair.prompt}\n\n{pair.completion}"


METRICS: Mapping[str, Callable[[Place], float]] = {
    "diversity": lambda place: place.to_nearest,
    "density": lambda place: place.density,
    "random": lambda _: 1.0,
}
"""What the chance of a pair to be kept is in proportion to."""
