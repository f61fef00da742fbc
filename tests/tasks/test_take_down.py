"""Take-down and upkeep over real runs: what is withdrawn stays away, what is merged stays signed."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from postgres import postgres_database, postgres_server  # noqa: F401 - fixtures

from catalog.calls import Call, open_store
from catalog.pins import pin
from catalog.store import TableRef
from catalog.withdrawals import Asked, reach
from infra.settings import load_settings
from tasks.provenance import trusted, verify_version
from tasks.upkeep import Plan, Step, maintain
from tasks.withdraw import take_down

BenchWith = Callable[..., Bench]
PLAN = Plan(keep_days=0, grace=0)


def seed(bench: Bench, prompt: str) -> str:
    ((found,),) = bench.ask(f"SELECT record_id FROM raw.seeds WHERE prompt = '{prompt}'")
    return found


def rows(bench: Bench, table: str = "sft.toy") -> list[str]:
    return sorted(prompt for (prompt,) in bench.ask(f"SELECT prompt FROM {table}"))


def by_name(steps: list[Step]) -> dict[str, Step]:
    return {step.step: step for step in steps}


def test_what_was_withdrawn_stays_away_and_later_runs_go_on(bench_with: BenchWith) -> None:
    bench = bench_with()
    bench.run()
    alpha = seed(bench, "alpha")
    taken = take_down(bench.lake, Asked(records=[alpha]), bench.settings, who="Ann", why="asked to", grace=0)
    assert (taken.withdrawal.versions, taken.broken) == (["raw.seeds@2", "sft.toy@2"], [])
    assert rows(bench) == ["beta", "gamma"]
    keys = trusted(bench.settings)
    for reference in ("sft.toy@1", "sft.toy@2", "raw.seeds@2"):
        assert verify_version(bench.lake, TableRef.parse(reference), keys) == []
    asked = len(bench.server.prompts)
    assert bench.run().status == "unchanged", "all that is left is there already"
    assert bench.run(reads={"seeds": "raw.seeds@1"}).status == "unchanged", "the version that it made stands"
    forced = bench.run(reads={"seeds": "raw.seeds@1"}, force=True)
    assert (forced.status, forced.rows_in) == ("published", 2), "what was withdrawn is not read from an old version"
    assert len(bench.server.prompts) == asked
    assert rows(bench) == ["beta", "gamma"]
    bench.put("delta")
    assert bench.run().kept == 1
    assert rows(bench) == ["beta", "delta", "gamma"]


def test_a_row_made_again_of_what_was_withdrawn_is_rejected_with_the_reason(bench_with: BenchWith) -> None:
    bench = bench_with()
    bench.run()
    ((row,),) = bench.ask("SELECT record_id FROM sft.toy WHERE prompt = 'alpha'")
    done = take_down(bench.lake, Asked(records=[row]), bench.settings, who="", why="bad", grace=0).withdrawal
    assert done.versions == ["sft.toy@2"]
    again = bench.run(rows=3)
    assert (again.status, again.rejected) == ("unchanged", {"duplicate": 2, "withdrawn": 1})
    assert "but for 1 that were withdrawn" in again.note
    assert rows(bench) == ["beta", "gamma"]


def test_a_promise_that_breaks_is_reported_and_keeps_nothing_in(bench_with: BenchWith) -> None:
    bench = bench_with()
    bench.run()
    taken = take_down(bench.lake, Asked(sources=["raw.seeds"]), bench.settings, who="", why="all of it", grace=0)
    assert rows(bench) == rows(bench, "raw.seeds") == []
    assert ("sft.toy@2", "rows_at_least(1)") in [(reference, check.expectation) for reference, check in taken.broken]
    found = bench.ask(
        "SELECT table_name, passed FROM catalog.checks WHERE expectation = 'rows_at_least(1)' AND version = 2"
    )
    assert sorted(found) == [("raw.seeds", False), ("sft.toy", False)]


def test_a_purge_leaves_neither_versions_nor_answers_nor_bytes(bench_with: BenchWith, tmp_path: Path) -> None:
    bench = bench_with()
    bench.put(*(f"number {count}" for count in range(20)))
    bench.run()
    bench.put("later")
    bench.run()
    pin(bench.lake, TableRef.parse("raw.seeds@2"))
    target = seed(bench, "number 7")
    taken = take_down(bench.lake, Asked(records=[target]), bench.settings, who="Ann", why="law", purge=True, grace=0)
    assert taken.purged
    assert sorted(taken.purged.versions) == ["raw.seeds@3", "sft.toy@1", "sft.toy@2"]
    assert [(str(each.version.ref), each.pinned) for each in taken.holding] == [("raw.seeds@2", True)]
    assert (taken.purged.answers, taken.purged.awaiting) == (1, 0)
    assert bench.ask("SELECT count(*) FROM catalog.calls WHERE request LIKE '%number 7\"%'") == [(0,)]
    assert not any("number 7" in str(row) for row in bench.ask("FROM sft.toy"))
    toy = Path(bench.lake.data) / "sft" / "toy"
    assert not [file for file in toy.rglob("*.parquet") if b"NUMBER 7" in file.read_bytes()]
    keys = trusted(bench.settings)
    assert verify_version(bench.lake, TableRef.parse("sft.toy"), keys) == []
    asked = len(bench.server.prompts)
    bench.put("after")
    assert (bench.run().kept, len(bench.server.prompts) - asked) == (1, 1)
    assert rows(bench).count("number 7") == 0
    assert verify_version(bench.lake, TableRef.parse("sft.toy"), keys) == []
    assert reach(bench.lake, Asked(records=[target])).rows == {}


@pytest.mark.long
def test_maintenance_merges_and_what_is_kept_verifies(bench_with: BenchWith) -> None:
    bench = bench_with()
    for turn in range(4):
        bench.put(*(f"{turn} {count}" for count in range(12)))
        bench.run()
    pin(bench.lake, TableRef.parse("sft.toy@2"))
    steps = by_name(maintain(bench.lake, bench.settings, PLAN))
    assert steps["expiry"].done == 5, "raw.seeds 1, 2, 4 (3 and 5 are read by what is kept) and sft.toy 1, 3"
    assert steps["compaction"].done > 0
    assert steps["signatures"].done == 2
    assert (steps["validation"].found, steps["validation"].bad) == (2, True), steps["validation"].note
    assert "raw.seeds" in steps["validation"].note, "the bench does not sign its seeds"
    assert steps["clean-up"].files > 0
    assert steps["clean-up"].bytes > 0
    keys = trusted(bench.settings)
    for reference in ("sft.toy@2", "sft.toy@4"):
        assert verify_version(bench.lake, TableRef.parse(reference), keys) == []
    ((count, run_ids),) = bench.ask("SELECT count(*), count(DISTINCT run_id) FROM catalog.maintenance")
    assert (count, run_ids) == (len(steps), 1)
    assert bench.ask("SELECT count(*) FROM catalog.checks WHERE expectation = 'signed'") == [(2,)]
    again = by_name(maintain(bench.lake, bench.settings, PLAN))
    assert (again["expiry"].done, again["signatures"].done) == (0, 0)
    assert again["clean-up"].files < steps["clean-up"].files, "what the first one wrote of itself is merged"


def test_a_file_that_was_changed_before_it_was_merged_is_still_found(bench_with: BenchWith) -> None:
    bench = bench_with()
    for turn in range(2):
        bench.put(*(f"{turn} {count}" for count in range(12)))
        bench.run()
    file = min((Path(bench.lake.data) / "sft" / "toy").glob("*.parquet"), key=lambda each: each.stat().st_mtime)
    data = file.read_bytes()
    at = data.index(b"RE 0 7")
    file.write_bytes(data[:at] + b"Z" + data[at + 1 :])
    steps = by_name(maintain(bench.lake, bench.settings, PLAN))
    assert steps["validation"].bad
    assert "sft.toy@2 signed: row" in steps["validation"].note


@pytest.mark.parametrize("team", [False, pytest.param(True, marks=pytest.mark.postgres)])
def test_old_answers_that_no_row_was_made_from_are_pruned(
    bench_with: BenchWith, team: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    lake = request.getfixturevalue("postgres_database") if team else ""
    bench = bench_with(lake=lake)
    bench.run()
    store = open_store(bench.settings)
    long_ago = (datetime.now(UTC) - timedelta(days=40)).strftime("%Y-%m-%d %H:%M:%S.%f")
    old = Call(call_id="a" * 32, request='{"q": 1}', response="{}", text="ß", created_at=long_ago)
    young = Call(call_id="b" * 32, request="{}", text="new")
    with closing(store):
        store.put([old, young], lambda landed: None)
    ((used,),) = bench.ask("SELECT count(*) FROM catalog.calls WHERE run_id <> ''")
    plan = Plan(answers_days=30, grace=0, validate=False)
    dry = by_name(maintain(bench.lake, bench.settings, Plan(answers_days=30, dry_run=True, validate=False)))
    assert (dry["answers"].found, dry["answers"].done) == (1, 0)
    step = by_name(maintain(bench.lake, bench.settings, plan))["answers"]
    assert (step.found, step.done, step.bytes) == (1, 1, len('{"q": 1}{}ß'.encode()))
    step = by_name(maintain(bench.lake, bench.settings, Plan(answers_days=0, grace=0, validate=False)))["answers"]
    assert step.done == 1, "the young one; those that rows were made from stay"
    assert bench.ask("SELECT count(*) FROM catalog.calls") == [(used,)]


def test_spools_of_the_dead_go(bench_with: BenchWith, tmp_path: Path) -> None:
    bench = bench_with()
    left = load_settings(home=tmp_path).folder("spool") / "99999999-toy"
    left.mkdir()
    (left / "rows.parquet").write_bytes(b"half")
    step: Any = by_name(maintain(bench.lake, bench.settings, Plan(grace=0, validate=False)))["spools"]
    assert (step.found, step.files, step.bytes, left.exists()) == (1, 1, 4, False)
