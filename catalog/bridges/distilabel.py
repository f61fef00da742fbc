"""distilabel: a saved distiset, a folder for each leaf of the pipeline, with the columns of its steps.

https://distilabel.argilla.io/latest/sections/how_to_guides/advanced/distiset/
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from catalog.bridges import Columns, Folder, Row, bridge
from catalog.bridges._rows import has, lists, pair, talk, text, turn, turns
from catalog.bridges.hf import saved
from catalog.formats.table import Fault
from catalog.records import Dialogue, Document, Preference, Prompt, PromptCompletion, Record


def folder(path: Path) -> Folder | None:
    """Each configuration of a saved distiset, with its splits where it has several."""
    if not (path / "distiset_configs").is_dir():
        return None
    splits: dict[str, Sequence[Path]] = {}
    for leaf in sorted(path.iterdir()):
        found = saved(leaf) if leaf.is_dir() and not leaf.is_symlink() else None
        for name, files in (found or {}).items():
            splits[leaf.name if len(found or {}) == 1 else f"{leaf.name}/{name}"] = files
    return Folder(splits)


def marks(columns: Columns) -> bool:
    """What every step of a model adds, or an instruction with what was generated for it."""
    return "distilabel_metadata" in columns or (
        "instruction" in columns and bool({"generation", "generations"} & columns.keys())
    )


def shape(columns: Columns, rows: Iterable[Row]) -> type[Record] | None:
    """The most that the columns can be."""
    there = columns.keys()
    if {"chosen", "rejected"} <= there or {"generations", "ratings"} <= there:
        return Preference
    if lists(columns, "messages") or lists(columns, "conversation"):
        return Dialogue
    if "generation" in there and {"instruction", "prompt"} & there:
        return Dialogue if any(has(row, "system_prompt") for row in rows) else PromptCompletion
    if {"instruction", "prompt"} & there:
        return Prompt
    return Document if "text" in there else None


@bridge(
    "distilabel",
    reads=(
        *("instruction", "prompt", "system_prompt", "generation", "generations", "ratings"),
        *("messages", "conversation", "chosen", "rejected", "text"),
    ),
    marks=marks,
    shape=shape,
    folder=folder,
)
def distilabel(row: Row) -> dict[str, Any]:
    """Of several generations, that with the best rating and that with the worst are a preference."""
    asked = next((name for name in ("instruction", "prompt") if has(row, name)), "")
    question = [turn("user", text(row, asked))] if asked and not isinstance(row[asked], list) else []
    if has(row, "chosen") or has(row, "rejected"):
        return pair(question, row)
    if has(row, "generations") and row.get("ratings") is not None:
        return pair(question, _rated(row))
    for name in ("messages", "conversation"):
        if has(row, name):
            return {"messages": turns(row[name], name)}
    if "generation" in row and question:
        system = text(row, "system_prompt") if has(row, "system_prompt") else ""
        return talk(system, None, question[0]["content"], text(row, "generation"))
    return {"prompt": question[0]["content"]} if question else {"text": text(row, "text")}


def _rated(row: Row) -> dict[str, Any]:
    """The generations with the highest and the lowest rating; of equal ones the first."""
    made, ratings = row["generations"], row["ratings"]
    if not isinstance(made, list) or not isinstance(ratings, list) or len(made) != len(cast("list[Any]", ratings)):
        raise Fault("generations and ratings are not one for one")
    rated = [
        (rating, said)
        for said, rating in zip(cast("list[Any]", made), cast("list[Any]", ratings), strict=True)
        if isinstance(rating, (int, float)) and isinstance(said, str) and rating == rating  # noqa: PLR0124 - no NaN
    ]
    if not rated or max(rated, key=lambda it: it[0])[0] == min(rated, key=lambda it: it[0])[0]:
        raise Fault("the ratings tell no better generation from a worse one")
    return {"chosen": max(rated, key=lambda it: it[0])[1], "rejected": min(rated, key=lambda it: it[0])[1]}
