"""The gate: a method's expectations, checked by Great Expectations on what would be published.

Texts are shown to it as `quality.stand_ins` has them, one for one, so that the rows it finds broken can be counted and
named; figures of the table as a table of one row.
"""

import importlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from quality.expectations import Expectation, Figure, Severity
from quality.stand_ins import Unfit, columns_of, figure_columns, figure_value, filled_in, readable, stand_in

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

EXAMPLES = 20
"""Rows that a check names."""
NO_EARLIER = "no earlier version"
"""What a promise about the change since the last version observes where there is none."""

_IDS, _NUMBER = "id of the row", "number of the row"
_LOCK = threading.Lock()
"""Great Expectations keeps one current context a process, and the filters of warnings are one list a process."""


@dataclass(frozen=True)
class Check:
    """What came of one expectation: `examples` are record_ids of broken rows, `error` why it could not be checked."""

    expectation: str
    severity: Severity
    passed: bool
    observed: str
    broken_rows: int = 0
    examples: tuple[str, ...] = ()
    error: str = ""


class Verdict(NamedTuple):
    """A check, its expectation, and the results of Great Expectations that it sums up, as if the texts had been shown.

    `values` are what the check's examples hold in the columns that the expectation names.
    """

    check: Check
    expectation: Expectation
    results: Sequence[Any] = ()
    values: Sequence[Mapping[str, Any]] = ()


def audit(
    rows: "pl.DataFrame | pl.LazyFrame",
    expectations: Sequence[Expectation],
    subject: str,
    *,
    previous: "pl.DataFrame | pl.LazyFrame | None" = None,
    figures: Mapping[str, float] | None = None,
) -> list[Check]:
    """Check what would be published; one check an expectation, in their order. See `judge`."""
    return [verdict.check for verdict in judge(rows, expectations, subject, previous=previous, figures=figures)]


def judge(
    rows: "pl.DataFrame | pl.LazyFrame",
    expectations: Sequence[Expectation],
    subject: str,
    *,
    previous: "pl.DataFrame | pl.LazyFrame | None" = None,
    figures: Mapping[str, float] | None = None,
) -> list[Verdict]:
    """Check what would be published; one verdict an expectation, in their order.

    An expectation that cannot be checked (no such column or figure, an argument or a type that does not fit) has
    failed. Columns of lists and messages are checked as JSON text. Texts are told apart by 64-bit hashes: in one table
    of a million in 40 million, two different ones are taken for the same.

    Args:
        rows: the rows, with `record_id`. A lazy frame (of Parquet files, or `pl(lazy=True)` of a DuckDB relation) is
            never whole in memory, but must give its rows in the same order each time.
        expectations: what the table promises.
        subject: the table's name, for the text of errors.
        previous: the rows of the last version, where there is one.
        figures: name → value of what was measured elsewhere.
    """
    if not expectations:
        return []
    with _LOCK, quiet():
        table = _Table(rows)
        trials = [_prepare(expectation, table, figures or {}) for expectation in expectations]
        table.collect()
        of_rows = [trial for trial in trials if not trial.expectation.figure]
        _validate(of_rows, table.seen, table.height)
        of_figures = [trial for trial in trials if trial.expectation.figure and not trial.error]
        _weigh(of_figures, table, previous)
        _validate(of_figures, _one_row(of_figures), 1)
        values = table.values(of_rows)
        return [_verdict(trial, table, values, subject) for trial in trials]


def blocked(checks: Iterable[Check]) -> list[Check]:
    """The failed checks that keep a version from being published."""
    return [check for check in checks if not check.passed and check.severity == "block"]


