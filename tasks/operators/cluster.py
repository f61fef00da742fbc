"""`cluster`, `representatives` and `thin`: group rows by meaning, and take some of each group (operators.md 18)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.llm.embedder import Embedder
from tasks.method import Rows
from tasks.operators.sample import dice

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Points = npt.NDArray[np.float64]

R = TypeVar("R", bound=Record)

Algorithm = Literal["kmeans", "agglomerative", "hdbscan"]

_MOST = 20
"""The most clusters among which an elbow is looked for."""
_SMALLEST = 5
"""Rows of the smallest cluster that HDBSCAN finds, where there are twice as many rows: scikit-learn's default."""


@dataclass(frozen=True)
class Place:
    """Where a row lies: its cluster (-1: in none), and how it lies among the rows of it, in the reduced space.

    `to_centre` and `to_nearest` are Euclidean distances to the mean and to the nearest other row (0 for a lone one);
    `density` is a kernel estimate, as a share of that at the densest row.
    """

    cluster: int
    to_centre: float
    to_nearest: float
    density: float


@operator
def cluster(
    embedder: Embedder,
    rows: Rows[R],
    text: Callable[[R], str],
    *,
    algorithm: Algorithm = "kmeans",
    clusters: int = 0,
    components: int = 10,
    seed: int = 0,
) -> list[tuple[R, Place]]:
    """(row, place) for each row: vectors of the texts, reduced by PCA, grouped.

    Args:
        embedder: makes the vectors.
        rows: what to group.
        text: what of a row is embedded.
        algorithm: `hdbscan` finds the number of clusters itself, and leaves rows that lie in none.
        clusters: how many to make; 0: as many as the elbow of k-means shows.
        components: dimensions that PCA leaves.
        seed: of k-means.
    """
    from threadpoolctl import threadpool_limits

    if not rows:
        return []
    with threadpool_limits(1):  # more wait for each other in a spin: minutes, where the machine has other work
        points = _reduced(embedder.embed([text(row) for row in rows]), components)
        labels = _labels(points, algorithm, clusters, seed)
    places: dict[int, Place] = {}
    for name in sorted(set(labels)):
        members = [index for index, label in enumerate(labels) if label == name]
        places |= dict(zip(members, _places(name, points[members]), strict=True))
    return [(row, places[index]) for index, row in enumerate(rows)]


@operator
def representatives(placed: Rows[tuple[R, Place]], *, each: int = 1) -> list[tuple[R, Place]]:
    """The `each` rows nearest to the centre of each cluster, in the order of the rows; the others are dropped."""
    ranked = sorted(range(len(placed)), key=lambda index: placed[index][1].to_centre)
    return _keep_first(placed, ranked, lambda size: min(each, size), "others are nearer to the centre of its cluster")


@operator
def thin(
    placed: Rows[tuple[R, Place]], share: float, weight: Callable[[Place], float], *, seed: int = 0
) -> list[tuple[R, Place]]:
    """A `share` of each cluster, at least one row, drawn with chances in proportion to `weight`; the rest is dropped.

    Without replacement (Efraimidis and Spirakis, 2006): each row has a draw of its own, and one of weight 0 comes last.
    """

    def rank(index: int) -> tuple[bool, float]:
        row, place = placed[index]
        chance, drawn = weight(place), 1 - dice(seed, "thin", row.record_id).random()
        return (chance <= 0, -math.log(drawn) / chance if chance > 0 else drawn)

    ranked = sorted(range(len(placed)), key=rank)
    return _keep_first(placed, ranked, lambda size: max(1, round(share * size)), "beyond the share of its cluster")


def _keep_first(
    placed: Rows[tuple[R, Place]], ranked: Sequence[int], quota: Callable[[int], int], reason: str
) -> list[tuple[R, Place]]:
    """Of each cluster as many of the first ranked as its quota, a function of its size, says."""
    sizes: dict[int, int] = {}
    for _, place in placed:
        sizes[place.cluster] = sizes.get(place.cluster, 0) + 1
    left, kept = {name: quota(size) for name, size in sizes.items()}, set[int]()
    for index in ranked:
        row, place = placed[index]
        if left[place.cluster] > 0:
            left[place.cluster] -= 1
            kept.add(index)
        else:
            drop(row, reason, f"cluster {place.cluster} of {sizes[place.cluster]} rows")
    return [placed[index] for index in sorted(kept)]


def _reduced(vectors: Any, components: int) -> "Points":
    """The vectors on their first principal components; as they are where they have no more dimensions."""
    import numpy as np
    from sklearn.decomposition import PCA

    wide: Points = np.asarray(vectors, np.float64)
    most = min(components, *wide.shape)
    if len(wide) < 2 or most == wide.shape[1]:
        return wide
    reduced: Any = PCA(n_components=most, svd_solver="full").fit_transform(wide)
    return np.asarray(reduced, np.float64)


def _labels(points: "Points", algorithm: Algorithm, clusters: int, seed: int) -> list[int]:
    """The number of the cluster of each point."""
    import numpy as np
    from sklearn.cluster import HDBSCAN, AgglomerativeClustering

    distinct = len(np.unique(points, axis=0))
    if distinct < 2:
        return [0] * len(points)
    if algorithm == "hdbscan":
        found: Any = HDBSCAN
        made = found(min_cluster_size=max(2, min(_SMALLEST, len(points) // 2)), copy=True)
        return made.fit_predict(points).tolist()
    count = min(clusters or _elbow(points, min(_MOST, distinct), seed), distinct)
    made = AgglomerativeClustering(count) if algorithm == "agglomerative" else _k_means(count, seed, starts=10)
    return made.fit_predict(points).tolist()


def _elbow(points: "Points", most: int, seed: int) -> int:
    """The number of clusters at which the inertia lies farthest below the line from that of one to that of `most`."""
    inertia = [float(_k_means(count, seed, starts=3).fit(points).inertia_) for count in range(1, most + 1)]
    slope = (inertia[-1] - inertia[0]) / max(1, most - 1)
    return 1 + max(range(most), key=lambda step: inertia[0] + slope * step - inertia[step])


def _k_means(count: int, seed: int, *, starts: int) -> Any:
    from sklearn.cluster import KMeans

    found: Any = KMeans
    return found(count, n_init=starts, random_state=seed)


def _places(name: int, points: "Points") -> list[Place]:
    """Where each point lies among the points of one cluster."""
    import numpy as np
    from sklearn.neighbors import KernelDensity, NearestNeighbors

    to_centre = np.linalg.norm(points - points.mean(axis=0), axis=1)
    if len(points) == 1:
        return [Place(name, float(to_centre[0]), 0.0, 1.0)]
    near: Any = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(points)[0]
    # Scott's factor, with the points' own spread for a unit: 1 is wider than most clusters of unit vectors.
    width = float(points.std(axis=0).mean()) * len(points) ** (-1 / (points.shape[1] + 4))
    density: Any = KernelDensity(bandwidth=width or 1.0).fit(points).score_samples(points)
    share = np.exp(density - density.max())
    return [Place(name, *map(float, each)) for each in zip(to_centre, near[:, 1], share, strict=True)]
