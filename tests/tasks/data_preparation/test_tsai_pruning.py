from collections import Counter
from typing import Any

import numpy as np

from catalog.records import PromptCompletion
from tasks.data_preparation.tsai_pruning import Pruned, tsai_pruning
from tasks.ledger import Ledger, keep
from tasks.llm.embedder import Embedder

TOPICS = {"sort": [1, 0, 0], "read": [0, 1, 0], "draw": [0, 0, 1]}
PAIRS = [
    PromptCompletion(prompt=f"{topic} {number}", completion=f"def {topic}_{number}(): ...")
    for topic in TOPICS
    for number in range(20)
]


def encode(texts: Any) -> Any:
    """Three groups; in each, pairs 0 to 9 are nearly one and the others lie apart, the further the greater."""
    vectors: list[Any] = []
    for text in texts:
        topic, number = text.split()[:2]
        apart = 1e-4 if int(number) < 10 else 1e-2
        vectors.append(np.array([*TOPICS[topic], *[0] * 20]) + apart * np.eye(23)[3 + int(number)])
    return np.array(vectors, np.float32)


EMBEDDER = Embedder("given", encode)


def good(prompt: str, body: dict[str, Any]) -> str:
    raise AssertionError(f"this method asks no model, yet {prompt!r} was asked with {sorted(body)}")


def promised(row: Pruned) -> bool:
    return bool(row.completion.strip()) and row.to_nearest >= 0 and 0 <= row.density <= 1


def kept(**settings: Any) -> list[Pruned]:
    return [row for seed in range(20) for row in tsai_pruning(PAIRS, EMBEDDER, seed=seed, components=20, **settings)]


def apart(rows: list[Pruned]) -> float:
    return sum(int(row.prompt.split()[1]) >= 10 for row in rows) / len(rows)


def test_a_tenth_of_each_cluster_is_kept_and_the_rest_is_told() -> None:
    with keep(Ledger()) as ledger:
        rows = tsai_pruning(PAIRS, EMBEDDER, algorithm="kmeans")
    assert Counter(row.prompt.split()[0] for row in rows) == {"sort": 2, "read": 2, "draw": 2}
    assert len({row.cluster for row in rows}) == 3
    assert {drop.reason for drop in ledger.drops} == {"beyond the share of its cluster"}
    assert len(ledger.drops) == 54
    assert all(map(promised, rows))


def test_diversity_keeps_what_is_far_from_its_neighbours_and_density_what_is_in_the_crowd() -> None:
    clustering: dict[str, Any] = {"algorithm": "kmeans", "ratio": 0.25}
    shares = {metric: apart(kept(metric=metric, **clustering)) for metric in ("diversity", "random", "density")}
    assert shares["diversity"] > 0.9
    assert 0.35 < shares["random"] < 0.65
    assert shares["density"] < shares["random"]


def test_hdbscan_finds_the_clusters_by_itself() -> None:
    rows = tsai_pruning(PAIRS, EMBEDDER, ratio=0.5)
    topics = {row.cluster: {other.prompt.split()[0] for other in rows if other.cluster == row.cluster} for row in rows}
    assert all(len(names) == 1 for number, names in topics.items() if number >= 0)


def test_a_pair_that_repeats_counts_once_and_a_row_leads_back_to_its_pair() -> None:
    again = [PromptCompletion(prompt=pair.prompt, completion=pair.completion, record_id="again") for pair in PAIRS[:1]]
    with keep(Ledger()) as ledger:
        rows = tsai_pruning([*PAIRS, *again], EMBEDDER, ratio=1.0)
    assert len(rows) == 60
    assert [drop.reason for drop in ledger.drops] == ["it repeats another row"]
    assert rows[0].parents == (PAIRS[0].record_id,)
