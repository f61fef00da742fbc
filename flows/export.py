"""The commands that hand a version on: as files for a trainer, and the card that says what it is."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from flows.console import console
from infra.errors import Refusal

out = console()


def _formats(incomplete: str) -> list[tuple[str, str]]:
    from catalog.exports import load_formats

    return [(name, found.summary) for name, found in load_formats().items() if name.startswith(incomplete)]


def export(
    table: Annotated[str, typer.Argument(metavar="TABLE[@V]", help="A table, or a version of it.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            autocompletion=_formats,
            help="trl, sharegpt, alpaca, openai-ft, llama-factory, axolotl, jsonl, parquet or hf.",
        ),
    ],
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where to; TABLE-vV-FORMAT where left out.")
    ] = None,
    where: Annotated[
        str, typer.Option(metavar="SQL", help="Only rows of which this holds, such as [b]length(completion) > 20[/b].")
    ] = "",
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SHARE", help="A split; rows alike, or about the same, are never in two."),
    ] = None,
    licence: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only rows made from nothing but what is under these.")
    ] = None,
    unpaired: Annotated[
        bool, typer.Option("--unpaired", help="Preferences one answer at a time, wanted or not (KTO).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the order of the rows, and of the splits.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Take the place of an earlier export.")] = False,
) -> None:
    """Write a version to files that a trainer reads, with a manifest of what they are."""
    from rich.progress import Progress

    from catalog.exports import find_format
    from catalog.store import Lake, TableRef
    from infra.settings import load_settings
    from tasks.export import MANIFEST, Wish
    from tasks.export import export as write

    lake = Lake(load_settings())
    version = lake.find(TableRef.parse(table))
    where_to = folder or Path(f"{version.ref.table}-v{version.ref.version}-{to}")
    wish = Wish(
        format=find_format(to),
        folder=where_to,
        where=where,
        splits=_shares(split) if split else {"train": 1.0},
        licences=frozenset(licence or ()),
        unpaired=unpaired,
        seed=seed,
        overwrite=overwrite,
    )
    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"exporting {version.ref}", total=None)
        made = write(lake, version, wish, lambda done, of: bar.update(task, completed=done, total=of))
    shown = Table(box=box.SIMPLE_HEAD)
    for name in ("file", "split", "rows", "bytes"):
        shown.add_column(name, justify="right" if name in {"rows", "bytes"} else "left", overflow="fold")
    for file in made.files:
        shown.add_row(Text(str(where_to / file.path)), Text(file.split), f"{file.rows:,}", f"{file.bytes:,}")
    out.print(shown)
    for reason, count in made.left_out.items():
        out.print(Text(f"left out: {count:,} rows by {reason}", "yellow"))
    out.print(Text(f"{version.ref} in snapshot {version.snapshot}; see {where_to / MANIFEST}"), soft_wrap=True)


def card(
    table: Annotated[str, typer.Argument(metavar="TABLE[@V]", help="A table, or a version of it.")],
    file: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; shown where left out.")
    ] = None,
) -> None:
    """Tell what a version is, how it was made, from what, how good it is and how to make it again, as Markdown."""
    from catalog.store import Lake, TableRef
    from infra.settings import load_settings
    from tasks.cards import card_of, markdown

    lake = Lake(load_settings())
    told = markdown(card_of(lake, lake.find(TableRef.parse(table))))
    if file is None:
        print(told)
        return
    try:
        file.write_text(told, "utf-8")
    except OSError as error:
        raise Refusal(f"card: {file} cannot be written ({error.strerror}), a file is wanted; name another") from None


def _shares(given: list[str]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for text in given:
        name, _, share = text.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            raise Refusal(f"--split {text!r}: NAME=SHARE is wanted, such as train=0.9") from None
        if not name.isidentifier():
            raise Refusal(f"--split {text!r}: {name!r} is no name of a split; letters, digits and _ make one")
    return shares
