"""Withdrawals: exactly what came of a record, wherever it is, and nothing of it afterwards."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.calls import Call, open_store
from catalog.pins import pin
from catalog.publish import Findings, Run, publish, quarantine, record
from catalog.records import Prompt, digest
from catalog.reviews import Review, reviews
from catalog.spool import Spool
from catalog.store import Lake, TableRef, Version
from catalog.withdrawals import Asked, reach, still_holding, withdraw, withdrawals, withdrawn_among
from infra.errors import Failure, Refusal
from infra.settings import load_settings

Put = Callable[..., Version]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(load_settings(home=tmp_path))


@pytest.fixture
def put(lake: Lake, tmp_path: Path) -> Put:
    """Publish rows, each of which was made from the ids that come with it; those of calls begin with `call`."""
    count = 0

    def published(
        rows: dict[Prompt, list[str]], table: str = "sft.demo", sources: tuple[dict[str, str], ...] = (), **how: Any
    ) -> Version:
        nonlocal count
        count += 1
        stage, _, name = table.partition(".")
        run = Run(run_id=f"run-{count}", stage=stage, method=name, table_name=table, fingerprint=f"f{count}")
        extra = {name: "VARCHAR" for each in sources for name in ("licence", "imported_from")}
        columns = {key: [each[key] for each in sources] for key in extra}
        with Spool(tmp_path / "spool" / run.run_id, Prompt, extra) as spool:
            spool.add_rows(list(rows), {}, **columns)
            spool.add_edges([edge(row.record_id, parent) for row, parents in rows.items() for parent in parents])
            listed = [{"source": each["imported_from"], "licence": each["licence"], "origin": "x"} for each in sources]
            return publish(lake, run, spool, Findings(sources=listed), shape=Prompt, extra=extra, **how)

    return published


def edge(child: str, parent: str) -> dict[str, Any]:
    kind = "call" if parent.startswith("call") else "row"
    return {"record_id": child, "kind": kind, "parent_id": parent, "parent_table": None}


def ids(lake: Lake, table: str) -> set[str]:
    return set(lake.ids(lake.find(TableRef.parse(table))))


def prompts(*names: str) -> list[Prompt]:
    return [Prompt(prompt=name) for name in names]


def offspring(edges: set[tuple[str, str]], start: set[str]) -> set[str]:
    """What came of rows, by the definition: again and again all that was made of what was found."""
    found = set(start)
    while new := {child for child, parent in edges if parent in found} - found:
        found |= new
    return found


def test_any_lineage_is_followed_exactly(lake: Lake, put: Put) -> None:
    draw = random.Random(11)
    known: list[str] = []
    edges: set[tuple[str, str]] = set()
    tables = ("raw.seeds", "sft.demo", "sft.other", "alignment.last", "sft.demo", "sft.other")
    for turn, table in enumerate(tables):
        rows: dict[Prompt, list[str]] = {}
        for number in range(15):
            row, draft = Prompt(prompt=f"{turn} {number}"), digest([turn, number])
            above = draw.sample(known, min(len(known), draw.choice((0, 1, 1, 2, 3))))
            rows[row] = [draft] if above and draw.random() < 0.5 else above
            edges |= {(row.record_id, parent) for parent in rows[row]}
            if rows[row] == [draft]:
                rows[Prompt(record_id=draft, prompt="kept on the way")] = above
                edges |= {(draft, parent) for parent in above}
        put(rows, table, replace=table == "sft.other" and turn > 3)
        known += [row.record_id for row in rows]
    there = {table: ids(lake, table) for table in set(tables)}
    for start in [*draw.sample(known, 4), known[0]]:
        found = reach(lake, Asked(records=[start]))
        expected = offspring(edges, {start})
        assert found.ids == expected
        wanted = {table: expected & its for table, its in there.items() if expected & its}
        assert {table: set(its) for table, its in found.rows.items()} == wanted
        for holding in found.holding:
            assert holding.rows == len(expected & set(lake.ids(holding.version)))
        held = {str(each.version.ref) for each in found.holding}
        assert all(not expected & set(lake.ids(each)) for each in lake.versions() if str(each.ref) not in held)


def test_afterwards_no_last_version_has_one_and_earlier_ones_are_reported(lake: Lake, put: Put) -> None:
    one, two, three = prompts("one", "two", "three")
    put({one: [], two: []}, "raw.seeds")
    made = {Prompt(prompt=f"of {row.prompt}"): [row.record_id] for row in (one, two)}
    put(made)
    put({Prompt(prompt="later"): [three.record_id]})
    pin(lake, TableRef.parse("sft.demo@2"))
    done = withdraw(lake, Asked(records=[one.record_id[:10]]), who="Ann", why="asked to")
    assert (done.rows, done.tables, done.versions) == (2, ["raw.seeds", "sft.demo"], ["raw.seeds@2", "sft.demo@3"])
    assert done.held_by == ["raw.seeds@1", "sft.demo@1", "sft.demo@2"]
    assert ids(lake, "raw.seeds") == {two.record_id}
    assert len(ids(lake, "sft.demo")) == 2
    assert len(ids(lake, "sft.demo@2")) == 3
    holding = still_holding(lake, done.withdrawal_id)
    assert [(str(each.version.ref), each.rows, each.pinned) for each in holding] == [
        ("raw.seeds@1", 1, False),
        ("sft.demo@1", 1, False),
        ("sft.demo@2", 1, True),
    ]
    (kept,) = withdrawals(lake)
    assert (kept.who, kept.why, kept.rows, kept.asked.records) == ("Ann", "asked to", 2, [one.record_id[:10]])
    latest = lake.find(TableRef.parse("sft.demo"))
    assert (latest.mode, latest.rows, latest.added) == ("withdraw", 2, 0)
    put({Prompt(prompt="more"): [two.record_id]})
    assert len(ids(lake, "sft.demo@4")) == 3
    assert len(still_holding(lake, done.withdrawal_id)) == 3
    with pytest.raises(Refusal, match="no table has a row of record"):
        withdraw(lake, Asked(records=[one.record_id]), who="", why="")


def test_a_run_that_read_withdrawn_rows_before_publishes_nothing(lake: Lake, put: Put) -> None:
    (one,) = prompts("one")
    put({one: []}, "raw.seeds")
    withdraw(lake, Asked(records=[one.record_id]), who="", why="")
    with pytest.raises(Failure, match="were withdrawn meanwhile"):
        put({Prompt(prompt="late"): [one.record_id]})
    with pytest.raises(Failure, match="were withdrawn meanwhile"):
        put({one: []}, "raw.seeds")
    assert withdrawn_among(lake, [one.record_id, "x"]).keys() == {one.record_id}
    assert lake.latest("sft.demo") is None


def test_a_source_a_licence_and_a_raw_table_are_withdrawn_row_by_row(lake: Lake, put: Put) -> None:
    a, b, c, d = prompts("a", "b", "c", "d")
    of = [{"licence": "CC0", "imported_from": "wiki"}, {"licence": "GPL", "imported_from": "code"}]
    put({a: [], b: []}, "raw.texts", tuple(of))
    put({c: []}, "raw.texts", (of[1],))
    put({d: []}, "raw.other")
    put({Prompt(prompt="of all"): [a.record_id, b.record_id]})
    all_of_b = {b.record_id, Prompt(prompt="of all").record_id}
    assert reach(lake, Asked(sources=["code"])).ids == all_of_b | {c.record_id}
    assert reach(lake, Asked(licences=["GPL"])).ids == all_of_b | {c.record_id}
    assert reach(lake, Asked(sources=["wiki"])).rows.keys() == {"raw.texts", "sft.demo"}
    assert reach(lake, Asked(sources=["raw.other"])).ids == {d.record_id}
    assert len(reach(lake, Asked(sources=["wiki", "raw.other"], licences=["GPL"])).ids) == 5


def test_a_model_is_withdrawn_through_its_calls_and_shared_answers_stay(lake: Lake, put: Put, tmp_path: Path) -> None:
    store = open_store(load_settings(home=tmp_path))
    calls = [Call(call_id=f"call{n}", model="bad" if n < 2 else "good", request="{}", text="x") for n in range(3)]
    store.put(calls, lambda landed: None)
    store.close()
    one, two, three = prompts("one", "two", "three")
    put({one: ["call0", "call1"], two: ["call2"], three: [one.record_id, "call2"]})
    found = reach(lake, Asked(models=["bad"]))
    assert found.ids == {one.record_id, three.record_id, "call0", "call1"}
    assert (found.answers, found.shared) == (["call0", "call1"], 1)
    assert json.loads(found.to_json())["rows"] == {"sft.demo": sorted([one.record_id, three.record_id])}


def test_quarantine_reviews_and_rejected_rows_lose_it_too(lake: Lake, put: Put, tmp_path: Path) -> None:
    one, two = prompts("one", "two")
    put({one: [], two: []}, "raw.seeds")
    run = Run(run_id="bad", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(tmp_path / "spool" / "bad", Prompt) as spool:
        rows = prompts("of one", "of two")
        spool.add_rows(rows, {row.record_id: [of.record_id] for row, of in zip(rows, (one, two), strict=True)})
        quarantine(lake, run, spool, Findings(), shape=Prompt)
    run = Run(run_id="asks", stage="sft", method="demo", table_name="sft.demo", fingerprint="f")
    with Spool(tmp_path / "spool" / "asks", Prompt) as spool:
        asked = [Review(row, "prompt", "What?", row.prompt) for row in prompts("ask one", "ask two")]
        above = {each.row.record_id: [of.record_id] for each, of in zip(asked, (one, two), strict=True)}
        spool.add_reviews(asked, [edge(child, parent) for child, (parent,) in above.items()], above)
        spool.add_rejected([(Prompt(prompt="secret", parents=(one.record_id,)), "pii", "has a name", "one")])
        record(lake, run, spool, Findings(), "unchanged")
    found = reach(lake, Asked(records=[one.record_id]))
    assert {table: len(its) for table, its in found.aside.items()} == {
        "quarantine.sft__demo": 1,
        "catalog.reviews": 1,
        "catalog.rejected": 1,
    }
    withdraw(lake, Asked(records=[one.record_id]), who="", why="")
    assert lake.query("SELECT prompt FROM quarantine.sft__demo").rows() == [("of two",)]
    assert [each.text for each in reviews(lake)] == ["ask two"]
    told = lake.query("SELECT screen, reason, evidence, content FROM catalog.rejected").rows()
    assert told == [("pii", "has a name", "withdrawn", None)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked(records=["0" * 32]), "no table has it"),
        (Asked(records=["abcdef01"]), "no table has it"),
        (Asked(records=["abc"]), "6 to 32 hex digits are wanted"),
        (Asked(records=["'; DROP TABLE x"]), "hex digits are wanted"),
        (Asked(sources=["wki"]), "source 'wki': unknown; did you mean: wiki"),
        (Asked(licences=["GPL'"]), 'licence "GPL\'": unknown'),
        (Asked(models=["gpt"]), "model 'gpt': unknown; there are: none exist"),
    ],
)
def test_what_is_not_there_is_refused(lake: Lake, put: Put, asked: Asked, message: str) -> None:
    put({Prompt(prompt="a"): []}, "raw.texts", ({"licence": "CC0", "imported_from": "wiki"},))
    with pytest.raises(Refusal, match=message):
        reach(lake, asked)
