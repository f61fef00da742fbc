"""Calls that a team shares in a real PostgreSQL."""

import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures

from catalog.calls import Call, Known, open_store
from catalog.store import Lake
from infra.errors import Failure
from infra.settings import load_settings

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.postgres


def answer(number: int) -> Call:
    return Call(call_id=f"{number:032x}", request="{}", response="{}", text=f"answer {number}", cost=1.0)


PUT = """
import queue, sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from catalog.calls import Call, open_store
from infra.settings import load_settings

home, address, name = sys.argv[1:]
told = queue.SimpleQueue()
with closing(open_store(load_settings(home=Path(home), lake=address))) as store:
    numbers = range(400) if name == "one" else reversed(range(400))
    calls = [Call(call_id=f"{number:032x}", request="{}", response="{}", text=name, cost=1.0) for number in numbers]
    for start in range(0, 400, 20):
        store.put(calls[start : start + 20], told.put)
        for call_id, known in told.get():
            print(call_id, known.text)
"""


def test_two_machines_go_on_with_the_same_answers_and_lose_no_dollar(
    postgres_database: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", PUT, str(tmp_path / name), postgres_database, name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    told = [sorted(machine.communicate(timeout=120)[0].splitlines()) for machine in machines]
    assert len(told[0]) == 400
    assert told[0] == told[1]
    with Lake(load_settings(home=tmp_path, lake=postgres_database)).answer(
        "SELECT count(*), sum(cost) FROM catalog.calls"
    ) as found:
        assert found.fetchall() == [(400, 800.0)]


def test_machines_that_start_at_once_make_one_store(postgres_database: str, tmp_path: Path) -> None:  # noqa: F811
    settings = load_settings(home=tmp_path, lake=postgres_database)
    for _ in range(10):
        stores = [open_store(settings) for _ in range(8)]
        with ThreadPoolExecutor(len(stores)) as threads:
            for made in [threads.submit(store.create) for store in stores]:
                made.result()
        for store in stores:
            store.close()
        with psycopg.connect(postgres_database) as other:
            other.execute("DROP SCHEMA everspring CASCADE")


def test_a_connection_that_is_lost_is_made_again(postgres_database: str, tmp_path: Path) -> None:  # noqa: F811
    told: queue.SimpleQueue[list[tuple[str, Known]]] = queue.SimpleQueue()
    with closing(open_store(load_settings(home=tmp_path, lake=postgres_database))) as store:
        store.put([answer(1)], told.put)
        told.get()
        store.find([answer(1).call_id])
        with psycopg.connect(postgres_database) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        store.put([answer(2)], told.put)
        assert told.get()[0][1].text == "answer 2"
        assert set(store.find([answer(1).call_id, answer(2).call_id])) == {answer(1).call_id, answer(2).call_id}


def test_a_database_that_cannot_be_written_to_fails_clearly(postgres_database: str, tmp_path: Path) -> None:  # noqa: F811
    told: queue.SimpleQueue[list[tuple[str, object]]] = queue.SimpleQueue()
    settings = load_settings(home=tmp_path, lake=postgres_database)
    open_store(settings).create()
    name = postgres_database.rpartition("/")[2]
    with psycopg.connect(postgres_database, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with closing(open_store(settings)) as store:
        store.put([answer(1)], told.put)
        ((_, outcome),) = told.get()
    assert isinstance(outcome, Failure)
    assert "call store: PostgreSQL cannot be used (cannot execute" in str(outcome)


def test_no_password_is_in_a_view_a_file_or_an_error(postgres_database: str, tmp_path: Path) -> None:  # noqa: F811
    quoted = postgres_database.split(":")[2].partition("@")[0]
    lake = Lake(load_settings(home=tmp_path, lake=postgres_database))
    assert lake.query("SELECT count(*) FROM catalog.calls").rows() == [(0,)]
    with psycopg.connect(postgres_database) as other:
        views = str(other.execute("SELECT sql FROM ducklake_view").fetchall())
    kept = views + "".join(file.read_text("latin-1") for file in tmp_path.rglob("*") if file.is_file())
    wrong = open_store(load_settings(home=tmp_path, lake=postgres_database.replace(quoted, "not-the-word")))
    with pytest.raises(Failure) as failed:
        wrong.find([answer(1).call_id])
    for secret in (quoted, unquote(quoted), "not-the-word"):
        assert secret not in kept
        assert secret not in str(failed.value)
    assert "everspring.calls" in views
