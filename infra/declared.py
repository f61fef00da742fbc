"""Things that are one file each: a function with the file's name, under a decorator that leaves its mark on it."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


def modules_in(package: str, folder: Path) -> Iterator[ModuleType]:
    """The modules of a package's folder, by name; files that begin with an underscore are shared by several."""
    for file in sorted(folder.glob("*.py")):
        if not file.stem.startswith("_"):
            yield importlib.import_module(f"{package}.{file.stem}")


def declaration(module: ModuleType, mark: str, what: str, decorator: str) -> tuple[Callable[..., Any], Any]:
    """The function that a module declares, and what its decorator left under `mark`.

    Raises:
        TypeError: where there is none, saying how to declare one.
    """
    name = module.__name__.rpartition(".")[2]
    function = getattr(module, name, None)
    declared = getattr(function, mark, None)
    if function is None or declared is None:
        raise TypeError(f"{module.__name__}: no {what} was found; define a function {name}() under @{decorator}")
    return function, declared


def summary(module: ModuleType) -> str:
    """The first line of a module's docstring."""
    return (module.__doc__ or "").strip().partition("\n")[0]
