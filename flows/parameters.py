"""The parameters of the flows of stages and of the lifecycle, as Prefect's form shows them; names and seeds of runs."""

from collections.abc import Callable
from datetime import UTC
from typing import Annotated, Any, Literal, TypeVar

from prefect.context import FlowRunContext
from pydantic import Field

from tasks.method import load_methods

F = TypeVar("F", bound=Callable[..., Any])

Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0)]

_ABOUT = """{what}

Args:
    methods: Only these methods; where none is named, all.
    rows: How many input rows, or new rows of methods that make a number of them; none for all.
    settings: Hyperparameters, as in `{{"metamath": {{"samples": 2}}}}`; a method's `rows` wins over that of all.
    reads: Tables that inputs read, as in `{{"metamath": {{"problems": "raw.problems@2"}}}}`.
    roles: Models of roles, as in `{{"judge": "qwen3@http://10.0.0.8:8000/v1"}}`; else those of the settings.
    seed: Draws anew. Where left out, a scheduled run draws with its date, such as 20260131; any other as ever.
    replace: Start the tables anew instead of adding to them.
    force: Make a version even where nothing has changed.
    accept: Stop a table at so many rows accepted by this run.
    candidates: Stop a table at so many rows made, the dropped ones included.
    max_dollars: Send nothing more once so many dollars are spent in all.
    batch: Ask through the Batch API, which is cheaper and answers within a day.
    wait: With batch, wait for it; else leave, and collect with a later run.
    runner: Where partitions are made: threads, dask or ray, or dask@ADDRESS, ray@ADDRESS; else as the settings say.
"""


def described(what: str, stage: str | None = None) -> Callable[[F], F]:
    """Let Prefect's form say what each parameter is for, and offer the methods of a stage, or of all."""
    names = tuple(sorted(method.id for method in load_methods().values() if stage in (None, method.stage)))

    def describe(function: F) -> F:
        function.__doc__ = _ABOUT.format(what=what)
        function.__annotations__["methods"] = list[Literal[names]] | None  # type: ignore[valid-type]
        return function

    return describe


def scheduled_for() -> str:
    """The date (in UTC) for which a schedule made the flow run at work: `2026-01-31`; nothing where none did."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or not run.auto_scheduled or run.expected_start_time is None:
        return ""
    return run.expected_start_time.astimezone(UTC).date().isoformat()


def seed_of(given: int | None) -> int | None:
    """The seed of a run: the one given, or the date of a scheduled run, so that each night draws anew."""
    date = scheduled_for()
    return int(date.replace("-", "")) if given is None and date else given


def name_of(stage: str, given: dict[str, Any]) -> str:
    """What a run is called, in words: `sft: metamath, 8 rows, night of 2026-01-31`."""
    named = given.get("methods") or []
    what = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "") if named else "all methods"
    date = scheduled_for()
    return f"{stage}: {what}, {given.get('rows') or 'all'} rows" + (f", night of {date}" if date else "")
