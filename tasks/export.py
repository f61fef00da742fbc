"""Export: a version of a table as files that a trainer reads, with a manifest that ties each file to the version."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.exports import KINDS, MANIFEST, Exported, Format, Pair, Unfit, example_of, halves, kind_of
from catalog.lineage import licences_of
from catalog.records import digest
from catalog.store import Lake, Version
from infra.errors import Failure, Refusal
from quality.duplicates.groups import groups
from quality.duplicates.minhash import signatures
from quality.plots import draw_lengths
from quality.scorecard import draw
from quality.texts import texts_in
from tasks.cards import Card, Datum, card_of, croissant, markdown

if TYPE_CHECKING:
    import polars as pl

SUBJECT = ("prompt", "messages", "text", "code")
"""Columns of which the first that is there says what a row is about: rows alike in it stay in one split."""
_FETCH = 1000
_DRAWN = 100_000
"""Rows whose lengths are drawn."""
_WORDY = 5
"""Words that a text of a column must have for its lengths to be drawn: names and classes have fewer."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What an export is to be.

    Args:
        format: of the files.
        folder: where to; made by the export.
        where: a condition in SQL on the table's columns.
        splits: name → share of the rows, in order; rows that are alike, that ask the same or that were made of one and
            the same row are in one split.
        licences: only rows all of whose seeds are under one of these; empty for any.
        unpaired: preferences one answer at a time, each with whether it is wanted.
        seed: of the order of the rows, and of the splits.
        overwrite: take the place of an earlier export.
    """

    format: Format
    folder: Path
    where: str = ""
    splits: Mapping[str, float] = field(default_factory=lambda: {"train": 1.0})
    licences: frozenset[str] = frozenset()
    unpaired: bool = False
    seed: int = 0
    overwrite: bool = False


@dataclass(frozen=True)
class File:
    """A file of an export: how many rows and bytes it has, and its SHA-256."""

    path: str
    split: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Export:
    """What was exported, and how many rows were left out, by reason."""

    files: Sequence[File]
    left_out: Mapping[str, int]


def export(
    lake: Lake, version: Version, wish: Wish, reach: Callable[[int, int], None] = lambda _done, _of: None
) -> Export:
    """Write a version to a folder, all of it or nothing; `reach` is told how many rows of how many are written.

    Raises:
        Refusal: for a table that the format cannot hold, a condition that does not fit, splits that are none, or a
            folder that holds something else.
        Failure: where no row is left to write, or fewer than the format's trainer takes.
    """
    with lake.read() as connection:
        fields = lake.columns(connection, version)
    kind = _check(version, wish, fields)
    ids, left_out = _chosen(lake, version, wish)
    split_of = _split(lake, version, wish, ids, fields)
    partial = wish.folder.with_name(f"{wish.folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    data = partial / wish.format.folder
    data.mkdir(parents=True)
    try:
        names = _names(wish)
        if wish.format.suffix == "parquet":
            counts = _write_parquet(lake, version, split_of, data, names)
        else:
            rows = _rows(lake, version, ids)
            lines = _lines(rows, wish, kind, left_out)
            counts = _write_lines(lines, split_of, data, names, lambda done: reach(done, len(ids)))
        _enough(version, wish, counts, left_out)
        files = [_file(partial, data / names[split], split, count) for split, count in counts.items()]
        _describe(lake, version, wish, files, partial)
        told = Exported(
            table=str(version.ref),
            name=version.ref.name,
            kind=kind,
            unpaired=wish.unpaired,
            files=names,
            fields=fields,
        )
        for name, text in (wish.format.beside(told) if wish.format.beside else {}).items():
            (partial / name).write_text(text, "utf-8")
        made = Export(files, dict(left_out))
        (partial / MANIFEST).write_text(_manifest(version, wish, fields, made), "utf-8")
        if wish.folder.exists():
            shutil.rmtree(wish.folder)
        partial.rename(wish.folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    reach(len(ids), len(ids))
    return made


def _check(version: Version, wish: Wish, fields: Sequence[str]) -> Any:
    """The kind of the table's rows.

    Raises:
        Refusal: where the format cannot hold them, or the wish is none.
    """
    name = wish.format.name
    kind = kind_of(fields)
    if wish.format.kinds and kind not in wish.format.kinds:
        wanted = " or ".join(KINDS[each] for each in wish.format.kinds)
        held = KINDS[kind] if kind else f"rows with the columns {', '.join(fields)}"
        raise Refusal(f"{version.ref}: holds {held}, {name} wants {wanted}; try --to jsonl or --to parquet")
    if wish.unpaired and not (wish.format.unpairs and kind is Pair):
        raise Refusal(f"{version.ref}: --unpaired wants a table of preferences and a format with a form for it, as trl")
    if not wish.splits or any(share <= 0 for share in wish.splits.values()):
        raise Refusal("export: the splits have no share, NAME=SHARE above 0 is wanted; such as --split train=0.9")
    if wish.folder.exists() and not wish.folder.is_dir():
        raise Refusal(f"export: {wish.folder} is a file, a folder is wanted; name another with --out")
    if wish.folder.exists() and any(wish.folder.iterdir()):
        if not wish.overwrite:
            raise Refusal(f"export: {wish.folder} is not empty, a new folder is wanted; name another, or --overwrite")
        if not (wish.folder / MANIFEST).exists():
            raise Refusal(f"export: {wish.folder} holds no export, --overwrite takes the place of one; name another")
    return kind


def _chosen(lake: Lake, version: Version, wish: Wish) -> tuple[list[str], Counter[str]]:
    """The ids of the rows to write, in their order, and how many are left out."""
    ids = lake.ids(version, seed=wish.seed)
    left_out: Counter[str] = Counter()
    if wish.where:
        with lake.answer(f"SELECT record_id FROM {version.sql} WHERE (\n{wish.where}\n)") as found:
            meant = {record_id for (record_id,) in found.fetchall()}
        left_out["the condition"] = len(ids)
        ids = [each for each in ids if each in meant]
        left_out["the condition"] -= len(ids)
    if wish.licences:
        under = licences_of(lake, version)
        for each in ids:
            if further := sorted(under[each] - wish.licences):
                left_out[f"licence {', '.join(further)}"] += 1
        ids = [each for each in ids if under[each] <= wish.licences]
    return ids, +left_out


def _split(lake: Lake, version: Version, wish: Wish, ids: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """The split of each row: groups in an order of the seed's, each where the middle of it falls."""
    names = list(wish.splits)
    if len(names) == 1 or not ids:
        return dict.fromkeys(ids, names[0])
    subject = next((name for name in SUBJECT if name in fields), fields[0])
    texts: list[str] = []
    keys: list[list[str]] = []
    for row in _rows(lake, version, ids):
        text = "\n".join(texts_in(row[subject]))
        made_of = row["parents"] or []
        texts.append(text)
        keys.append([digest(" ".join(text.casefold().split())), *(made_of if len(made_of) == 1 else [])])
    members: dict[int, list[str]] = {}
    for record_id, group in zip(ids, groups(signatures(ids, texts), keys), strict=True):
        members.setdefault(group, []).append(record_id)
    total, taken = sum(wish.splits.values()), 0
    ends = [sum(list(wish.splits.values())[: at + 1]) / total for at in range(len(names))]
    split_of: dict[str, str] = {}
    for group in sorted(members.values(), key=lambda its: digest([wish.seed, min(its)])):
        middle = (taken + len(group) / 2) / len(ids)
        at = next((place for place, end in enumerate(ends) if middle < end), len(names) - 1)
        split_of |= dict.fromkeys(group, names[at])
        taken += len(group)
    return split_of


