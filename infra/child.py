"""Child processes that end with their parent, however that dies, and take with them what they started."""

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class Child:
    """A module of Python that runs in a process, and a process group, of its own."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, *, grace: float = 0.0
    ) -> None:
        """Start it.

        Args:
            command: the module and its arguments.
            log: the file to which is added what it says.
            environment: variables beside those of this process.
            grace: seconds that it has to end in good order.
        """
        self.log = log
        self._grace = grace
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, and a module that we name
                [sys.executable, "-m", "infra.child", str(grace), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process, which is also its group's."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """End it and what it started: its input ends, and it has its grace from then on."""
        assert self._process.stdin
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._grace + 5)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """The last line of its log, or the beginning of it."""
        return (self.log.read_text("utf-8", "replace").strip().splitlines() or ["nothing"])[-1][:300]


def _end_with_parent(grace: float) -> None:
    """Wait for the end of standard input, whose other end the parent holds; then end this process group."""
    while os.read(0, 1):  # not through sys.stdin, whose lock would be held when the interpreter ends
        pass
    if grace:
        os.killpg(0, signal.SIGTERM)
        time.sleep(grace)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, args=(float(sys.argv[1]),), daemon=True).start()
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
