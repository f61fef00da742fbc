"""`execute`: run a program for each row, and keep the rows whose program runs to its end (operators.md 14)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import current, drop, operator
from tasks.method import Rows
from tasks.sandbox import Bounds, Program, Ran, Sandbox

R = TypeVar("R", bound=Record)

_BATCH = 200
"""Programs after which the run says how far it has come."""


@operator
def execute(
    sandbox: Sandbox,
    rows: Rows[R],
    program: Callable[[R], Program],
    *,
    bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
) -> list[tuple[R, Ran]]:
    """(row, what came of it) pairs, in the rows' order, for the programs that ran to their end.

    A row whose program fails, or goes beyond a bound, is dropped: the reason is its status, the evidence its error.
    """
    ended: list[tuple[R, Ran]] = []
    for row, ran in zip(rows, run_each(sandbox, [program(row) for row in rows], bounds), strict=True):
        if ran.ok:
            ended.append((row, ran))
        else:
            drop(row, f"the program fails: {ran.status}", ran.error)
    return ended


def run_each(sandbox: Sandbox, programs: Sequence[Program], bounds: Bounds) -> list[Ran]:
    """What came of each program, in their order; whoever watches the run hears how far it is."""
    done: list[Ran] = []
    for start in range(0, len(programs), _BATCH):
        done += sandbox.run(programs[start : start + _BATCH], bounds)
        if ledger := current():
            ledger.reach(ledger.operator, len(done), len(programs), "programs")
    return done