def _rows(lake: Lake, version: Version, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows with these ids, in their order."""
    with lake.read(once=True) as connection:
        connection.register("chosen", _frame({"record_id": ids, "place": range(len(ids))}))
        cursor = connection.execute(
            f"SELECT held.* FROM (FROM {version.sql}) AS held JOIN chosen USING (record_id) ORDER BY place"
        )
        names = [column[0] for column in cursor.description or []]
        while rows := cursor.fetchmany(_FETCH):
            yield from (dict(zip(names, row, strict=True)) for row in rows)


def _lines(
    rows: Iterator[dict[str, Any]], wish: Wish, kind: Any, left_out: Counter[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id of the row and what is written of it; rows that do not fit are counted."""
    for row in rows:
        if not wish.format.kinds:
            yield row["record_id"], row
            continue
        try:
            example = example_of(row, kind)
            made = halves(example) if wish.unpaired and isinstance(example, Pair) else (example,)
        except Unfit as fault:
            left_out[str(fault)] += 1
            continue
        for each in made:
            yield row["record_id"], wish.format.line(each)


def _write_lines(
    lines: Iterator[tuple[str, Mapping[str, Any]]],
    split_of: Mapping[str, str],
    data: Path,
    names: Mapping[str, str],
    reach: Callable[[int], None],
) -> dict[str, int]:
    counts = dict.fromkeys(names, 0)
    with ExitStack() as stack:
        files = {split: stack.enter_context((data / name).open("w", encoding="utf-8")) for split, name in names.items()}
        for done, (record_id, line) in enumerate(lines):
            split = split_of[record_id]
            files[split].write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            counts[split] += 1
            if done % _FETCH == 0:
                reach(done)
    return counts


def _write_parquet(
    lake: Lake, version: Version, split_of: Mapping[str, str], data: Path, names: Mapping[str, str]
) -> dict[str, int]:
    counts: dict[str, int] = {}
    with lake.read(once=True) as connection:
        connection.register(
            "chosen",
            _frame({"record_id": split_of.keys(), "place": range(len(split_of)), "split": split_of.values()}),
        )
        for split, name in names.items():
            file = str(data / name).replace("'", "''")
            ((counts[split],),) = connection.execute(
                f"COPY (SELECT held.* FROM (FROM {version.sql}) AS held "
                f"JOIN chosen USING (record_id) WHERE split = ? ORDER BY place) TO '{file}' (FORMAT parquet)",
                [split],
            ).fetchall()
    return counts


def _frame(columns: Mapping[str, Any]) -> "pl.DataFrame":
    import polars as pl

    types = {"record_id": pl.String, "place": pl.Int64, "split": pl.String}
    return pl.DataFrame(
        {name: list(values) for name, values in columns.items()}, {name: types[name] for name in columns}
    )


def _names(wish: Wish) -> dict[str, str]:
    """Split → its file."""
    if wish.format.folder:  # as `datasets` names them
        return {split: f"{split}-00000-of-00001.{wish.format.suffix}" for split in wish.splits}
    return {split: f"{split}.{wish.format.suffix}" for split in wish.splits}


def _enough(version: Version, wish: Wish, counts: Mapping[str, int], left_out: Mapping[str, int]) -> None:
    why = "; ".join(f"{count:,} by {reason}" for reason, count in left_out.items())
    why = f" ({why})" if why else ""
    for split, count in counts.items():
        if count < wish.format.least:
            raise Failure(
                f"{version.ref}: split {split} would have {count} rows{why}, {wish.format.name} wants "
                f"{wish.format.least} at least; make more rows, or ask for fewer splits"
            )


def _file(folder: Path, path: Path, split: str, rows: int) -> File:
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    return File(path.relative_to(folder).as_posix(), split, rows, path.stat().st_size, found)


def _describe(lake: Lake, version: Version, wish: Wish, files: Sequence[File], folder: Path) -> None:
    """Put the card of the version beside the data: README.md, its plots, and croissant.json."""
    card = card_of(lake, version)
    plots: list[tuple[str, str]] = []
    if any(line.gated for line in card.figures):
        draw(card.figures, str(version.ref), "", folder / "scorecard.png")
        plots.append(("Every gated figure as a dot on a band, which is its gate", "scorecard.png"))
    if words := _words(lake, version, card):
        plots.append((draw_lengths(words, str(version.ref), folder / "lengths.png"), "lengths.png"))
    splits = {file.split: file.path for file in files} if wish.format.folder else None
    told = markdown(card, splits=splits, plots=plots, folder=wish.folder.name if splits else "")
    (folder / "README.md").write_text(told, "utf-8")
    data = [Datum(f.split, f.path, f.bytes, f.sha256, _first(folder / f.path)) for f in files]
    (folder / "croissant.json").write_text(croissant(card, data), "utf-8")


def _words(lake: Lake, version: Version, card: Card) -> dict[str, list[int]]:
    """Column of texts → the words of each row, of so many rows at most."""
    names = [column.name for column in card.columns if column.type == "VARCHAR" and column.name != "record_id"]
    words: dict[str, list[int]] = {}
    with lake.read() as connection:
        for name in names:
            found = connection.execute(
                f"SELECT len(regexp_split_to_array(trim(\"{name}\"), '\\s+')) FROM {version.sql} "
                f"WHERE \"{name}\" <> '' ORDER BY md5(record_id) LIMIT {_DRAWN}"
            ).fetchall()
            if max((count for (count,) in found), default=0) > _WORDY:
                words[name] = [count for (count,) in found]
    return words


def _first(file: Path) -> dict[str, Any]:
    """The first row of a file."""
    if file.suffix == ".parquet":
        import polars as pl

        return pl.read_parquet(file, n_rows=1).row(0, named=True)
    with file.open(encoding="utf-8") as lines:
        return json.loads(lines.readline())


def _manifest(version: Version, wish: Wish, fields: Sequence[str], made: Export) -> str:
    """What the files are, as JSON: another export of the same version and wish has the same."""
    told = {
        "table": version.ref.table,
        "version": version.ref.version,
        "snapshot": version.snapshot,
        "run_id": version.run_id,
        "fingerprint": version.fingerprint,
        "columns": list(fields),
        "format": wish.format.name,
        "where": wish.where,
        "licences": sorted(wish.licences),
        "unpaired": wish.unpaired,
        "seed": wish.seed,
        "splits": dict(wish.splits),
        "left_out": dict(made.left_out),
        "files": [vars(file) for file in made.files],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
