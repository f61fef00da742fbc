"""Exports: a version's rows in the form that a trainer reads.

A format is one file here: a function with the file's name under `@export_format`, which turns an example into the
object that is written as one line of JSON. Where a format is that of the rows themselves, its function takes none.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

from catalog.exports._examples import (
    KINDS,
    Conversation,
    Example,
    Judged,
    Pair,
    Text,
    Unfit,
    example_of,
    halves,
    kind_of,
)
from infra.declared import declaration, declares, modules_in, summary
from infra.errors import Refusal

__all__ = [
    "KINDS",
    "MANIFEST",
    "Conversation",
    "Example",
    "Exported",
    "Format",
    "Judged",
    "Pair",
    "Text",
    "Unfit",
    "example_of",
    "export_format",
    "find_format",
    "halves",
    "kind_of",
    "load_formats",
]

MANIFEST = "everspring.json"
"""The file beside the data that says what it is."""

F = TypeVar("F", bound=Callable[..., Any])
Beside = Callable[["Exported"], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was exported, for the files that a trainer wants beside the data: split → file, in order."""

    table: str
    name: str
    kind: type[Example] | None
    unpaired: bool
    files: Mapping[str, str]
    fields: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A form of training data, as its file declares it.

    `kinds` are the examples that it can be of, none where it holds the rows as they are. `least` is the number of rows
    under which the trainer takes no file. `beside` writes further files: name → content.
    """

    name: str
    kinds: tuple[type[Example], ...]
    suffix: Literal["jsonl", "parquet"]
    unpairs: bool
    least: int
    folder: str
    beside: Beside | None
    line: Callable[[Example], Mapping[str, Any]] = field(repr=False)
    module: ModuleType = field(repr=False)

    @property
    def summary(self) -> str:
        """The first line of the file's docstring."""
        return summary(self.module)


def export_format(
    *,
    kinds: tuple[type[Example], ...] = (),
    suffix: Literal["jsonl", "parquet"] = "jsonl",
    unpairs: bool = False,
    least: int = 1,
    folder: str = "",
    beside: Beside | None = None,
) -> Callable[[F], F]:
    """Declare the decorated function a format.

    Args:
        kinds: the examples that it is of; none where it holds the rows as they are.
        suffix: of its files.
        unpairs: whether it has a form for preferences one answer at a time (KTO).
        least: rows under which the trainer takes no file.
        folder: where in the folder that is asked for the data stands.
        beside: what stands beside the data: name → content.
    """
    return declares(
        "__everspring_format__",
        {
            "kinds": kinds,
            "suffix": suffix,
            "unpairs": unpairs,
            "least": least,
            "folder": folder,
            "beside": beside,
        },
    )


@functools.cache
def load_formats() -> Mapping[str, Format]:
    """Every format, by the name that users write: each file of this folder is one."""
    found = map(_read, modules_in(__name__, Path(__file__).parent))
    return {each.name: each for each in found}


def find_format(name: str) -> Format:
    """The format of that name.

    Raises:
        Refusal: for an unknown one, naming the nearest.
    """
    if name not in load_formats():
        raise Refusal.unknown("format", name, load_formats())
    return load_formats()[name]


def _read(module: ModuleType) -> Format:
    function, declared = declaration(module, "__everspring_format__", "format", "export_format")
    return Format(name=function.__name__.replace("_", "-"), line=function, module=module, **declared)
