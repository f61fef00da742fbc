"""Bridges: what other tools write, read as our shapes.

A bridge is one file here: a function with the file's name under `@bridge`, which turns a row of the tool's columns into
fields of ours: `messages`; `prompt`, `chosen` and `rejected`; `prompt`; or `text`. Where a tool has a way of laying out
folders, `folder` finds the files of each split in one; a tool that has nothing but that has a function without a row.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from catalog.formats import open_files, open_table
from catalog.formats.table import Cells, Table, reason_of
from catalog.records import Dialogue, Document, Preference, Prompt, PromptCompletion, Record
from infra.declared import declaration, declares, modules_in, summary
from infra.errors import Refusal

PLAIN = "plain"
"""The name that stands for no bridge: columns are fields of the same name."""
ALL = "all"
"""The name that stands for every split."""
OURS = "everspring"
"""What we wrote ourselves is known before anything that it may look like."""
_SAMPLE = 100
"""Rows that are looked at where columns alone do not say what the rows are."""

F = TypeVar("F", bound=Callable[..., Any])
Row = Mapping[str, Any]
Columns = Mapping[str, str]
"""Name → DuckDB type; `]` at its end says that it holds lists."""
MADE_OF: Mapping[type[Record], tuple[type[Record], ...]] = {
    Dialogue: (Dialogue, PromptCompletion, Prompt),
    PromptCompletion: (PromptCompletion, Dialogue, Prompt),
    Preference: (Preference, Prompt),
    Prompt: (Prompt,),
    Document: (Document,),
}
"""Shape that a bridge's rows are of → the shapes that they can be read as."""


@dataclass(frozen=True)
class Folder:
    """What a tool's folder holds: the files of each split; `shape` and `note` where it says what its rows are."""

    splits: Mapping[str, Sequence[Path]]
    shape: type[Record] | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """A tool as its file declares it.

    `reads` are the columns that rows are made of, None for all; `marks` says of columns whether they are the tool's;
    `shape` says which shape they make, of the columns and the first rows, or None where they make none.
    """

    name: str
    title: str
    reads: tuple[str, ...] | None
    marks: Callable[[Columns], bool] | None
    shape: Callable[[Columns, Iterable[Row]], type[Record] | None] | None
    folder: Callable[[Path], Folder | None] | None
    row: Callable[[Row], Mapping[str, Any]] = field(repr=False)
    module: ModuleType = field(repr=False)

    @property
    def summary(self) -> str:
        """The first line of the file's docstring."""
        return summary(self.module)

    def known(self, columns: Columns) -> list[str]:
        """Which of these columns it reads."""
        return [name for name in columns if self.reads is None or name in self.reads]


def bridge(
    title: str,
    *,
    reads: tuple[str, ...] | None = (),
    marks: Callable[[Columns], bool] | None = None,
    shape: Callable[[Columns, Iterable[Row]], type[Record] | None] | None = None,
    folder: Callable[[Path], Folder | None] | None = None,
) -> Callable[[F], F]:
    """Declare the decorated function a bridge: see `Bridge`."""
    return declares(
        "__everspring_bridge__",
        {
            "title": title,
            "reads": reads,
            "marks": marks,
            "shape": shape,
            "folder": folder,
        },
    )


@functools.cache
def load_bridges() -> Mapping[str, Bridge]:
    """Every bridge, by the name that users write."""
    found = map(_read, modules_in(__name__, Path(__file__).parent))
    return {each.name: each for each in found}


def find_bridge(name: str) -> Bridge:
    """The bridge of that name.

    Raises:
        Refusal: for an unknown one, naming the nearest.
    """
    if name not in load_bridges():
        raise Refusal.unknown("--from", name, [*load_bridges(), PLAIN])
    return load_bridges()[name]


def _read(module: ModuleType) -> Bridge:
    function, declared = declaration(module, "__everspring_bridge__", "bridge", "bridge")
    return Bridge(name=function.__name__.replace("_", "-"), row=function, module=module, **declared)


