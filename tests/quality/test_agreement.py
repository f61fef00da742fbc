import math

import pytest

from quality.agreement import cohen_kappa, krippendorff_alpha


def test_kappa_of_fifty_proposals_is_the_textbooks() -> None:
    """Two readers of fifty proposals: 20 yes twice, 15 no twice, 5 and 10 apart."""
    first = ["yes"] * 20 + ["yes"] * 5 + ["no"] * 10 + ["no"] * 15
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_kappa_is_one_where_all_agree_and_below_nothing_where_none_do() -> None:
    assert cohen_kappa(["a", "b"], ["a", "b"]) == 1.0
    assert cohen_kappa(["a", "b"], ["b", "a"]) == -1.0


def test_alpha_of_krippendorffs_example_with_missing_values_is_his() -> None:
    """Four observers, twelve units, nominal: 0.743 (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011)."""
    units = {
        "A": "1 2 3 3 2 1 4 1 2 * * *",
        "B": "1 2 3 3 2 2 4 1 2 5 * 3",
        "C": "* 3 3 3 2 3 4 2 2 5 1 *",
        "D": "1 2 3 3 2 4 4 1 2 5 1 *",
    }
    labels = {
        name: {f"unit {place}": value for place, value in enumerate(row.split()) if value != "*"}
        for name, row in units.items()
    }
    assert krippendorff_alpha(labels) == pytest.approx(0.743, abs=0.0005)


def test_alpha_of_two_observers_without_gaps_is_the_textbooks() -> None:
    """Ten articles, two observers, two values: 0.095 (the same paper)."""
    labels = {"A": "0100000000", "B": "1110010100"}
    assert krippendorff_alpha(
        {name: {str(place): value for place, value in enumerate(row)} for name, row in labels.items()}
    ) == pytest.approx(0.095, abs=0.0005)


def test_what_is_not_defined_is_no_number() -> None:
    assert math.isnan(krippendorff_alpha({}))
    assert math.isnan(krippendorff_alpha({"A": {"1": "x"}, "B": {"2": "y"}}))
    assert math.isnan(krippendorff_alpha({"A": {"1": "x"}, "B": {"1": "x"}}))
    assert math.isnan(cohen_kappa(["x"], ["x"]))
    with pytest.raises(ValueError, match="0 and 1 labels"):
        cohen_kappa([], ["x"])
