"""Expectations: what a table promises, declared beside its method, checked by Great Expectations in `quality.gate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Severity = Literal["block", "warn"]


@dataclass(frozen=True)
class Expectation:
    """A table-level promise: a Great Expectations class by name, its arguments, and whether breaking it blocks.

    Great Expectations passes over nulls; in the columns of `filled` a null breaks the promise as well. A promise is
    about the whole table, or `of_new_rows`, those that a version adds.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    severity: Severity = "block"
    filled: tuple[str, ...] = ()
    of_new_rows: bool = False

    def warn(self) -> "Expectation":
        """The same promise, broken with a warning only."""
        return replace(self, severity="warn")


def unique(column: str) -> Expectation:
    """No two rows have the same value."""
    return Expectation(f"unique({column})", "ExpectColumnValuesToBeUnique", {"column": column})


def not_blank(column: str) -> Expectation:
    """Every value has a character that is no white space."""
    return Expectation(
        f"not_blank({column})",
        "ExpectColumnValuesToMatchRegex",
        {"column": column, "regex": r"\S"},
        filled=(column,),
    )


def rows_at_least(count: int) -> Expectation:
    """The version adds at least `count` rows."""
    return Expectation(
        f"rows_at_least({count})", "ExpectTableRowCountToBeBetween", {"min_value": count}, of_new_rows=True
    )


def between(column: str, low: float | None = None, high: float | None = None) -> Expectation:
    """Every value is a number from `low` to `high`, both included."""
    return Expectation(
        f"between({column}, {low}, {high})",
        "ExpectColumnValuesToBeBetween",
        {"column": column, "min_value": low, "max_value": high},
        filled=(column,),
    )


def one_of(column: str, values: Sequence[str]) -> Expectation:
    """Every value is one of those named."""
    return Expectation(
        f"one_of({column})",
        "ExpectColumnValuesToBeInSet",
        {"column": column, "value_set": list(values)},
        filled=(column,),
    )


def matches(column: str, pattern: str) -> Expectation:
    """Every value has a part that matches the regular expression."""
    return Expectation(
        f"matches({column}, {pattern})",
        "ExpectColumnValuesToMatchRegex",
        {"column": column, "regex": pattern},
        filled=(column,),
    )


def length_between(column: str, low: int, high: int | None = None) -> Expectation:
    """Every text is from `low` to `high` characters long."""
    return Expectation(
        f"length_between({column}, {low}, {high})",
        "ExpectColumnValueLengthsToBeBetween",
        {"column": column, "min_value": low, "max_value": high},
        filled=(column,),
    )


def distinct_together(*columns: str) -> Expectation:
    """No two rows agree in all of these columns."""
    return Expectation(
        f"distinct_together({', '.join(columns)})",
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": list(columns), "ignore_row_if": "never"},
    )


def differ(first: str, second: str) -> Expectation:
    """In every row the two columns hold different values; two nulls do not differ."""
    return Expectation(
        f"differ({first}, {second})",
        "ExpectSelectColumnValuesToBeUniqueWithinRecord",
        {"column_list": [first, second], "ignore_row_if": "never"},
    )
