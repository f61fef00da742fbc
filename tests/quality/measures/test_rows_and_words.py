"""Lengths and word order."""

import random

import pytest
from real_text import some

from quality.measures import Sample
from quality.measures.lengths import lengths
from quality.measures.word_order import order_kept, word_order


def test_blank_rows_are_counted() -> None:
    assert lengths(Sample(texts=["a b", "...", " ", "c"]))["blank_share"] == 0.5


def test_rows_all_as_long_have_no_spread_and_are_all_at_the_limit() -> None:
    found = lengths(Sample(texts=["a b c"] * 100))
    assert found["length_spread"] == 0
    assert found["cut_share"] == 1
    assert found["words_p5"] == found["words_p50"] == found["words_p95"] == 3


def test_the_spread_is_the_quartile_coefficient_of_dispersion() -> None:
    assert lengths(Sample(texts=["a", "a" * 2, "a" * 3, "a" * 4, "a" * 5] * 20))["length_spread"] == pytest.approx(
        2 / 6
    )


def test_empty_rows_have_no_spread() -> None:
    assert lengths(Sample(texts=[""] * 100))["length_spread"] == 0
    assert lengths(Sample(texts=[])) == {}


def test_a_pair_of_words_that_others_have_turned_is_against_the_order() -> None:
    assert order_kept([["a", "b"], ["b", "a"], ["x"], ["a", "b"]]) == [(0.5, 1), (0.0, 1), (0.0, 0), (0.5, 1)]


def test_shuffled_rows_are_found_among_others() -> None:
    rows, chance = some("docs", 400), random.Random(0)
    spoilt = [
        " ".join(chance.sample(text.split(), len(text.split()))) if n % 4 == 0 else text for n, text in enumerate(rows)
    ]
    before, after = word_order(Sample(texts=rows)), word_order(Sample(texts=spoilt))
    assert after["order_kept"] < before["order_kept"]
    assert after["shuffled_share"] > before["shuffled_share"] + 0.15


def test_too_few_words_are_left_out() -> None:
    assert word_order(Sample(texts=["a b", "b a"])) == {}