@dataclass(frozen=True)
class Source:
    """What is to be imported, opened: as a table, and by which bridge its rows are to be read.

    `asked`: the user named the bridge. `shape` is that of the rows, None where it is to be guessed from the columns;
    `layout` says whose folder it is.
    """

    table: Table
    bridge: Bridge | None = None
    asked: bool = False
    shape: type[Record] | None = None
    layout: str = ""


def open_source(where: str, *, named: str = "", split: str = "") -> Source:
    """Open what is to be imported, and see which tool wrote it.

    Args:
        where: see `catalog.formats.open_table`, or a folder that a tool wrote.
        named: the bridge, or `plain` for none; found out where empty.
        split: which of the splits that a folder has, or `all`.

    Raises:
        Refusal: where it cannot be read, is not what `named` says, or has several splits of which none is named.
    """
    if named == PLAIN:
        _no_splits(where, split)
        return Source(open_table(where))
    asked = find_bridge(named) if named else None
    title, found, path = "", None, Path(where)
    try:
        path = path.expanduser()
        if path.is_dir():
            title, found = _laid_out(path, asked)
    except (OSError, ValueError, RuntimeError) as error:  # of a folder that is not ours, of a name with a NUL
        raise Refusal(f"{where}: cannot be read ({reason_of(error)}), a file or folder is wanted") from None
    if found is None:
        if asked and not asked.shape:
            raise Refusal(f"{where}: is none of {asked.title}, such a folder is wanted; leave out --from {named}")
        _no_splits(where, split)
        table = open_table(where)
    else:
        table = _of_split(path, found, split)
        title += f" ({found.note})" if found.note else ""
    return _recognised(table, asked, found, title)


def _no_splits(where: str, split: str) -> None:
    if split:
        raise Refusal(f"--split {split}: {where} is no folder that says which splits it has; leave it out")


def _laid_out(path: Path, asked: Bridge | None) -> tuple[str, Folder | None]:
    """Which tool laid out a folder, by its title, and how."""
    bridges = sorted(load_bridges().values(), key=lambda it: (it is not asked, it.name != OURS))
    for each in bridges if not asked or asked.shape else [asked]:
        if each.folder and (found := each.folder(path)) is not None:
            return each.title, found
    return "", None


def _of_split(path: Path, folder: Folder, split: str) -> Table:
    """The table of one split, or of all."""
    names = list(folder.splits)
    if split and split not in (*names, ALL):
        raise Refusal.unknown(f"{path}: split", split, names)
    if not split and len(names) > 1:
        raise Refusal(
            f"{path}: it holds several splits ({', '.join(names)}), one is wanted; "
            f"choose with --split NAME, or --split {ALL}"
        )
    taken = names if split in ("", ALL) else [split]
    table = open_files(path, [file for name in taken for file in folder.splits[name]])
    return replace(table, origin=f"{table.origin} ({taken[0]})") if len(taken) < len(names) else table


def _recognised(table: Table, asked: Bridge | None, folder: Folder | None, layout: str) -> Source:
    """The table with the bridge that knows the most of its columns, or the one that was asked for."""
    bridges = [asked] if asked and asked.shape else list(load_bridges().values())
    marked = [each for each in bridges if each.shape and (each is asked or (each.marks and each.marks(table.columns)))]
    for each in sorted(marked, key=lambda it: -len(it.known(table.columns))):
        assert each.shape
        shape = each.shape(table.columns, _first(table, each))
        if shape:
            hinted = folder.shape if folder and folder.shape in MADE_OF.get(shape, (shape,)) else None
            return Source(table, each, each is asked, hinted or shape, layout)
    if asked and asked.shape:
        raise Refusal(
            f"{table.origin}: its columns are none of {asked.title} ({', '.join(asked.reads or ())}); "
            f"leave out --from {asked.name}, or choose another; it has: {', '.join(table.columns)}"
        )
    return Source(table, layout=layout)


def _first(table: Table, each: Bridge) -> Iterator[Row]:
    """The first rows, one at a time, as far as they can be read."""
    found = itertools.islice(table.read(each.known(table.columns), 1 << 16), _SAMPLE)
    return (row.values for row in found if isinstance(row, Cells))
