"""The measures of diversity move the right way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.records import Code, Problem, PromptCompletion
from quality.diversity import diversity
from quality.texts import texts_of, words

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


@given(SENTENCE.map(" ".join), st.integers(20, 60))
def test_identical_rows_have_little_diversity(text: str, times: int) -> None:
    found = diversity([text] * times)
    assert list(found) == NAMES
    assert max(found["distinct_1"], found["distinct_2"], found["distinct_3"]) <= 1 / times
    assert found["compression_ratio"] > 3


@given(st.lists(SENTENCE.map(" ".join), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_distinct_n(texts: list[str], random: object) -> None:
    shuffled = texts.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    before, after = diversity(texts), diversity(shuffled)
    assert [before.get(n) for n in NAMES[:3]] == [after.get(n) for n in NAMES[:3]]


@given(SENTENCE.map(" ".join), st.integers(2, 20))
def test_a_new_row_raises_diversity_where_a_repeat_lowers_it(text: str, times: int) -> None:
    rows = [text] * times
    new = diversity([*rows, "nothing of this was said before"])
    repeat = diversity([*rows, text])
    for n in NAMES[:3]:
        assert new[n] > diversity(rows)[n] > repeat[n]
    assert new["compression_ratio"] < repeat["compression_ratio"]


def test_the_text_of_a_row_is_that_of_the_fields_its_shape_requires() -> None:
    assert texts_of([{"prompt": "p", "completion": "c"}], PromptCompletion) == ["p\nc"]
    assert texts_of([{"prompt": "p", "answer": "a", "topic": "sums"}], Problem) == ["p\na"]
    assert texts_of([{"code": "pass", "name": "f"}], Code) == ["pass"]


def test_words_are_runs_of_letters_and_digits_in_one_case() -> None:
    assert words("Don't STOP_here, Straße\t4x2! ｎｏ") == ["don", "t", "stop", "here", "strasse", "4x2", "no"]
