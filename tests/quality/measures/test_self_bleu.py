"""Self-BLEU has the value of nltk."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from real_text import some

from quality.measures import Sample
from quality.measures.self_bleu import self_bleu, self_bleus
from quality.texts import words

ROWS = st.lists(st.lists(st.sampled_from("abcd"), max_size=9), min_size=2, max_size=6)


def by_nltk(rows: list[list[str]]) -> list[float]:
    smooth = SmoothingFunction().method1
    return [
        float(sentence_bleu(rows[:n] + rows[n + 1 :], row, smoothing_function=smooth)) for n, row in enumerate(rows)
    ]


@given(ROWS)
@settings(max_examples=200)
def test_it_is_what_nltk_says(rows: list[list[str]]) -> None:
    assert self_bleus(rows) == pytest.approx(by_nltk(rows))


def test_it_is_what_nltk_says_of_real_text() -> None:
    rows = [words(text)[:40] for text in some("docstrings", 60)]
    assert self_bleus(rows) == pytest.approx(by_nltk(rows))


def test_identical_rows_have_the_highest() -> None:
    assert self_bleu(Sample(texts=["so it was in the end"] * 200)) == {"self_bleu": pytest.approx(1)}


def test_rows_without_a_word_in_common_have_none() -> None:
    assert self_bleu(Sample(texts=[f"a{n} b{n} c{n} d{n} e{n}" for n in range(200)])) == {"self_bleu": 0}


def test_fewer_rows_than_a_group_are_left_out() -> None:
    assert self_bleu(Sample(texts=["a b c"] * 199)) == {}
