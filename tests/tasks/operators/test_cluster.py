from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from catalog.records import Document
from tasks.ledger import Ledger, keep
from tasks.llm.embedder import Embedder
from tasks.operators.cluster import Algorithm, Place, cluster, representatives, thin
from tasks.operators.neighbours import neighbours


def embedder(vectors: dict[str, Sequence[float]]) -> Embedder:
    return Embedder("given", lambda texts: np.array([vectors[text] for text in texts], np.float32))


def text(row: Document) -> str:
    return row.text


def around(centre: Sequence[float], count: int, name: str) -> dict[str, Sequence[float]]:
    draw = np.random.default_rng(len(name))
    return {f"{name} {i}": (np.array(centre) + draw.normal(0, 0.02, len(centre))).tolist() for i in range(count)}


THREE = around([1, 0, 0, 0], 12, "tea") | around([0, 1, 0, 0], 12, "ships") | around([0, 0, 1, 0], 12, "stars")
ROWS = [Document(text=name) for name in THREE]


@pytest.mark.parametrize("algorithm", ["kmeans", "agglomerative", "hdbscan"])
def test_rows_that_mean_alike_are_one_cluster_and_their_number_is_found(algorithm: Algorithm) -> None:
    placed = cluster(embedder(THREE), ROWS, text, algorithm=algorithm, components=2)
    groups: dict[int, set[str]] = {}
    for row, place in placed:
        groups.setdefault(place.cluster, set()).add(row.text.split()[0])
    assert sorted(map(sorted, (names for number, names in groups.items() if number >= 0))) == [
        ["ships"],
        ["stars"],
        ["tea"],
    ]
    assert [row for row, _ in placed] == ROWS


def test_a_row_in_the_crowd_is_dense_and_one_apart_is_far_from_its_neighbour() -> None:
    rows = {"a": [0.0, 0.0], "b": [0.1, 0.0], "c": [0.0, 0.1], "far": [3.0, 3.0]}
    placed = cluster(embedder(rows), [Document(text=name) for name in rows], text, clusters=1)
    place = {row.text: found for row, found in placed}
    assert place["far"].to_nearest == pytest.approx(np.hypot(3.0, 2.9), rel=1e-3)
    assert place["a"].to_nearest == pytest.approx(0.1, rel=1e-3)
    assert place["far"].density < 0.5 < place["a"].density <= 1
    assert place["far"].to_centre > place["a"].to_centre


@pytest.mark.parametrize("algorithm", ["kmeans", "agglomerative", "hdbscan"])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_rows_and_equal_rows_are_no_trouble(algorithm: Algorithm, count: int) -> None:
    rows = [Document(text="same", title=str(number)) for number in range(count)]
    placed = cluster(embedder({"same": [1.0, 0.0]}), rows, text, algorithm=algorithm)
    assert [place for _, place in placed] == [Place(0, 0.0, 0.0, 1.0)] * count


def test_of_each_cluster_the_row_at_the_centre_represents_it() -> None:
    placed = [(Document(text=f"{number}"), Place(number % 2, number / 10, 0.0, 1.0)) for number in range(6)]
    with keep(Ledger()) as ledger:
        assert [row.text for row, _ in representatives(placed)] == ["0", "1"]
    assert len(ledger.drops) == 4


def draws(weight: Callable[[Place], float], **settings: Any) -> list[int]:
    """How often each of twenty rows in two clusters is kept; its distance to its neighbour is its number."""
    placed = [(Document(text=f"{number}"), Place(number % 2, 0.0, number, 1.0)) for number in range(20)]
    counts = [0] * 20
    for seed in range(200):
        for row, _ in thin(placed, weight=weight, seed=seed, **settings):
            counts[int(row.text)] += 1
    return counts


def test_of_each_cluster_a_share_is_kept_at_least_one_row() -> None:
    counts = draws(lambda _: 1.0, share=0.3)
    assert sum(counts[::2]) == sum(counts[1::2]) == 3 * 200
    assert sum(draws(lambda _: 1.0, share=0.01)) == 2 * 200


def test_chances_are_in_proportion_to_the_weight_and_one_without_any_comes_last() -> None:
    counts = draws(lambda place: place.to_nearest, share=0.2)
    assert counts[0] == 0
    assert sum(counts[:6]) < sum(counts[-6:]) / 3


def test_the_nearest_neighbour_is_another_row() -> None:
    rows = {"a": [1.0, 0.0], "b": [0.8, 0.6], "c": [0.0, 1.0]}
    found = neighbours(embedder(rows), [Document(text=name) for name in "abca"], text)
    assert [(row.text, distance) for row, distance in found] == [("a", 0.0), ("b", 0.2), ("c", 0.4), ("a", 0.0)]
    assert [distance for _, distance in neighbours(embedder(rows), [Document(text="a")], text)] == [2.0]
    assert neighbours(embedder(rows), [], text) == []
