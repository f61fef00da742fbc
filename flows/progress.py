"""Progress: what a run is doing, as a live display on a terminal, as lines elsewhere, and in Prefect."""

import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.text import Text

QUIET_SECONDS = 5.0
"""Between two lines where there is no terminal to redraw."""
PIPED = 200
"""Columns of output that no terminal bounds."""


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or wide enough for a table where output goes elsewhere."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PIPED)


@dataclass
class _Doing:
    table: str
    operator: str = ""
    done: int = 0
    total: int = 0
    tokens: int = 0
    began: float = 0.0

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self.began, 1e-9)
        if not self.total:
            return f"{self.table}: at work, {seconds:.0f} s"
        rate = f", {self.tokens / seconds:.0f} tokens/s" if self.tokens else ""
        left = (self.total - self.done) * seconds / self.done if self.done else None
        eta = f", about {left:.0f} s left in this step" if left is not None and self.done < self.total else ""
        return f"{self.table}: {self.operator} {self.done}/{self.total} calls{rate}{eta}"


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
                doing = self._doing
                doing.operator, doing.done, doing.total, doing.tokens = operator, 0, total, 0
                doing.began = time.monotonic()

    def advance(self, operator: str, tokens: int) -> None:
        """One model call is answered."""
        del operator
        with self._lock:
            if self._doing:
                self._doing.done += 1
                self._doing.total = max(self._doing.total, self._doing.done)  # a malformed answer is asked for again
                self._doing.tokens += tokens

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
