"""Monty: an interpreter of a part of Python, without a file or network to give away, where there is no bubblewrap.

Each program has a worker process of its own. It knows fewer modules and forms of Python than CPython does, so some
sound programs end in an error; there is no scratch folder, and of standard input only `input()`.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from catalog.records import clean
from tasks.sandbox.program import Bounds, Program, Ran, Status
from tasks.sandbox.sandbox import Sandbox

_GRACE = 1.0  # seconds after which a worker that does not end itself is killed
_KINDS: tuple[tuple[type[BaseException], Status], ...] = (
    (SystemExit, "exit"),
    (TimeoutError, "timeout"),
    (MemoryError, "memory"),
    (PermissionError, "forbidden"),
)


class MontySandbox(Sandbox):
    """Runs each program in a Monty worker of its own."""

    name = "monty"

    def run_one(self, program: Program, bounds: Bounds) -> Ran:
        """What came of a program."""
        import pydantic_monty as monty

        began = time.monotonic()
        printed = _Printed(bounds.output << 10)
        limits: Any = {
            "max_feed_duration_secs": bounds.seconds,
            "max_total_sleep_secs": bounds.seconds,
            "max_memory": bounds.memory << 20,
            "max_suspensions": 1000 + program.stdin.count("\n"),
        }
        status: Status = "ok"
        error = result = ""
        try:
            with (
                monty.Monty(max_processes=1, request_timeout=bounds.seconds + _GRACE) as pool,
                pool.checkout(limits=limits, assert_message_annotations=False) as session,
            ):
                given = {"input": _reader(program.stdin)}
                session.feed_run(program.code, print_callback=printed.add, external_lookup=given)
                if program.result:
                    result = str(session.feed_run(f"repr({program.result})", print_callback=printed.add))
        except monty.MontyCrashedError as crash:
            status = "timeout" if crash.timed_out else "error"
            error = str(crash)
        except (monty.MontyRuntimeError, monty.MontySyntaxError) as fault:
            status, error = _status(fault.exception()), fault.display("type-msg")
        if printed.full or len(result) > printed.most:
            status, error = "output", f"it wrote more than {bounds.output} KiB"
            result = ""
        seconds = time.monotonic() - began
        return Ran(status=status, stdout=printed.text, result=clean(result), error=clean(error)[:500], seconds=seconds)


def _status(raised: BaseException) -> Status:
    for kind, status in _KINDS:
        if isinstance(raised, kind):
            return status
    return "error"


def _reader(stdin: str) -> Callable[..., str]:
    """`input`, of a text."""
    lines = iter(stdin.splitlines())

    def read(*_: object) -> str:
        for line in lines:
            return line
        raise EOFError("EOF when reading a line")

    return read


class _Printed:
    """What a program prints, up to a bound."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.full = False
        self.text = ""

    def add(self, stream: str, text: str) -> None:
        """Take in what was printed; beyond the bound the program is stopped."""
        if stream == "stdout":
            self.text = clean(self.text + text)[: self.most]
        self.full = self.full or len(self.text) + len(text) > self.most
        if self.full:
            raise MemoryError(f"more than {self.most} characters")


@cache
def probe() -> Sandbox | str:
    """A sandbox that has been seen to run a program, or why there is none."""
    try:
        ran = MontySandbox().run_one(Program(code="x = 6 * 7", result="x"), Bounds(seconds=30))
    except ImportError:
        return "is not installed"
    except OSError as error:
        return f"cannot start ({error})"
    return MontySandbox() if ran.result == "42" else f"does not work here ({ran.error})"
