"""Fidelity and drift: alike is near 0 (or 0.5, or 1), unlike is far."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_text import some

from quality.encoder import bulk_encoder
from quality.measures import Sample
from quality.measures.drift import drift, length_shift
from quality.measures.embedded_fidelity import embedded_fidelity, frontier_area, mauve, mmd, neighbours
from quality.measures.fidelity import fidelity, jensen_shannon, two_sample_auc

COUNTS = st.lists(st.integers(0, 9), min_size=3, max_size=8).filter(any).map(np.array)


def cloud(n: int, middle: float, seed: int, d: int = 4) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32) + middle
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@given(COUNTS)
def test_a_text_against_itself_has_no_divergence(counts: np.ndarray) -> None:
    assert jensen_shannon(counts, 3 * counts) == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 99))
def test_the_divergence_is_that_of_scipy(seed: int) -> None:
    from scipy.spatial.distance import jensenshannon

    first, second = np.random.default_rng(seed).integers(1, 50, (2, 7))
    assert jensen_shannon(first, second) == pytest.approx(jensenshannon(first, second, base=2) ** 2)


def test_texts_without_a_word_in_common_diverge_by_a_bit() -> None:
    assert jensen_shannon(np.array([2, 0]), np.array([0, 5])) == 1


def test_two_samples_of_one_kind_are_not_told_apart_and_two_kinds_are() -> None:
    docs, code = some("docs", 300), some("code", 150)
    assert abs(two_sample_auc(docs[:150], docs[150:], 0) - 0.5) < 0.12
    assert two_sample_auc(docs[:150], code, 0) > 0.95


def test_texts_without_words_are_not_told_apart() -> None:
    assert two_sample_auc(["."] * 9, ["!"] * 9, 0) == 0.5


def test_the_order_of_rows_changes_nothing() -> None:
    docs, chat = some("docs", 120), some("chat prompts", 120)
    turned = random.Random(0).sample(docs, len(docs))
    encode = bulk_encoder()
    for measure in (fidelity, embedded_fidelity, drift):
        one, other = (
            measure(Sample(texts=texts, references=chat, earlier=chat, encode=encode)) for texts in (docs, turned)
        )
        assert one == other
        assert one


def test_too_few_rows_or_no_references_are_left_out() -> None:
    for measure in (fidelity, embedded_fidelity, drift):
        assert measure(Sample(texts=["a"] * 200, encode=bulk_encoder())) == {}
        assert measure(Sample(texts=["a"] * 200, references=["a"] * 99, earlier=["a"] * 99)) == {}


def test_mmd_is_that_of_the_definition() -> None:
    x, y = cloud(20, 0, 0), cloud(30, 1, 1)
    every = np.concatenate([x, y])
    squared = ((every[:, None] - every[None]) ** 2).sum(axis=2)
    kernel = np.exp(-squared / np.median(squared[np.triu_indices(50, 1)]))
    within = [
        (block.sum() - len(block)) / (len(block) * (len(block) - 1)) for block in (kernel[:20, :20], kernel[20:, 20:])
    ]
    value, p = mmd(x, y, 0)
    assert value == pytest.approx(sum(within) - 2 * kernel[:20, 20:].mean(), abs=1e-5)
    assert p <= 0.01


def test_mmd_of_two_samples_of_one_cloud_is_insignificant() -> None:
    assert mmd(cloud(100, 0, 0), cloud(100, 0, 1), 0)[1] > 0.05


def test_neighbours_of_a_sample_among_itself_are_all_in_reach() -> None:
    found = neighbours(cloud(50, 0, 0), cloud(50, 0, 0))
    assert found.precision == found.recall == found.coverage == 1
    assert found.density >= 1


def test_neighbours_of_two_distant_samples_are_out_of_reach() -> None:
    far = np.array([[1, 0, 0, 0]], np.float32), np.array([[-1, 0, 0, 0]], np.float32)
    one, other = (centre + 0.01 * cloud(30, 0, seed) for seed, centre in enumerate(far))
    assert neighbours(one, other) == (0, 0, 0, 0)


def test_a_collapsed_sample_is_precise_and_covers_little() -> None:
    whole, point = cloud(200, 0, 0), np.repeat(cloud(200, 0, 0)[:1], 200, axis=0)
    found = neighbours(point, whole)
    assert found.precision == 1
    assert found.coverage < 0.2
    assert found.recall < 0.1


def test_mauve_is_near_1_for_samples_that_are_alike_and_near_0_for_others() -> None:
    assert mauve(cloud(300, 0, 0), cloud(300, 0, 1), 0) > 0.9
    assert mauve(cloud(300, 3, 0), cloud(300, -3, 1), 0) < 0.1


def test_the_frontier_of_equal_distributions_has_the_whole_area() -> None:
    p = np.array([0.2, 0.3, 0.5])
    assert frontier_area(p, p) == pytest.approx(1, abs=1e-4)


def test_a_shift_of_length_has_its_sign() -> None:
    short, long = ["one two", "one two three"] * 9, ["one two three four five", "one two three four"] * 9
    assert length_shift(long, short) == -length_shift(short, long) > 1
    assert length_shift(short, short) == 0


def test_rows_of_one_length_against_another_are_infinitely_far() -> None:
    assert length_shift(["a b"] * 3, ["a"] * 3) == math.inf
