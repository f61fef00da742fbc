"""PostgreSQL that goes away: who comes too early waits, what was half done is not there, what was done counts once."""

import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from postgres import Postgres, database_of

from catalog.publish import Findings, Run, publish
from catalog.records import Prompt
from catalog.spool import Spool
from catalog.store import Lake, Version
from infra.errors import Lost
from infra.settings import load_settings

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        server.remove()


@pytest.fixture
def lake(postgres: Postgres, tmp_path: Path) -> Lake:
    return Lake(load_settings(home=tmp_path, lake=database_of(postgres.url)))


def put(lake: Lake, folder: Path, run_id: str) -> Version:
    run = Run(run_id=run_id, stage="sft", method="demo", table_name="sft.demo", fingerprint=run_id)
    with Spool(folder / "spool" / run_id, Prompt) as spool:
        spool.add_rows([Prompt(prompt=run_id)], {})
        return publish(lake, run, spool, Findings(), shape=Prompt)


def test_reads_and_writes_wait_for_a_server_that_starts_anew(lake: Lake, postgres: Postgres, tmp_path: Path) -> None:
    put(lake, tmp_path, "one")
    for asked in (lambda: lake.latest("sft.demo"), lambda: put(lake, tmp_path, "two")):
        postgres.stop()
        starting = threading.Timer(0.5, postgres.start)
        starting.start()
        version = asked()
        starting.join()
        assert version
    assert [version.ref.version for version in lake.versions()] == [1, 2]


def test_a_server_that_dies_in_a_transaction_leaves_nothing_of_it(
    lake: Lake, postgres: Postgres, tmp_path: Path
) -> None:
    put(lake, tmp_path, "one")

    def half() -> None:
        with lake.write("half") as connection:
            connection.execute("INSERT INTO lake.sft.demo (record_id, prompt) VALUES ('x', 'half')")
            postgres.stop()

    with pytest.raises(Lost, match="PostgreSQL cannot be reached"):
        half()
    postgres.start()
    assert lake.query("SELECT prompt FROM sft.demo").rows() == [("one",)]
    assert put(lake, tmp_path, "two").ref.version == 2


class Forgetful(Lake):
    """A lake that loses its server once a commit stands, before it hears of that."""

    @contextmanager
    def write(self, message: str, extra: Mapping[str, Any] | None = None) -> Generator[Any]:
        with super().write(message, extra) as connection:
            yield connection
        raise Lost("lake: PostgreSQL cannot be reached")


def test_a_version_whose_commit_was_not_confirmed_counts_once(tmp_path: Path) -> None:
    lake = Forgetful(load_settings(home=tmp_path))
    assert put(lake, tmp_path, "one").ref.version == 1
    assert [version.run_id for version in lake.versions()] == ["one"]
