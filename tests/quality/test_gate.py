"""The gate, through Great Expectations itself."""

import polars as pl
import pytest

from quality.expectations import (
    Expectation,
    between,
    differ,
    distinct_together,
    length_between,
    matches,
    not_blank,
    one_of,
    rows_at_least,
    unique,
)
from quality.gate import Check, audit, blocked

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
