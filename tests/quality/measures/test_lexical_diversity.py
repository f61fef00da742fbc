"""Lexical diversity moves the right way."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.measures import Sample
from quality.measures.lexical_diversity import distinct, diversity, lexical_diversity, mtld

NAMES = ["distinct_1", "distinct_2", "distinct_3", "compression_ratio", "mean_tokens"]
TREES = ["ash", "birch", "cedar", "elm", "fir", "hazel", "oak", "pine", "rowan", "yew"]
SENTENCE = st.lists(st.sampled_from(TREES), min_size=4, max_size=12)


def test_distinct_n_is_the_share_of_different_n_grams_over_the_whole_set() -> None:
    found = diversity(["a b a", "A, b"])
    assert found["distinct_1"] == 2 / 5
    assert found["distinct_2"] == 2 / 3  # ab ba ab
    assert found["distinct_3"] == 1
    assert found["mean_tokens"] == 2.5


def test_no_n_gram_runs_over_from_one_text_to_the_next() -> None:
    assert "distinct_2" not in diversity(["a", "b", "c"])


def test_the_order_of_words_counts() -> None:
    assert diversity(["a b", "b a"])["distinct_2"] == 1


@pytest.mark.parametrize("texts", [[], [""], ["...", " \n"]])
def test_a_set_without_words_has_no_diversity_to_measure(texts: list[str]) -> None:
    assert diversity(texts) == {}
    assert lexical_diversity(Sample(texts=texts)) == {}


@given(SENTENCE.map(" ".join), st.integers(20, 60))
def test_identical_rows_have_little_diversity(text: str, times: int) -> None:
    found = diversity([text] * times)
    assert list(found) == NAMES
    assert max(found["distinct_1"], found["distinct_2"], found["distinct_3"]) <= 1 / times
    assert found["compression_ratio"] > 3


@given(SENTENCE.map(" ".join), st.integers(2, 20))
def test_a_new_row_raises_diversity_where_a_repeat_lowers_it(text: str, times: int) -> None:
    rows = [text] * times
    new = diversity([*rows, "nothing of this was said before"])
    repeat = diversity([*rows, text])
    for n in NAMES[:3]:
        assert new[n] > diversity(rows)[n] > repeat[n]
    assert new["compression_ratio"] < repeat["compression_ratio"]


def test_mtld_has_the_value_of_lexicalrichness() -> None:
    """Of the package `lexicalrichness` 0.5.1, `mtld(threshold=0.72)`."""
    words = (
        "to be or not to be that is the question whether it is nobler in the mind to suffer the slings " * 3
    ).split()
    assert mtld(words) == pytest.approx(18.980769230769234)
    assert mtld([*map(str, range(50))]) == 50


def test_figures_over_blocks_do_not_depend_on_the_size_of_the_set() -> None:
    chance = random.Random(0)
    rows = [" ".join(chance.choices(range_of_words(), k=20)) for _ in range(4000)]
    few, many = lexical_diversity(Sample(texts=rows[:400])), lexical_diversity(Sample(texts=rows))
    for name in ("distinct_2_block", "distinct_3_block", "mtld", "compression_block"):
        assert few[name] == pytest.approx(many[name], rel=0.05)
    assert few["distinct_2"] > 1.1 * many["distinct_2"]


def range_of_words() -> list[str]:
    return [f"word{number}" for number in range(100)]


def test_distinct_counts_n_grams_of_words() -> None:
    assert distinct(["a", "b", "a", "b"], 2) == 2 / 3
