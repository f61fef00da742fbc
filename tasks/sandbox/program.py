"""Programs and what came of running them."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Status = Literal["ok", "error", "exit", "timeout", "memory", "output", "forbidden"]
"""How a run ended: `ok`; `error`, an exception or a crash; `exit`, it left before its end; `timeout`, `memory`,
`output`, beyond that bound; `forbidden`, it tried what it may not and died of it."""
STATUSES: Final[tuple[Status, ...]] = get_args(Status)


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """Python code, what it reads from standard input, and an expression whose value is wanted once it has run.

    The value comes back as its `repr`, in `Ran.result`. A program whose value is wanted may not leave by `sys.exit`.
    """

    code: str
    stdin: str = ""
    result: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """What came of a program: how it ended, and what it left. `error` is the last line of the traceback, or why."""

    status: Status
    stdout: str = ""
    result: str = ""
    error: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it ran to its end."""
        return self.status == "ok"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What a program may use: seconds of clock and of processor, MiB of memory and of files, KiB of output."""

    seconds: float = 5.0
    memory: int = 512
    files: int = 16
    output: int = 256
