"""The ledger: what each operator took in, gave out, dropped and asked, kept only while a method runs.

Operators report through `@operator` and `drop`; the LLM client through `Ledger.asked`. Outside a run all of it is
silent, so operators are plain functions in a test or a notebook.
"""

import functools
import inspect
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from typing import Any, ParamSpec, Protocol, TypeVar

from catalog.records import Record
from catalog.reviews import Review
from quality.measures import Figure

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Step:
    """One operator's totals over a run: rows, model calls, tokens, dollars, seconds.

    Of its `calls`, `reused` were answered from the call store and `failed` had no answer. Tokens are those of the
    answers, whoever paid for them, but for `unmetered` calls whose endpoint did not say. `cost` is what the calls of
    this run cost, but for `unpriced` ones, of which that is not known.
    """

    operator: str
    rows_in: int = 0
    rows_out: int = 0
    dropped: int = 0
    calls: int = 0
    reused: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unmetered: int = 0
    cost: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Books:
    """What a ledger says, to be added to another: totals by operator, figures, dollars, and answers without a price."""

    steps: tuple[Step, ...]
    figures: tuple[Figure, ...]
    spent: float
    unpriced: int


@dataclass(frozen=True)
class Drop:
    """A row that an operator left out, and why."""

    operator: str
    row: Record | None
    reason: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One model call as a watcher hears of it; None where tokens or dollars are not known."""

    reused: bool = False
    failed: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    retries: int = 0


class Watcher(Protocol):
    """Who is told how a run gets on."""

    def begin(self, operator: str, total: int) -> None:
        """An operator starts on `total` model calls."""
        ...

    def advance(self, operator: str, call: Asked) -> None:
        """One model call of the operator is answered, or has failed."""
        ...

    def reach(self, step: str, done: int, total: int, unit: str) -> None:
        """A step that asks no model has done so much of its work."""
        ...


@dataclass
class Purse:
    """Dollars spent against a cap, by all the runs that one command makes and those that it goes on with.

    `unpriced` counts the answers whose price is not known. Safe to use from many threads.
    """

    cap: float | None = None
    spent: float = 0.0
    unpriced: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def pay(self, cost: float | None) -> None:
        """Book dollars; None where they are not known."""
        with self._lock:
            if cost is None:
                self.unpriced += 1
            else:
                self.spent += cost

    def refusal(self) -> str:
        """Why no more may be spent; empty where it may."""
        if self.cap is None:
            return ""
        if self.unpriced:
            return f"the price of an answer is not known, so a cap of {dollars(self.cap)} cannot be kept"
        return f"{dollars(self.spent)} of {dollars(self.cap)} are spent" if self.spent >= self.cap else ""


@dataclass
class Ledger:
    """The totals of one run, its rejected and noted rows by screen, the rows that wait for people, and its figures.

    Safe to report to from many threads.
    What it pays comes out of `purse`; `own` is this run's part of that.
    """

    watcher: Watcher | None = None
    purse: Purse = field(default_factory=Purse)
    own: Purse = field(default_factory=Purse)
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    drops: list[Drop] = field(default_factory=list[Drop])
    reviews: list[Review] = field(default_factory=list[Review])
    figures: dict[str, Figure] = field(default_factory=dict[str, Figure])
    rejected: Counter[str] = field(default_factory=Counter[str])
    noted: Counter[str] = field(default_factory=Counter[str])
    _stack: list[str] = field(default_factory=list[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def operator(self) -> str:
        """The operator at work: the outermost, since that is the verb the method used."""
        return self._stack[0] if self._stack else "method"

    @property
    def cost(self) -> float | None:
        """Dollars that this run has paid; None where the price of an answer is not known."""
        return None if self.own.unpriced else self.own.spent

    def step(self, operator: str | None = None) -> Step:
        """The totals of an operator (by default the one at work)."""
        name = operator or self.operator
        return self.steps.setdefault(name, Step(name))

    def expect_calls(self, total: int) -> None:
        """Say that the operator at work is about to make `total` model calls."""
        if self.watcher:
            self.watcher.begin(self.operator, total)

    def reach(self, step: str, done: int, total: int, unit: str) -> None:
        """Say how far a step that asks no model has come."""
        if self.watcher:
            self.watcher.reach(step, done, total, unit)

    def refusal(self) -> str:
        """Why nothing more may be asked; empty where it may. Called from any thread, before every sending."""
        return self.purse.refusal()

    def paid(self, cost: float | None) -> None:
        """Book what an answer, or a failure, has cost in dollars (None: not known), the moment it is there.

        From any thread: an answer is paid for before its row hears of it, and where its row never does.
        """
        self.purse.pay(cost)
        self.own.pay(cost)

    def asked(
        self,
        *,
        reused: bool,
        prompt_tokens: int | None,
        completion_tokens: int | None,
        cost: float | None = None,
        failed: bool = False,
        retries: int = 0,
    ) -> None:
        """Count one model call of the operator at work.

        Tokens are those of the answer, whoever paid for it; `cost` is what it cost when it was asked for, in dollars.
        """
        with self._lock:
            step = self.step()
            step.calls += 1
            step.reused += reused
            step.failed += failed
            step.prompt_tokens += prompt_tokens or 0
            step.completion_tokens += completion_tokens or 0
            if not failed:
                step.unmetered += prompt_tokens is None or completion_tokens is None
            if not reused:
                step.cost += cost or 0.0
                step.unpriced += cost is None and not failed
        if self.watcher:
            self.watcher.advance(self.operator, Asked(reused, failed, prompt_tokens, completion_tokens, cost, retries))

    def books(self) -> Books:
        """What it says."""
        return Books(tuple(self.steps.values()), tuple(self.figures.values()), self.own.spent, self.own.unpriced)

    def add(self, books: Books) -> None:
        """Add what another ledger says."""
        for theirs in books.steps:
            mine = self.step(theirs.operator)
            for total in fields(Step)[1:]:
                setattr(mine, total.name, getattr(mine, total.name) + getattr(theirs, total.name))
        for found in books.figures:
            self.figure(found)
        self.paid(books.spent)
        for _ in range(books.unpriced):
            self.paid(None)

    def figure(self, found: Figure) -> None:
        """Keep a figure; one that parts of a run report each for itself is their mean, by the rows of each."""
        if (before := self.figures.get(found.metric)) and (rows := before.n + found.n):
            found = found._replace(value=(before.value * before.n + found.value * found.n) / rows, n=rows)
        self.figures[found.metric] = found

    @contextmanager
    def at(self, operator: str) -> Generator[bool]:
        """Work as `operator`; yields whether it is the outermost one."""
        self._stack.append(operator)
        try:
            yield len(self._stack) == 1
        finally:
            self._stack.pop()


_current: ContextVar[Ledger | None] = ContextVar("ledger", default=None)


def current() -> Ledger | None:
    """The ledger of the run in progress, if there is one."""
    return _current.get()


@contextmanager
def keep(ledger: Ledger) -> Generator[Ledger]:
    """Open `ledger` for the operators called inside."""
    token = _current.set(ledger)
    try:
        yield ledger
    finally:
        _current.reset(token)


def drop(row: Record | None, reason: str, evidence: str = "") -> None:
    """Record that the operator at work leaves `row` out: it will stand in `catalog.rejected` with this reason."""
    if (ledger := _current.get()) is not None:
        ledger.drops.append(Drop(ledger.operator, row, reason, evidence))
        ledger.step().dropped += 1


def operator(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function as an operator: its rows in (the parameter `rows`), rows out and seconds go to the ledger.

    An operator that uses another counts as one: the outer verb, which is the one the method's reader sees.
    """
    signature = inspect.signature(function)
    name = function.__name__

    @functools.wraps(function)
    def reported(*args: P.args, **kwargs: P.kwargs) -> R:
        ledger = _current.get()
        if ledger is None:
            return function(*args, **kwargs)
        with ledger.at(name) as outermost:
            started = time.perf_counter()
            out = function(*args, **kwargs)
            if outermost:
                step = ledger.step(name)
                step.seconds += time.perf_counter() - started
                step.rows_in += _size(signature.bind(*args, **kwargs).arguments.get("rows"))
                step.rows_out += _size(out)
            return out

    return reported


def _size(rows: Any) -> int:
    return len(rows) if isinstance(rows, Sized) and isinstance(rows, (Sequence, dict)) else 0


def dollars(amount: float) -> str:
    """An amount as people read it: in cents, or two digits of what is less than ten."""
    if amount == 0 or amount >= 0.1:
        return f"${amount:,.2f}"
    return f"${amount:.2g}"
