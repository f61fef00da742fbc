"""Everspring: what `everspring export` wrote, with what its manifest says of the rows; or rows with our columns."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from catalog.bridges import Columns, Folder, Row, bridge
from catalog.bridges._folders import names, told
from catalog.exports import MANIFEST, Conversation, Pair, Text, kind_of
from catalog.records import PROVENANCE, Dialogue, Document, Preference, PromptCompletion, Record, columns, required
from infra.errors import Refusal


def folder(path: Path) -> Folder | None:
    """The splits of an export, and the shape that its rows had."""
    file = path / MANIFEST
    manifest = told(file)
    if manifest is None:
        return None
    listed = manifest.get("files")
    splits: dict[str, list[Path]] = {}
    for each in cast("list[Any]", listed if isinstance(listed, list) else []):
        its = cast("Mapping[str, Any]", each) if isinstance(each, dict) else {}
        if not isinstance(its.get("path"), str) or not isinstance(its.get("split"), str):
            raise Refusal(f"{file}: it names a file without its split, a manifest that export wrote is wanted")
        splits.setdefault(its["split"], []).append(path / its["path"])
    there = names(manifest.get("columns", []), file)
    note = f"{manifest.get('format')!s:.20} of {manifest.get('table')!s:.90}@{manifest.get('version')!s:.9}"
    return Folder(splits, _exported(there), note)


def _exported(there: list[str]) -> type[Record] | None:
    """The shape in which the rows of a table with these columns can be had back from a form for trainers."""
    kind = kind_of(there)
    if kind is Conversation:
        return Dialogue if {"messages", "system"} & set(there) else PromptCompletion
    return {Text: Document, Pair: Preference}.get(kind) if kind else None  # type: ignore[arg-type]


def marks(found: Columns) -> bool:
    """Rows as they were in the lake."""
    return {"record_id", "parents"} <= found.keys()


def shape(found: Columns, _: object) -> type[Record] | None:
    """The shape of which the most columns are there, and all that it requires; None where two are alike."""
    from catalog.imports import shapes

    if not marks(found):
        return None
    fit = {
        each: (len(columns(each).keys() & found.keys()), len(required(each)))
        for each in shapes().values()
        if found.keys() >= set(required(each))
    }
    best = [each for each, how in fit.items() if how == max(fit.values())]
    return best[0] if len(best) == 1 else None


@bridge("Everspring", reads=None, marks=marks, shape=shape, folder=folder)
def everspring(row: Row) -> dict[str, Any]:
    """The row without what says where it came from: here, it came from the file."""
    return {name: value for name, value in row.items() if name not in PROVENANCE}
