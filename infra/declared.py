"""Things that are one file each: a function with the file's name, under a decorator that leaves its mark on it."""

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def modules_in(package: str, folder: Path) -> Iterator[ModuleType]:
    """The modules of a package's folder, by name; files that begin with an underscore are shared by several."""
    for file in sorted(folder.glob("*.py")):
        if not file.stem.startswith("_"):
            yield importlib.import_module(f"{package}.{file.stem}")


def declares(mark: str, declared: object) -> Callable[[F], F]:
    """A decorator that leaves what is declared under `mark`, where `declaration` finds it."""

    def leave(function: F) -> F:
        setattr(function, mark, declared)
        return function

    return leave


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


def code_of(module: ModuleType, shared: str) -> list[str]:
    """The code that decides what a module does: its own, and that of every module it draws on, near or far.

    Drawn on is whatever it has names of, where the module's name begins with `shared`, and so on from there.
    """
    found, left = {module.__name__: module}, [module]
    while left:
        for value in vars(left.pop()).values():
            name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if isinstance(name, str) and name.startswith(shared) and name not in found:
                found[name] = sys.modules[name]
                left.append(found[name])
    return [Path(each.__file__ or "").read_text("utf-8") for _, each in sorted(found.items())]


def summary(module: ModuleType) -> str:
    """The first line of a module's docstring."""
    return (module.__doc__ or "").strip().partition("\n")[0]
