from collections import Counter
from collections.abc import Sequence
from random import Random

from catalog.records import Labelled
from tasks.ledger import Ledger, keep
from tasks.operators.episodes import episodes

MOODS = [
    Labelled(text=f"{mood} {i}", label=mood, dataset="mood") for mood in ("happy", "sad", "calm") for i in range(5)
]


def _texts(query: Labelled, examples: Sequence[Labelled], draw: Random) -> list[str]:
    return [row.text for row in examples]


def test_every_class_shows_as_many_examples_and_never_the_query() -> None:
    for query, examples, shown in episodes(MOODS, _texts, 30, shots=(2, 4), most=2):
        counts = Counter(row.label for row in examples)
        assert query.label in counts
        assert len(counts) == 2
        assert len(set(counts.values())) == 1
        assert query.text not in shown


def test_each_row_is_the_query_once_in_a_round() -> None:
    queries = Counter(query.text for query, _, _ in episodes(MOODS, _texts, 2 * len(MOODS)))
    assert set(queries.values()) == {2}


def test_a_row_without_enough_others_is_dropped_with_the_reason() -> None:
    lone = Labelled(text="odd", label="rare", dataset="mood")
    single = [Labelled(text=f"note {i}", label="note", dataset="notes") for i in range(4)]
    with keep(Ledger()) as ledger:
        assert {query.dataset for query, _, _ in episodes([*MOODS, lone, *single], _texts, 30)} == {"mood"}
    assert {drop.reason for drop in ledger.drops} == {
        "its class has fewer than 2 other texts",
        "its dataset has no other class with 2 texts",
    }