class _Table:
    """Rows, and what of them is asked for; `seen` is that, once it is collected in one pass."""

    def __init__(self, rows: "pl.DataFrame | pl.LazyFrame") -> None:
        import polars as pl

        self._rows = readable(rows)
        self.schema = self._rows.collect_schema()
        self._asked: dict[str, pl.Expr] = {}
        self.seen = pl.DataFrame()

    def ask(self, columns: "Mapping[str, pl.Expr]") -> None:
        """Ask for columns by name.

        Raises:
            Unfit: for one that cannot be computed from what the table has.
        """
        import polars as pl

        try:
            pl.DataFrame(schema=self.schema).select(**columns)
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
            raise Unfit(f"the type of its column does not fit ({_line(str(error))})") from None
        self._asked |= columns

    def collect(self) -> None:
        """Compute what was asked for, and the rows' ids (their numbers, where they have none)."""
        import polars as pl

        numbered = self._rows.with_row_index(_IDS) if "record_id" not in self.schema else self._rows
        ids = pl.col("record_id" if "record_id" in self.schema else _IDS).cast(pl.String)
        self.seen = numbered.select(**self._asked, **{_IDS: ids}).collect(engine="streaming")

    @property
    def height(self) -> int:
        """The number of rows."""
        return self.seen.height

    def ids(self, rows: list[int]) -> tuple[str, ...]:
        """The record_ids of rows; none where the table has none."""
        return tuple(self.seen[_IDS].gather(rows)) if "record_id" in self.schema else ()

    def values(self, trials: "Sequence[_Trial]") -> dict[int, dict[str, Any]]:
        """What the rows named by trials hold in the columns of those, by the row's number."""
        import polars as pl

        rows = {row for trial in trials for row in trial.broken[:EXAMPLES]}
        names = dict.fromkeys(chain.from_iterable(trial.columns for trial in trials if trial.broken))
        if not rows:
            return {}
        numbered = self._rows.select(*names).with_row_index(_NUMBER)
        wanted = pl.Series(sorted(rows), dtype=pl.UInt32).implode()
        found = numbered.filter(pl.col(_NUMBER).is_in(wanted)).collect(engine="streaming")
        return {row.pop(_NUMBER): row for row in found.iter_rows(named=True)}


@dataclass
class _Rule:
    """What Great Expectations judges, on which columns; the same as the expectation declares it; and what it finds."""

    judged: Any
    columns: Sequence[str]
    declared: Any
    result: Any = None


@dataclass
class _Trial:
    """An expectation on its way to a verdict; `told` is what it observes where there is nothing to judge."""

    expectation: Expectation
    columns: Sequence[str]
    error: str = ""
    told: str = ""
    value: float | None = None
    earlier: float | None = None
    rules: list[_Rule] = field(default_factory=list[_Rule])
    broken: list[int] = field(default_factory=list[int])


def _prepare(expectation: Expectation, table: _Table, figures: Mapping[str, float]) -> _Trial:
    """An expectation's trial, with what it needs asked of the table; the rule of a figure follows in `_weigh`."""
    trial = _Trial(expectation, columns_of(expectation))
    try:
        _ask(trial, table, figures)
    except Unfit as error:
        trial.error = str(error)
    return trial


def _ask(trial: _Trial, table: _Table, figures: Mapping[str, float]) -> None:
    if missing := [column for column in trial.columns if column not in table.schema]:
        raise Unfit(f"column {missing[0]!r} is not in the table; it has {', '.join(table.schema)}")
    figure = trial.expectation.figure
    if figure is None:
        trial.rules = _rules(trial.expectation, table)
    elif figure.of != "given":
        table.ask(figure_columns(figure, table.schema))
    elif figure.column in figures:
        trial.value = figures[figure.column]
    else:
        raise Unfit(f"{figure.column!r} was not measured; the figures are {', '.join(figures) or 'none'}")


def _rules(expectation: Expectation, table: _Table) -> list[_Rule]:
    """The rules of an expectation about rows: its own, and one for each column that may have no null.

    Raises:
        Unfit: where the expectation does not fit.
    """
    declared = [_made(expectation.kind, expectation.arguments)]
    instead = [stand_in(expectation, table.schema)]
    for column in expectation.filled:
        arguments = {"column": column, **{k: v for k, v in expectation.arguments.items() if k == "mostly"}}
        declared.append(_made("ExpectColumnValuesToNotBeNull", arguments))
        instead.append(filled_in(column, table.schema, arguments))
    for each in instead:
        table.ask(each.columns)
    return [
        _Rule(_made(each.kind, each.arguments), list(each.columns), own)
        for own, each in zip(declared, instead, strict=True)
    ]


