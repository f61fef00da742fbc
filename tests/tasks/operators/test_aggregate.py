from math import log

import pytest

from catalog.records import Prompt
from tasks.ledger import Ledger, keep
from tasks.operators.aggregate import average_orders, entropy, vote

ONE, OTHER = Prompt(prompt="one"), Prompt(prompt="other")


def test_most_votes_win_with_their_share_and_how_far_they_differ() -> None:
    votes = [(ONE, "a"), (OTHER, "b"), (ONE, "b"), (ONE, "b"), (ONE, "b"), (OTHER, "b")]
    (row, split), (other, whole) = vote(votes)
    assert (row, split.value, split.share, split.votes) == (ONE, "b", 0.75, ("a", "b", "b", "b"))
    assert split.entropy == pytest.approx(-(0.25 * log(0.25) + 0.75 * log(0.75)))
    assert (other, whole.value, whole.share, whole.entropy) == (OTHER, "b", 1.0, 0.0)


def test_of_as_many_votes_the_first_given_wins() -> None:
    ((_, found),) = vote([(ONE, "b"), (ONE, "a")])
    assert (found.value, found.share) == ("b", 0.5)


def test_a_row_with_too_few_votes_is_dropped() -> None:
    with keep(Ledger()) as ledger:
        assert [row for row, _ in vote([(ONE, 1), (ONE, 1), (OTHER, 2)], of=2)] == [ONE]
    assert [(drop.row, drop.evidence) for drop in ledger.drops] == [(OTHER, "1 of 2")]


def test_entropy_is_nothing_for_one_answer_and_the_logarithm_of_as_many_as_differ() -> None:
    assert entropy("aaa") == 0.0
    assert entropy("abcd") == pytest.approx(log(4))


def test_both_orders_are_averaged_and_one_that_turns_or_lacks_is_dropped() -> None:
    rows = [Prompt(prompt=text) for text in ("first", "second", "turns", "split", "once")]
    shown = [(row, p) for row, p in zip(rows, (0.9, 0.3, 0.8, 0.5, 0.9), strict=True)]
    swapped = [(row, p) for row, p in zip(rows, (0.7, 0.1, 0.4, 0.6), strict=False)]
    with keep(Ledger()) as ledger:
        found = average_orders(shown, [*swapped, (ONE, 0.9)])
    assert found == [(rows[0], pytest.approx(0.8)), (rows[1], pytest.approx(0.2))]
    assert [(drop.row, drop.reason) for drop in ledger.drops] == [
        (rows[2], "the verdict turns with the order"),
        (rows[3], "the verdict turns with the order"),
        (rows[4], "a judgement is missing"),
        (ONE, "a judgement is missing"),
    ]
