"""The workplace: what a command works with, and which methods it works on."""

import graphlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from catalog.store import Lake
from flows.console import console
from flows.progress import Progress
from flows.runners import Named, Runner
from infra.errors import Refusal
from infra.secrets import guard_logs
from infra.settings import Settings, load_settings
from tasks.ledger import Purse
from tasks.llm import Models, open_models
from tasks.materialize import Order
from tasks.method import Method, find_method, load_methods
from tasks.registry import register_methods

ROWS = 8
"""Rows of a run that does not say how many: enough to see whether a pipeline works, cheap on any model."""


@dataclass(frozen=True)
class Workplace:
    """What a run works with: opened once a process, shared by its flows."""

    settings: Settings
    lake: Lake
    models: Models
    progress: Progress
    purse: Purse
    runner: Runner | None = None


_open: list[Workplace] = []


def is_open() -> bool:
    """Whether a workplace is open in this process."""
    return bool(_open)


def at_work() -> Workplace:
    """The workplace that is open."""
    return _open[-1]


@contextmanager
def workplace(
    roles: Mapping[str, str] | None = None,
    max_dollars: float | None = None,
    *,
    batch: bool = False,
    wait: bool = True,
    runner: str | None = None,
) -> Generator[Workplace]:
    """The open workplace, or one opened for the length of the block.

    Args:
        roles: role → `MODEL@URL`, where another than the settings name.
        max_dollars: the most that everything run here may spend.
        batch: whether to ask through the Batch API.
        wait: whether to wait for batches.
        runner: where partitions are made, where elsewhere than the settings name.
    """
    if _open:
        yield _open[-1]
        return
    given: dict[str, Any] = {"roles": dict(roles)} if roles else {}
    if batch:
        given |= {"batch": True, "batch_wait": wait}
    if runner:
        given["runner"] = runner
    settings = load_settings(**given)
    named = Named.parse(settings.runner) if settings.runner else None
    guard_logs()
    lake = Lake(settings)
    register_methods(lake)
    progress = Progress(console(stderr=True))
    with ExitStack() as stack:
        models = stack.enter_context(open_models(settings, progress.say))
        its_runner = stack.enter_context(Runner(named, settings, given)) if named else None
        _open.append(Workplace(settings, lake, models, progress, Purse(max_dollars), its_runner))
        try:
            yield _open[-1]
        finally:
            _open.pop()


def by_stage(stages: Iterable[str], names: Sequence[str] | None) -> dict[str, list[str] | None]:
    """Which methods of each stage are named; None where all are meant, and no stage that has none of those named."""
    if not names:
        return dict.fromkeys(stages)
    named = {stage: [name for name in names if find_method(name).stage == stage] for stage in stages}
    return {stage: its or None for stage, its in named.items() if its}


def chosen(stage: str, names: Sequence[str] | None) -> list[Method]:
    """The methods of a stage that are named, or all, each after those of the stage that it reads."""
    of_stage = {m.table: m for m in load_methods().values() if m.stage == stage}
    wanted = {find_method(name).table for name in names} if names else set(of_stage)
    if strangers := wanted - set(of_stage):
        raise Refusal(f"{', '.join(sorted(strangers))}: not of stage {stage}; it has {', '.join(sorted(of_stage))}")
    graph = {
        table: [read for found in method.inputs.values() for read in found.tables if read in of_stage]
        for table, method in of_stage.items()
    }
    return [of_stage[table] for table in graphlib.TopologicalSorter(graph).static_order() if table in wanted]


def order_for(
    method: Method,
    order: Order,
    settings: Mapping[str, Mapping[str, Any]],
    reads: Mapping[str, Mapping[str, str]],
    seed: int | None,
) -> Order:
    """What is asked of one method, of an order for many."""
    given = dict(settings.get(method.id, {}))
    rows = given.pop("rows", order.rows) if "rows" not in method.settings else order.rows
    if seed is not None and "seed" in method.settings:
        given.setdefault("seed", seed)
    return replace(order, rows=rows, settings=given, reads=reads.get(method.id, {}))
