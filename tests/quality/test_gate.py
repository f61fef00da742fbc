"""The gate, through Great Expectations itself."""

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.expectations import (
    Expectation,
    between,
    differ,
    distinct_together,
    length_between,
    matches,
    measured,
    not_blank,
    one_of,
    rejected_share,
    rows_at_least,
    stable_length,
    stable_mean,
    stable_rows,
    stable_share,
    unique,
    varied,
)
from quality.gate import Check, audit, blocked, judge
from quality.stand_ins import _PLAIN, rust_pattern, stand_in

ROWS = pl.DataFrame(
    {
        "record_id": ["a", "b", "c", "d"],
        "prompt": ["one", "two", "one", None],
        "completion": ["1", "two", "\u00a0\n", None],
        "score": [0.5, 2.0, 1.0, None],
        "tags": [["x"], ["x"], [], None],
        "messages": [[{"role": "user", "content": "hi"}]] * 4,
    }
)


FIGURES = {"self_bleu": 0.7, "rejected.pii": 0.05}


def check(expectation: Expectation, rows: pl.DataFrame = ROWS) -> Check:
    (only,) = audit(rows, [expectation], "sft.toy")
    return only


@pytest.mark.parametrize(
    ("expectation", "broken"),
    [
        (unique("prompt"), ("a", "c")),
        (unique("tags"), ("a", "b")),
        (unique("messages"), ("a", "b", "c", "d")),
        (not_blank("completion"), ("c", "d")),
        (between("score", 0, 1), ("b", "d")),
        (one_of("prompt", ["one"]), ("b", "d")),
        (matches("prompt", "^t"), ("a", "c", "d")),
        (length_between("prompt", 1, 2), ("a", "b", "c", "d")),
        (differ("prompt", "completion"), ("b", "d")),
    ],
)
def test_a_broken_promise_names_its_rows(expectation: Expectation, broken: tuple[str, ...]) -> None:
    assert check(expectation) == Check(
        expectation.name,
        "block",
        passed=False,
        observed=f"{len(broken)} of 4 rows",
        broken_rows=len(broken),
        examples=broken,
    )


@pytest.mark.parametrize(
    "expectation",
    [unique("completion"), between("score", 0, 2), distinct_together("prompt", "completion"), rows_at_least(2)],
)
def test_a_kept_promise_passes(expectation: Expectation) -> None:
    assert check(expectation, ROWS.head(2)).passed


def test_columns_are_distinct_together_unless_all_agree() -> None:
    twice = pl.concat([ROWS.head(1), ROWS.head(1)])
    assert check(distinct_together("prompt", "completion"), twice).broken_rows == 2


def test_a_count_of_rows_is_shown_as_it_is() -> None:
    found = check(rows_at_least(9))
    assert (found.passed, found.observed, found.broken_rows) == (False, "4", 0)


def test_a_warning_does_not_block() -> None:
    checks = audit(ROWS, [unique("prompt").warn(), not_blank("prompt"), rows_at_least(1)], "sft.toy")
    assert [c.passed for c in checks] == [False, False, True]
    assert [c.expectation for c in blocked(checks)] == ["not_blank(prompt)"]


def test_one_promise_made_twice_is_checked_twice() -> None:
    assert [c.passed for c in audit(ROWS, [unique("prompt"), unique("prompt")], "sft.toy")] == [False, False]


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        (not_blank("nope"), "column 'nope' is not in the table; it has record_id, prompt,"),
        (differ("prompt", "nope"), "column 'nope' is not in the table"),
        (between("prompt", 0, 1), "Great Expectations raised"),
        (matches("prompt", "("), "Invalid regular expression"),
        (Expectation("odd", "ExpectTheUnexpected"), "has no ExpectTheUnexpected"),
        (Expectation("odd", "ExpectColumnValuesToBeUnique", {"colum": "prompt"}), "arguments do not fit"),
    ],
)
def test_a_promise_that_cannot_be_checked_has_failed_and_says_why(expectation: Expectation, told: str) -> None:
    found = check(expectation)
    assert not found.passed
    assert found.error.startswith(f"sft.toy: {expectation.name} cannot be checked, ")
    assert told in found.error
    assert "\n" not in found.error


def test_a_promise_that_cannot_be_checked_leaves_the_others_alone() -> None:
    checks = audit(ROWS, [matches("prompt", "("), not_blank("nope"), rows_at_least(4)], "sft.toy")
    assert [c.passed for c in checks] == [False, False, True]


def test_an_empty_table_keeps_every_promise_but_that_of_rows() -> None:
    checks = audit(ROWS.head(0), [unique("prompt"), not_blank("tags"), rows_at_least(1)], "sft.toy")
    assert [c.passed for c in checks] == [True, True, False]


