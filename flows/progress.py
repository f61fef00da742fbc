"""Progress: what a run is doing, as a live display on a terminal, as lines elsewhere, and in Prefect."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tasks.ledger import Asked, dollars

QUIET_SECONDS = 5.0
"""Between two lines where there is no terminal to redraw."""


@dataclass
class _Doing:
    """An operator at work: its calls, and over the whole table what was spent and what went wrong."""

    table: str
    operator: str = ""
    done: int = 0
    total: int = 0
    asked: int = 0
    tokens: int = 0
    written: int = 0
    unmetered: int = 0
    cost: float = 0.0
    unpriced: int = 0
    spent: float = 0.0
    failed: int = 0
    retries: int = 0
    began: float = 0.0
    unit: str = "calls"

    def begin(self, operator: str, total: int, unit: str = "calls") -> None:
        """Start on another operator's calls, or on a step that counts something else."""
        self.operator, self.total, self.unit = operator, total, unit
        self.done = self.asked = self.tokens = self.written = self.unmetered = self.unpriced = 0
        self.cost = 0.0
        self.began = time.monotonic()

    def count(self, call: Asked) -> None:
        """Count a call that has ended."""
        self.done += 1
        self.total = max(self.total, self.done)  # a malformed answer is asked for again
        self.failed += call.failed
        self.retries += call.retries
        self.tokens += (call.prompt_tokens or 0) + (call.completion_tokens or 0)
        self.unmetered += not call.failed and (call.prompt_tokens is None or call.completion_tokens is None)
        if not call.reused:
            self.asked += 1
            self.written += call.completion_tokens or 0
            self.unpriced += call.cost is None and not call.failed
            self.cost += call.cost or 0.0
            self.spent += call.cost or 0.0

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self.began, 1e-9)
        if not self.total:
            return f"{self.table}: at work, {seconds:.0f} s"
        parts = [f"{self.table}: {self.operator} {self.done:,}/{self.total:,} {self.unit}"]
        left = self.total - self.done
        share = self.total / self.done if self.done else 0.0
        if self.written:
            parts.append(f"{self.written / seconds:.0f} tokens/s")
        if self.tokens:
            about = f" of about {self.tokens * share:,.0f}" if left and not self.unmetered else ""
            parts.append(f"{self.tokens:,}{about} tokens")
        if self.unpriced:
            parts.append("dollars not known")
        elif self.spent:
            about = f" of about {dollars(self.spent + self.cost * (share - 1))}" if left and self.done else ""
            parts.append(f"{dollars(self.spent)}{about}")
        parts += [f"{count} {what}" for count, what in ((self.failed, "failed"), (self.retries, "retries")) if count]
        if left and self.done:
            parts.append(f"about {left * seconds / self.done:.0f} s left in this step")
        return ", ".join(parts)


class Progress:
    """A watcher that shows what it is told. One table is at work at a time."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._doing: _Doing | None = None
        self._lock = threading.Lock()

    def begin(self, operator: str, total: int) -> None:
        """An operator starts on `total` model calls."""
        with self._lock:
            if self._doing:
                self._doing.begin(operator, total)

    def advance(self, operator: str, call: Asked) -> None:
        """One model call is answered, or has failed."""
        del operator
        with self._lock:
            if self._doing:
                self._doing.count(call)

    def reach(self, step: str, done: int, total: int, unit: str) -> None:
        """A step that asks no model has done so much of its work."""
        with self._lock:
            if self._doing:
                if (self._doing.operator, self._doing.unit) != (step, unit):
                    self._doing.begin(step, total, unit)
                self._doing.done, self._doing.total = done, total

    @contextmanager
    def table(self, name: str, report: Callable[[float], None] | None = None) -> Generator[None]:
        """Show the work on a table while the block runs; `report` is told the share done, 0 to 1, of its step."""
        self._doing = _Doing(name, began=time.monotonic())
        stop = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(stop, report), daemon=True)
        ticker.start()
        try:
            yield
        finally:
            stop.set()
            ticker.join(timeout=5)
            self._doing = None

    def say(self, line: str, style: str = "") -> None:
        """Print a line above the display."""
        self.console.print(Text(line, style=style))

    def _tick(self, stop: threading.Event, report: Callable[[float], None] | None) -> None:
        if self.console.is_terminal:
            with Live(console=self.console, refresh_per_second=4, transient=True) as live:
                while not stop.wait(0.25):
                    live.update(Text(f"  {self._doing}", style="cyan"))
                    self._report(report)
            return
        while not stop.wait(QUIET_SECONDS):
            self.console.print(Text(f"  {self._doing}"), highlight=False)
            self._report(report)

    def _report(self, report: Callable[[float], None] | None) -> None:
        doing = self._doing
        if report and doing and doing.total:
            report(doing.done / doing.total)
