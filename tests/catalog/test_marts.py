"""Marts: what analysts ask, on rows that are counted by hand."""

from pathlib import Path
from typing import Any

import pytest
from lakes import put_rows

from catalog.lineage import trace
from catalog.marts import load_marts
from catalog.publish import Findings
from catalog.records import Dialogue, Document, Preference, Prompt, PromptCompletion
from catalog.store import Lake
from infra.settings import load_settings

SEED, OTHER = Document(text="Rain falls."), Document(text="Snow melts.")
RAW = {SEED.record_id: "raw.texts", OTHER.record_id: "raw.texts"}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(load_settings(home=tmp_path / "home"))


def ask(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    return lake.query(sql).rows()


@pytest.mark.parametrize("name", load_marts())
def test_every_column_is_explained_and_there(lake: Lake, name: str) -> None:
    mart = load_marts()[name]
    put_rows(lake, lake.catalogue.parent, PromptCompletion(prompt="a", completion="b"))
    assert lake.query(f"FROM marts.{name}").columns == list(mart.columns)
    assert ask(lake, f"SELECT name, comment FROM marts.columns WHERE mart = '{name}'") == list(mart.columns.items())
    assert ask(lake, f"SELECT comment FROM duckdb_views() WHERE schema_name = 'marts' AND view_name = '{name}'") == [
        (mart.comment,)
    ]
    assert all(mart.columns.values())


def test_rows_to_fine_tune_on_come_in_one_shape_from_every_stage(lake: Lake, tmp_path: Path) -> None:
    turns = ("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "Ciao")
    talk = Dialogue(messages=tuple({"role": role, "content": text} for role, text in turns))
    put_rows(lake, tmp_path, PromptCompletion(prompt="What?", completion="That."), table="sft.pairs")
    put_rows(lake, tmp_path, PromptCompletion(prompt="Why?", completion="So."), table="sft.pairs")
    put_rows(lake, tmp_path, talk, table="applications.talks")
    put_rows(lake, tmp_path, PromptCompletion(prompt="a seed", completion="is none"), table="raw.pairs")
    assert ask(lake, "SELECT table_name, version, prompt, completion, turns FROM marts.sft ORDER BY ALL") == [
        ("applications.talks", 1, "Hi", "Ciao", 5),
        ("sft.pairs", 1, "What?", "That.", 2),
        ("sft.pairs", 2, "Why?", "So.", 2),
    ]
    ((messages,),) = ask(lake, "SELECT messages FROM marts.sft WHERE prompt = 'Why?'")
    assert messages == [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]


def test_preferences_of_all_tables_come_together(lake: Lake, tmp_path: Path) -> None:
    put_rows(lake, tmp_path, Preference(prompt="p", chosen="longer", rejected="short"), table="alignment.one")
    put_rows(lake, tmp_path, Preference(prompt="q", chosen="no", rejected="never"), table="alignment.two")
    assert ask(lake, "SELECT table_name, version, prompt, length_gap FROM marts.preferences ORDER BY ALL") == [
        ("alignment.one", 1, "p", 1),
        ("alignment.two", 1, "q", -3),
    ]


def test_a_seed_is_followed_over_generations_and_intermediate_rows_do_not_count(lake: Lake, tmp_path: Path) -> None:
    put_rows(lake, tmp_path, SEED, OTHER, table="raw.texts")
    draft = Prompt(prompt="a draft", origin=(SEED,))
    first, second = Prompt(prompt="first", origin=(draft,)), Prompt(prompt="second", origin=(SEED, OTHER))
    put_rows(lake, tmp_path, first, second, table="sft.one", held=RAW)
    third = Prompt(prompt="third", origin=(first, second))
    put_rows(lake, tmp_path, third, table="sft.two", held={first.record_id: "sft.one", second.record_id: "sft.one"})
    assert ask(lake, "SELECT seed_table, seed_id, rows, tables, generations FROM marts.seeds") == [
        ("raw.texts", SEED.record_id, 3, 2, 3),
        ("raw.texts", OTHER.record_id, 2, 2, 2),
    ]


def test_reasons_that_differ_in_figures_only_are_one_with_examples(lake: Lake, tmp_path: Path) -> None:
    rejected = [
        (Prompt(prompt=f"row {number}"), "length", f"is {number} words long, 8 are wanted", "") for number in range(5)
    ]
    last = (Prompt(prompt="spam"), "language", "is not English", "py3langid: 0.99")
    put_rows(lake, tmp_path, Prompt(prompt="good"), rejected=[*rejected, last])
    (length, language) = ask(lake, "SELECT screen, rows, examples, evidence FROM marts.rejections")
    assert length[:2] == ("length", 5)
    assert len(length[2]) == 3
    assert set(length[2]) < {f'{{"prompt": "row {number}"}}' for number in range(5)}
    assert language == ("language", 1, ['{"prompt": "spam"}'], "py3langid: 0.99")


def test_a_figure_is_shown_with_how_it_changed(lake: Lake, tmp_path: Path) -> None:
    for value in (0.5, 0.75):
        figure = {"axis": "diversity", "metric": "distinct_2", "value": value, "n": 10, "method": "x", "low": 0.6}
        put_rows(lake, tmp_path, Prompt(prompt=f"{value}"), findings=Findings(metrics=[figure]))
    assert ask(lake, "SELECT version, value, before, change, passed FROM marts.quality_trend ORDER BY version") == [
        (1, 0.5, None, None, False),
        (2, 0.75, 0.5, 0.25, True),
    ]


def test_yield_and_cost_are_summed_by_method_models_and_day(lake: Lake, tmp_path: Path) -> None:
    for made in (2, 6):
        figures = {"made": made, "dropped": 0, "models": ["generator=tiny"], "cost": 0.5, "calls": made}
        put_rows(lake, tmp_path, Prompt(prompt=f"{made}"), Prompt(prompt=f"{made} more"), **figures)
    assert ask(lake, "SELECT method, models, runs, made, kept, yield, cost, cost_a_row FROM marts.yields") == [
        ("demo", "generator=tiny", 2, 8, 4, 0.5, 1.0, 0.25)
    ]


def test_a_lake_without_them_or_with_those_of_an_earlier_day_gets_them(lake: Lake, tmp_path: Path) -> None:
    put_rows(lake, tmp_path, PromptCompletion(prompt="a", completion="b"))
    with lake.write("an earlier day") as connection:
        connection.execute("DROP VIEW lake.marts.sft")
        connection.execute("COMMENT ON VIEW lake.marts.columns IS 'of an earlier day'")
    assert len(ask(Lake(load_settings(home=tmp_path / "home")), "FROM marts.sft")) == 1


def test_a_row_s_way_up_and_down_is_found_where_paths_meet_again(lake: Lake, tmp_path: Path) -> None:
    put_rows(lake, tmp_path, SEED, table="raw.texts")
    left, right = Prompt(prompt="left", origin=(SEED,)), Prompt(prompt="right", origin=(SEED,))
    put_rows(lake, tmp_path, left, right, table="sft.one", held=RAW)
    below = Prompt(prompt="below", origin=(left, right))
    put_rows(lake, tmp_path, below, table="sft.two", held={left.record_id: "sft.one", right.record_id: "sft.one"})
    assert set(trace(lake, below.record_id, "up").nodes) == {r.record_id for r in (below, left, right, SEED)}
    down = trace(lake, SEED.record_id[:8], "down")
    assert {node.table for node in down.nodes.values()} == {"raw.texts", "sft.one", "sft.two"}
    assert len(down.next[SEED.record_id]) == 2
