"""Semantic diversity: the values of the papers, and the right way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.measures import Sample
from quality.measures.semantic_diversity import (
    cluster_entropy,
    nearest_distance,
    semantic_diversity,
    spread,
    vendi_score,
)


def units(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@given(st.integers(1, 8), st.integers(1, 12))
def test_the_vendi_score_of_orthogonal_rows_is_their_number_however_often_each_is_there(kinds: int, times: int) -> None:
    assert vendi_score(np.repeat(np.eye(8, dtype=np.float32)[:kinds], times, axis=0)) == pytest.approx(kinds)


@pytest.mark.parametrize("n", [5, 40])
def test_the_vendi_score_is_that_of_the_similarities(n: int) -> None:
    """The definition: exp(-Σ λ log λ) of K/n; it is what the package `vendi-score` reckons."""
    rows = units(n)
    values = np.linalg.eigvalsh((rows @ rows.T / n).astype(np.float64))
    values = values[values > 1e-9]
    assert vendi_score(rows) == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=1e-4)


@given(st.integers(2, 30), st.integers(0, 9))
def test_spread_is_the_mean_distance_of_two_rows(n: int, seed: int) -> None:
    rows = units(n, seed=seed).astype(np.float64)
    pairs = np.triu_indices(n, 1)
    assert spread(rows) == pytest.approx(float(np.mean(1 - (rows @ rows.T)[pairs])), abs=1e-6)


def test_identical_rows_have_no_diversity() -> None:
    rows = np.repeat(units(1), 300, axis=0)
    assert vendi_score(rows) == pytest.approx(1, abs=1e-3)
    assert spread(rows) == pytest.approx(0, abs=1e-5)
    assert nearest_distance(rows) == pytest.approx(0, abs=1e-5)
    assert cluster_entropy(rows, 0) == 0


def test_even_clusters_have_more_entropy_than_uneven_ones() -> None:
    centres = np.eye(8, dtype=np.float32)
    even = np.repeat(centres, 16, axis=0) + 0.01 * units(128)
    uneven = np.repeat(centres, [100, 4, 4, 4, 4, 4, 4, 4], axis=0) + 0.01 * units(128)
    assert cluster_entropy(even, 0) == pytest.approx(1, abs=0.01)
    assert cluster_entropy(uneven, 0) < 0.85


def test_it_is_left_out_without_an_encoder_or_rows_enough() -> None:
    assert semantic_diversity(Sample(texts=["a"] * 500)) == {}
    assert semantic_diversity(Sample(texts=["a"] * 199, encode=lambda texts: units(len(texts)))) == {}
