"""The call store itself: what stands after calls were put, in SQLite and in a real PostgreSQL alike."""

import queue
import resource
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures

from catalog.calls import Call, CallStore, Known, calls_path, open_store
from catalog.store import Lake
from infra.errors import Failure, Refusal
from infra.settings import Settings, load_settings

ANSWER = Call(
    call_id="a" * 32,
    run_id="run-1",
    method="sft.some",
    role="judge",
    endpoint="http://h/v1",
    model="m",
    request='{"q":1}',
    response='{"r":1}',
    text="four",
    finish_reason="stop",
    prompt_tokens=10,
    completion_tokens=5,
    cached_tokens=2,
    cost=0.5,
    prices="2026-11",
    latency=1.5,
    tries=2,
    attempt=1,
    batch="batch-7",
    created_at="2026-11-21 10:00:00.000001",
)
TOLD = Known("four", "stop", 10, 5, 0.5, reused=False, response='{"r":1}')
FAILURE = replace(ANSWER, response=None, text=None, finish_reason=None, completion_tokens=None, error="HTTP 500: no")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    lake = "" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    return load_settings(home=tmp_path, lake=lake)


@pytest.fixture
def store(settings: Settings) -> Iterator[CallStore]:
    with closing(open_store(settings)) as opened:
        yield opened


def put(store: CallStore, *calls: Call) -> list[Any]:
    """What `landed` is told of each call of one put."""
    told: queue.SimpleQueue[Sequence[tuple[str, Any]]] = queue.SimpleQueue()
    store.put(calls, told.put)
    landed = told.get(timeout=60)
    assert [call_id for call_id, _ in landed] == [call.call_id for call in calls]
    return [outcome for _, outcome in landed]


def test_an_answer_is_told_and_found(store: CallStore) -> None:
    assert put(store, ANSWER) == [TOLD]
    assert store.find([ANSWER.call_id, "b" * 32]) == {ANSWER.call_id: Known("four", "stop", 10, 5, 0.5, reused=True)}


def test_the_response_comes_where_it_is_asked_for(store: CallStore) -> None:
    put(store, ANSWER)
    assert store.find([ANSWER.call_id], responses=True)[ANSWER.call_id].response == '{"r":1}'


def test_every_column_is_kept(store: CallStore) -> None:
    put(store, ANSWER)
    assert store.rows([ANSWER.call_id]) == [ANSWER]


def test_a_failure_stands_and_is_no_answer(store: CallStore) -> None:
    assert put(store, FAILURE) == [None]
    assert store.find([FAILURE.call_id]) == {}
    assert store.rows([FAILURE.call_id])[0].error == "HTTP 500: no"


def test_a_failure_gives_way_to_an_answer_and_what_both_used_adds_up(store: CallStore) -> None:
    put(store, FAILURE)
    assert put(store, ANSWER) == [TOLD]
    (row,) = store.rows([ANSWER.call_id])
    assert (row.text, row.error, row.cost, row.tries) == ("four", None, 1.0, 4)
    assert (row.prompt_tokens, row.completion_tokens, row.cached_tokens) == (20, 5, 4)


def test_a_failure_gives_way_to_a_newer_failure(store: CallStore) -> None:
    put(store, FAILURE)
    put(store, replace(FAILURE, error="HTTP 503: later"))
    assert [(row.error, row.tries) for row in store.rows([FAILURE.call_id])] == [("HTTP 503: later", 4)]


@pytest.mark.parametrize("later", [replace(ANSWER, text="five"), FAILURE], ids=["answer", "failure"])
def test_an_answer_stands_for_ever_and_whoever_comes_later_is_told_it(store: CallStore, later: Call) -> None:
    put(store, ANSWER)
    (told,) = put(store, later)
    assert (told.text, told.reused) == ("four", True)
    assert [(row.text, row.cost, row.tries) for row in store.rows([ANSWER.call_id])] == [("four", 1.0, 4)]