def test_at_most_twenty_rows_are_named() -> None:
    rows = pl.DataFrame({"record_id": [str(i) for i in range(30)], "prompt": [" "] * 30})
    found = check(not_blank("prompt"), rows)
    assert (found.broken_rows, len(found.examples)) == (30, 20)


def test_a_table_that_promises_nothing_needs_no_check() -> None:
    assert audit(ROWS, [], "sft.toy") == []


def test_the_console_stays_quiet(capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder) -> None:
    audit(ROWS, [unique("prompt"), between("prompt", 0, 1)], "sft.toy")
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def frame(**columns: object) -> pl.DataFrame:
    return pl.DataFrame(columns, strict=False)


def against(expectation: Expectation, now: pl.DataFrame, before: pl.DataFrame | None) -> Check:
    (only,) = audit(now, [expectation], "sft.toy", previous=before)
    return only


@pytest.mark.parametrize(
    ("expectation", "passed", "observed"),
    [
        (stable_mean("score", 0.5), True, "1.2, was 1"),
        (stable_mean("score", 0.1), False, "1.2, was 1"),
        (stable_length("text", 0.5), False, "4, was 2"),
        (stable_length("text", 1.0), True, "4, was 2"),
        (stable_share("kind", ["a"], 0.6), True, "1, was 0.5"),
        (stable_share("kind", ["a"], 0.4), False, "1, was 0.5"),
        (stable_rows(1.0), True, "1, was 2"),
        (stable_rows(0.5), False, "1, was 2"),
    ],
)
def test_a_figure_is_compared_with_that_of_the_last_version(
    expectation: Expectation, passed: bool, observed: str
) -> None:
    before = frame(score=[0.5, 1.5], text=["a", "abc"], kind=["a", "b"])
    found = against(expectation, frame(score=[1.2], text=["abcd"], kind=["a"]), before)
    assert (found.passed, found.observed) == (passed, observed)


@pytest.mark.parametrize("before", [None, frame(score=pl.Series([], dtype=pl.Float64)), frame(other=[1])])
def test_without_an_earlier_version_nothing_has_moved(before: pl.DataFrame | None) -> None:
    found = against(stable_mean("score"), frame(score=[1.0]), before)
    assert (found.passed, found.observed) == (True, "no earlier version")


def test_the_same_figure_twice_has_bounds_of_its_own_each() -> None:
    checks = audit(
        frame(text=["abcd"]), [stable_length("text", w) for w in (0.5, 2.0)], "t", previous=frame(text=["ab"])
    )
    assert [check.passed for check in checks] == [False, True]


def test_a_mean_of_no_numbers_cannot_be_compared() -> None:
    found = against(stable_mean("score"), frame(score=[None, None]).cast(pl.Float64), frame(score=[1.0]))
    assert "the rows have no value" in found.error


def test_numbers_are_wanted_for_a_mean() -> None:
    assert "is of type String, numbers are wanted" in check(stable_mean("prompt")).error


def test_a_figure_out_of_its_bounds_is_broken() -> None:
    checks = audit(ROWS, [measured("self_bleu", high=0.6), rejected_share("pii", 0.1)], "sft.toy", figures=FIGURES)
    assert [(c.passed, c.observed) for c in checks] == [(False, "0.7"), (True, "0.05")]


def test_a_figure_that_is_no_number_is_broken() -> None:
    (found,) = audit(ROWS, [measured("self_bleu", high=0.6)], "sft.toy", figures={"self_bleu": float("nan")})
    assert not found.passed


def test_a_figure_that_was_not_measured_is_an_error() -> None:
    checks = audit(ROWS, [measured("vendi", low=2).warn()], "sft.toy", figures=FIGURES)
    assert "'vendi' was not measured; the figures are self_bleu, rejected.pii" in checks[0].error
    assert blocked(checks) == []


@pytest.mark.parametrize(
    ("texts", "observed"),
    [
        ([f"Step {n} of the plan: {word}" for n, word in enumerate("abcd")], "1"),
        ([f"{word} and so we are done" for word in "abcd"], "1"),
        (["No.", "No.", " No. ", "A much longer text of many words"], "0.75"),
        (["one text of five words", "another text of five words here"], "0.5"),
    ],
)
def test_texts_of_one_template_begin_or_end_alike(texts: list[str], observed: str) -> None:
    assert check(varied("text", 0.9, least=2), frame(text=texts)).observed == observed


def test_of_few_rows_no_template_can_be_told() -> None:
    found = check(varied("text"), frame(text=["No."] * 3))
    assert (found.passed, found.observed) == (True, "too few rows to tell (3)")


