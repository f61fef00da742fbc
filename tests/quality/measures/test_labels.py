"""Measures of labels: balance and noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_text import some

from quality.measures import Sample
from quality.measures.label_balance import gini, label_balance, normalised_entropy
from quality.measures.label_noise import label_noise, mislabelled


def test_even_labels_are_balanced() -> None:
    assert label_balance(Sample(texts=["t"] * 8, labels=["a", "b"] * 4)) == {
        "labels": 2,
        "label_entropy": 1,
        "largest_label": 0.5,
        "label_gini": 0,
        "label_unseen": 0,
        "label_coverage": 1,
    }


def test_a_single_label_has_no_entropy() -> None:
    assert label_balance(Sample(texts=["t"] * 3, labels=["a"] * 3))["label_entropy"] == 0


def test_without_labels_there_is_nothing() -> None:
    assert label_balance(Sample(texts=["t"])) == {}
    assert label_noise(Sample(texts=["t"])) == {}


@given(st.lists(st.integers(1, 99), min_size=1, max_size=20))
def test_evenness_is_within_its_limits_and_the_gini_coefficient_the_mean_difference(counts: list[int]) -> None:
    assert 0 <= normalised_entropy(counts) <= 1 + 1e-9
    differences = np.abs(np.subtract.outer(counts, counts)).mean()
    assert gini(counts) == pytest.approx(differences / (2 * np.mean(counts)), abs=1e-9)


def test_confident_learning_finds_the_row_that_says_another_label() -> None:
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95]])
    assert mislabelled(chances, np.array([0, 0, 1, 1, 0])).tolist() == [False, False, False, False, True]


def test_labels_that_the_text_does_not_tell_have_no_kappa() -> None:
    texts = some("docstrings", 300)
    found = label_noise(Sample(texts=texts, labels=["a", "b", "c"] * 100))
    assert abs(found["label_kappa"]) < 0.2


def test_labels_of_too_few_rows_are_left_out() -> None:
    assert label_noise(Sample(texts=["a", "b"] * 19, labels=["a", "b"] * 19)) == {}
