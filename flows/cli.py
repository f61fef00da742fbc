"""`everspring`: run flows, ask questions, follow lineage."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich import box
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from flows import quality, review, services, site, upkeep
from flows.answers import Form, show_answer, show_outcomes
from flows.console import console
from flows.diff import diff
from flows.export import card, export
from flows.models import app as models_app
from infra.errors import EverspringError, Refusal

if TYPE_CHECKING:
    from catalog.lineage import Graph, Node
    from catalog.store import Lake
    from tasks.outcome import Outcome

LIFECYCLE = "lifecycle"
DEMO: dict[str, dict[str, int]] = {
    "genie": {"rows": 4},
    "amps": {"rows": 60},
    "wrap": {"rows": 6, "max_tokens": 120},
    "metamath": {"rows": 8, "samples": 2, "seed": 29},
    "symbol_tuning": {"rows": 60},
    "self_instruct": {"rows": 6},
    "evol_instruct_wizardlm": {"rows": 4, "rounds": 2, "max_tokens": 100},
    "ultrafeedback": {"rows": 2, "max_tokens": 64, "rationale": 50},
    "oss_instruct_magicoder": {"rows": 4, "longest": 600},
}
"""The demo's methods and their sizes, where 4 rows at the paper's settings are not right: half a minute each."""
DEMO_READS = {"metamath": {"problems": "raw.problems"}}
"""The embedded model can do arithmetic in words, if anything; what AMPS sets is beyond it."""

app = typer.Typer(
    name="everspring",
    help="Published ways of making training data, run as versioned, quality-gated pipelines.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(models_app, name="models")
app.add_typer(quality.benchmarks, name="benchmarks")
app.add_typer(review.app, name="review")
app.add_typer(site.app, name="site")
for command in (quality.audit, quality.scorecard, quality.verify, quality.sign, quality.watermark, export, card, diff):
    app.command()(command)
for command in (services.up, services.down, services.status, services.worker):
    app.command()(command)
for command in (upkeep.maintain, upkeep.pin, upkeep.unpin, upkeep.withdraw):
    app.command()(command)
out = console()
err = console(stderr=True)


# ── completion: names, as the shell asks for them ──


def _stages(incomplete: str) -> list[str]:
    from catalog.store import STAGES

    return [name for name in (*STAGES, LIFECYCLE) if name.startswith(incomplete)]


def _methods(incomplete: str) -> list[str]:
    from tasks.method import load_methods

    return [name for name in load_methods() if name.startswith(incomplete)]


def _runners(incomplete: str) -> list[str]:
    from flows.runners import PACKAGES

    return [name for name in PACKAGES if name.startswith(incomplete)]


def _tables(incomplete: str) -> list[str]:
    from catalog.store import known_tables

    return [name for name in known_tables(_lake()) if name.startswith(incomplete)]


def _bridges(incomplete: str) -> list[tuple[str, str]]:
    from catalog.bridges import PLAIN, load_bridges

    named = {name: found.summary for name, found in load_bridges().items()} | {PLAIN: "Columns named as fields are."}
    return [(name, told) for name, told in named.items() if name.startswith(incomplete)]


def _priced(incomplete: str) -> list[str]:
    from infra.settings import load_settings
    from tasks.llm.prices import load_prices

    return [name for name in load_prices(load_settings()).listed if name.startswith(incomplete)]


Stage = Annotated[str, typer.Argument(help="A stage, or [b]lifecycle[/b] for all of them.", autocompletion=_stages)]
Rows = Annotated[
    str | None,
    typer.Option(
        "--rows",
        "-n",
        help="How many input rows (or new rows, for methods that make a number of them); or [b]all[/b]. "
        "8 where left out, and all with --accept or --candidates.",
    ),
]


# ── running ──


@app.command()
def demo() -> None:
    """Take real seed data through the whole lifecycle with a few methods, and say what to try next."""
    outcomes = _run(LIFECYCLE, {"methods": list(DEMO), "rows": 4, "settings": DEMO, "reads": DEMO_READS})
    first = next((found for found in reversed(outcomes) if found.version), None)
    table = first.table if first else "sft.metamath"
    out.print("\n[b]Try next[/b]")
    out.print('  everspring sql "select stage, method, version, rows from catalog.versions"')
    out.print(f'  everspring sql "from {table} limit 3"', highlight=False)
    out.print(f"  everspring lineage {_some_row(table)} --up", highlight=False)


@app.command()
def run(
    stage: Stage,
    method: Annotated[
        list[str] | None, typer.Option("--method", "-m", help="Only these methods.", autocompletion=_methods)
    ] = None,
    rows: Rows = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="METHOD.KEY=VALUE", help="A method's setting.")
    ] = None,
    read: Annotated[
        list[str] | None,
        typer.Option("--read", metavar="METHOD.INPUT=TABLE[@V]", help="The table that an input reads."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE=MODEL@URL[,…]", help="The model, or models, of a role."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every method, to draw anew.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Start the tables anew instead of adding to them.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Make a version even where nothing has changed.")] = False,
    accept: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop a table at N rows accepted by this run.")
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(min=1, metavar="K", help="Stop a table at K rows made, the dropped ones included.")
    ] = None,
    max_dollars: Annotated[
        float | None, typer.Option(min=0.0, metavar="X", help="Send nothing more once X dollars are spent in all.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Forecast requests, tokens, dollars and minutes from a small sample.")
    ] = False,
    sample: Annotated[int, typer.Option(min=2, help="Rows that --dry-run tries of each method.")] = 24,
    batch: Annotated[
        bool, typer.Option("--batch", help="Ask through the Batch API: cheaper, answered within a day.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="With --batch: wait for it, or leave and collect with a later run.")
    ] = True,
    runner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[@ADDRESS]",
            help="Where partitions are made: [b]threads[/b], [b]dask[/b] or [b]ray[/b], on this machine or the cluster "
            "at an address; in this process where left out.",
            autocompletion=_runners,
        ),
    ] = None,
) -> None:
    """Run a stage's methods, or the whole lifecycle."""
    from catalog.store import STAGES
    from flows.runners import Named

    if stage not in (*STAGES, LIFECYCLE):
        raise Refusal.unknown("stage", stage, (*STAGES, LIFECYCLE))
    _check_methods(stage, method or [])
    settings, reads, roles = _by_method(setting, "--set"), _by_method(read, "--read"), _pairs(role, "--role")
    _check_words(settings, reads, roles)
    if runner:
        Named.parse(runner)
    asked: dict[str, Any] = {
        "rows": _number(rows or ("all" if accept or candidates else "8")), "settings": settings, "reads": reads,
        "roles": roles, "seed": seed, "replace": replace, "force": force, "accept": accept, "candidates": candidates,
        "max_dollars": max_dollars, "batch": batch, "wait": wait, "runner": runner, "methods": method,
    }  # fmt: skip
    if dry_run:
        _forecast(stage, asked, sample)
    else:
        _run(stage, asked)


