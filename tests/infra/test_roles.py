"""Least privilege in a real PostgreSQL: what a writer and an analyst may do, and what they may not."""

import queue
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres import PASSWORD, database_of, postgres_server  # noqa: F401 - fixtures

from catalog.calls import Call, Known, open_store
from catalog.publish import Findings, Run, publish
from catalog.records import Problem, Prompt
from catalog.spool import Spool
from catalog.store import Lake
from infra.errors import Failure
from infra.settings import load_settings

ROLES = Path(__file__).parents[2] / "infra" / "roles.sql"

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("team")]

As = Callable[[str], Lake]


ACCOUNTS = {"ann": "everspring_analyst", "worker": "everspring_writer", "other": "everspring_writer"}
CALL = Call(call_id="0" * 32, request="{}", response="{}", text="an answer")


def put(
    lake: Lake,
    folder: Path,
    name: str,
    rows: int = 3,
    *,
    table: str = "sft.demo",
    shape: type[Prompt] | type[Problem] = Prompt,
) -> int | None:
    run = Run(run_id=f"run-{name}", stage="sft", method="demo", table_name=table, fingerprint="f")
    with Spool(folder / run.run_id, shape) as spool:
        made = [
            Prompt(prompt=f"{name} {n}") if shape is Prompt else Problem(prompt=f"{name} {n}", answer="1", topic="t")
            for n in range(rows)
        ]
        spool.add_rows(made, {})
        return publish(lake, run, spool, Findings(), shape=shape).ref.version


def kept(lake: Lake, call: Call) -> object:
    """What came of writing a call."""
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with closing(open_store(lake._settings)) as store:
        store.put([call], told.put)
        ((_, outcome),) = told.get()
    return outcome


def as_role(address: str, role: str) -> str:
    return address.replace("//everspring:", f"//{role}:")


@pytest.fixture(scope="module")
def lake_of(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> As:  # noqa: F811
    """The lake as each role sees it: its owner made it, then the roles, and an account for each."""
    address, folder = database_of(postgres_server), tmp_path_factory.mktemp("roles")

    def lake(role: str) -> Lake:
        return Lake(load_settings(home=folder / role, lake=as_role(address, role), data=f"{folder}/data/"))

    assert put(lake("everspring"), folder, "first") == 1
    with psycopg.connect(address, autocommit=True) as owner:
        for _ in range(2):  # it can be run again
            owner.execute(ROLES.read_text("utf-8").encode())
        for name, group in ACCOUNTS.items():
            owner.execute(f"DROP ROLE IF EXISTS {name}".encode())
            owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' IN ROLE {group}".encode())
            if group == "everspring_writer":
                owner.execute(f"ALTER ROLE {name} SET role = everspring_writer".encode())
    return lake


def test_an_analyst_reads_all_and_changes_nothing(lake_of: As, tmp_path: Path) -> None:
    ann = lake_of("ann")
    assert ann.query("SELECT count(*) > 0 FROM sft.demo").rows() == [(True,)]
    assert ann.query("SELECT count(*) FROM catalog.calls").rows() == [(0,)]
    assert ann.calls([CALL.call_id]) == []
    with pytest.raises(Failure, match="lake: PostgreSQL refuses the user of EVERSPRING_LAKE"):
        put(ann, tmp_path, "not-mine")
    assert isinstance(kept(ann, CALL), Failure)
    with psycopg.connect(ann._settings.lake) as connection:
        for statement in (
            "DELETE FROM ducklake_snapshot",
            "CREATE TABLE mine (x int)",
            "INSERT INTO everspring.texts (id, request) VALUES (1, '')",
            "DROP VIEW everspring.calls",
            "SET ROLE everspring_writer",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_writers_publish_by_turns_and_an_analyst_sees_it(lake_of: As, tmp_path: Path) -> None:
    before = lake_of("ann").query("SELECT count(*) FROM sft.demo").item()
    # Few rows stay in the catalogue, in tables that DuckLake makes; many go to a file.
    for turn, (name, rows) in enumerate([("worker", 3), ("other", 50), ("worker", 2), ("everspring", 4)]):
        put(lake_of(name), tmp_path, f"turn-{turn}", rows)
    assert lake_of("ann").query("SELECT count(*) FROM sft.demo").item() == before + 59
    put(lake_of("worker"), tmp_path, "new", table="sft.new")
    put(lake_of("other"), tmp_path, "wider", table="sft.new", shape=Problem)
    assert lake_of("ann").query("SELECT count(*) FROM sft.new").item() == 6
    known = kept(lake_of("worker"), CALL)
    assert isinstance(known, Known)
    assert [call.text for call in lake_of("ann").calls([CALL.call_id])] == ["an answer"]


def test_a_writer_cannot_take_the_lake_apart(lake_of: As) -> None:
    with psycopg.connect(lake_of("worker")._settings.lake) as connection:
        for statement in (
            "DROP TABLE ducklake_snapshot",
            "DROP SCHEMA everspring CASCADE",
            "CREATE ROLE mallory",
            "CREATE SCHEMA mine",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_nobody_else_gets_in(lake_of: As) -> None:
    address = lake_of("everspring")._settings.lake
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS stranger")
        owner.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'".encode())
    with pytest.raises(Failure, match="permission denied"):
        lake_of("stranger").versions()
