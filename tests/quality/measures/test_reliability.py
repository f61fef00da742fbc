"""Agreement: known values, and what becomes of rows without them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.measures import Sample
from quality.measures.reliability import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    majority_share,
    reliability,
)

RATINGS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=30)

# Krippendorff, 2011, part D: four observers, twelve units, some ratings missing.
KRIPPENDORFF = [
    *([1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4]),
    *([4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, None, 3, None]),
]

# Fleiss, 1971, as in the usual example: ten subjects, fourteen raters, five categories.
FLEISS = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_has_the_values_of_the_paper(level: str, alpha: float) -> None:
    assert krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(alpha, abs=0.001)  # type: ignore[arg-type]


def test_fleiss_kappa_has_the_value_of_the_example() -> None:
    units = [[category for category, count in enumerate(row) for _ in range(count)] for row in FLEISS]
    assert fleiss_kappa(units) == pytest.approx(0.210, abs=0.001)


@given(RATINGS)
def test_cohen_kappa_is_that_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    from sklearn.metrics import cohen_kappa_score

    first, second = zip(*pairs, strict=True)
    if len({*first, *second}) > 1:
        assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
def test_one_who_agrees_with_oneself_agrees_wholly(ratings: list[str]) -> None:
    pairs = [(one, one) for one in ratings]
    assert cohen_kappa(ratings, ratings) == fleiss_kappa(pairs) == krippendorff_alpha(pairs) == 1


def test_units_with_one_rating_or_none_say_nothing() -> None:
    assert krippendorff_alpha([[1], [], [None, 2]]) is None


def test_fleiss_kappa_refuses_units_of_unlike_size() -> None:
    with pytest.raises(ValueError, match=r"units with \[1, 2\] ratings; give the same number"):
        fleiss_kappa([["a", "b"], ["a"]])


def test_cohen_kappa_refuses_nothing() -> None:
    with pytest.raises(ValueError, match="give at least one"):
        cohen_kappa([], [])


def test_the_vote_is_the_share_of_the_commonest_answer() -> None:
    assert majority_share(["4", "4", "5"]) == 2 / 3


def test_figures_come_from_the_columns_that_rows_have() -> None:
    rows = [
        {"verified": True, "answers": ["4", "4"], "judgements": [1, 2], "verdict": "A", "swapped_verdict": "A"},
        {"verified": False, "answers": ["4", "5"], "judgements": [4, 5], "verdict": "A", "swapped_verdict": "B"},
        {"verified": None, "answers": None, "judgements": [3, None], "verdict": "A"},
    ]
    found = reliability(Sample(texts=["t"] * 3, rows=rows))
    assert found["verified_share"] == 0.5
    assert found["self_consistency"] == 0.75
    assert found["judge_alpha"] == krippendorff_alpha([[1, 2], [4, 5]], "interval")
    assert found["order_consistency"] == 0.5


def test_rows_without_such_columns_have_no_figures() -> None:
    assert reliability(Sample(texts=["t"], rows=[{"prompt": "t", "answers": "yes"}])) == {}
