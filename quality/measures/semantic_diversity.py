"""Semantic diversity: how far apart in meaning the rows are (operators.md 2.1)."""

import math
from typing import TYPE_CHECKING

from quality.measures import Bounds, Sample, measure
from quality.measures._words import GROUP, mean, shuffled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]


@measure(
    "diversity",
    bounds={
        "vendi_200": Bounds(low=12),
        "embedding_spread": Bounds(low=0.35),
        "nearest_distance": Bounds(low=0.12),
    },
    most=1000,
)
def semantic_diversity(sample: Sample) -> dict[str, float]:
    """How far apart the rows' vectors are, of 200 rows or more, where there is an encoder.

    - `vendi_200`: the Vendi score of 200 rows (from 1, all alike, to 200), a mean over groups;
    - `embedding_spread`: the mean cosine distance of two rows;
    - `nearest_distance`: the mean cosine distance to the nearest of 199 other rows;
    - `cluster_entropy`: how evenly rows lie in clusters (k-means, k = √(n/2)): 1 for equal shares.
    """
    if sample.encode is None or len(sample.texts) < GROUP:
        return {}
    vectors = sample.encode(shuffled(sample.texts, sample.seed))
    groups = [vectors[start : start + GROUP] for start in range(0, len(vectors) - GROUP + 1, GROUP)]
    return {
        "vendi_200": mean([vendi_score(group) for group in groups]),
        "embedding_spread": spread(vectors),
        "nearest_distance": mean([nearest_distance(group) for group in groups]),
        "cluster_entropy": cluster_entropy(vectors, sample.seed),
    }


def vendi_score(vectors: "Vectors") -> float:
    """The effective number of different rows: the exponential of the entropy of the eigenvalues of their similarities.

    Friedman and Dieng, 2022, https://arxiv.org/abs/2210.02410, of order 1, for unit vectors.
    """
    import numpy as np

    n, d = vectors.shape
    wide = vectors.astype(np.float64)
    # Both products have the same eigenvalues other than 0.
    values = np.linalg.eigvalsh((wide @ wide.T if n <= d else wide.T @ wide) / n)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def spread(vectors: "Vectors") -> float:
    """The mean cosine distance of two of at least two unit vectors."""
    import numpy as np

    n = len(vectors)
    total = vectors.sum(axis=0, dtype=np.float64)
    return 1 - (float(total @ total) - n) / (n * (n - 1))


def nearest_distance(vectors: "Vectors") -> float:
    """The mean cosine distance of at least two unit vectors to the nearest other."""
    import numpy as np

    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -1)
    return float(1 - similar.max(axis=1).mean())


def cluster_entropy(vectors: "Vectors", seed: int) -> float:
    """The entropy of the shares of k-means clusters over its highest value; 0 where all vectors are one."""
    import numpy as np
    from sklearn.cluster import KMeans

    k = max(2, math.isqrt(len(vectors) // 2))
    if len(np.unique(vectors, axis=0)) < k:
        # Fewer different vectors than clusters: each is one.
        sizes = np.unique(vectors, axis=0, return_counts=True)[1]
    else:
        found = KMeans(k, n_init="auto", random_state=seed).fit_predict(vectors)
        sizes = np.bincount(found, minlength=k)
    shares = sizes[sizes > 0] / len(vectors)
    return float(-(shares * np.log(shares)).sum() / math.log(k)) + 0.0
