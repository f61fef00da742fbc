"""What runs a program inside bubblewrap: the first code of a bare interpreter, given as text.

It imports nothing of this project, which the interpreter cannot see. What it needs after the program has run it holds
in local names, since a program may have changed every module and builtin; all that a program can spoil so is what is
reported of itself.
"""

from __future__ import annotations

import builtins
import marshal
import os
import resource
import sys

TYPE_CHECKING = False  # typing takes longer to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def main(given: int, told: int) -> None:
    """Run the program that file `given` holds; report on file `told`: a byte at the start, then how it ended."""
    write, leave, stdout, anything = os.write, os._exit, sys.stdout, BaseException
    limits, source, result, longest = marshal.loads(_read(given))  # noqa: S302 - it comes from `bubblewrap`, sealed
    for limit, most in limits:
        resource.setrlimit(getattr(resource, limit), most)
    os.environ.clear()
    write(told, b"+")
    outcome = _run(source, result, longest)
    try:  # noqa: SIM105 - contextlib takes long to import
        stdout.flush()
    except anything:  # the program's own: it closed its output
        pass
    left = "\0".join(outcome).encode("utf-8", "surrogatepass")
    while left:
        left = left[write(told, left) :]
    leave(0)


def _run(source: str, result: str, longest: int) -> tuple[str, str, str]:
    """Status, error and result of a program; a result that is too long is cut at one character more."""
    describe: Callable[[BaseException], tuple[str, str]] = _describe
    text, said, leaving, anything = str, repr, SystemExit, BaseException
    builtins.exit = builtins.quit = sys.exit
    main = type(sys)("__main__")
    sys.modules["__main__"] = main
    sys.argv = ["program.py"]
    reserve: bytearray | None = bytearray(1 << 20)
    try:
        exec(compile(source, "program.py", "exec", dont_inherit=True), main.__dict__)  # noqa: S102
        value = said(eval(result, main.__dict__)) if result else ""  # noqa: S307
        return "ok", "", text(value[: longest + 1])
    except leaving as left:
        if not result and left.code in (None, 0):
            return "ok", "", ""
        return "exit", f"SystemExit: {left.code!s}"[:500].replace("\0", " "), ""
    except anything as error:  # the program's own, whatever it is
        reserve = None
        del reserve
        return (*describe(error), "")


def _describe(
    error: BaseException,
    memory: type = MemoryError,
    refused: tuple[type, int] = (OSError, 30),
    may_not: type = PermissionError,
    is_a: Callable[[Any, Any], bool] = isinstance,
    kind: Callable[[Any], Any] = type,
) -> tuple[str, str]:
    """Status and last line of the traceback. 30: a file system that is read-only."""
    try:
        said = f"{kind(error).__name__}: {error}"[:500].replace("\0", " ")
    except BaseException:  # noqa: BLE001 - the program's own: its exception cannot be printed
        said = kind(error).__name__
    if is_a(error, memory):
        return "memory", said
    if is_a(error, may_not) or (is_a(error, refused[0]) and getattr(error, "errno", 0) == refused[1]):
        return "forbidden", said
    return "error", said


def _read(file: int) -> bytes:
    parts: list[bytes] = []
    while part := os.read(file, 1 << 20):
        parts.append(part)
    os.close(file)
    return b"".join(parts)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