def test_most_rows_may_keep_a_promise() -> None:
    found = check(not_blank("text").mostly(0.6), frame(text=["a", "b", " "]))
    assert (found.passed, found.broken_rows) == (True, 1)


@pytest.mark.parametrize(
    ("expectation", "broken"),
    [
        (unique("count"), 0),
        (between("count", 0), 0),
        (distinct_together("count", "prompt"), 0),
        (differ("count", "prompt"), 0),
    ],
)
def test_large_whole_numbers_with_nulls_stay_apart(expectation: Expectation, broken: int) -> None:
    rows = frame(count=[2**60, 2**60 + 1, 2**60 + 2], prompt=["a", "a", None])
    holed = pl.concat([rows, frame(count=[None], prompt=["z"]).cast({"count": pl.Int64})])
    assert check(replace(expectation, filled=()), holed).broken_rows == broken


def test_missing_values_are_one_value_side_by_side() -> None:
    rows = frame(first=[1.0, float("nan"), None], second=[2.0, None, None])
    assert check(differ("first", "second"), rows).broken_rows == 2
    assert check(distinct_together("first", "second"), rows).broken_rows == 2


def test_a_column_without_a_value_is_text_that_is_missing() -> None:
    assert check(not_blank("text"), frame(text=[None, None])).broken_rows == 2


@pytest.mark.parametrize("kind", ["parquet", "duckdb"])
def test_rows_need_not_be_in_memory(tmp_path: Path, kind: str) -> None:
    for number in range(3):
        ROWS.with_columns(record_id=pl.col("record_id") + str(number)).write_parquet(tmp_path / f"{number}.parquet")
    with duckdb.connect() as connection:
        lazy = (
            pl.scan_parquet(tmp_path / "*.parquet")
            if kind == "parquet"
            else connection.sql(f"FROM read_parquet('{tmp_path}/*.parquet')").pl(lazy=True)
        )
        (found,) = audit(lazy, [between("score", 0, 1)], "sft.toy", previous=lazy)
    assert found.examples == ("b0", "d0", "b1", "d1", "b2", "d2")


def test_a_verdict_shows_what_broken_rows_hold() -> None:
    (found,) = judge(ROWS, [differ("prompt", "completion")], "sft.toy")
    assert found.values == [{"prompt": "two", "completion": "two"}, {"prompt": None, "completion": None}]


PIECES = st.sampled_from(
    [
        *["a", "b", "é", " ", ".", "^", "|", r"\s", r"\S", r"\w", r"\W", r"\d", r"\D", r"\b", r"\.", "(a)", "(?:a|b)"],
        *["(?=a)", "[a-c]", "[^a]", r"[\s]", r"[^\s,]", r"[\w.-]", r"[\\s]"],
    ]
)
SIGNS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "{2}", "{1,}", "*+"])
TEXTS = st.text("ab c.,\\_0\n\x1c\x85\u00a0\u00b2é\u0301٣ß’—", max_size=8)


def compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


PATTERNS = st.builds(
    lambda flags, pieces, end: flags + "".join(piece + sign for piece, sign in pieces) + end,
    st.sampled_from(["", "", "(?i)", "(?s)"]),
    st.lists(st.tuples(PIECES, SIGNS), max_size=4),
    st.sampled_from(["", "$", r"\b", "a$"]),
).filter(compiles)


@settings(deadline=None, max_examples=300)
@given(PATTERNS, st.lists(TEXTS))
def test_rust_finds_what_python_finds(pattern: str, texts: list[str]) -> None:
    columns = stand_in(matches("text", pattern), {"text": pl.String()}).columns
    found = pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(**columns).to_series().to_list()
    assert found == [re.search(pattern, text) is not None for text in texts]


@pytest.mark.parametrize(
    "pattern", [r"(?!a)b", r"(?<=a)b", r"(a)\1", "a++b", "a{,3}", "[a&b]", "a$b", r"(?x) a", r"\Z", r"a\<"]
)
def test_what_rust_does_not_have_or_reads_otherwise_is_left_to_python(pattern: str) -> None:
    assert rust_pattern(pattern) == ("", False)


def test_plain_characters_are_neither_letters_nor_digits_nor_space_to_python() -> None:
    beyond = pl.Series([chr(code) for code in range(0x80, 0x10FFFF) if not 0xD800 <= code < 0xE000])
    plain = beyond.filter(beyond.str.contains(f"[{_PLAIN}]"))
    assert len(plain) > 400
    assert not [char for char in plain if char.isalnum() or char.isspace() or char.lower() != char.upper()]