def _made(kind: str, arguments: Mapping[str, Any]) -> Any:
    """The object of Great Expectations with these arguments.

    Raises:
        Unfit: where there is none.
    """
    made = getattr(great_expectations().expectations, kind, None)
    if made is None:
        raise Unfit(f"Great Expectations has no {kind}; name one of its classes")
    try:
        return made(**arguments)
    except Exception as error:  # noqa: BLE001 - whatever it raises on its arguments, the promise is not kept
        told = f"its arguments do not fit {kind} ({_line(str(error))}); mend them where it is declared"
        raise Unfit(told) from None


def _weigh(trials: Sequence[_Trial], table: _Table, previous: "pl.DataFrame | pl.LazyFrame | None") -> None:
    """Make the rules of figures, with the bounds that the last version sets to those compared with it."""
    if previous is not None and any(figure.within is not None for _, figure in _with_figures(trials)):
        _look_back(trials, _Table(previous))
    for trial, figure in _with_figures(trials):
        arguments = dict(trial.expectation.arguments)
        if figure.of != "given":
            trial.value = _figure(figure, table)
        if figure.of != "given" and table.height < figure.least:
            trial.told = f"too few rows to tell ({table.height:,})"
        elif figure.within is not None and trial.earlier is None:
            trial.told = NO_EARLIER
        elif trial.value is None:
            trial.error = "the rows have no value to compute it from"
        else:
            if figure.within is not None and trial.earlier is not None:
                arguments["min_value"], arguments["max_value"] = figure.bounds(trial.earlier)
            _judge_figure(trial, arguments)


def _judge_figure(trial: _Trial, arguments: Mapping[str, Any]) -> None:
    try:
        made = _made(trial.expectation.kind, arguments)
    except Unfit as error:
        trial.error = str(error)
    else:
        trial.rules = [_Rule(made, [arguments["column"]], made)]


def _look_back(trials: Sequence[_Trial], earlier: _Table) -> None:
    """The figures of the last version; none where it has no rows, not the column, or another type in it."""
    comparable: list[tuple[_Trial, Figure]] = []
    for trial, figure in _with_figures(trials):
        if figure.within is not None and set(trial.columns) <= set(earlier.schema):
            with suppress(Unfit):
                earlier.ask(figure_columns(figure, earlier.schema))
                comparable.append((trial, figure))
    earlier.collect()
    for trial, figure in comparable:
        trial.earlier = _figure(figure, earlier) if earlier.height else None


def _with_figures(trials: Sequence[_Trial]) -> list[tuple[_Trial, Figure]]:
    return [(trial, figure) for trial in trials if (figure := trial.expectation.figure)]


def _figure(figure: Figure, table: _Table) -> float | None:
    if figure.of == "rows":
        return float(table.height)
    return figure_value(figure, table.seen.select(*figure_columns(figure, table.schema)))


def _one_row(trials: Sequence[_Trial]) -> "pl.DataFrame":
    """The figures as a table of one row."""
    import polars as pl

    values = {column: trial.value for trial in trials for rule in trial.rules for column in rule.columns}
    return pl.DataFrame([pl.Series(column, [value], dtype=pl.Float64) for column, value in values.items()])


def _validate(trials: Sequence[_Trial], frame: "pl.DataFrame", height: int) -> None:
    """Put Great Expectations' results into the rules; it keeps no order, so each has its number in the meta."""
    gx, rules = great_expectations(), [rule for trial in trials for rule in trial.rules]
    if not rules:
        return
    for number, rule in enumerate(rules):
        rule.judged.meta = {"number": number}
    columns = dict.fromkeys(chain.from_iterable(rule.columns for rule in rules))
    batch = _batches().get_batch(batch_parameters={"dataframe": _pandas(frame.select(*columns), height)})
    validated = batch.validate(
        gx.ExpectationSuite(name="promises", expectations=[rule.judged for rule in rules]),
        result_format={
            "result_format": "COMPLETE",
            "return_unexpected_index_query": False,
            "exclude_unexpected_values": True,
        },
    )
    for result in validated.results:
        rules[result.expectation_config.meta["number"]].result = result
    for trial in trials:
        rows = (rule.result.result.pop("unexpected_index_list", None) or () for rule in trial.rules)
        trial.broken = sorted(set(chain.from_iterable(rows)))


