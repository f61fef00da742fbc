"""The long tail: known values, and the right way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.measures import Sample
from quality.measures.long_tail import chao1, long_tail, unseen_mass, zipf_exponent


def test_good_turing_is_the_share_of_what_was_seen_once() -> None:
    assert unseen_mass([1, 1, 2, 6]) == 0.2


def test_chao1_is_the_bias_corrected_estimate() -> None:
    """As scikit-bio's `chao1` has it: S + f1(f1 - 1) / (2 (f2 + 1))."""
    assert chao1([0 + 1, 1, 1, 1, 2, 2, 5]) == 7 + 4 * 3 / (2 * 3)
    assert chao1([3, 4]) == 2


@pytest.mark.parametrize("exponent", [0.5, 0.8, 1.2])
def test_the_exponent_of_a_zipf_distribution_is_found(exponent: float) -> None:
    counts = [max(1, round(100_000 / rank**exponent)) for rank in range(1, 300)]
    assert zipf_exponent(counts) == pytest.approx(exponent, abs=0.02)


@given(st.integers(1, 50), st.integers(2, 50))
def test_kinds_all_as_frequent_have_no_slope(count: int, kinds: int) -> None:
    assert zipf_exponent([count] * kinds) == pytest.approx(0, abs=1e-3)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_kinds_changes_nothing(counts: list[int], random: object) -> None:
    turned = counts.copy()
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert (chao1(counts), unseen_mass(counts)) == (chao1(turned), unseen_mass(turned))
    assert chao1(counts) >= len(counts)
    assert zipf_exponent(counts) == pytest.approx(zipf_exponent(turned))


def test_few_words_over_and_over_have_no_tail() -> None:
    few = long_tail(Sample(texts=["one two three four five"] * 300))
    many = long_tail(Sample(texts=[f"w{n} x{n} y{n % 7} z{n % 3} and" for n in range(300)]))
    assert few["unseen_mass"] == 0 < many["unseen_mass"]
    assert few["chao1_words"] == 5 < many["chao1_words"]


def test_fewer_than_a_block_of_words_are_left_out() -> None:
    assert long_tail(Sample(texts=["five words in a row"] * 199)) == {}
    assert np.isfinite(list(long_tail(Sample(texts=["five words in a row"] * 200)).values())).all()