@pytest.mark.parametrize("calls", [(FAILURE, ANSWER), (ANSWER, FAILURE)], ids=["failure first", "answer first"])
def test_a_call_that_comes_twice_in_one_put_stands_once(store: CallStore, calls: tuple[Call, Call]) -> None:
    assert {known.text for known in put(store, *calls)} == {"four"}
    assert [(row.text, row.cost) for row in store.rows([ANSWER.call_id])] == [("four", 1.0)]


def test_what_is_not_known_stays_unknown(store: CallStore) -> None:
    unknown = replace(FAILURE, cost=None, prompt_tokens=None)
    put(store, unknown)
    put(store, unknown)
    assert [(row.cost, row.prompt_tokens) for row in store.rows([FAILURE.call_id])] == [(None, None)]


def test_all_calls_of_one_put_are_told_at_once(store: CallStore) -> None:
    calls = [replace(ANSWER, call_id=f"{number:032x}") for number in range(3000)]
    assert put(store, *calls) == [TOLD] * 3000
    assert len(store.find([call.call_id for call in calls])) == 3000


def test_whatever_a_model_writes_is_kept_and_read_as_it_was_told(store: CallStore) -> None:
    odd = replace(ANSWER, text="nul \0, half a surrogate \ud800, 𝔘 and \\N", error="\0")
    other = replace(ANSWER, call_id="b" * 32)
    first, second = put(store, odd, other)
    assert first.text.endswith("𝔘 and \\N")
    assert second.text == "four"
    assert store.find([odd.call_id])[odd.call_id].text == first.text