def _check_methods(stage: str, names: Iterable[str]) -> None:
    from tasks.method import find_method

    for name in names:
        if stage not in (LIFECYCLE, find_method(name).stage):
            raise Refusal(f"method {name!r}: is of stage {find_method(name).stage}, not {stage}; run that stage")


def _check_words(
    settings: Mapping[str, Mapping[str, str]], reads: Mapping[str, Mapping[str, str]], roles: Mapping[str, str]
) -> None:
    """Find what no method, input or role is called before anything is started."""
    from infra.secrets import secrets_in
    from infra.settings import ROLES, Endpoint
    from tasks.method import find_method

    for name, given in settings.items():
        find_method(name).configure(given)
    for name, given in reads.items():
        for parameter in given:
            if parameter not in (inputs := find_method(name).inputs):
                raise Refusal.unknown(f"{name}: input", parameter, inputs)
    for name, models in roles.items():
        if name not in ROLES:
            raise Refusal.unknown("role", name, ROLES)
        for model in models.split(","):
            if secrets_in(Endpoint.parse(model).url):
                raise Refusal(
                    f"--role {name}: its address holds a login or a key, one without is wanted: lists of processes and "
                    "Prefect would show it; set it in EVERSPRING_ROLES or everspring.toml"
                )


def _run(stage: str, asked: Mapping[str, Any]) -> "list[Outcome]":
    """Run a flow under Prefect and show its results.

    Raises:
        StageFailure: where tables could not be made, after the results were shown.
    """
    from flows.running import run_flow

    result = run_flow(stage, asked)
    from flows.stage import StageFailure  # by now Prefect knows its address

    if isinstance(result, BaseException) and not isinstance(result, StageFailure):
        raise result
    outcomes: list[Outcome] = result.outcomes if isinstance(result, StageFailure) else result
    show_outcomes(outcomes)
    if isinstance(result, StageFailure):
        raise result
    return outcomes


