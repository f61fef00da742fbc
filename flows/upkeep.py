"""The commands that look after what is kept: maintenance, pins, and the take-down of rows with what came of them."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from flows.console import console
from infra.errors import Refusal

if TYPE_CHECKING:
    from catalog.store import Lake
    from catalog.withdrawals import Holding, Reach
    from tasks.upkeep import Step
    from tasks.withdraw import Taken

out = console()


def _versions(incomplete: str) -> list[str]:
    return [name for each in _lake().versions() if (name := str(each.ref)).startswith(incomplete)]


def _pinned(incomplete: str) -> list[str]:
    from catalog.pins import pinned

    return [name for name in pinned(_lake()) if name.startswith(incomplete)]


Grace = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="How long readers have before files nothing needs are removed.")
]


def maintain(
    keep_days: Annotated[
        float, typer.Option(min=0, metavar="N", help="Versions younger than so many days stay readable.")
    ] = 90.0,
    grace: Grace = 60.0,
    answers_days: Annotated[
        float | None,
        typer.Option(min=0, metavar="N", help="Remove answers older than so many days that no row was made from."),
    ] = None,
    validate: Annotated[
        bool, typer.Option("--validate/--no-validate", help="Check the last version of every table.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Expire old versions, merge small files, check the last versions, remove what nothing needs.

    What is pinned, the last version of its table, or read by a version that stays, stays in any case.
    """
    from infra.settings import load_settings

    if dry_run:
        from tasks.upkeep import Plan
        from tasks.upkeep import maintain as do

        settings = load_settings()
        plan = Plan(keep_days=keep_days, grace=grace, answers_days=answers_days, validate=validate, dry_run=True)
        _show_steps(do(_lake(), settings, plan))
        return
    from flows.running import run_flow

    asked = {"keep_days": keep_days, "grace": grace, "answers_days": answers_days, "validate": validate}
    result = run_flow("maintenance", asked)
    from flows.maintenance import MaintenanceFailure  # by now Prefect knows its address

    if isinstance(result, MaintenanceFailure):
        _show_steps(result.steps)
    if isinstance(result, BaseException):
        raise result
    _show_steps(result)


def _show_steps(steps: "Sequence[Step]") -> None:
    shown = Table(box=box.SIMPLE_HEAD)
    for name in ("step", "found", "done", "files freed", "bytes freed", "seconds", "note"):
        shown.add_column(name, justify="left" if name in {"step", "note"} else "right", overflow="fold")
    for step in steps:
        figures = (step.found, step.done, step.files, step.bytes)
        note = Text(step.note, "red" if step.bad else "")
        shown.add_row(step.step, *(f"{figure:,}" for figure in figures), f"{step.seconds:.1f}", note)
    out.print(shown)


def pin(
    version: Annotated[str, typer.Argument(metavar="TABLE@V", help="A version.", autocompletion=_versions)],
    note: Annotated[str, typer.Option(help="What for.")] = "",
) -> None:
    """Keep a version readable, whatever its age, until it is unpinned."""
    from catalog.pins import pin as do
    from catalog.store import TableRef

    found = do(_lake(), TableRef.parse(version), note=note)
    out.print(Text(f"{found.ref}: pinned, {found.rows:,} rows"), soft_wrap=True)


def unpin(
    version: Annotated[str, typer.Argument(metavar="TABLE@V", help="A pinned version.", autocompletion=_pinned)],
) -> None:
    """Let maintenance expire a version again."""
    from catalog.pins import unpin as do
    from catalog.store import TableRef

    ref = TableRef.parse(version)
    do(_lake(), ref)
    out.print(Text(f"{ref}: no longer pinned"), soft_wrap=True)


