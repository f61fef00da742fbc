"""Commands over the services: Prefect's server, MLflow's page, the worker, and the deployments it works on."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from flows.console import console
from infra.errors import Failure, Refusal

if TYPE_CHECKING:
    from infra.services import Kept, Service, Standing
    from infra.settings import Settings

PREFECT_PORT, MLFLOW_PORT = 4200, 5000
POOL = "everspring"
GRACE = 20.0
"""Seconds in which services may end in good order."""
WAIT_SECONDS = 300.0
DEPLOYMENTS, WORKER = "deployments", "worker"
_STYLES = {"runs": "green", "done": "green", "died": "red", "away": "red"}

out = console()
err = console(stderr=True)


def up(
    prefect_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, show_default="4200, or the next free one", help="Port of Prefect's page."),
    ] = None,
    mlflow_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, show_default="5000, or the next free one", help="Port of MLflow's page."),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave them running in the background.")] = False,
) -> None:
    """Run everything that schedules need, on loopback: Prefect, MLflow's page, a worker, the deployments.

    It stays until Ctrl-C, or `everspring down` from elsewhere. Where it runs already, that is said, and what has died
    is started again.
    """
    from infra.services import Supervisor, kept
    from infra.settings import load_settings

    settings = load_settings()
    if kept(settings).pid:
        err.print("the services run already", style="dim")
        _await(settings)
        return
    if detach:
        _start_apart(settings, prefect_port, mlflow_port)
        return
    _clear(settings)
    services = _services(settings, prefect_port, mlflow_port)
    err.print(f"everspring: services of {settings.folder()}; Ctrl-C ends them", style="dim", highlight=False)
    Supervisor(settings, services, _say).run()
    err.print("the services have ended", style="dim")


def down() -> None:
    """End what `everspring up` started, a flow run at work too: the same command, or schedule, goes on where it was."""
    from infra.services import end_services
    from infra.settings import load_settings

    with err.status("ending the services"):
        ended = end_services(load_settings())
    out.print("the services have ended" if ended else "no services run here", highlight=False)


def status() -> None:
    """Show the services, the last flow runs, and what is scheduled next; exit code 1 where a service does not run."""
    from infra.services import kept
    from infra.settings import load_settings

    settings = load_settings()
    found = kept(settings)
    if not found.pid:
        out.print(f"no services run for {settings.home.absolute()}; start them with `everspring up`", highlight=False)
        raise typer.Exit(1)
    out.print(_table(found))
    if api := _prefect_of(settings, found):
        _show_runs(api)
    if any(standing.state not in {"runs", "done"} for standing in found.standings):
        raise typer.Exit(1)


def worker() -> None:
    """Register the deployments at the Prefect server of the settings, and work on them: one of a team's workers.

    PREFECT_API_URL names the server. `everspring up` starts a worker of its own.
    """
    from infra.prefect_server import PREFECT, configure
    from infra.services import serving
    from infra.settings import load_settings

    settings = load_settings()
    api = settings.prefect or serving(settings, PREFECT)
    if not api:
        raise Refusal(
            "worker: no Prefect server is named or runs here, one was wanted; set PREFECT_API_URL, or `everspring up`"
        )
    configure(settings)
    os.environ.update(_environment(settings, api))
    if subprocess.run([sys.executable, "-m", "flows.deployments"], check=False).returncode:
        raise Failure(f"worker: the deployments could not be registered at {api}; what is wrong stands above")
    os.execv(sys.executable, [sys.executable, "-m", *_worker_command()])  # noqa: S606 - our own interpreter


def _services(settings: "Settings", prefect_port: int | None, mlflow_port: int | None) -> "list[Service]":
    """What `up` runs, in the order in which it starts; in the other one it ends."""
    from infra.child import Child
    from infra.mlflow_server import MLFLOW, making_store, start_mlflow
    from infra.prefect_server import PREFECT, api_at, configure, making_prefect, start_prefect
    from infra.services import Service
    from infra.web import LOOPBACK, healthy

    configure(settings)
    found: list[Service] = []
    if api := settings.prefect:
        found.append(Service(PREFECT, api, lambda: healthy(api)))
    else:
        port = _port(PREFECT, prefect_port, PREFECT_PORT)
        api = api_at(port)
        found.append(
            Service(
                PREFECT,
                api,
                lambda: healthy(api),
                lambda: start_prefect(settings, port, grace=GRACE),
                making=lambda: making_prefect(settings),
            )
        )
    if settings.mlflow.startswith(("http://", "https://")):
        found.append(Service(MLFLOW, settings.mlflow, lambda: healthy(settings.mlflow)))
    else:
        page = _port(MLFLOW, mlflow_port, MLFLOW_PORT)
        address = f"http://{LOOPBACK}:{page}"
        found.append(
            Service(
                MLFLOW,
                address,
                lambda: healthy(address),
                lambda: start_mlflow(settings, page, grace=GRACE),
                making=lambda: nullcontext() if settings.mlflow else making_store(settings),
            )
        )
    logs, environment = settings.folder("services"), _environment(settings, api)

    def start(command: Sequence[str], log: str) -> Child:
        return Child(command, logs / log, environment, grace=GRACE)

    began = time.time()
    return [
        *found,
        Service(
            DEPLOYMENTS,
            "",
            lambda: True,
            lambda: start(["flows.deployments"], "deployments.log"),
            after=[PREFECT],
            job=True,
        ),
        Service(
            WORKER,
            "",
            lambda: _works(api, began),
            lambda: start(_worker_command(), "worker.log"),
            after=[PREFECT, DEPLOYMENTS],
        ),
    ]


def _environment(settings: "Settings", api: str) -> dict[str, str]:
    """What flow runs are told beside the environment of the worker: no secret, Prefect writes none of it down."""
    return {
        "PREFECT_API_URL": api,
        "EVERSPRING_HOME": str(settings.folder()),
        "PREFECT_WORKER_QUERY_SECONDS": "3",
        "PREFECT_WORKER_ENABLE_CANCELLATION": "true",
    }


def _worker_command() -> list[str]:
    return ["prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", _worker_name()]


def _worker_name() -> str:
    return f"everspring on {platform.node()}"


def _works(api: str, since: float) -> bool:
    """Whether the worker of this machine has been heard of since a time."""
    from infra.web import ask_prefect

    for found in ask_prefect(api, f"work_pools/{POOL}/workers/filter", {}) or []:
        if found["name"] == _worker_name() and found["status"] == "ONLINE":
            return datetime.fromisoformat(found["last_heartbeat_time"]).timestamp() >= since
    return False


def _port(name: str, wanted: int | None, usual: int) -> int:
    """The port asked for, or the usual one, or the next that is free.

    Raises:
        Refusal: where the one asked for is taken.
        Failure: where none near the usual one is free.
    """
    from infra.web import free_port

    found = free_port(wanted or usual)
    if wanted and found != wanted:
        option = f"--{name.lower()}-port"
        raise Refusal(f"{option} {wanted}: another program listens there, a free port was wanted; try {found or 0}")
    if not found:
        raise Failure(f"{name}: no port from {usual} on is free, one was wanted; name one with --{name.lower()}-port")
    if found != (wanted or usual):
        err.print(f"port {usual} is taken by another program: {name} is at {found}", style="yellow", highlight=False)
    return found


def _clear(settings: "Settings") -> None:
    """Wait until the services of a supervisor that was killed have ended, for their ports' sake."""
    from infra.services import left_over

    deadline = time.monotonic() + GRACE + 10
    while left := left_over(settings):
        if time.monotonic() > deadline:
            raise Failure(f"services: processes {left} of an earlier `up` do not end, they should have; kill them")
        time.sleep(0.2)


