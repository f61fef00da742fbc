"""Materialize: a toy method through the real lake, gate, call store and MLflow."""

import json
from collections.abc import Callable

import pytest
from bench import TOY, Bench

from catalog.store import TableRef
from infra.errors import Failure, Refusal
from tasks.materialize import GateRefusal


def test_a_run_publishes_rows_with_figures_lineage_and_checks(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    outcome = bench.run()
    assert (outcome.status, outcome.rows_in, outcome.made, outcome.kept, outcome.version) == ("published", 3, 3, 3, 1)
    assert bench.ask("SELECT completion FROM sft.toy ORDER BY 1") == [("RE ALPHA",), ("RE BETA",), ("RE GAMMA",)]
    assert bench.ask("SELECT status, calls, reused FROM catalog.runs WHERE method = 'toy'") == [("published", 3, 0)]
    assert bench.ask("SELECT DISTINCT passed FROM catalog.checks") == [(True,)]
    assert bench.ask("SELECT operator, rows_in, rows_out, calls FROM catalog.ledger") == [("generate", 3, 3, 3)]
    assert bench.ask("SELECT parent_table FROM catalog.table_lineage") == [("raw.seeds",)]
    assert set(bench.ask("SELECT parent_table FROM catalog.lineage")) == {("raw.seeds",), (None,)}


def test_lineage_goes_through_intermediate_rows_and_calls_to_the_seed(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.run()
    walked = bench.ask(
        """
        WITH RECURSIVE up AS (
            SELECT l.* FROM catalog.lineage AS l JOIN sft.toy USING (record_id) WHERE completion = 'RE BETA'
            UNION SELECT l.* FROM catalog.lineage AS l JOIN up ON l.record_id = up.parent_id
        )
        SELECT up.kind, s.prompt, c.text FROM up
        LEFT JOIN raw.seeds AS s ON s.record_id = parent_id LEFT JOIN catalog.calls AS c ON c.call_id = parent_id
        ORDER BY ALL
        """
    )
    assert ("row", "beta", None) in walked
    assert ("call", None, "re beta") in walked
    assert len(walked) == 3  # the intermediate draft besides
    assert bench.ask("SELECT s.prompt FROM sft.toy t JOIN raw.seeds s ON t.parents[1] = s.record_id ORDER BY 1") == [
        ("alpha",),
        ("beta",),
        ("gamma",),
    ]


def test_the_same_again_publishes_and_asks_nothing_and_says_why(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.run()
    asked = len(bench.server.requests)
    outcome = bench.run()
    assert (outcome.status, outcome.version) == ("unchanged", 1)
    assert "same code, settings, models and inputs" in outcome.note
    assert len(bench.server.requests) == asked


def test_force_makes_the_rows_again_as_another_version(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.run()
    bench.put("delta")
    bench.run(reads={"seeds": "raw.seeds@2"})
    second = bench.lake.find(TableRef.parse("sft.toy@2"))
    before = sorted(bench.lake.ids(second))
    assert bench.run(force=True).version == 3
    assert bench.ask("SELECT completion FROM sft.toy ORDER BY 1")[:2] == [("RE ALPHA",), ("RE BETA",)]
    assert bench.ask("SELECT count(*) FROM sft.toy") == [(4,)]
    assert sorted(bench.lake.ids(second)) == before
    assert len(bench.server.requests) == 4


def test_force_on_a_single_version_keeps_its_rows(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.run()
    assert bench.run(force=True).version == 2
    assert bench.run(force=True, replace=True).version == 3
    assert bench.ask("SELECT count(*) FROM sft.toy") == [(3,)]
    assert len(bench.server.requests) == 3


def test_a_run_that_makes_nothing_new_changes_nothing_and_says_so(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.run()
    outcome = bench.run(TOY + "# other code, same rows\n")
    assert (outcome.status, outcome.version) == ("unchanged", None)
    assert outcome.note == "all 3 rows that were made are in the table already"
    assert bench.lake.latest("sft.toy").ref.version == 1  # type: ignore[union-attr]


def test_new_input_rows_are_added_and_only_they_are_asked_about(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.run()
    bench.put("delta")
    outcome = bench.run()
    assert (outcome.kept, outcome.rejected, outcome.version) == (1, {"duplicate": 3}, 2)
    assert len(bench.server.requests) == 4


def test_another_seed_is_another_fingerprint(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: f"{prompt} {body.get('seed')}")
    bench.run()
    assert bench.run(settings={"seed": "7"}).version == 2


def test_a_broken_expectation_publishes_nothing_and_says_where_to_look(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: "the same" if body["messages"][0]["content"].startswith("x") else prompt)
    bench.run()
    with pytest.raises(GateRefusal) as refused:
        bench.run(settings={"prefix": "x "})
    message = str(refused.value)
    assert "sft.toy@2: 1 of 18 expectations is broken (unique(completion): 3 of 6 rows)" in message
    assert "sft.toy still shows version 1" in message
    assert "quarantine.sft__toy" in message
    assert bench.ask("SELECT max(version) FROM catalog.versions WHERE table_name = 'sft.toy'") == [(1,)]
    assert bench.ask("SELECT count(*) FROM sft.toy") == [(3,)]
    assert bench.ask("SELECT count(*) FROM quarantine.sft__toy") == [(3,)]
    assert bench.ask("SELECT count(*) FROM catalog.checks WHERE NOT passed AND len(examples) = 3") == [(1,)]


def test_rows_that_a_model_fails_on_are_recorded_and_the_others_published(bench_with: Callable[..., Bench]) -> None:
    from scripted import Reply

    bench = bench_with(lambda prompt, body: Reply(status=400, content="no") if prompt == "beta" else prompt)
    outcome = bench.run()
    assert (outcome.kept, outcome.dropped) == (2, {"generate": 1})
    ((screen, reason, content),) = bench.ask("SELECT screen, reason, content FROM catalog.rejected")
    assert screen == "generate"
    assert "400" in reason
    assert json.loads(content) == {"prompt": "beta"}


def test_partitions_make_the_same_rows_as_one_piece(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(partition=1)
    outcome = bench.run()
    assert (outcome.rows_in, outcome.kept) == (3, 3)
    assert bench.ask("SELECT completion FROM sft.toy ORDER BY 1") == [("RE ALPHA",), ("RE BETA",), ("RE GAMMA",)]


def test_a_method_that_breaks_off_is_recorded_as_failed(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    with pytest.raises(Failure, match=r"sft\.toy: the method broke off \(ZeroDivisionError"):
        bench.run(TOY.replace("    drafts = [", "    1 / 0\n    drafts = ["))
    assert bench.ask("SELECT status FROM catalog.runs WHERE method = 'toy'") == [("failed",)]


def test_an_input_that_is_nowhere_says_how_to_make_it(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    with pytest.raises(Refusal, match=r"its input seeds is nowhere \(looked for raw\.other"):
        bench.run(TOY.replace("raw.seeds", "raw.other"))


def test_a_named_version_of_another_table_can_be_read(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.put("delta")
    assert bench.run(reads={"seeds": "raw.seeds@1"}).rows_in == 3


def test_rows_bounds_the_inputs(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    assert bench.run(rows=2).rows_in == 2


def test_every_run_is_an_mlflow_run_with_params_metrics_tags_and_inputs(bench_with: Callable[..., Bench]) -> None:
    from mlflow.tracking import MlflowClient

    bench = bench_with()
    outcome = bench.run()
    run = MlflowClient(bench.settings.tracking_uri).get_run(outcome.mlflow_run)
    version = bench.lake.find(TableRef.parse("sft.toy@1"))
    assert run.info.status == "FINISHED"
    assert run.data.params == {"prefix": "", "seed": "0", "inputs": "raw.seeds@1", "models": "generator=scripted"}
    assert run.data.metrics["kept"] == 3
    assert run.data.metrics["yield"] == 1
    assert 0 < run.data.metrics["distinct_1"] <= 1
    assert run.data.tags["everspring.snapshot"] == str(version.snapshot)
    assert run.data.tags["everspring.fingerprint"] == version.fingerprint
    assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["raw.seeds"]