def withdraw(
    record: Annotated[list[str] | None, typer.Option(metavar="ID", help="A record, by its id or first digits.")] = None,
    source: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A source by its name or origin, or a raw table.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A model: all that it answered.")] = None,
    licence: Annotated[
        list[str] | None, typer.Option(metavar="X", help="A licence: all that was imported under it.")
    ] = None,
    why: Annotated[str, typer.Option(help="The reason, for the record.")] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="On whose account; you, where left out.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it, without asking.")] = False,
    purge: Annotated[
        bool,
        typer.Option("--purge", help="Also expire earlier versions that have the rows, and delete the answers."),
    ] = False,
    grace: Grace = 60.0,
    every: Annotated[bool, typer.Option("--list", help="List every row by its id.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show what was withdrawn, and what still has it.")] = False,
    form: Annotated[Literal["table", "json"], typer.Option("--format", "-f")] = "table",
) -> None:
    """Take rows down, with everything that came of them, in every table: show what that is, then do it.

    The tables get new versions without the rows; nothing made of them again is published. Earlier versions keep them
    until they expire, or are purged.
    """
    from catalog.withdrawals import Asked, reach

    asked = Asked(records=record or [], sources=source or [], models=model or [], licences=licence or [])
    lake = _lake()
    if show:
        _show_withdrawals(lake)
        return
    if not str(asked):
        raise Refusal(
            "withdraw: nothing is named, a record, source, model or licence is wanted; "
            "give --record ID, --source NAME, --model NAME or --licence X, or --show for what was withdrawn"
        )
    found = reach(lake, asked)
    if yes and not why:
        raise Refusal("withdraw: no reason is given, one is wanted for the record; give --why TEXT")
    if form == "json":
        print(found.to_json())
    else:
        _show_reach(found, every=every)
    if not yes:
        if form == "json" or not _agreed():
            return
        why = why or typer.prompt("Why?")
    from catalog.pins import user
    from infra.settings import load_settings
    from tasks.withdraw import take_down

    with console(stderr=True).status("withdrawing"):
        taken = take_down(lake, asked, load_settings(), who=by or user(), why=why, purge=purge, grace=grace)
    if form == "table":
        _show_taken(taken)


def _agreed() -> bool:
    """Whether the user, being asked, wants it done; where nobody can be asked, no."""
    if not sys.stdin.isatty():
        console(stderr=True).print("a preview, nothing was changed; --yes does it", style="dim", highlight=False)
        return False
    return typer.confirm("Withdraw all of this?")


def _show_reach(found: "Reach", *, every: bool) -> None:
    """Print what a withdrawal comes to."""
    shown = Table(box=box.SIMPLE_HEAD, title=f"What came of {found.asked}", title_justify="left")
    shown.add_column("table")
    shown.add_column("rows", justify="right")
    if every:
        shown.add_column("record_id", overflow="fold")
    for table, ids in {**found.rows, **found.aside}.items():
        shown.add_row(table, f"{len(ids):,}", *(["\n".join(map(str, ids))] if every else []))
    out.print(shown)
    out.print(Text(f"{found.count:,} rows of {len(found.rows)} tables"))
    _show_holding(found.holding, "They are in these versions, which keep them")
    shared = f"; {found.shared:,} more made other rows too, and stay" if found.shared else ""
    out.print(Text(f"{len(found.answers):,} answers of models made them{shared}"), soft_wrap=True)


def _show_taken(taken: "Taken") -> None:
    """Print what became of a withdrawal."""
    done = taken.withdrawal
    out.print(Text(f"{done.withdrawal_id}: {done.rows:,} rows withdrawn; new versions: {', '.join(done.versions)}"))
    for reference, check in taken.broken:
        told = f"{reference}: no longer keeps {check.expectation} ({check.error or check.observed})"
        out.print(Text(told, "yellow"), soft_wrap=True)
    if purged := taken.purged:
        told = f"purged: versions {', '.join(purged.versions) or 'none'}; {purged.answers:,} answers"
        left = f"; {purged.awaiting:,} files wait for `everspring maintain`" if purged.awaiting else ""
        out.print(Text(f"{told}; {purged.files:,} files{left}"), soft_wrap=True)
    _show_holding(taken.holding, "These versions still have such rows")
    if taken.holding and not taken.purged:
        told = "they expire with `everspring maintain`, pinned ones once unpinned; --purge expires them at once"
        out.print(Text(told, "dim"), soft_wrap=True)


def _show_withdrawals(lake: "Lake") -> None:
    """Print what was withdrawn, and which versions still have it."""
    from catalog.withdrawals import still_holding, withdrawals

    listed = withdrawals(lake)
    if not listed:
        out.print("nothing was withdrawn")
    for done in listed:
        when = f"{done.withdrawn_at:%Y-%m-%d %H:%M} UTC"
        head = f"{done.withdrawal_id}, {when}, {done.who}: {done.asked} ({done.why}); {done.rows:,} rows"
        purged = {"": "", "asked": "; its purge is not finished: run `everspring maintain`", "done": "; purged"}
        out.print(Text(f"{head}{purged[done.purge]}"), soft_wrap=True)
        _show_holding(still_holding(lake, done.withdrawal_id), "still in")


def _show_holding(holding: "Sequence[Holding]", head: str) -> None:
    told = ", ".join(f"{each.version.ref} ({each.rows:,}{', pinned' * each.pinned})" for each in holding)
    out.print(Text(f"{head}: {told or 'none'}"), soft_wrap=True)


def _lake() -> "Lake":
    from catalog.store import Lake
    from infra.settings import load_settings

    return Lake(load_settings())
