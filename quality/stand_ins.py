"""Stand-ins: what Great Expectations is shown of a table in place of its texts.

It holds rows in pandas, where a text is a Python object: a million of them take gigabytes, and minutes. Of a text it is
shown what a promise is about (its hash, its length, whether it matches), computed by Polars row for row in one pass;
numbers it is shown as they are. Where there is no stand-in, it is shown the values themselves.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from quality.expectations import Expectation, Figure

if TYPE_CHECKING:
    import polars as pl

_SPACE = r"\s\x1c-\x1f"
"""White space as Python's regular expressions have it, in Rust's."""
_PIECE = re.compile(
    r"""
    (?P<space>\\[sS])
    | (?P<ascii>\\[wWdDb])
    | (?P<end>\$\Z)
    | (?P<flags>\A\(\?[is]+\))
    | (?P<set>\[\^?(?:\\[wds]|\\[^\w\s<>]|[a-zA-Z0-9]-[a-zA-Z0-9]|[a-zA-Z0-9\ _.,;:!?=@%"'/+*$(){}|])+-?\])
    | \\[^\w\s<>]                                     # punctuation that stands for itself
    | \^ | \. | \| | \) | \((?:\?:|(?!\?))
    | (?:[*+?]|\{\d+(?:,\d*)?\})\??(?![*+?{])         # no possessive ones: in Rust they are two quantifiers
    | [^\\^$.|?*+()\[\]{}]
    """,
    re.VERBOSE,
)
"""A piece of a regular expression that Rust has as well, or, where it has a name, something that does the same."""
_ASCII = {r"\w": "[0-9A-Za-z_]", r"\W": "[^0-9A-Za-z_]", r"\d": "[0-9]", r"\D": "[^0-9]", r"\b": r"(?-u:\b)"}
"""What these are in plain text: Rust finds it in a third of the time."""
_PLAIN = (
    r"\x00-\x7f\u{a1}-\u{a9}\u{ab}-\u{b1}\u{b4}\u{b6}-\u{b8}\u{bb}\u{bf}\u{d7}\u{f7}"
    r"\u{2010}-\u{2027}\u{2030}-\u{205e}\u{20a0}-\u{20bf}\u{2190}-\u{22ff}"
)
"""ASCII, and quotation marks, dashes, currencies, arrows, operators: no letters, digits or space to Python either."""
_IN_SET = {r"\s": _SPACE, r"\w": "0-9A-Za-z_", r"\d": "0-9"}
_FIRST_WORDS = r"^\s*(\S+(?:\s+\S+){4})"
_LAST_WORDS = r"(\S+(?:\s+\S+){4})\s*$"
_TAIL = 300
"""Characters in which the last five words are looked for."""


class Unfit(Exception):
    """An expectation does not fit the table, or Great Expectations, that it is to be checked on or by."""


class StandIn(NamedTuple):
    """A class of Great Expectations with arguments, and the columns that it is to see, by name."""

    kind: str
    arguments: Mapping[str, Any]
    columns: "Mapping[str, pl.Expr]"


def readable(rows: "pl.DataFrame | pl.LazyFrame") -> "pl.LazyFrame":
    """The rows with every column plain: lists and messages as JSON text, categories as text, no values at all as text.

    Nothing is computed for columns that are not selected afterwards.
    """
    import polars as pl

    schema = rows.lazy().collect_schema()
    changed: list[pl.Expr] = []
    for name, kind in schema.items():
        if kind.is_nested():
            changed.append(pl.col(name).map_batches(_as_json, return_dtype=pl.String, is_elementwise=True))
        elif isinstance(kind, (pl.Categorical, pl.Enum, pl.Null)):
            changed.append(pl.col(name).cast(pl.String))
    return rows.lazy().with_columns(changed)


def stand_in(expectation: Expectation, schema: "Mapping[str, pl.DataType]") -> StandIn:
    """What stands in for the rows under an expectation about them; `schema` is that of `readable` rows.

    Raises:
        Unfit: for a regular expression that is none.
    """
    import polars as pl

    names = columns_of(expectation)
    instead = None
    if len(names) == 1 and schema[names[0]] == pl.String:
        instead = _of_text(expectation.kind, expectation.arguments, names[0])
    if instead is None and expectation.arguments.get("ignore_row_if") == "never":
        instead = _of_several(expectation.kind, expectation.arguments, names, schema)
    if instead is None or "row_condition" in expectation.arguments:
        return StandIn(expectation.kind, expectation.arguments, {name: pl.col(name) for name in names})
    return instead


def _of_text(kind: str, arguments: Mapping[str, Any], name: str) -> StandIn | None:
    import polars as pl

    column = pl.col(name)
    match kind:
        case "ExpectColumnValuesToBeUnique":
            hashed = pl.when(column.is_not_null()).then(column.hash())
            return _seen(kind, arguments, f"hash of {name!r}", hashed)
        case "ExpectColumnValuesToMatchRegex":
            pattern = arguments["regex"]
            return _seen_true(arguments, f"{name!r} matches {pattern}", _matches(column, pattern))
        case "ExpectColumnValueLengthsToBeBetween":
            return _seen("ExpectColumnValuesToBeBetween", arguments, f"length of {name!r}", column.str.len_chars())
        case "ExpectColumnValuesToBeInSet" if all(isinstance(value, str) for value in arguments["value_set"] or [None]):
            values = pl.Series(arguments["value_set"], dtype=pl.String)
            return _seen_true(arguments, f"{name!r} in {values.to_list()}", column.is_in(values.implode()))
        case _:
            return None


def _of_several(
    kind: str, arguments: Mapping[str, Any], names: Sequence[str], schema: "Mapping[str, pl.DataType]"
) -> StandIn | None:
    import polars as pl

    if kind == "ExpectCompoundColumnsToBeUnique":
        # A hash of hashes: Polars takes five times as long to hash texts within a struct.
        together = pl.struct(_comparable(name, schema).hash().alias(name) for name in names).hash()
        return _seen("ExpectColumnValuesToBeUnique", arguments, f"hash of {names}", together)
    if kind == "ExpectSelectColumnValuesToBeUniqueWithinRecord" and len(names) == 2:
        return _seen_true(arguments, f"{names[0]!r} differs from {names[1]!r}", _differ(names[0], names[1], schema))
    return None


def filled_in(column: str, schema: "Mapping[str, pl.DataType]", arguments: Mapping[str, Any]) -> StandIn:
    """What stands in for a column that may have no null; of numbers, not-a-number is one as well."""
    import polars as pl

    kind = "ExpectColumnValuesToNotBeNull"
    if schema[column] != pl.String:
        return StandIn(kind, {**arguments, "column": column}, {column: pl.col(column)})
    there = pl.when(pl.col(column).is_not_null()).then(statement=True)
    return _seen(kind, arguments, f"presence of {column!r}", there)


def columns_of(expectation: Expectation) -> list[str]:
    """The columns of the table that an expectation names."""
    figure, arguments = expectation.figure, expectation.arguments
    if figure:
        return [figure.column] if figure.of not in ("given", "rows") else []
    named = [arguments[key] for key in ("column", "column_A", "column_B") if key in arguments]
    return list(dict.fromkeys([*named, *arguments.get("column_list", ()), *expectation.filled]))


def figure_columns(figure: Figure, schema: "Mapping[str, pl.DataType]") -> "dict[str, pl.Expr]":
    """What of each row a figure is computed from, by name.

    Raises:
        Unfit: where the column is of a type that it cannot be computed from.
    """
    import polars as pl

    if figure.of == "rows":
        return {}
    name, kind, column = figure.column, schema[figure.column], pl.col(figure.column)
    if figure.of == "mean":
        if not kind.is_numeric() and kind != pl.Boolean:
            raise Unfit(f"column {name!r} is of type {kind}, numbers are wanted")
        return {f"number in {name!r}": column.cast(pl.Float64).fill_nan(None)}
    if figure.of == "share":
        return {f"{name!r} in {list(figure.values)}": column.is_in(list(figure.values)).fill_null(value=False)}
    if kind != pl.String:
        raise Unfit(f"column {name!r} is of type {kind}, text is wanted")
    if figure.of == "length":
        return {f"length of {name!r}": column.str.len_chars()}
    return {
        f"start of {name!r}": _words(column, _FIRST_WORDS),
        f"end of {name!r}": _words(column.str.tail(_TAIL), _LAST_WORDS),
    }


def figure_value(figure: Figure, parts: "pl.DataFrame") -> float | None:
    """A figure of the rows whose parts these are, its `figure_columns`; None where there is nothing to compute from."""
    values = [column.drop_nulls() for column in parts]
    if not all(map(len, values)):
        return None
    if figure.of == "frame":
        return max(cast("int", value.unique_counts().max()) / len(value) for value in values)
    return cast("float", values[0].mean())


def _seen(kind: str, arguments: Mapping[str, Any], name: str, column: "pl.Expr") -> StandIn:
    """One column to see in place of those that the arguments name, with the arguments that stay."""
    kept = {key: value for key, value in arguments.items() if key not in ("column_list", "ignore_row_if", "regex")}
    return StandIn(kind, {**kept, "column": name}, {name: column})


def _seen_true(arguments: Mapping[str, Any], name: str, column: "pl.Expr") -> StandIn:
    return _seen("ExpectColumnValuesToBeInSet", {**arguments, "value_set": [True]}, name, column)


def _comparable(name: str, schema: "Mapping[str, pl.DataType]") -> "pl.Expr":
    """A column in which pandas' missing values are one: null and not-a-number."""
    import polars as pl

    column = pl.col(name)
    if schema[name] == pl.Boolean:
        return column.cast(pl.Int8)
    return column.fill_nan(None) if schema[name].is_float() else column


def _differ(first: str, second: str, schema: "Mapping[str, pl.DataType]") -> "pl.Expr":
    """Whether two columns hold different values; those of types that cannot be equal differ unless both are null."""
    one, other = _comparable(first, schema), _comparable(second, schema)
    kinds = {schema[name].is_numeric() or str(schema[name]) for name in (first, second)}
    return one.ne_missing(other) if len(kinds) == 1 else one.is_not_null() | other.is_not_null()


def _matches(column: "pl.Expr", pattern: str) -> "pl.Expr":
    """Whether Python's `re.search` finds the pattern in each text, by Rust's faster one where the two agree."""
    import polars as pl

    translated, plain_only = rust_pattern(pattern)
    if translated and not plain_only:
        return column.str.contains(translated)
    find = re.compile(pattern).search

    def search(texts: "pl.Series") -> "pl.Series":
        return pl.Series([None if text is None else find(text) is not None for text in texts], dtype=pl.Boolean)

    def searched(texts: "pl.Expr") -> "pl.Expr":
        return texts.map_batches(search, return_dtype=pl.Boolean, is_elementwise=True)

    if not translated:
        return searched(column)
    plain = ~column.str.contains(f"[^{_PLAIN}]")
    of_plain = pl.when(plain).then(column.str.contains(translated))
    return pl.coalesce(of_plain, searched(pl.when(~plain).then(column)))


def rust_pattern(pattern: str) -> tuple[str, bool]:
    r"""The regular expression for Rust that finds what it finds in Python, and whether in plain text only.

    Empty where there may be none: Rust has no look-around and no back references. `\w`, `\d` and case are other
    characters there beyond ASCII; `\s` has fewer; `$` is not before a last line break.

    Raises:
        Unfit: for a pattern that is none in Python.
    """
    import polars as pl

    try:
        re.compile(pattern)
    except re.error as error:
        raise Unfit(f"Invalid regular expression {pattern!r} ({error}); mend it where it is declared") from None
    if not pattern.isascii() and pattern.startswith("(?"):  # case beyond ASCII
        return "", False
    parts: list[str] = []
    position, plain_only = 0, False
    while position < len(pattern):
        piece = _PIECE.match(pattern, position)
        if piece is None:
            return "", False
        plain_only |= piece.lastgroup in ("ascii", "flags") or (piece.lastgroup == "set" and "\\" in piece[0])
        parts.append(_in_rust(piece))
        position = piece.end()
    translated = "".join(parts)
    try:
        pl.Series([""]).str.contains(translated)
    except pl.exceptions.ComputeError:  # too large for Rust
        return "", False
    return translated, plain_only or not pattern.isascii()


def _in_rust(piece: re.Match[str]) -> str:
    match piece.lastgroup:
        case "ascii":
            return _ASCII[piece[0]]
        case "space":
            return f"[{_SPACE}]" if piece[0] == r"\s" else f"[^{_SPACE}]"
        case "set":
            return re.sub(r"\\.", lambda part: _IN_SET.get(part[0], part[0]), piece[0])
        case "end":
            return r"\n?\z"
        case _:
            return piece[0]


def _words(text: "pl.Expr", which: str) -> "pl.Expr":
    """The first or last five words, with all numbers alike; a text of fewer words as it is."""
    import polars as pl

    return pl.coalesce(text.str.extract(which).str.replace_all(r"\d+", "0"), text.str.strip_chars())


def _as_json(values: "pl.Series") -> "pl.Series":
    import polars as pl

    texts = [
        None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values.to_list()
    ]
    return pl.Series(values.name, texts, dtype=pl.String)
