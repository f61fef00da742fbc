"""Expectations: what a table promises, declared beside its method, checked by Great Expectations in `quality.gate`.

They are about each row (`not_blank`), a column (`unique`), the table (`rows_at_least`), a figure of it (`measured`), or
how far a figure has moved from the last version's (`stable_mean`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_origin

from catalog.records import Preference, PromptCompletion, Record, columns, required

Severity = Literal["block", "warn"]

TEXTS = ("prompt", "completion", "chosen", "rejected", "text", "code")
"""The columns that a model reads or learns, where one template or another length tells of a broken run."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number for a whole table: computed from its rows, or `given` to the gate under the name in `column`.

    With `within` it is compared with the same figure of the last version; without, with the promise's own bounds. Of
    fewer than `least` rows it says nothing.
    """

    of: Literal["given", "rows", "mean", "length", "share", "frame"]
    column: str = ""
    values: tuple[Any, ...] = ()
    within: float | None = None
    least: int = 1

    def bounds(self, earlier: float) -> tuple[float, float]:
        """From where to where it may be, both included: counts and lengths by a factor, shares by so many points."""
        within = self.within or 0.0
        if self.of in ("rows", "length"):
            return earlier / (1 + within), earlier * (1 + within)
        margin = within if self.of == "share" else within * abs(earlier)
        return earlier - margin, earlier + margin


@dataclass(frozen=True)
class Expectation:
    """A table-level promise: a Great Expectations class by name, its arguments, and whether breaking it blocks.

    Great Expectations passes over nulls; in the columns of `filled` a null breaks the promise as well. A promise is
    about the whole table, or `of_new_rows`, those that a version adds. One with a `figure` is about that number.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    severity: Severity = "block"
    filled: tuple[str, ...] = ()
    of_new_rows: bool = False
    figure: Figure | None = None

    def warn(self) -> "Expectation":
        """The same promise, broken with a warning only."""
        return replace(self, severity="warn")

    def mostly(self, share: float) -> "Expectation":
        """The same promise about rows, kept where at least this share of them keeps it."""
        name = f"mostly({self.name}, {share})"
        return replace(self, name=name, arguments={**self.arguments, "mostly": share})


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


def measured(figure: str, low: float | None = None, high: float | None = None) -> Expectation:
    """A figure of the version, computed elsewhere and given to the gate by name, is from `low` to `high`."""
    return _about(f"measured({figure}, {low}, {high})", Figure(of="given", column=figure), low, high)


def rejected_share(screen: str, high: float) -> Expectation:
    """At most this share of the rows that were made was rejected by a screen: the figure `rejected.<screen>`."""
    figure = Figure(of="given", column=f"rejected.{screen}")
    return _about(f"rejected_share({screen}, {high})", figure, None, high)


def varied(column: str, most: float = 0.9, least: int = 20) -> Expectation:
    """At most the share `most` of the new rows begins, or ends, with the same five words, numbers being all alike.

    That is what a batch made by filling one template looks like; shorter texts are compared as a whole. Fewer than
    `least` new rows keep the promise.
    """
    figure = Figure(of="frame", column=column, least=least)
    return replace(_about(f"varied({column}, {most})", figure, None, most), of_new_rows=True)


def stable_rows(within: float = 0.5) -> Expectation:
    """The table has at most `1 + within` times the rows of the last version, and at least one in `1 + within`."""
    return _about(f"stable_rows({within})", Figure(of="rows", within=within))


def stable_mean(column: str, within: float = 0.1) -> Expectation:
    """The mean of the new rows' numbers is the last version's, give or take `within` times its size."""
    return _drift(f"stable_mean({column}, {within})", Figure(of="mean", column=column, within=within))


def stable_length(column: str, within: float = 0.5, least: int = 1) -> Expectation:
    """The new rows' texts have at most `1 + within` times the last version's mean of characters, or one in that.

    Fewer than `least` new rows keep the promise.
    """
    figure = Figure(of="length", column=column, within=within, least=least)
    return _drift(f"stable_length({column}, {within})", figure)


def stable_share(column: str, values: Sequence[Any], within: float = 0.1) -> Expectation:
    """The share of new rows with one of these values is the last version's, give or take `within` (of 1)."""
    figure = Figure(of="share", column=column, values=tuple(values), within=within)
    return _drift(f"stable_share({column}, {', '.join(map(str, values))}, {within})", figure)


def standing(shape: type[Record]) -> tuple[Expectation, ...]:
    """What every version of a table with rows of this shape promises.

    Rows, each with an id of its own; nothing blank, null or empty in the columns that the shape requires; texts that
    are not all of one template (of prompts a warning only, since they may share their instruction), and about as long
    as the last version's: a warning from half as long again, a block from three times as long (or a third). The
    answers of a preference differ, and most completions are not their prompts.
    """
    texts = [name for name in required(shape) if columns(shape)[name] is str]
    long = [name for name in texts if name in TEXTS]
    return (
        rows_at_least(1),
        unique("record_id"),
        *map(not_blank, ["record_id", *texts]),
        *(_present(name, columns(shape)[name]) for name in required(shape) if name not in texts),
        *((differ("chosen", "rejected"),) if issubclass(shape, Preference) else ()),
        *((differ("prompt", "completion").mostly(0.9),) if issubclass(shape, PromptCompletion) else ()),
        *(varied(name).warn() if name == "prompt" else varied(name) for name in long),
        *(stable_length(name, 0.5, least=20).warn() for name in long),
        *(stable_length(name, 2.0, least=20) for name in long),
    )


def promises(
    shape: type[Record], declared: Iterable[Expectation], gates: Iterable[Expectation] = ()
) -> tuple[Expectation, ...]:
    """The standing expectations of a shape, the gates of its measures, and what a method declares.

    Of two about the same the method's holds: two of one constructor and column, or figure. `varied("prompt", 1.0)` lets
    a method use one template.
    """
    own = tuple(declared)
    said = {_about_what(each) for each in own}
    return (*(each for each in (*standing(shape), *gates) if _about_what(each) not in said), *own)


def _present(column: str, kind: Any) -> Expectation:
    """No value is null or no number, no list empty: `[]`, its JSON text, has two characters."""
    if get_origin(kind) is not None:
        return length_between(column, len("[]") + 1)
    return Expectation(f"present({column})", "ExpectColumnValuesToNotBeNull", {"column": column})


def _about_what(expectation: Expectation) -> tuple[str, ...]:
    constructor, _, rest = expectation.name.partition("(")
    return constructor, rest.rstrip(")").partition(",")[0]


def _about(name: str, figure: Figure, low: float | None = None, high: float | None = None) -> Expectation:
    """A promise about a figure: Great Expectations judges it as the mean of a table of one row."""
    label = figure.column if figure.of == "given" else f"{figure.of} of {figure.column or 'the table'}"
    arguments = {"column": label, "min_value": low, "max_value": high}
    return Expectation(name, "ExpectColumnMeanToBeBetween", arguments, figure=figure)


def _drift(name: str, figure: Figure) -> Expectation:
    return replace(_about(name, figure), of_new_rows=True)
