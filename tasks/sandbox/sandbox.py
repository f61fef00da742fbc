"""The sandbox of this machine, by one of two means."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

from infra.errors import Refusal
from infra.settings import SandboxChoice
from tasks.sandbox.program import Bounds, Program, Ran

_DEFAULT = Bounds()


class Sandbox(ABC):
    """Runs programs; `name` says by what means."""

    name: str

    def run(self, programs: Sequence[Program], bounds: Bounds = _DEFAULT) -> list[Ran]:
        """What came of each program, in their order: as many at once as there are processors, each on its own."""
        with ThreadPoolExecutor(processors()) as pool:
            return list(pool.map(partial(self.run_one, bounds=bounds), programs))

    @abstractmethod
    def run_one(self, program: Program, bounds: Bounds) -> Ran:
        """What came of a program. Safe to call from many threads."""


@cache
def open_sandbox(choice: SandboxChoice = "auto") -> Sandbox:
    """The sandbox of this machine: bubblewrap where it is there and holds, else Monty, unless one is chosen.

    Raises:
        Refusal: where there is neither, or not the one that is chosen.
    """
    from tasks.sandbox import bubblewrap, monty

    faults: list[str] = []
    for name, means in (("bubblewrap", bubblewrap.probe), ("monty", monty.probe)):
        if choice in ("auto", name):
            found = means()
            if isinstance(found, Sandbox):
                return found
            faults.append(f"{name} {found}")
    wanted = "bubblewrap or monty is" if choice == "auto" else f"{choice} is"
    raise Refusal(
        f"sandbox: there is none for programs that models wrote ({'; '.join(faults)}), {wanted} wanted; install "
        "bubblewrap (apt-get install bubblewrap) or pydantic-monty (pip install pydantic-monty), or set "
        "EVERSPRING_SANDBOX to the one that is there"
    )


def processors() -> int:
    """How many programs run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