def _forecast(stage: str, asked: Mapping[str, Any], sample: int) -> None:
    """Show what a run would come to."""
    from flows.dry_run import forecast_run, forecast_table, sample_line

    forecasts = forecast_run(stage, asked, sample)
    out.print(forecast_table(forecasts))
    out.print(sample_line(forecasts), highlight=False, soft_wrap=True)


def _some_row(table: str) -> str:
    with _lake().answer(f"SELECT record_id FROM {table} LIMIT 1") as found:
        row = found.fetchone()
    return row[0][:12] if row else "RECORD_ID"


def _number(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdigit() or not int(text):
        raise Refusal(f"--rows {text!r}: a whole number from 1, or `all`, is wanted")
    return int(text)


def _pairs(given: Iterable[str] | None, option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise Refusal(f"{option} {text!r}: NAME=VALUE is wanted")
        pairs[name] = value
    return pairs


def _by_method(given: Iterable[str] | None, option: str) -> dict[str, dict[str, str]]:
    from tasks.method import find_method

    by_method: dict[str, dict[str, str]] = {}
    for name, value in _pairs(given, option).items():
        method, dot, key = name.partition(".")
        if not dot:
            raise Refusal(f"{option} {name}={value}: METHOD.KEY=VALUE is wanted, such as metamath.{name}={value}")
        by_method.setdefault(find_method(method).id, {})[key] = value
    return by_method


# ── looking ──


@app.command()
def methods(
    stage: Annotated[str | None, typer.Option(help="Only this stage.", autocompletion=_stages)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page METHODS.md.")] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="The survey's systems: which run here.")] = False,
) -> None:
    """List the methods."""
    from catalog.store import STAGES
    from tasks.method import load_methods
    from tasks.registry import describe, methods_page, needs_of

    if stage and stage not in STAGES:
        raise Refusal.unknown("stage", stage, STAGES)
    if markdown:
        sys.stdout.write(methods_page())
        return
    if coverage:
        _show_coverage(stage, as_json=as_json)
        return
    found = [method for method in load_methods().values() if stage in (None, method.stage)]
    if as_json:
        print(json.dumps([describe(method) for method in found], ensure_ascii=False, indent=2))
        return
    table = Table("stage", "method", "what it does", "paper", "needs")
    for method in found:
        needs = ", ".join(needs_of(method)) or "nothing"
        table.add_row(method.stage, method.id, method.summary, f"{method.paper.authors}, {method.paper.year}", needs)
    out.print(table)


def _show_coverage(stage: str | None, *, as_json: bool) -> None:
    """Print which of the survey's systems run as methods, those of one stage or all."""
    from tasks.survey import coverage, load_survey

    systems = [system for system in load_survey().values() if stage is None or stage in system.stages]
    if as_json:
        told = [{"system": system.id, "name": system.name, "done": system.method is not None} for system in systems]
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = Table("system", "cited as", "here", "needs")
    for system in systems:
        here = Text(system.method.table, "green") if system.method else Text("not yet", "dim")
        table.add_row(Text(system.name), Text(system.citation), here, ", ".join(system.needs))
    out.print(table)
    parts = Table("part of the survey", "done", "of")
    for each in coverage():
        parts.add_row(each.part, str(each.done), str(each.of))
    out.print(parts)
    done = sum(1 for system in systems if system.method)
    out.print(f"{done} of {len(systems)} systems run as methods", highlight=False)


@app.command()
def method(name: Annotated[str, typer.Argument(help="A method.", autocompletion=_methods)]) -> None:
    """Show a method: its paper, what it reads and makes, its settings, and its file."""
    from tasks.method import find_method

    found = find_method(name)
    out.print(f"[b]{found.id}[/b]  {found.table}")
    out.print(Text((found.module.__doc__ or "").strip()))
    out.print(f"\n[b]Paper[/b]    {found.paper.citation}", highlight=False)
    for parameter, its in found.inputs.items():
        out.print(f"[b]Reads[/b]    {parameter}: {its.shape.__name__} from {' or '.join(its.tables)}", highlight=False)
    out.print(f"[b]Makes[/b]    rows of shape {found.shape.__name__}", highlight=False)
    for parameter, role in found.roles.items():
        out.print(f"[b]Model[/b]    {parameter}: role {role}", highlight=False)
    for parameter, need in found.needs.items():
        out.print(f"[b]Needs[/b]    {parameter}: {need.__name__.lower()}", highlight=False)
    for key, setting in found.settings.items():
        kind = getattr(setting.type, "__name__", str(setting.type))
        out.print(Text.assemble(("Setting  ", "bold"), f"{key}: {kind} = {setting.default!r}"))
    out.print("[b]Expects[/b]  " + (", ".join(promise.name for promise in found.expects) or "–"), highlight=False)
    out.print(f"[b]File[/b]     {found.module.__file__}", highlight=False, soft_wrap=True)


@app.command()
def prices(
    model: Annotated[str | None, typer.Argument(help="A model.", autocompletion=_priced)] = None,
) -> None:
    """Show what models cost: the table of prices in force, with its version and sources."""
    from infra.settings import load_settings
    from tasks.llm.prices import how_to_price, load_prices

    found = load_prices(load_settings())
    if model is not None and model not in found.listed:
        raise Refusal(
            f"model {model!r}: its price is not known in {found.version}, one was asked for; {how_to_price(model)}"
        )
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("model", "input", "cached", "output", "picture", "batch", "source"):
        table.add_column(name, justify="left" if name in {"model", "source"} else "right", overflow="fold")
    for name, (price, source) in found.listed.items():
        if model in (None, name):
            figures = (price.input, price.cached, price.output, price.picture, price.batch)
            table.add_row(name, *("–" if figure is None else f"{figure:g}" for figure in figures), source)
            if price.long:
                further = (price.long.input, price.long.cached, price.long.output)
                cells = ("–" if figure is None else f"{figure:g}" for figure in further)
                table.add_row(f"  over {price.long.over:,} tokens", *cells, "", "", "")
    out.print(table)
    out.print(
        f"version {found.version}; dollars for a million tokens, or for a picture; batch: share of the price",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def tables(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Every system table and mart, as the page tables.md.")
    ] = False,
) -> None:
    """List the tables with their last versions."""
    if markdown:
        from catalog.reference import tables_page

        sys.stdout.write(tables_page(_lake()))
        return
    with _lake().answer(
        "SELECT table_name AS table, max(version) AS version, arg_max(rows, version) AS rows, "
        "max(published_at) AS published FROM catalog.versions GROUP BY ALL ORDER BY ALL"
    ) as found:
        show_answer(found, empty="no table yet; make some with `everspring demo` or `everspring run STAGE`")


@app.command()
def versions(table: Annotated[str, typer.Argument(help="STAGE.METHOD", autocompletion=_tables)]) -> None:
    """List the versions of a table: which can be read, and which are pinned."""
    from catalog.store import TableRef

    lake = _lake()
    name = lake.find(TableRef.parse(table)).ref.table
    expired = [version.ref.version for version in lake.versions(name) if not version.readable]
    with lake.read() as connection:
        found = connection.execute(
            "SELECT version, rows, added, mode, snapshot, published_at, run_id, CASE WHEN version IN "
            "(SELECT unnest(?::INTEGER[])) THEN 'expired' WHEN p.who IS NOT NULL THEN 'pinned by ' || p.who || "
            "coalesce(': ' || nullif(p.note, ''), '') ELSE '' END AS state FROM catalog.versions "
            "LEFT JOIN catalog.pins AS p USING (table_name, version) WHERE table_name = ? ORDER BY version",
            [expired, name],
        )
        show_answer(found)


@app.command()
def sql(
    query: Annotated[
        str | None,
        typer.Argument(
            help="A question, such as [b]from catalog.versions[/b]; - for standard input. Without one: a shell.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f")] = "table",
) -> None:
    """Ask the lake a question in SQL; nothing can be changed, and no file be read."""
    from infra.limits import bound_memory, bytes_of
    from infra.settings import load_settings

    # DuckDB counts what it sorts and joins, and not the texts that functions make.
    bound_memory(2 * bytes_of(load_settings().sql_memory))
    if query is None and sys.stdin.isatty() and sys.stdout.isatty():
        from flows.shell import Shell

        Shell(_lake(), load_settings(), form).run()
        return
    with _lake().answer(_standard_input() if query is None or query == "-" else query) as found:
        show_answer(found, form)


def _standard_input() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")  # what is no UTF-8 is refused as such


@app.command()
def lineage(
    subject: Annotated[str, typer.Argument(metavar="TABLE[@V]|RECORD_ID", autocompletion=_tables)],
    down: Annotated[bool, typer.Option("--down/--up", help="To its offspring, or to its origins.")] = False,
    form: Annotated[Literal["tree", "json", "mermaid", "openlineage"], typer.Option("--format", "-f")] = "tree",
) -> None:
    """Show where a row or a table comes from, or what came of it.

    As [b]openlineage[/b]: the events of the run that a version came of, a line each.
    """
    if form == "openlineage":
        _print_events(subject, down=down)
        return
    from catalog.lineage import trace

    graph = trace(_lake(), subject, "down" if down else "up")
    if form == "tree":
        out.print(_tree(graph), soft_wrap=True)
    else:
        print(graph.to_json() if form == "json" else graph.to_mermaid())


def _print_events(subject: str, *, down: bool) -> None:
    from catalog.openlineage import events_of_version
    from catalog.store import TableRef
    from tasks.emit import as_line

    if down or "." not in subject:
        raise Refusal(
            f"lineage {subject!r}: OpenLineage events are of the run that a version came of, TABLE[@V] without --down "
            "is wanted; --format json has rows and offspring"
        )
    for event in events_of_version(_lake(), TableRef.parse(subject)):
        print(as_line(event))


def _tree(graph: "Graph") -> Tree:
    shown: set[str] = set()

    def grow(tree: Tree, name: str) -> None:
        for following in graph.next.get(name, ()):
            again = following in shown and bool(graph.next.get(following))
            branch = tree.add(_label(graph.nodes[following], again=again))
            if not again:
                shown.add(following)
                grow(branch, following)

    tree = Tree(_label(graph.nodes[graph.root], again=False))
    grow(tree, graph.root)
    return tree


def _label(node: "Node", *, again: bool) -> Text:
    if node.kind == "table":
        return Text(node.id, style="bold")
    label = Text.assemble((node.id[:12], "bold cyan" if node.kind == "row" else "cyan"), " ")
    if node.kind == "call":
        messages = json.loads(str(node.content.get("request") or "{}")).get("messages") or []
        asked = messages[-1]["content"] if messages else ""
        label.append(f"call to {node.content.get('model', '?')}", "magenta")
        label.append(f"\n  prompt:   {_short(asked)}\n  response: {_short(node.content.get('text'))}")
    elif node.kind == "intermediate":
        label.append("intermediate row, stored nowhere", "dim")
    else:
        label.append(node.table, "green")
        for name, value in node.content.items():
            label.append(f"\n  {name}: {_short(value)}")
    return label.append(" (shown above)", "dim") if again else label


def _short(value: Any, width: int = 160) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= width else text[: width - 1] + "…"


@app.command("import")
def import_(
    where: Annotated[
        str,
        typer.Argument(
            help="Parquet, Arrow, CSV, JSON(L), a folder of texts or of another tool, FILE.duckdb::TABLE or "
            "postgresql://…::TABLE"
        ),
    ],
    table: Annotated[str, typer.Option("--table", "-t", help="The table to make or add to, raw.NAME.")],
    shape: Annotated[
        str | None, typer.Option("--as", help="Its rows' shape, such as Prompt; guessed where left out.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="The column that holds a field.")
    ] = None,
    written_by: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TOOL",
            autocompletion=_bridges,
            help="What wrote it: alpaca, axolotl, data-designer, data-juicer, datatrove, distilabel, everspring, hf, "
            "llama-factory, openai-ft, sharegpt or trl; plain for none. Found out where left out.",
        ),
    ] = "",
    split: Annotated[str, typer.Option(metavar="NAME", help="Of a folder with several: one, or [b]all[/b].")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the data, such as CC-BY-4.0.")] = "unknown",
    replace: Annotated[bool, typer.Option("--replace", help="Start the table anew instead of adding to it.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Import even what is there already.")] = False,
) -> None:
    """Take your own data, or what another tool wrote, into a raw table, screened, with its origin and licence."""
    from catalog.bridges import open_source
    from catalog.imports import find_shape, shape_in
    from infra.settings import load_settings
    from tasks.ingest import ingest_file, ingest_source
    from tasks.screening import BENCHMARKS

    fields = _pairs(mapping, "--map")
    chosen = find_shape(shape) if shape else shape_in(open_source(where, named=written_by, split=split), fields)
    lake, settings = _lake(), load_settings()
    with err.status("importing"):
        if table != BENCHMARKS:
            ingest_source(lake, BENCHMARKS, settings)  # what is imported is screened against these
        outcome = ingest_file(
            lake,
            where,
            table,
            chosen,
            fields,
            settings,
            licence=licence,
            written_by=written_by,
            split=split,
            replace=replace,
            force=force,
        )
    show_outcomes([outcome])
    if outcome.note:
        nothing = "nothing to do, " if outcome.status == "unchanged" else ""
        out.print(Text(f"{table}: {nothing}{outcome.note}"), soft_wrap=True)
    out.print(f"Read it with --read METHOD.INPUT={table}", highlight=False)


@app.command()
def doctor() -> None:
    """Check that everything Everspring needs is in place."""
    from flows.doctor import examine

    table = Table("what", "found", "state")
    findings = list(examine())
    for finding in findings:
        table.add_row(
            finding.subject, finding.found, "[green]good[/green]" if finding.good else f"[red]{finding.remedy}[/red]"
        )
    out.print(table)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


# ── common ──


def _lake() -> "Lake":
    from catalog.store import Lake
    from infra.settings import load_settings

    return Lake(load_settings())


def main() -> None:
    """Run the command line: an error that a user can act on is one line and an exit code, never a traceback."""
    try:
        app()
    except EverspringError as error:
        later = error.exit_code == os.EX_TEMPFAIL  # nothing has failed: the same command goes on with it
        err.print(Text(str(error), "yellow") if later else Text(f"error: {error}", "red"), soft_wrap=True)
        sys.exit(error.exit_code)
    except (SystemExit, RuntimeError) as ended:
        # Typer makes exit code 130 of an interrupt; DuckDB, in the middle of a query, a RuntimeError.
        if getattr(ended, "code", str(ended)) not in {130, "Query interrupted"}:
            raise
        err.print("interrupted; the same command goes on where this one stopped", style="yellow")
        sys.stdout.flush()
        os._exit(130)  # at an orderly exit Prefect waits for ever to send events to a server that has ended
    except Exception as error:
        from infra.faults import full_disk
        from infra.settings import load_settings

        if not (failure := full_disk(error, load_settings().places)):
            raise
        err.print(Text(f"error: {failure}", "red"), soft_wrap=True)
        sys.exit(failure.exit_code)
