"""`everspring up`: Prefect, MLflow, a worker and the deployments, as a team's schedules use them."""

import json
import os
import signal
import sqlite3
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from desk import Desk, strong_desk_in

from catalog.store import STAGES
from infra.services import kept
from infra.settings import load_settings
from infra.web import ask_prefect, free_port, healthy

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("services"), pytest.mark.timeout(600)]

NIGHTS = ("2026-01-30", "2026-01-31")


@dataclass
class Running:
    """A home whose services run, and whoever listens at its webhook."""

    desk: Desk
    ports: tuple[int, int]
    webhook: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    scheduled: set[str] = field(default_factory=set)
    """The deployments for which Prefect has made runs by their schedules."""

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}/api"

    def up(self) -> str:
        ports = [f"--{name}-port={port}" for name, port in zip(("prefect", "mlflow"), self.ports, strict=True)]
        return self.desk.run("up", "--detach", *ports, EVERSPRING_WEBHOOK=self.webhook)

    def ask(self, path: str, body: Any = None) -> Any:
        """What Prefect answers: again where it was too busy, as its own client does."""
        (found,) = until(lambda: [each for each in [ask_prefect(self.api, path, body)] if each is not None], 60)
        return found

    def trigger(self, deployment: str, parameters: dict[str, Any], **further: Any) -> dict[str, Any]:
        """Make a flow run as Prefect's form does."""
        found = self.ask(f"deployments/name/{deployment}")
        return self.ask(f"deployments/{found['id']}/create_flow_run", {"parameters": parameters, **further})

    def emit(self, event: str, resource: str, payload: dict[str, Any]) -> None:
        """Send Prefect an event."""
        told = {
            "id": str(uuid.uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": event,
            "resource": {"prefect.resource.id": resource},
            "payload": payload,
        }
        body, kind = json.dumps([told]).encode(), {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{self.api}/events", body, kind), timeout=30).close()

    def taken(self, deployment: str, parameters: dict[str, Any], state: str) -> dict[str, Any]:
        """A flow run in a state into which a worker brought it that is dead."""
        far = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        scheduled = {"type": "SCHEDULED", "state_details": {"scheduled_time": far}}
        run = self.trigger(deployment, parameters, state=scheduled)
        brought = {"type": state, "message": "taken by a worker that is dead"}
        self.ask(f"flow_runs/{run['id']}/set_state", {"state": brought, "force": True})
        return run

    def switch_off(self, deployment: dict[str, Any]) -> None:
        """Switch off a schedule as its switch in Prefect's UI does."""
        (schedule,) = deployment["schedules"]
        address = f"{self.api}/deployments/{deployment['id']}/schedules/{schedule['id']}"
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(address, b'{"active": false}', kind, method="PATCH")

        def switched() -> bool:
            try:
                urllib.request.urlopen(request, timeout=10).close()
            except urllib.error.HTTPError:  # 503: too busy
                return False
            return True

        until(switched, 60)

    def ended(self, run: dict[str, Any]) -> dict[str, Any]:
        """A flow run once it has ended."""
        final = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
        return until(lambda: (now := self.ask(f"flow_runs/{run['id']}"))["state_type"] in final and now)

    def artifacts(self, run: dict[str, Any]) -> dict[str, Any]:
        found = self.ask("artifacts/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        return {each["key"]: each for each in found}


def until(what: Callable[[], Any], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    heard: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    listener = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    with strong_desk_in(tmp_path_factory.mktemp("services"), "wrap") as desk:
        webhook = f"http://127.0.0.1:{listener.server_port}/hook"
        found = Running(desk, (free_port(), free_port()), webhook, heard)
        try:
            found.up()
            deployments = {each["id"]: each for each in found.ask("deployments/filter", {})}
            found.scheduled = until(lambda: (by := _scheduled(found)) == set(deployments) and by)
            for each in deployments.values():  # else one of them comes due in the middle of the tests
                found.switch_off(each)
            yield found
        finally:
            desk.run("down")
            listener.shutdown()


def _scheduled(running: Running) -> set[str]:
    asked = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "limit": 200}
    return {run["deployment_id"] for run in running.ask("flow_runs/filter", asked)}


@pytest.fixture(scope="module")
def made(running: Running) -> dict[str, Any]:
    """A flow run that was triggered through Prefect's API and has ended."""
    return running.ended(running.trigger("pretraining/weekly", {"methods": ["wrap"], "rows": 3}))


def test_both_pages_answer_and_status_names_them(running: Running) -> None:
    said = running.desk.run("status")
    for port in running.ports:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert b"<html" in page.read().lower()
        assert f"http://127.0.0.1:{port}" in said
    assert "worker" in said
    assert "died" not in said


def test_up_again_says_that_all_runs(running: Running) -> None:
    before = kept(load_settings(home=running.desk.home))
    said = running.up()
    assert "run already" in said
    assert "worker" in said
    assert kept(load_settings(home=running.desk.home)) == before


def test_every_flow_has_a_deployment_with_a_schedule_that_fills(running: Running) -> None:
    flows = {flow["id"]: flow["name"] for flow in running.ask("flows/filter", {})}
    found = {f"{flows[each['flow_id']]}/{each['name']}": each for each in running.ask("deployments/filter", {})}
    assert {"lifecycle/nightly", *(f"{stage}/weekly" for stage in STAGES)} <= set(found)
    assert running.scheduled == {each["id"] for each in found.values()}


def test_prefects_form_knows_what_each_parameter_is_for(running: Running) -> None:
    schema = running.ask("deployments/name/pretraining/weekly")["parameter_openapi_schema"]
    assert all(its["description"] for its in schema["properties"].values())
    offered = schema["properties"]["methods"]["anyOf"][0]["items"]
    assert "wrap" in (offered.get("enum") or [offered["const"]])
    assert schema["properties"]["rows"]["anyOf"][0]["minimum"] == 1
    refused = f"deployments/{running.ask('deployments/name/pretraining/weekly')['id']}/create_flow_run"
    assert ask_prefect(running.api, refused, {"parameters": {"methods": ["nosuch"]}}) is None
    runs = running.ask("flow_runs/filter", {"flow_runs": {"parent_task_run_id": {"is_null_": True}}, "limit": 200})
    assert not [run for run in runs if run["parameters"].get("methods") == ["nosuch"]]


def test_a_run_triggered_through_the_api_runs_to_completion(running: Running, made: dict[str, Any]) -> None:
    assert made["state_type"] == "COMPLETED", made["state"]
    assert made["name"] == "pretraining: wrap, 3 rows"
    assert {"pretraining", "wrap", "endpoint", "weekly"} <= set(made["tags"])
    assert [str(version.ref) for version in running.desk.lake.versions("pretraining.wrap")] == ["pretraining.wrap@1"]


def test_its_artifacts_show_tables_gates_and_the_way_on(running: Running, made: dict[str, Any]) -> None:
    found = running.artifacts(made)
    assert {"results", "report-pretraining", "progress-wrap", "ledger-wrap", "checks-wrap"} <= set(found)
    (line,) = [row for row in json.loads(found["results"]["data"]) if row["table"] == "pretraining.wrap"]
    assert " kept; warnings: " in line["gates"]
    assert line["version"] == 1
    ((mlflow_run,),) = running.desk.lake.query("SELECT mlflow_run FROM catalog.runs WHERE method = 'wrap'").rows()
    report = found["report-pretraining"]["data"]
    assert f"http://127.0.0.1:{running.ports[1]}/#/runs/{mlflow_run}" in report
    assert "everspring sql" in report
    assert found["progress-wrap"]["data"] == 100.0


def test_an_endpoints_places_are_a_limit_that_everybody_shares(running: Running, made: dict[str, Any]) -> None:
    assert made
    host = running.desk.url.split("/")[2]
    (limit,) = [each for each in running.ask("v2/concurrency_limits/filter", {}) if host in each["name"]]
    assert (limit["limit"], limit["active_slots"]) == (load_settings().concurrency, 0)


def test_a_broken_gate_is_told_at_the_webhook(running: Running) -> None:
    run = running.ended(running.trigger("sft/weekly", {"methods": ["metamath"], "rows": 1}))
    assert run["state_type"] == "FAILED"
    told = until(lambda: [each for each in running.heard if each["automation"] == "Gate failed"], 60)
    assert told[0]["text"].startswith("sft.metamath@1: 1 of ")
    until(lambda: [each for each in running.heard if each["automation"] == "Run failed"], 60)


def test_a_yield_that_dropped_is_told_at_the_webhook(running: Running) -> None:
    message = {"message": "sft.metamath: 1 of 10 rows kept"}
    running.emit("everspring.yield.dropped", "everspring.table.sft.metamath", message)
    told = until(lambda: [each for each in running.heard if each["automation"] == "Yield dropped"], 60)
    assert told[0]["text"] == "sft.metamath: 1 of 10 rows kept"


@pytest.mark.long
def test_a_run_whose_worker_died_before_it_began_is_scheduled_anew_and_runs(running: Running) -> None:
    run = running.taken("data_preparation/weekly", {"methods": ["amps"], "rows": 3}, "PENDING")
    until(lambda: [each for each in running.heard if each["automation"] == "Run not begun"], 300)
    assert running.ended(run)["state_type"] == "COMPLETED"


@pytest.mark.long
def test_a_run_that_sends_no_more_signs_of_life_is_marked_as_crashed(running: Running) -> None:
    run = running.taken("pretraining/weekly", {"methods": ["kmlm"], "rows": 3}, "RUNNING")
    running.emit("prefect.flow-run.heartbeat", f"prefect.flow-run.{run['id']}", {})
    told = until(lambda: [each for each in running.heard if each["automation"] == "Run lost"], 400)
    assert told[0]["text"] == f"{run['name']}: no more signs of life"
    assert running.ended(run)["state_type"] == "CRASHED"


@pytest.mark.long
def test_each_night_draws_anew_and_the_same_night_again_makes_nothing(running: Running) -> None:
    database = running.desk.home / "prefect/prefect.db"
    for night in NIGHTS:
        far = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": far}}
        run = running.trigger("sft/weekly", {"methods": ["symbol_tuning"], "rows": 5}, state=state)
        with sqlite3.connect(database, timeout=30) as prefect:  # only a schedule makes such runs, and none in the past
            prefect.execute(
                "UPDATE flow_run SET auto_scheduled = 1, expected_start_time = ?, next_scheduled_start_time = ? "
                "WHERE name = ?",
                [f"{night} 01:00:00.000000", f"{night} 01:00:00.000000", run["name"]],
            )
            prefect.execute(
                "UPDATE flow_run_state SET state_details = json_set(state_details, '$.scheduled_time', ?) "
                "WHERE flow_run_id = (SELECT id FROM flow_run WHERE name = ?)",
                [f"{night}T01:00:00+00:00", run["name"]],
            )
        prefect.close()
        done = running.ended(run)
        assert done["state_type"] == "COMPLETED", done["state"]
        assert done["name"] == f"sft: symbol_tuning, 5 rows, night of {night}"
    versions = running.desk.lake.versions("sft.symbol_tuning")
    assert len(versions) == 2
    assert versions[1].rows > versions[0].rows
    seed = NIGHTS[1].replace("-", "")
    said = running.desk.run("run", "sft", "--method", "symbol_tuning", "--rows", "5", "--seed", seed)
    assert "nothing to do" in said
    assert len(running.desk.lake.versions("sft.symbol_tuning")) == 2


def test_after_a_kill_up_mends_all_and_what_was_switched_off_stays_off(running: Running) -> None:
    settings = load_settings(home=running.desk.home)
    before = running.ask("deployments/name/alignment/weekly")
    keeper = kept(settings).pid
    assert keeper
    os.kill(keeper, signal.SIGKILL)
    until(lambda: kept(settings).pid is None, 30)
    assert "no services run" in running.desk.run("status", code=1)
    running.up()
    after = running.ask("deployments/name/alignment/weekly")
    assert after["id"] == before["id"]
    assert [each["active"] for each in after["schedules"]] == [False]
    assert healthy(running.api)


@pytest.mark.parametrize("command", ["down", "status"])
def test_where_nothing_runs_that_is_said(tmp_path: Any, command: str) -> None:
    assert "no services run" in Desk(tmp_path).run(command, code=0 if command == "down" else 1)


def test_a_port_that_was_asked_for_and_is_taken_is_refused(tmp_path: Any, running: Running) -> None:
    said = Desk(tmp_path).run("up", "--prefect-port", str(running.ports[0]), code=2)
    assert f"--prefect-port {running.ports[0]}: another program listens there" in said


def test_a_worker_without_a_server_is_refused(tmp_path: Any) -> None:
    assert "no Prefect server is named or runs here" in Desk(tmp_path).run("worker", code=2)


def test_servers_of_ones_own_are_used_and_left_alone(tmp_path: Any, running: Running) -> None:
    desk, page = Desk(tmp_path / "home"), f"http://127.0.0.1:{running.ports[1]}"
    try:
        said = desk.run("up", "--detach", PREFECT_API_URL=running.api, MLFLOW_TRACKING_URI=page)
        assert page in said
        standings = {its.name: its for its in kept(load_settings(home=desk.home)).standings}
        assert {name for name, its in standings.items() if its.pid} == {"worker"}
        assert standings["Prefect"].address == running.api
    finally:
        desk.run("down")
    assert healthy(running.api)
    assert healthy(page)
