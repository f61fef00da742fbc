"""The commands about quality: what is known about a version, whether it is still what was published."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from flows.console import console
from infra.errors import Failure, Refusal

if TYPE_CHECKING:
    from catalog.store import Lake, Version
    from quality.scorecard import Line

Named = Annotated[str, typer.Argument(metavar="TABLE[@V]", help="A table, or a version of it.")]
SHOWN = 20
"""Problems that `verify` lists."""
out = console()


def audit(table: Named) -> None:
    """Show a version's rows, such as an import's, to every screen, and take every measure; nothing in it changes."""
    from flows.answers import show_answer
    from flows.running import run_flow

    lake = _lake()
    version = _version(lake, table)
    result = run_flow("audit", {"table": str(version.ref)})
    if isinstance(result, BaseException):
        raise result
    with lake.answer(
        "SELECT screen, count(*) AS rows, any_value(reason) AS such_as FROM catalog.flags "
        f"WHERE run_id = '{result.run_id}' GROUP BY ALL ORDER BY rows DESC"
    ) as found:
        show_answer(found, empty=f"{version.ref}: no screen found fault")
    if result.note:
        out.print(Text(result.note, "yellow"))
    scorecard(str(version.ref))


def verify(
    table: Named,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="HEX", help="A public key that may have signed it.")
    ] = None,
) -> None:
    """Check that a version is what was published and signed: its files, its rows, its manifest."""
    from infra.settings import load_settings
    from tasks.provenance import trusted, verify_version

    lake, settings = _lake(), load_settings()
    version = _version(lake, table)
    problems = verify_version(lake, version.ref, trusted(settings, " ".join(key or [])))
    for problem in problems[:SHOWN]:
        out.print(Text(str(problem), "red"), soft_wrap=True)
    if len(problems) > SHOWN:
        out.print(Text(f"and {len(problems) - SHOWN:,} more", "red"))
    if problems:
        raise Failure(f"{version.ref}: {len(problems):,} things are not as they were signed, listed above")
    told = f"{version.ref}: {version.rows:,} rows, every file and the manifest are as they were signed"
    out.print(Text(told, "green"), soft_wrap=True)


def sign(table: Named) -> None:
    """Sign a version that was published without, or with another key; prints the public key."""
    from infra.settings import load_settings
    from quality.manifest import public_key
    from tasks.provenance import sign_version, signing_key

    lake, settings = _lake(), load_settings()
    version = _version(lake, table)
    its = signing_key(settings)
    sign_version(lake, version, its)
    out.print(Text(f"{version.ref}: signed; public key {public_key(its)}"), soft_wrap=True)


def watermark(table: Named) -> None:
    """Say of how many rows of a version the text has the watermark of EVERSPRING_WATERMARK."""
    from catalog.records import content
    from infra.settings import load_settings
    from quality.texts import texts_in
    from quality.watermark import FOUND
    from tasks.llm.watermark import mark
    from tasks.measuring import shape_of

    lake, settings = _lake(), load_settings()
    if not settings.watermark:
        raise Refusal("watermark: its secret is wanted; set EVERSPRING_WATERMARK to the one that the run had")
    version = _version(lake, table)
    its = mark(settings.watermark.get_secret_value())
    rows = lake.rows(version, shape_of(lake, version), lake.ids(version))
    texts = ["\n".join(text for value in content(row).values() for text in texts_in(value)) for row in rows]
    found = sum(its.detect(text).z >= FOUND for text in texts)
    whole = its.detect("\n".join(texts))
    told = f"{found:,} of {len(rows):,} rows have the watermark (z ≥ {FOUND:g}); all together z = {whole.z:.1f}"
    out.print(Text(f"{version.ref}: {told}"), soft_wrap=True)


def scorecard(
    table: Named,
    against: Annotated[str | None, typer.Option(metavar="TABLE[@V]", help="A version to compare with.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it too: .png, .svg or .pdf.")] = None,
    form: Annotated[Literal["table", "json"], typer.Option("--format", "-f")] = "table",
) -> None:
    """Show what is known about a version: quality, diversity, coverage, fidelity, contamination, privacy, security."""
    from dataclasses import asdict

    from quality.scorecard import draw
    from quality.scorecard import scorecard as read

    lake = _lake()
    version = _version(lake, table)
    other = _version(lake, against) if against else None
    lines = read(lake, version, other)
    if plot:
        draw(lines, str(version.ref), str(other.ref) if other else "", plot)
    if form == "json":
        print(json.dumps([asdict(line) for line in lines], indent=2))
        return
    out.print(_shown(lines, version, other))
    if plot:
        out.print(f"drawn in {plot}", highlight=False)


benchmarks = typer.Typer(help="Benchmarks that every table is kept clean of.", no_args_is_help=True)


@benchmarks.command()
def add(
    where: Annotated[str, typer.Argument(metavar="FILE", help="Parquet, CSV, JSON(L), FILE.duckdb::TABLE …")],
    name: Annotated[str, typer.Option(help="What the benchmark is called.")],
    columns: Annotated[
        str, typer.Option(metavar="TEXT[,ANSWER]", help="Its column of questions, and that of answers if it has one.")
    ] = "text",
    licence: Annotated[str, typer.Option(help="Licence of the benchmark.")] = "unknown",
    hashed: Annotated[
        bool, typer.Option("--hashed", help="Keep its items as hashes under EVERSPRING_BENCHMARK_SECRET, not as text.")
    ] = False,
) -> None:
    """Add a benchmark of your own: from now on no row with text of it is published.

    Hashed items are found by runs of their words only, not with other numbers or in other words.
    """
    from flows.answers import show_outcomes
    from infra.settings import load_settings
    from tasks.ingest import ingest_benchmark, ingest_source
    from tasks.screening import BENCHMARKS

    mapping: dict[str, str] = dict(zip(("text", "answer"), columns.split(","), strict=False))
    lake, settings = _lake(), load_settings()
    with console(stderr=True).status("importing"):
        ingest_source(lake, BENCHMARKS, settings)
        outcome = ingest_benchmark(lake, where, name, mapping, settings, licence=licence, sealed=hashed)
    show_outcomes([outcome])
    if outcome.note:
        out.print(Text(f"{name}: nothing to do, {outcome.note}"))


@benchmarks.command()
def report(
    table: Annotated[str | None, typer.Argument(metavar="TABLE", help="Only this table.")] = None,
) -> None:
    """Report what of the benchmarks was found in each table: items and rows by benchmark, layer and verdict."""
    from catalog.store import TableRef
    from flows.answers import show_answer

    lake = _lake()
    only = lake.find(TableRef.parse(table)).ref.table if table else ""
    with lake.answer(
        "SELECT table_name AS table, benchmark, layer, verdict, count(DISTINCT item) AS items, "
        "count(DISTINCT record_id) AS rows, max(score) AS highest_score FROM catalog.hits "
        f"WHERE '{only}' IN ('', table_name) GROUP BY ALL ORDER BY ALL"
    ) as found:
        show_answer(found, empty="nothing of a benchmark was found")


@benchmarks.command("list")
def list_() -> None:
    """List the benchmarks, and how many items each has."""
    from flows.answers import show_answer

    lake = _lake()
    if not lake.latest("raw.benchmarks"):
        raise Refusal("raw.benchmarks: there is no such table yet, a run makes it; start with `everspring demo`")
    with lake.answer(
        "SELECT benchmark, count(*) AS items, any_value(licence) AS licence FROM raw.benchmarks GROUP BY ALL ORDER BY 1"
    ) as found:
        show_answer(found)


def _shown(lines: "list[Line]", version: "Version", other: "Version | None") -> Table:
    from quality.scorecard import held

    shown = Table(box=box.SIMPLE_HEAD, title=f"{version.ref}, {version.rows:,} rows", title_justify="left")
    shown.add_column("axis")
    shown.add_column("figure", overflow="fold")
    for name in ("value", *([str(other.ref), "change"] if other else []), "gate"):
        shown.add_column(name, justify="right")
    shown.add_column("")
    shown.add_column("n", justify="right")
    shown.add_column("measure")
    gates, axis = held(lines), ""
    for line in lines:
        if line.axis != axis:
            good, of = gates.get(line.axis, (0, 0))
            axis = line.axis
            told = f"{good} of {of} gates hold" if of else "no gates"
            shown.add_row(Text(axis, style="bold"), Text(told, style="dim" if good == of else "red"))
        mark = Text("") if not line.gated else Text("✓", "green") if line.passed else Text("✗", "bold red")
        compared = [] if other is None else ["–", "–"]
        if line.other is not None:
            compared = [_number(line.other), f"{line.value - line.other:+.3g}"]
        shown.add_row("", line.metric, _number(line.value), *compared, line.gate, mark, f"{line.n:,}", line.method)
    return shown


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 100 else f"{value:.4g}"


def _version(lake: "Lake", name: str) -> "Version":
    """The version that is named, or the last one.

    Raises:
        Refusal: for a table or version that there is none of.
    """
    from catalog.store import TableRef

    return lake.find(TableRef.parse(name))


def _lake() -> "Lake":
    from catalog.store import Lake
    from infra.settings import load_settings

    return Lake(load_settings())
