"""Repetition: copies are counted, and only copies."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_text import some

from quality.measures import Sample
from quality.measures.repetition import repetition


def test_of_three_copies_two_repeat() -> None:
    found = repetition(Sample(texts=["a b", "a  b\n", "a b", "c d"]))
    assert found["exact_duplicate_share"] == 0.5
    assert found["near_duplicate_share"] == 0


def test_a_row_in_capitals_and_without_punctuation_is_a_near_duplicate() -> None:
    found = repetition(Sample(texts=["Well, what is it?", "WELL WHAT IS IT", "something else is here"]))
    assert found == {"exact_duplicate_share": 0, "near_duplicate_share": pytest.approx(1 / 3)}


def test_short_questions_about_other_things_are_no_duplicates() -> None:
    texts = ["What is the capital of France?", "What is the capital of Spain?", "How far is the moon?"]
    assert repetition(Sample(texts=texts))["near_duplicate_share"] == 0


def test_a_long_row_with_a_word_changed_is_a_near_duplicate() -> None:
    long = " ".join(f"word{number}" for number in range(60))
    found = repetition(Sample(texts=[long, long.replace("word30", "another")]))
    assert found["near_duplicate_share"] == 0.5


def test_the_same_words_in_another_order_are_no_duplicate() -> None:
    assert repetition(Sample(texts=["a b c d e f g h", "h g f e d c b a"]))["near_duplicate_share"] == 0


def test_a_row_that_says_itself_again_is_looping() -> None:
    found = repetition(Sample(texts=["so it goes on " * 10, " ".join(map(str, range(30))), "short"]))
    assert found["looping_share"] == 0.5


@given(st.lists(st.text(max_size=30), min_size=1, max_size=15), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(texts: list[str], random: random.Random) -> None:
    turned = texts.copy()
    random.shuffle(turned)
    assert repetition(Sample(texts=texts)) == repetition(Sample(texts=turned))


@given(st.text(max_size=50), st.integers(1, 20))
def test_of_identical_rows_all_but_one_repeat(text: str, times: int) -> None:
    assert repetition(Sample(texts=[text] * times))["exact_duplicate_share"] == pytest.approx(1 - 1 / times)


def test_planted_near_copies_are_found_and_no_others() -> None:
    rows = [text for text in some("docs", 800) if len(text.split()) > 60][:100]
    before = repetition(Sample(texts=rows))["near_duplicate_share"]
    near = [text.replace(" the ", " this ", 1) + " And so on." for text in rows[:30]]
    after = repetition(Sample(texts=[*rows, *near]))["near_duplicate_share"]
    assert after - before == pytest.approx(30 / 130, abs=0.02)


def test_nothing_comes_of_nothing() -> None:
    assert repetition(Sample(texts=[])) == {}
