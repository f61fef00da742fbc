"""Expectations: what a table promises, declared beside its method, checked by Great Expectations in `quality.gate`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["block", "warn"]


@dataclass(frozen=True)
class Expectation:
    """A table-level promise: a Great Expectations class by name, its arguments, and whether breaking it blocks."""

    name: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    severity: Severity = "block"

    def warn(self) -> "Expectation":
        """The same promise, broken with a warning only."""
        return Expectation(self.name, self.kind, self.arguments, "warn")


def unique(column: str) -> Expectation:
    """No two rows have the same value."""
    return Expectation(f"unique({column})", "ExpectColumnValuesToBeUnique", {"column": column})


def not_blank(column: str) -> Expectation:
    """Every value has a character that is no white space."""
    return Expectation(f"not_blank({column})", "ExpectColumnValuesToMatchRegex", {"column": column, "regex": r"\S"})


def rows_at_least(count: int) -> Expectation:
    """The version adds at least `count` rows."""
    return Expectation(f"rows_at_least({count})", "ExpectTableRowCountToBeBetween", {"min_value": count})


def between(column: str, low: float | None = None, high: float | None = None) -> Expectation:
    """Every value is a number from `low` to `high`, both included."""
    return Expectation(
        f"between({column}, {low}, {high})",
        "ExpectColumnValuesToBeBetween",
        {"column": column, "min_value": low, "max_value": high},
    )


def one_of(column: str, values: Sequence[str]) -> Expectation:
    """Every value is one of those named."""
    return Expectation(
        f"one_of({column})", "ExpectColumnValuesToBeInSet", {"column": column, "value_set": list(values)}
    )


def matches(column: str, pattern: str) -> Expectation:
    """Every value has a part that matches the regular expression."""
    return Expectation(
        f"matches({column}, {pattern})", "ExpectColumnValuesToMatchRegex", {"column": column, "regex": pattern}
    )


def length_between(column: str, low: int, high: int | None = None) -> Expectation:
    """Every text is from `low` to `high` characters long."""
    return Expectation(
        f"length_between({column}, {low}, {high})",
        "ExpectColumnValueLengthsToBeBetween",
        {"column": column, "min_value": low, "max_value": high},
    )


def distinct_together(*columns: str) -> Expectation:
    """No two rows agree in all of these columns."""
    return Expectation(
        f"distinct_together({', '.join(columns)})",
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": list(columns)},
    )


def differ(first: str, second: str) -> Expectation:
    """In every row the two columns hold different values."""
    return Expectation(
        f"differ({first}, {second})", "ExpectSelectColumnValuesToBeUniqueWithinRecord", {"column_list": [first, second]}
    )
