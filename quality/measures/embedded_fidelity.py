"""Embedded fidelity: how far the texts lie from human ones in meaning (operators.md 2.5)."""

from typing import TYPE_CHECKING, NamedTuple

from quality.measures import Bounds, Sample, measure
from quality.measures._words import shuffled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

MOST = 500
_FEWEST = 100
_PERMUTATIONS = 500


@measure(
    "fidelity",
    bounds={
        "mmd": Bounds(high=0.02),
        "mauve": Bounds(low=0.8),
        "precision": Bounds(low=0.6),
        "recall": Bounds(low=0.6),
        "density": Bounds(low=0.7),
        "coverage": Bounds(low=0.7),
    },
    most=MOST,
)
def embedded_fidelity(sample: Sample) -> dict[str, float]:
    """How far the texts are from as many references, where there is an encoder and each side has 100 rows.

    - `mmd`, `mmd_p`: the squared maximum mean discrepancy and the share of permutations with as high a one;
    - `mauve`: MAUVE of these vectors: 1 if the samples are alike, towards 0 if they are not;
    - `precision`, `recall`, `density`, `coverage`: of the k = 5 nearest neighbours.
    """
    most = min(len(sample.texts), len(sample.references), MOST)
    if sample.encode is None or most < _FEWEST:
        return {}
    texts, references = (
        sample.encode(shuffled(side, sample.seed)[:most]) for side in (sample.texts, sample.references)
    )
    value, p = mmd(texts, references, sample.seed)
    manifold = neighbours(texts, references)
    return {"mmd": value, "mmd_p": p, "mauve": mauve(texts, references, sample.seed), **manifold._asdict()}


def mmd(texts: "Vectors", others: "Vectors", seed: int) -> tuple[float, float]:
    """The unbiased squared MMD of an RBF kernel of the median distance, and its p-value by 500 permutations.

    Gretton et al., 2012, https://jmlr.org/papers/v13/gretton12a.html. Of unit vectors, two or more a side.
    """
    import numpy as np

    every, n = np.concatenate([texts, others]).astype(np.float64), len(texts)
    squared = np.maximum(0, 2 - 2 * every @ every.T)
    median = float(np.median(squared[np.triu_indices(len(every), 1)]))
    kernel = np.exp(-squared / (median or 1.0))
    np.fill_diagonal(kernel, 0)
    chance = np.random.default_rng(seed)
    sides = np.zeros((_PERMUTATIONS + 1, len(every)))
    sides[0, :n] = 1
    for row in sides[1:]:
        row[chance.choice(len(every), n, replace=False)] = 1
    m = len(others)
    across = sides @ kernel
    within, total = (across * sides).sum(axis=1), kernel.sum()
    between = across.sum(axis=1) - within
    found = within / (n * (n - 1)) + (total - within - 2 * between) / (m * (m - 1)) - 2 * between / (n * m)
    return float(found[0]), float((found >= found[0] - 1e-12).mean())


def mauve(texts: "Vectors", others: "Vectors", seed: int) -> float:
    """The area under the curve of the divergences of both samples' shares of clusters from mixtures of them.

    Pillutla et al., 2021, https://arxiv.org/abs/2102.01454, with its k = n/10 clusters and c = 5, over these vectors
    (theirs are of GPT-2, so compare with figures of one encoder only) and, as in its sequel
    (https://arxiv.org/abs/2212.14578), with half a count added to each cluster.
    """
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    every = np.concatenate([texts, others])
    k = max(2, min(len(texts), len(others)) // 10)
    if len(np.unique(every, axis=0)) < k:
        reached = np.unique(every, axis=0, return_inverse=True)[1]
    else:
        reduced = PCA(0.9, svd_solver="full").fit_transform(every)
        reached = KMeans(k, n_init="auto", random_state=seed).fit_predict(reduced)
    p, q = (np.bincount(side, minlength=k) + 0.5 for side in (reached[: len(texts)], reached[len(texts) :]))
    return frontier_area(p / p.sum(), q / q.sum())


def frontier_area(p: "npt.NDArray[np.float64]", q: "npt.NDArray[np.float64]", c: float = 5) -> float:
    """The area under the divergence frontier of two positive distributions over the same clusters."""
    import numpy as np

    weights = np.linspace(1e-6, 1 - 1e-6, 25)[:, None]
    mixed = weights * p + (1 - weights) * q
    x = np.exp(-c * (q * np.log(q / mixed)).sum(axis=1))
    y = np.exp(-c * (p * np.log(p / mixed)).sum(axis=1))
    x, y = np.concatenate([[0], x, [1]]), np.concatenate([[1], y, [0]])
    order = np.lexsort((-y, x))
    return float(np.trapezoid(y[order], x[order]))


class Neighbours(NamedTuple):
    """How two samples lie among each other."""

    precision: float
    """Texts within reach of a reference: of its k-th nearest reference."""
    recall: float
    """References within reach of a text."""
    density: float
    """References that a text is in reach of, over k; 1 on average if the samples are alike."""
    coverage: float
    """References with a text in their reach."""


def neighbours(texts: "Vectors", others: "Vectors", k: int = 5) -> Neighbours:
    """Precision, recall, density and coverage of texts among other texts, more than k a side.

    Kynkäänniemi et al., 2019, https://arxiv.org/abs/1904.06991; Naeem et al., 2020, https://arxiv.org/abs/2002.09797.
    """
    import numpy as np

    between = 1 - others @ texts.T
    # The nearest row of all is the row itself.
    of_others = np.partition(1 - others @ others.T, k, axis=1)[:, k]
    of_texts = np.partition(1 - texts @ texts.T, k, axis=1)[:, k]
    within = between <= of_others[:, None] + 1e-6
    return Neighbours(
        precision=float(within.any(axis=0).mean()),
        recall=float((between <= of_texts[None, :] + 1e-6).any(axis=1).mean()),
        density=float(within.sum(axis=0).mean() / k),
        coverage=float((between.min(axis=1) <= of_others + 1e-6).mean()),
    )