def test_one_who_asked_and_is_gone_does_not_stop_the_others(
    store: CallStore, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(_: object) -> None:
        raise RuntimeError("the loop is closed")

    store.put([FAILURE], gone)
    assert put(store, ANSWER)[0].text == "four"
    assert "the loop is closed" in capsys.readouterr().err


def test_what_was_put_before_closing_is_there_afterwards(settings: Settings) -> None:
    with closing(open_store(settings)) as first:
        first.put([ANSWER], lambda landed: None)
    with closing(open_store(settings)) as second:
        assert second.find([ANSWER.call_id])[ANSWER.call_id].text == "four"


def test_what_is_put_after_closing_is_written_too(settings: Settings) -> None:
    with closing(open_store(settings)) as store:
        put(store, FAILURE)
        store.close()
        assert put(store, ANSWER) == [TOLD]


def test_hashes_keep_the_figures_and_no_text(settings: Settings) -> None:
    with closing(open_store(settings.model_copy(update={"calls": "hashes"}))) as store:
        assert put(store, ANSWER)[0].text == "four"
        (row,) = store.rows([ANSWER.call_id])
        assert store.find([ANSWER.call_id]) == {}
    assert row.text == "sha256:04efaf080f5a3e74e1c29d1ca6a48569382cbbcd324e8d59d2b83ef21c039f00"
    assert row.request.startswith("sha256:")
    assert str(row.response).startswith("sha256:")
    assert (row.cost, row.latency, row.error) == (0.5, 1.5, None)


def test_an_answer_of_which_a_hash_is_kept_is_asked_again_and_both_are_paid_for(settings: Settings) -> None:
    with closing(open_store(settings.model_copy(update={"calls": "hashes"}))) as store:
        put(store, ANSWER)
    with closing(open_store(settings)) as store:
        assert put(store, FAILURE) == [None]
        assert put(store, replace(ANSWER, text="five"))[0].text == "five"
        assert [(row.text, row.cost) for row in store.rows([ANSWER.call_id])] == [("five", 1.5)]
        assert store.find([ANSWER.call_id])[ANSWER.call_id].text == "five"


def test_calls_can_be_asked_about_in_sql(settings: Settings, store: CallStore) -> None:
    put(store, ANSWER, replace(FAILURE, call_id="b" * 32, method=""))
    lake = Lake(settings)
    with lake.answer("SELECT * FROM catalog.calls ORDER BY call_id") as found:
        names = [column[0] for column in found.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert names == [
        *("call_id", "stage", "method", "run_id", "role", "kind", "endpoint", "model"),
        *("prompt_tokens", "completion_tokens", "cached_tokens", "cost", "prices", "latency", "tries", "attempt"),
        *("batch", "error", "finish_reason", "created_at", "request", "response", "text"),
    ]
    assert [(row["stage"], row["method"], row["text"]) for row in rows] == [("sft", "sft.some", "four"), ("", "", None)]
    assert str(rows[0]["created_at"]) == "2026-11-21 10:00:00.000001"
    assert rows[0]["cost"] == 0.5
    assert lake.calls([ANSWER.call_id]) == [ANSWER]


@pytest.mark.parametrize("count", [1, 16_383, 16_384, 65_535, 65_536, 150_000])
def test_every_call_is_read_once_however_many_there_are(tmp_path: Path, count: int) -> None:
    with closing(sqlite_store(tmp_path)) as store:
        put(store, *(replace(ANSWER, call_id=f"{number:032x}") for number in range(count)))
    with Lake(load_settings(home=tmp_path)).answer(
        "SELECT count(*), count(DISTINCT call_id), count(text), sum(tries) FROM catalog.calls"
    ) as found:
        assert found.fetchall() == [(count, count, count, 2 * count)]


def test_a_file_without_the_shares_gets_them(tmp_path: Path) -> None:
    with closing(sqlite_store(tmp_path)) as store:
        put(store, ANSWER)
    with closing(sqlite3.connect(tmp_path / "calls.sqlite")) as connection:
        connection.execute("DROP VIEW calls_3")
    lake = Lake(load_settings(home=tmp_path))
    assert lake.calls([ANSWER.call_id]) == [ANSWER]
    with lake.answer("SELECT count(*) FROM catalog.calls") as found:
        assert found.fetchall() == [(1,)]


# ── a file that cannot be used ──


def sqlite_store(home: Path) -> CallStore:
    return open_store(load_settings(home=home))


def test_a_file_that_is_no_database_fails_everyone_who_waits(tmp_path: Path) -> None:
    (tmp_path / "calls.sqlite").write_bytes(b"no database at all" * 100)
    with closing(sqlite_store(tmp_path)) as store:
        outcomes = put(store, ANSWER, replace(ANSWER, call_id="b" * 32))
        with pytest.raises(Failure, match=r"calls\.sqlite cannot be used \(file is not a database\)"):
            store.find([ANSWER.call_id])
    assert [type(outcome) for outcome in outcomes] == [Failure, Failure]


def test_a_file_of_an_earlier_layout_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "calls.sqlite")) as connection:
        connection.execute("CREATE TABLE calls (call_id TEXT PRIMARY KEY)")
    with closing(sqlite_store(tmp_path)) as store, pytest.raises(Failure, match=r"earlier version of Everspring.*move"):
        store.find([ANSWER.call_id])


def test_a_full_disk_fails_the_call_and_the_next_one_goes_on(tmp_path: Path) -> None:
    with closing(sqlite_store(tmp_path)) as store:
        put(store, ANSWER)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
        try:
            (outcome,) = put(store, replace(ANSWER, call_id="b" * 32, text="x" * 2**22))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert isinstance(outcome, Failure)
        assert "calls.sqlite cannot be used" in str(outcome)
        assert put(store, replace(ANSWER, call_id="b" * 32))[0].text == "four"


def test_a_lake_that_is_no_postgresql_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no postgresql:// address"):
        open_store(load_settings(home=tmp_path, lake="mysql://host/db"))


def test_the_file_has_its_name_in_the_home_folder(tmp_path: Path) -> None:
    assert calls_path(load_settings(home=tmp_path)) == tmp_path / "calls.sqlite"
