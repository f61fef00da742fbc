"""The commands about reviews: rows that a method leaves to people, and what those decide."""

from collections import Counter
from itertools import combinations
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from flows.console import console
from infra.errors import Refusal

if TYPE_CHECKING:
    from catalog.reviews import Item
    from catalog.store import Lake

STATES = ("open", "disputed", "decided", "published")
out = console()
app = typer.Typer(help="Rows that methods leave to people: export, decide, import.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List the tables that ask people, and how far they have come."""
    from catalog.reviews import reviews

    asked = reviews(_lake())
    if not asked:
        out.print("no table asks people anything")
        return
    shown = Table(box=box.SIMPLE_HEAD)
    shown.add_column("table")
    for state in STATES:
        shown.add_column(state, justify="right")
    shown.add_column("annotators")
    for table in sorted({item.table for item in asked}):
        its = [item for item in asked if item.table == table]
        states = Counter(item.state for item in its)
        who = sorted({name for item in its for name in item.decisions})
        shown.add_row(table, *(f"{states[state]:,}" for state in STATES), Text(", ".join(who)))
    out.print(shown)


@app.command("export")
def export(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The table that asks.")],
    to: Annotated[Path, typer.Option(metavar="FILE", help="A .csv, .jsonl or .html file (a page to decide on).")],
    by: Annotated[str, typer.Option(help="For this annotator: all that they have not decided.")] = "",
    every: Annotated[bool, typer.Option("--all", help="What is decided already, too.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Take the place of an earlier file.")] = False,
) -> None:
    """Write what a table asks people to a file: all that is open, or what an annotator has not decided."""
    from catalog.review_files import write_reviews

    asked = _asked(_lake(), table)
    if by:
        asked = [item for item in asked if by not in item.decisions]
    elif not every:
        asked = [item for item in asked if item.state in ("open", "disputed")]
    if not asked:
        told = f"{by} has decided everything" if by else "nothing is open; --all exports what is decided, too"
        raise Refusal(f"{table}: {told}")
    write_reviews(asked, to, by, overwrite=overwrite)
    out.print(Text(f"{to}: {len(asked):,} rows to decide on"), soft_wrap=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .jsonl file with the decisions.")],
    by: Annotated[str, typer.Option(help="Who decided.")],
    annotators: Annotated[
        int, typer.Option(min=1, metavar="N", help="Publish a row once N have decided, and more than half agree.")
    ] = 1,
) -> None:
    """Keep an annotator's decisions, and publish the rows that are decided as the table's next version."""
    from flows.answers import show_outcomes
    from infra.settings import load_settings
    from tasks.review import import_decisions

    lake = _lake()
    with console(stderr=True).status("importing"):
        new, outcomes = import_decisions(lake, file, by, load_settings(), annotators=annotators)
    out.print(Text(f"{file}: {new:,} new decisions by {by}"), soft_wrap=True)
    if outcomes:
        show_outcomes(outcomes)


@app.command("agreement")
def agreement(table: Annotated[str, typer.Argument(metavar="TABLE", help="The table that asks.")]) -> None:
    """Show how far annotators agree beyond chance: Cohen's κ of each two, Krippendorff's α of all."""
    from quality.agreement import GOOD, TENTATIVE, cohen_kappa, krippendorff_alpha

    labels: dict[str, dict[str, str]] = {}
    for item in _asked(_lake(), table):
        for name, decided in item.decisions.items():
            labels.setdefault(name, {})[item.record_id] = decided.decision
    if len(labels) < 2:
        raise Refusal(
            f"{table}: {', '.join(labels) or 'nobody'} has decided, two annotators at least are wanted; "
            f"export with `everspring review export {table} --by NAME --to FILE` for another"
        )
    shown = Table(box=box.SIMPLE_HEAD)
    for name in ("annotators", "rows of both", "agree", "Cohen's κ"):
        shown.add_column(name, justify="left" if name == "annotators" else "right")
    for one, other in combinations(sorted(labels), 2):
        both = sorted(labels[one].keys() & labels[other].keys())
        first, second = [labels[one][row] for row in both], [labels[other][row] for row in both]
        same = sum(a == b for a, b in zip(first, second, strict=True))
        kappa = cohen_kappa(first, second) if both else float("nan")
        shown.add_row(Text(f"{one}, {other}"), f"{len(both):,}", f"{same:,}", _number(kappa))
    out.print(shown)
    alpha = krippendorff_alpha(labels)
    word = "good" if alpha >= GOOD else "tentative" if alpha >= TENTATIVE else "too low to rely on"
    told = word if isfinite(alpha) else "not defined: no row has two labels, or all labels are one"
    out.print(Text(f"Krippendorff's α, nominal, of {len(labels)} annotators: {_number(alpha)} ({told})"))


def _number(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "–"


def _asked(lake: "Lake", table: str) -> "list[Item]":
    """What a table asks people.

    Raises:
        Refusal: for one that asks nothing, naming those that do.
    """
    from catalog.reviews import reviews

    asked = reviews(lake)
    if found := [item for item in asked if item.table == table]:
        return found
    raise Refusal.unknown("table that asks people", table, {item.table for item in asked})


def _lake() -> "Lake":
    from catalog.store import Lake
    from infra.settings import load_settings

    return Lake(load_settings())