def _start_apart(settings: "Settings", prefect_port: int | None, mlflow_port: int | None) -> None:
    """Start the services in a process that outlives this one, and wait until they run."""
    ports = {"--prefect-port": prefect_port, "--mlflow-port": mlflow_port}
    given = [word for option, port in ports.items() if port for word in (option, str(port))]
    log = settings.folder("services") / "up.log"
    with log.open("wb") as output:
        apart = subprocess.Popen(  # noqa: S603 - our own interpreter and command
            [sys.executable, "-m", "flows", "up", *given],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _await(settings, apart, log.read_text)
    out.print("they stay; `everspring status` looks at them, `everspring down` ends them", highlight=False)


def _await(settings: "Settings", apart: "subprocess.Popen[bytes] | None" = None, log: Any = None) -> None:
    """Wait until every service runs, saying of each when it does.

    Raises:
        Failure: where one does not come up.
    """
    from infra.services import kept

    said: set[str] = set()
    told: set[tuple[str, int]] = set()
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = kept(settings)
        for standing in found.standings:
            if standing.state in {"runs", "done"} and standing.name not in said:
                said.add(standing.name)
                _say(standing)
            elif standing.state == "died" and (standing.name, standing.restarts) not in told:
                told.add((standing.name, standing.restarts))
                _say(standing)
        if found.standings and len(said) == len(found.standings):
            return
        if apart and apart.poll() is not None:
            raise Failure(str(log()).strip().rpartition("error: ")[2] or "services: they ended as they started")
        time.sleep(0.2)
    raise Failure(f"services: not all run after {WAIT_SECONDS:.0f} seconds; see `everspring status`")


def _say(standing: "Standing") -> None:
    """Print a line on a service that has come up, or has died."""
    if standing.state in {"runs", "done"}:
        what = "registered" if standing.state == "done" else standing.address.removesuffix("/api") or "at work"
        again = f"  (started again, {standing.restarts} times by now)" if standing.restarts else ""
        out.print(f"[green]✓[/green] {standing.name:<12} {what}{again}", highlight=False, soft_wrap=True)
    elif standing.state in {"died", "away"}:
        why = "does not answer" if standing.state == "away" else f"ended ({standing.said}); it is started again"
        line = Text.assemble(("✗ ", "red"), f"{standing.name:<12} {standing.address} {why}")
        out.print(line, soft_wrap=True)


def _table(found: "Kept") -> Table:
    table = Table("service", "state", "address", "process", "since", "restarts", box=box.SIMPLE_HEAD)
    for its in found.standings:
        state = Text(its.state, _STYLES.get(its.state, "yellow"))
        if its.said:
            state.append(f" ({its.said})", "dim")
        since = datetime.fromisoformat(its.since).astimezone().strftime("%Y-%m-%d %H:%M:%S") if its.since else ""
        address = its.address.removesuffix("/api")
        table.add_row(its.name, state, address, str(its.pid or ""), since, str(its.restarts or ""))
    return table


def _prefect_of(settings: "Settings", found: "Kept") -> str:
    from infra.prefect_server import PREFECT

    return next((its.address for its in found.standings if its.name == PREFECT), settings.prefect)


def _show_runs(api: str) -> None:
    """Show the last flow runs, and the next of each deployment."""
    from infra.web import ask_prefect

    asked = {"state": {"type": {"not_any_": ["SCHEDULED"]}}, "parent_task_run_id": {"is_null_": True}}
    last = ask_prefect(api, "flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 5, "flow_runs": asked}) or []
    _show_list("last runs", [(run["start_time"], run["state_name"], run["name"]) for run in last])
    flows = {flow["id"]: flow["name"] for flow in ask_prefect(api, "flows/filter", {}) or []}
    names: dict[str | None, str] = {
        d["id"]: f"{flows[d['flow_id']]}/{d['name']}" for d in ask_prefect(api, "deployments/filter", {}) or []
    }
    asked = {"state": {"type": {"any_": ["SCHEDULED"]}}}
    coming = ask_prefect(
        api, "flow_runs/filter", {"sort": "NEXT_SCHEDULED_START_TIME_ASC", "limit": 200, "flow_runs": asked}
    )
    first: dict[str, Any] = {}
    for run in coming or []:
        first.setdefault(names.get(run["deployment_id"]) or run["name"], run["expected_start_time"])
    _show_list("next runs", [(at, "", name) for name, at in first.items()])


def _show_list(title: str, runs: Sequence[tuple[str | None, str, str]]) -> None:
    table = Table(title, "", "", box=box.SIMPLE_HEAD)
    for at, state, name in runs:
        table.add_row(datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else "", state, name)
    if runs:
        out.print(table)
