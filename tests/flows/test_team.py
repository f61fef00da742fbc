"""A team: the catalogue and the calls in a real PostgreSQL, the data on moto's S3, for several machines at once."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from desk import Desk
from moto_store import Bucket, bucket_of, s3_server  # noqa: F401 - fixtures
from postgres import PASSWORD, database_of, postgres_server  # noqa: F401 - fixtures
from scripted import ScriptedServer

from catalog.publish import Findings, Run, publish
from catalog.sources import load_sources, sources_of
from catalog.spool import Spool
from catalog.store import Lake, TableRef
from infra.settings import load_settings
from quality.manifest import public_key
from tasks.method import find_method
from tasks.provenance import signing_key, trusted, verify_version

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.postgres, pytest.mark.long, pytest.mark.xdist_group("team"), pytest.mark.timeout(600)]

METHODS = {
    "amps": "data_preparation",
    "wrap": "pretraining",
    "metamath": "sft",
    "evol_instruct_wizardlm": "instruction_tuning",
    "ultrafeedback": "alignment",
    "oss_instruct_magicoder": "applications",
}
FEW = 40
"""Real rows of each table that the methods read: to import and screen all of them is nothing that a team changes."""

DIFFERS = {
    *("run_id", "flow_run", "mlflow_run", "snapshot", "snapshot_id", "published_at", "started_at", "checked_at"),
    *("imported_at", "asked_at", "signed_at", "created_at", "seconds", "latency", "manifest"),
}
"""Columns of times, of what is drawn for a run, and of what is signed with them."""


@cache
def test_of(method: str) -> ModuleType:
    """The method's test file, which says how a strong model answers it."""
    file = ROOT / "tests/tasks" / METHODS[method] / f"test_{method}.py"
    spec = importlib.util.spec_from_file_location(f"_{file.stem}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


test_of.__test__ = False


def strong(prompt: str, body: dict[str, Any]) -> str:
    """The answer of a strong model, whichever method asks."""
    evol = test_of("evol_instruct_wizardlm")
    if "Snippet:\n" in prompt:
        asks = "oss_instruct_magicoder"
    elif body["messages"][0]["content"].startswith("You rewrite texts"):
        asks = "wrap"
    elif "#Given Prompt#:" in prompt or "second prompt say the first again" in prompt or evol.HARDER[0] in prompt:
        asks = "evol_instruct_wizardlm"
    elif "Text 1:\n" in prompt or " ".join(prompt.split()) not in test_of("metamath").answers():
        asks = "ultrafeedback"
    else:
        asks = "metamath"
    return test_of(asks).good(prompt, body)


# One flow after the other in one process, each on a home and a lake of its own: the command line starts one for each.
MACHINE = """
import json, os, sys
from flows.running import run_flow
from infra.prefect_server import prefect_api
from infra.settings import load_settings

orders = json.load(sys.stdin)
with prefect_api(load_settings(home=orders[0][2]["EVERSPRING_HOME"])):
    for flow, asked, environment in orders:
        os.environ.update(environment)
        outcomes = run_flow(flow, asked)
        if isinstance(outcomes, BaseException):
            raise outcomes
        print(json.dumps([f"{outcome.table} {outcome.status}" for outcome in outcomes]))
"""


@dataclass(frozen=True)
class Team:
    """A home that keeps everything in it, two that share a lake, and whom all of them ask."""

    alone: Path
    one: Path
    two: Path
    shared: dict[str, str]
    """The variables that say where the lake is."""
    bucket: Bucket
    server: ScriptedServer

    def run(self, *flows: tuple[str, dict[str, Any], Path]) -> list[list[str]]:
        """Run flows on homes, in a process; returns what each did."""
        orders = [(flow, asked, {"EVERSPRING_HOME": str(home), **self.variables(home)}) for flow, asked, home in flows]
        others = ("EVERSPRING", "OPENAI", "AWS", "PREFECT", "MLFLOW")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        ended = subprocess.run(
            [sys.executable, "-c", MACHINE],
            cwd=ROOT,
            env=clean | {"OPENAI_BASE_URL": self.server.url},
            input=json.dumps(orders),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def variables(self, home: Path) -> dict[str, str]:
        return {} if home == self.alone else self.shared

    def lake(self, home: Path) -> Lake:
        given = {name.removeprefix("EVERSPRING_").lower(): value for name, value in self.variables(home).items()}
        return Lake(load_settings(home=home, **given))


@pytest.fixture(scope="module")
def team(postgres_server: str, s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:  # noqa: F811
    """The same order carried out alone and, on one of its machines, by the team."""
    folder, store = tmp_path_factory.mktemp("team"), bucket_of(s3_server)
    shared = {"EVERSPRING_LAKE": database_of(postgres_server), **store.environment}
    homes = [folder / name for name in ("alone", "one", "two")]
    with ScriptedServer(strong) as server:
        found = Team(*homes, shared, store, server)
        for home in homes[:2]:
            seed(found.lake(home), home)
        found.run(*(("lifecycle", lifecycle(), home) for home in homes[:2]))
        yield found


def lifecycle(*methods: str, **others: Any) -> dict[str, Any]:
    """What is asked of the flow."""
    reads = {method: {given: few(table) for given, table in read(method).items()} for method in METHODS}
    return {"methods": list(methods or METHODS), "rows": 4, "reads": reads, **others}


def read(method: str) -> dict[str, str]:
    """The table that sources feed, for each input of a method."""
    fed = {source.table for source in load_sources().values()}
    inputs = find_method(method).inputs
    return {given: next(table for table in found.tables if table in fed) for given, found in inputs.items()}


def few(table: str) -> str:
    return f"raw.few_{table.partition('.')[2]}"


def seed(lake: Lake, home: Path) -> None:
    """Publish a few real rows of each table that the methods read."""
    for table in {table: None for method in METHODS for table in read(method).values()}:
        rows = [row for source in sources_of(table) for row, _ in islice(source.rows(), FEW)]
        name = few(table)
        run = Run(run_id=name, stage="raw", method=name.partition(".")[2], table_name=name, fingerprint="few")
        with Spool(home / "seeds" / name, type(rows[0])) as spool:
            spool.add_rows(rows, {})
            publish(lake, run, spool, Findings(), shape=type(rows[0]))


def contents(lake: Lake) -> dict[str, list[str]]:
    """Every row of every version and of every system table, without what differs from run to run."""
    with lake.read() as connection:
        system = connection.execute(
            "SELECT DISTINCT table_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'catalog'"
        ).fetchall()
        sources = {f"catalog.{name}": f"catalog.{name}" for (name,) in system}
        sources |= {str(v.ref): v.sql for v in lake.versions()}
        held: dict[str, list[str]] = {}
        for name, source in sources.items():
            cursor = connection.execute(f"FROM {source}")
            columns = [column[0] for column in cursor.description or []]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
            held[name] = sorted(str({key: row[key] for key in columns if key not in DIFFERS}) for row in rows)
        return held


def test_a_team_makes_what_one_machine_makes_alone(team: Team) -> None:
    alone, together = contents(team.lake(team.alone)), contents(team.lake(team.one))
    assert alone.keys() == together.keys()
    for name, rows in alone.items():
        assert rows == together[name], name
    assert {f"{stage}.{method}@1" for method, stage in METHODS.items()} <= alone.keys()
    assert len(alone["catalog.calls"]) > 20
    assert not list(team.one.glob("data/**/*.parquet"))
    assert sum(key.endswith(".parquet") for key in team.bucket.files()) > 20


def test_another_machine_sees_the_versions_and_asks_nothing_again(team: Team) -> None:
    asked, lake = len(team.server.requests), team.lake(team.one)
    before = [str(version.ref) for version in lake.versions()]
    again = lifecycle("ultrafeedback", force=True)
    first, second = team.run(("lifecycle", lifecycle(), team.two), ("lifecycle", again, team.two))
    assert first == [f"{stage}.{method} unchanged" for method, stage in METHODS.items()]
    assert second == ["alignment.ultrafeedback published"]
    # What was made anew came of the answers that the other machine was given.
    assert len(team.server.requests) == asked
    assert [str(version.ref) for version in lake.versions()] == [*before, "alignment.ultrafeedback@2"]


def test_what_one_machine_signed_another_verifies_that_trusts_its_key(team: Team) -> None:
    lake, settings = team.lake(team.two), load_settings(home=team.two)
    key = public_key(signing_key(load_settings(home=team.one)))
    found = [str(v) for v in verify_version(lake, TableRef.parse("sft.metamath@1"), trusted(settings))]
    assert found == [f"key {key}: signed the manifest and is not trusted; trust it if you know whose"]
    assert verify_version(lake, TableRef.parse("sft.metamath@1"), trusted(settings, key)) == []


def test_the_doctor_finds_catalogue_and_data(team: Team) -> None:
    desk = Desk(team.one, team.server.url)
    said, _ = desk.start("doctor", COLUMNS="200", **team.shared).communicate(timeout=120)
    assert f"s3://{team.bucket.name}/lake/" in said
    assert "PostgreSQL catalogue" in said
    said, _ = desk.start(
        "doctor", COLUMNS="300", **team.shared | {"EVERSPRING_S3_ENDPOINT": "http://127.0.0.1:1"}
    ).communicate(timeout=120)
    assert "nobody answers there" in said


def test_no_secret_of_the_team_is_in_a_home(team: Team) -> None:
    files = [file for home in (team.one, team.two) for file in home.rglob("*") if file.is_file()]
    assert files
    for secret in (team.bucket.secret, PASSWORD):
        assert not [file for file in files if secret.encode() in file.read_bytes()]
