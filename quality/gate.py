"""The gate: a method's expectations, checked by Great Expectations on what would be published."""

import json
import logging
import os
import threading
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quality.expectations import Expectation, Severity

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

EXAMPLES = 20
"""Rows that a check names."""

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


def audit(frame: "pl.DataFrame", expectations: Sequence[Expectation], subject: str) -> list[Check]:
    """Check what would be published; one check an expectation, in their order.

    An expectation that cannot be checked (no such column, an argument or a type that does not fit) has failed.
    Columns of lists and messages are checked as JSON text.

    Args:
        frame: the rows, with `record_id`.
        expectations: what the table promises.
        subject: the table's name, for the text of errors.
    """
    if not expectations:
        return []
    with _LOCK, _quiet():
        rules: dict[tuple[int, int], Any] = {}
        errors: dict[int, str] = {}
        for number, expectation in enumerate(expectations):
            made = _rules(expectation, frame.columns)
            if isinstance(made, str):
                errors[number] = made
                continue
            for part, rule in enumerate(made):
                rule.meta = {"number": number, "part": part}
                rules[number, part] = rule
        used = {name for number, each in enumerate(expectations) if number not in errors for name in _columns(each)}
        results = _validate(frame, sorted(used), [*rules.values()])
    ids = frame["record_id"].cast(str).to_list() if "record_id" in frame.columns else []
    checks: list[Check] = []
    for number, expectation in enumerate(expectations):
        parts = [results[key] for key in rules if key[0] == number]
        raised = [text for part in parts if (text := _raised(part.exception_info))]
        error = errors.get(number) or (f"Great Expectations raised {raised[0]}" if raised else "")
        rows = sorted({row for part in parts for row in part.result.get("unexpected_index_list") or ()})
        values = [str(part.result["observed_value"]) for part in parts if "observed_value" in part.result]
        checks.append(
            Check(
                expectation.name,
                expectation.severity,
                passed=not error and all(part.success for part in parts),
                observed="" if error else (values or [f"{len(rows):,} of {frame.height:,} rows"])[0],
                broken_rows=len(rows),
                examples=tuple(ids[row] for row in rows[:EXAMPLES]) if ids else (),
                error=f"{subject}: {expectation.name} cannot be checked, {error}" if error else "",
            )
        )
    return checks


def blocked(checks: Iterable[Check]) -> list[Check]:
    """The failed checks that keep a version from being published."""
    return [check for check in checks if not check.passed and check.severity == "block"]


def _rules(expectation: Expectation, columns: Sequence[str]) -> list[Any] | str:
    """The Great Expectations objects of an expectation, or why it has none."""
    from great_expectations.expectations import core

    missing = [column for column in _columns(expectation) if column not in columns]
    if missing:
        return f"column {missing[0]!r} is not in the table; it has {', '.join(columns)}"
    classes: Any = core
    kind = getattr(classes, expectation.kind, None)
    if kind is None:
        return f"Great Expectations has no {expectation.kind}; name one of its classes"
    try:
        own = kind(**expectation.arguments)
    except Exception as error:  # noqa: BLE001 - whatever it raises on its arguments, the promise is not kept
        return f"its arguments do not fit {expectation.kind} ({_line(str(error))}); mend them where it is declared"
    return [own, *(classes.ExpectColumnValuesToNotBeNull(column=column) for column in expectation.filled)]


def _columns(expectation: Expectation) -> list[str]:
    """The columns that an expectation names."""
    arguments = expectation.arguments
    named = [arguments[key] for key in ("column", "column_A", "column_B") if key in arguments]
    return list(dict.fromkeys([*named, *arguments.get("column_list", ()), *expectation.filled]))


def _validate(frame: "pl.DataFrame", columns: Sequence[str], rules: Sequence[Any]) -> dict[tuple[int, int], Any]:
    """Great Expectations' result for each rule, by the number and part in its meta: it keeps no order."""
    import great_expectations as gx

    if not rules:
        return {}
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    definition = (
        context.data_sources.add_pandas("lake").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    )
    batch = definition.get_batch(batch_parameters={"dataframe": _pandas(frame, columns)})
    validated = batch.validate(
        gx.ExpectationSuite(name="promises", expectations=list(rules)),
        result_format={
            "result_format": "COMPLETE",
            "return_unexpected_index_query": False,
            "exclude_unexpected_values": True,
        },
    )
    out: dict[tuple[int, int], Any] = {}
    for result in validated.results:
        meta = result.expectation_config.meta
        out[meta["number"], meta["part"]] = result
    return out


def _pandas(frame: "pl.DataFrame", columns: Sequence[str]) -> "pd.DataFrame":
    """The rows for pandas, text as Python objects: in its own text type, regular expressions know only ASCII space."""
    import pandas as pd
    import polars as pl

    out: dict[str, Any] = {}
    for column in frame.select(columns):
        if column.dtype.is_nested():
            texts = [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_list()]
            out[column.name] = pd.Series(texts, dtype=object)
        elif column.dtype.is_numeric() or column.dtype == pl.Boolean:
            out[column.name] = column.to_pandas()
        else:
            out[column.name] = pd.Series(column.to_list(), dtype=object)
    return pd.DataFrame(out, index=range(frame.height))


def _raised(info: Mapping[str, Any]) -> str:
    """What a validation raised, or empty; it is told at the top, or under the name of each metric."""
    told = info if "raised_exception" in info else next(iter(info.values()), {})
    return _line(str(told.get("exception_message"))) if told.get("raised_exception") else ""


def _line(text: str) -> str:
    return " ".join(text.split())[:300]


@contextmanager
def _quiet() -> Generator[None]:
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
