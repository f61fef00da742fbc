"""Marts over what runs leave: which model answered, what was repeated, what was made from what."""

from typing import Any

from bench import TOY


def test_models_are_compared_on_the_prompts_that_both_answered(bench_with: Any) -> None:
    bench = bench_with()
    bench.run(TOY.replace("drafts = [", "return ["))  # rows are what the model answered, not made of it
    assert bench.ask("FROM marts.model_comparison") == [], "there is one model only"
    with bench.lake.write("another model has answered two of the three") as connection:
        connection.execute(
            "INSERT INTO lake.catalog.lineage SELECT * REPLACE ('other' AS model) FROM lake.catalog.lineage "
            "WHERE kind = 'call' ORDER BY record_id LIMIT 2"
        )
    found = bench.ask("SELECT model, prompts, rows, answers_in_common FROM marts.model_comparison")
    assert found == [("other", 2, 2, 1.0), ("scripted", 2, 2, 1.0)]


def test_a_row_that_repeats_another_stands_beside_the_one_that_stays(bench_with: Any) -> None:
    bench = bench_with(lambda prompt, body: "the same answer to all")
    bench.run(TOY.replace("prompt=draft.prompt", 'prompt="the same question"'))
    found = bench.ask("SELECT kind, content, kept_id FROM marts.duplicates")
    kept = {record_id for (record_id,) in bench.ask("SELECT record_id FROM sft.toy")}
    assert len(found) == 2
    assert {kept_id for *_, kept_id in found} <= kept
    assert all("THE SAME ANSWER" in content for _, content, _ in found)


def test_the_edges_between_rows_name_the_model_and_those_between_tables_the_method(bench_with: Any) -> None:
    bench = bench_with()
    bench.run()
    calls = bench.ask("SELECT DISTINCT kind, model, to_table FROM marts.row_lineage WHERE kind = 'call'")
    assert calls == [("call", "scripted", "sft.toy")]
    assert bench.ask("SELECT from_table, to_table, to_version, method, added FROM marts.table_lineage") == [
        ("raw.seeds", "sft.toy", 1, "toy", 3)
    ]
