"""What Prefect's UI shows of a run beside its state: tags, tables, links, and events that automations act on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events import emit_event

from catalog.store import Lake
from flows.answers import line
from flows.workplace import Workplace
from infra.errors import EverspringError
from infra.mlflow_server import MLFLOW
from infra.services import serving
from infra.settings import EMBEDDED, Settings
from tasks.method import Method
from tasks.outcome import Outcome

GATE_FAILED = "everspring.gate.failed"
YIELD_DROPPED = "everspring.yield.dropped"
EARLIER = 5
"""Runs with whose yield that of a run is compared."""

_LEDGER = "SELECT * EXCLUDE (run_id, table_name) FROM catalog.ledger WHERE run_id = ? ORDER BY position"
_CHECKS = (
    "SELECT expectation, severity, passed, observed, broken_rows, error FROM catalog.checks WHERE run_id = ? "
    "ORDER BY passed, severity, expectation"
)
_GATES = (
    "SELECT run_id, count(*) AS checks, "
    "list(expectation ORDER BY expectation) FILTER (NOT passed AND severity = 'block') AS broken, "
    "list(expectation ORDER BY expectation) FILTER (NOT passed AND severity <> 'block') AS warned "
    "FROM catalog.checks WHERE list_contains(?, run_id) GROUP BY run_id"
)
_YIELDS = (
    "SELECT kept / (made + dropped) AS share FROM catalog.runs WHERE table_name = ? AND run_id <> ? "
    "AND status IN ('published', 'quarantined') AND made + dropped > 0 ORDER BY started_at DESC LIMIT ?"
)


def tags_of(method: Method, settings: Settings) -> set[str]:
    """Stage, method, and where its models are: embedded, at an endpoint, or nowhere."""
    urls = {endpoint.url for role in method.roles.values() for endpoint in settings.endpoints(role)}
    where = {"embedded" if url == EMBEDDED else "endpoint" for url in urls} or {"no model"}
    return {method.stage, method.id, *where}


def tag_flow_run(place: Workplace, stage: str, methods: Sequence[Method], *, named: bool) -> None:
    """Tag the flow run at work: by methods only where it is about some, since a tag on everything finds nothing."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    tags = {tag for method in methods for tag in tags_of(method, place.settings) if named or tag != method.id}
    with get_client(sync_client=True) as client:
        client.update_flow_run(context.flow_run.id, tags=sorted({*context.flow_run.tags, stage, *tags}))


def show_run(lake: Lake, outcome: Outcome) -> None:
    """Make artifacts of what the catalogue says of a run: its steps, and its checks."""
    for what, sql in (("ledger", _LEDGER), ("checks", _CHECKS)):
        if rows := _ask(lake, sql, [outcome.run_id]):
            about = f"{what.capitalize()} of {outcome.table}, run {outcome.run_id}"
            create_table_artifact(key=f"{what}-{_key(outcome.method)}", table=rows, description=about)


def show_results(place: Workplace, stage: str, outcomes: Sequence[Outcome], errors: Iterable[EverspringError]) -> None:
    """Make artifacts of what became of each table, with its gates, and of where to look further."""
    gates = {row["run_id"]: row for row in _ask(place.lake, _GATES, [[outcome.run_id for outcome in outcomes]])}
    told = [_result(outcome, _gates(gates.get(outcome.run_id))) for outcome in outcomes]
    create_table_artifact(key="results", table=told, description=f"What became of each table of {stage}")
    page = place.settings.mlflow
    if not page.startswith(("http://", "https://")):
        page = serving(place.settings, MLFLOW)
    parts = [f"# {stage}", "", "| table | version | kept | gates | MLflow |", "| --- | --- | --- | --- | --- |"]
    for outcome, its in zip(outcomes, told, strict=True):
        kept = f"{outcome.kept} of {outcome.made}"
        cells = (f"`{outcome.table}`", its["version"], kept, its["gates"], _link(page, outcome.mlflow_run))
        parts.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    parts += ["", *(f"> {_plain(error)}\n" for error in errors)]
    if shown := next((outcome for outcome in reversed(outcomes) if outcome.version and outcome.run_id), None):
        parts += ["", "## Look further", "", "```bash", *_commands(shown), "```"]
    create_markdown_artifact(
        "\n".join(parts), key=f"report-{_key(stage)}", description=f"Tables of {stage}, with links"
    )


def tell_gate_failed(outcome: Outcome) -> None:
    """Send the event that a gate has refused what a run made."""
    emit_event(GATE_FAILED, _resource(outcome), payload={"run": outcome.run_id, "message": outcome.note})


def tell_yield_dropped(lake: Lake, outcome: Outcome, settings: Settings) -> None:
    """Send an event where a run kept a far smaller share of what it made than the runs of its table before."""
    made = outcome.made + sum(outcome.dropped.values())
    shares = sorted(row["share"] for row in _ask(lake, _YIELDS, [outcome.table, outcome.run_id, EARLIER]))
    if not made or not shares:
        return
    share, usual = outcome.kept / made, shares[len(shares) // 2]
    if share >= settings.yield_drop * usual:
        return
    message = (
        f"{outcome.table}: {share:.0%} of {made:,} rows made were kept, {usual:.0%} were in the last "
        f"{len(shares)} runs; see catalog.rejected where run_id = '{outcome.run_id}'"
    )
    emit_event(YIELD_DROPPED, _resource(outcome), payload={"run": outcome.run_id, "message": message})


def drain() -> None:
    """Send the logs and events that Prefect still has, before its server ends: it would wait for it at exit."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=10)
    EventsWorker.drain_all(timeout=10)


def _ask(lake: Lake, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    with lake.read() as connection:
        cursor = connection.execute(sql, parameters)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _result(outcome: Outcome, gates: str) -> dict[str, Any]:
    """A line of the results; what Prefect's page has no room for stands last."""
    told = line(outcome)
    first = {"table": outcome.table, "version": told["version"], "kept": outcome.kept, "gates": gates}
    return first | {name: cell for name, cell in told.items() if name not in {*first, "stage", "method"}}


def _gates(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "none"
    if broken := found["broken"]:
        return f"{len(broken)} of {found['checks']} broken: {', '.join(broken)}"
    if warned := found["warned"]:
        return f"{found['checks'] - len(warned)} of {found['checks']} kept; warnings: {', '.join(warned)}"
    return f"all {found['checks']} kept"


def _link(page: str, mlflow_run: str) -> str:
    if not mlflow_run:
        return "–"
    if not page:
        return f"run `{mlflow_run}`, with `everspring up`"
    return f"[run {mlflow_run[:8]}]({page}/#/runs/{mlflow_run})"


def _commands(outcome: Outcome) -> list[str]:
    return [
        f'everspring sql "from {outcome.table} limit 5"',
        f"everspring scorecard {outcome.table}@{outcome.version}",
        f"everspring lineage {outcome.table}@{outcome.version}",
        f"everspring sql \"select * from catalog.checks where run_id = '{outcome.run_id}'\"",
        f"everspring sql \"select screen, reason from catalog.rejected where run_id = '{outcome.run_id}'\"",
    ]


def _resource(outcome: Outcome) -> dict[str, str]:
    return {
        "prefect.resource.id": f"everspring.table.{outcome.table}",
        "prefect.resource.name": outcome.table,
        "everspring.stage": outcome.stage,
    }


def _key(name: str) -> str:
    """A name as a Prefect artifact's key may be."""
    return name.replace("_", "-")


def _plain(error: EverspringError) -> str:
    return " ".join(str(error).split())
