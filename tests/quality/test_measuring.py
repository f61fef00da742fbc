"""Taking measures: which rows a measure sees, what comes of one that breaks off."""

from collections.abc import Callable, Mapping

import polars as pl
import pytest

from catalog.records import Labelled, Prompt, Record
from infra.errors import Refusal
from quality.measures import Bounds, Measure, Sample, load_measures
from quality.measuring import chosen, take


def measure(
    run: Callable[[Sample], Mapping[str, float]], *, most: int | None = None, name: str = "one", **bounds: Bounds
) -> Measure:
    return Measure(name, "", "quality", bounds, most, 1, run)


def frame(*rows: Record) -> pl.LazyFrame:
    return pl.LazyFrame([{"record_id": row.record_id, "prompt": getattr(row, "prompt", "")} for row in rows])


PROMPTS = [Prompt(prompt=f"prompt {number}") for number in range(50)]


def test_a_figure_says_over_how_many_rows_by_which_measure_and_its_gate() -> None:
    one = measure(lambda sample: {"size": len(sample.texts)}, size=Bounds(high=10))
    (figure,) = take([one], frame(*PROMPTS), Prompt).figures
    assert figure == ("size", 50.0, 50, "quality", "one/1", None, 10)


def test_a_sample_is_the_same_every_time_in_the_tables_order() -> None:
    seen: list[list[str]] = []
    one = measure(lambda sample: seen.append(list(sample.texts)) or {}, most=10)
    take([one], frame(*PROMPTS), Prompt)
    take([one], frame(*PROMPTS), Prompt)
    assert seen[0] == seen[1]
    assert len(seen[0]) == 10
    assert seen[0] == [row.prompt for row in PROMPTS if row.prompt in seen[0]]


def test_a_smaller_sample_is_part_of_a_larger_one() -> None:
    seen: list[set[str]] = []
    ones = [measure(lambda sample: seen.append(set(sample.texts)) or {}, most=most) for most in (20, 5)]
    take(ones, frame(*PROMPTS), Prompt)
    assert seen[1] < seen[0]


def test_rows_with_a_label_bring_it() -> None:
    rows = pl.LazyFrame({"record_id": ["b", "a"], "text": ["x", "y"], "label": ["good", "bad"], "dataset": ["", ""]})
    seen: list[tuple[list[str], list[str]]] = []
    take([measure(lambda s: seen.append((list(s.texts), list(s.labels))) or {})], rows, Labelled)
    assert seen == [(["x", "y"], ["good", "bad"])]


def test_a_measure_compares_with_the_version_before() -> None:
    one = measure(lambda sample: {"earlier": len(sample.earlier)})
    (figure,) = take([one], frame(*PROMPTS), Prompt, earlier=frame(*PROMPTS[:7])).figures
    assert figure.value == 7


def test_a_measure_that_breaks_off_costs_no_other() -> None:
    def bad(sample: Sample) -> Mapping[str, float]:
        raise ZeroDivisionError("nothing there")

    taken = take([measure(bad, name="bad"), measure(lambda _: {"good": 1})], frame(*PROMPTS), Prompt)
    assert [figure.metric for figure in taken.figures] == ["good"]
    assert taken.broken == {"bad": "ZeroDivisionError: nothing there"}


def test_a_version_without_rows_can_be_measured() -> None:
    taken = take([measure(lambda sample: {"size": len(sample.texts)})], frame(*PROMPTS).head(0), Prompt)
    assert [figure.value for figure in taken.figures] == [0.0]


def test_every_shipped_measure_copes_with_no_row_one_row_and_odd_rows() -> None:
    for rows in ([], PROMPTS[:1], [Prompt(prompt=" "), Prompt(prompt="\U0001f600"), Prompt(prompt="a" * 20_000)]):
        assert take(chosen(frozenset()), frame(*PROMPTS[:1]).head(0) if not rows else frame(*rows), Prompt).broken == {}


def test_a_measure_can_be_switched_off() -> None:
    name = next(iter(load_measures()))
    assert name not in [measure.name for measure in chosen(frozenset({name}))]


def test_a_measure_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(Refusal, match="measure 'no_such'"):
        chosen(frozenset({"no_such"}))