@cache
def _batches() -> Any:
    """Great Expectations' definition of a batch that is a whole data frame."""
    context: Any = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return (
        context.data_sources.add_pandas("lake").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    )


@cache
def great_expectations() -> Any:
    """The package Great Expectations, imported without two others that take a third of the time.

    It needs `altair` and `scipy.stats` for expectations about distributions only; until one of those asks for something
    of them, a module stands in for each that is empty.
    """
    put = [name for name in ("altair", "scipy.stats") if name not in sys.modules]
    sys.modules.update({name: _empty_module(name) for name in put})
    try:
        return importlib.import_module("great_expectations")
    finally:
        for name in put:
            del sys.modules[name]


def _empty_module(name: str) -> ModuleType:
    """A module whose attributes are those of the module of this name, imported when one is asked for."""

    def ask(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(name), attribute)

    module = ModuleType(name)
    module.__dict__["__getattr__"] = ask
    return module


def _pandas(frame: "pl.DataFrame", height: int) -> "pd.DataFrame":
    """The rows for pandas; whole numbers with nulls stay whole, and what is no number is a Python object."""
    import pandas as pd

    return pd.DataFrame({column.name: _as_pandas(column) for column in frame}, index=range(height))


def _as_pandas(column: "pl.Series") -> Any:
    import numpy as np
    import pandas as pd
    import polars as pl

    if column.dtype.is_float() or (column.dtype.is_integer() and not column.null_count()):
        return column.to_numpy()
    if column.dtype == pl.Boolean:
        values = np.asarray(column.fill_null(value=False).to_numpy())
        return pd.arrays.BooleanArray(values, column.is_null().to_numpy(writable=True))
    if column.dtype.is_integer():
        return pd.arrays.IntegerArray(
            column.fill_null(0).to_numpy(writable=True), column.is_null().to_numpy(writable=True)
        )
    return pd.Series(column.to_list(), dtype=object)


def _verdict(trial: _Trial, table: _Table, values: Mapping[int, Mapping[str, Any]], subject: str) -> Verdict:
    expectation, found = trial.expectation, [rule.result for rule in trial.rules]
    raised = [text for result in found if (text := _raised(result.exception_info))]
    error = trial.error or (f"Great Expectations raised {raised[0]}" if raised else "")
    named = trial.broken[:EXAMPLES]
    check = Check(
        expectation.name,
        expectation.severity,
        passed=not error and all(result.success for result in found),
        observed="" if error else _observed(trial, table.height),
        broken_rows=len(trial.broken),
        examples=table.ids(named),
        error=f"{subject}: {expectation.name} cannot be checked, {error}" if error else "",
    )
    for rule in trial.rules:
        rule.result.expectation_config = rule.declared.configuration
    return Verdict(check, expectation, found, [{name: values[row][name] for name in trial.columns} for row in named])


def _observed(trial: _Trial, height: int) -> str:
    """What Great Expectations observed, in words."""
    if trial.told or trial.value is not None:
        was = "" if trial.earlier is None else f", was {trial.earlier:.4g}"
        return trial.told or f"{trial.value:.4g}{was}"
    values = [
        str(rule.result.result["observed_value"]) for rule in trial.rules if "observed_value" in rule.result.result
    ]
    return (values or [f"{len(trial.broken):,} of {height:,} rows"])[0]


def _raised(info: Mapping[str, Any]) -> str:
    """What a validation raised, or empty; it is told at the top, or under the name of each metric."""
    told = info if "raised_exception" in info else next(iter(info.values()), {})
    return _line(str(told.get("exception_message"))) if told.get("raised_exception") else ""


def _line(text: str) -> str:
    return " ".join(text.split())[:300]


@contextmanager
def quiet() -> Generator[None]:
    """Keep Great Expectations from calling home, drawing bars, warning and logging."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
