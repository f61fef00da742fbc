"""Semantic duplicates, by vectors whose angles are known."""

from collections.abc import Sequence

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.duplicates import PAIRS, semantic
from quality.duplicates.semantic import semantic_duplicates, vectors


def at(*degrees: float) -> pl.DataFrame:
    turned = np.radians(degrees)
    return vectors(
        [f"{degree:g}" for degree in degrees],
        [""] * len(degrees),
        lambda _: np.stack([np.cos(turned), np.sin(turned)], axis=1),
    )


def told(new: pl.DataFrame, published: pl.DataFrame | None = None, threshold: float = 0.9) -> list[tuple[str, str]]:
    return semantic_duplicates(new, published, threshold=threshold).select("record_id", "kept_id").rows()


def test_the_pair_names_the_kept_row_and_the_cosine() -> None:
    found = semantic_duplicates(at(0, 90, 20))
    assert found.columns == list(PAIRS)
    assert found.rows() == [("20", "0", pytest.approx(np.cos(np.radians(20))), "semantic", 1)]


def test_a_row_is_compared_with_rows_that_stay_alone() -> None:
    assert told(at(0, 20, 40)) == [("20", "0")]


def test_the_most_similar_row_is_named() -> None:
    assert told(at(0, 40, 22)) == [("22", "40")]


def test_published_rows_come_first() -> None:
    assert told(at(10, 15, 100), at(1, 99)) == [("10", "1"), ("15", "1"), ("100", "99")]


def test_published_rows_may_be_a_table_of_the_lake() -> None:
    with duckdb.connect() as connection:
        stored = connection.from_arrow(at(0, 50).to_arrow())
        assert semantic_duplicates(at(51), stored)["kept_id"].to_list() == ["50"]


def test_a_vector_of_zeros_is_like_no_other() -> None:
    zeros = vectors(["a", "b"], ["", ""], lambda texts: np.zeros((2, 4)))
    assert told(zeros) == []


def test_no_rows_have_no_pairs() -> None:
    none = vectors([], [], lambda texts: np.zeros((0, 4)))
    assert told(none, at(1)) == []
    assert told(none) == []


def test_vectors_of_another_encoder_are_refused() -> None:
    other = vectors(["x"], [""], lambda texts: np.ones((1, 3)))
    with pytest.raises(ValueError, match="the vector of x has 3 numbers, 2 are wanted"):
        semantic_duplicates(at(1), other)


def test_a_value_that_is_no_number_is_refused() -> None:
    odd = vectors(["x", "y"], ["", ""], lambda texts: np.array([[1.0, 0.0], [np.nan, 1.0]]))
    with pytest.raises(ValueError, match="the vector of y"):
        semantic_duplicates(odd)


def test_an_encoder_that_loses_a_text_is_told() -> None:
    with pytest.raises(ValueError, match="2 texts"):
        vectors(["a", "b"], ["x", "y"], lambda texts: np.ones((1, 3)))


@given(st.lists(st.integers(0, 359), max_size=40, unique=True), st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_blocks_change_no_decision(degrees: list[int], block: int) -> None:
    kept: list[int] = []
    for degree in degrees:
        if all(np.cos(np.radians(degree - other)) < 0.9 for other in kept):
            kept.append(degree)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantic, "_BLOCK", block)
        patch.setattr(semantic, "_PIECE", 3)
        gone = {row for row, _ in told(at(*degrees))}
    assert gone == {f"{degree:g}" for degree in degrees if degree not in kept}


def test_the_encoder_sees_all_texts_at_once() -> None:
    seen: list[Sequence[str]] = []

    def encode(texts: Sequence[str]) -> np.ndarray:
        seen.append(texts)
        return np.ones((len(texts), 2))

    vectors(["a", "b"], ["x", "y"], encode)
    assert seen == [["x", "y"]]
