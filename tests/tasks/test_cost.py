"""What a run cost: counted once, by who paid, and never a nothing where it is not known."""

from collections.abc import Callable

import pytest
from bench import TOY, Bench
from scripted import Reply

from flows.progress import _Doing
from tasks.ledger import Asked, Ledger, Purse, dollars

PRICES = {"scripted": {"input": 1_000_000, "output": 2_000_000}}
RUNS = "SELECT cost, unpriced, unmetered, failed FROM catalog.runs WHERE method = 'toy' ORDER BY started_at"


def test_a_run_its_steps_and_its_calls_cost_the_same(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: f"re {prompt}", prices=PRICES)
    outcome = bench.run()
    assert outcome.cost == 3 * (1 + 2 * 2)
    assert bench.ask(RUNS) == [(15.0, 0, 0, 0)]
    assert bench.ask("SELECT operator, cost, unpriced FROM catalog.ledger") == [("generate", 15.0, 0)]
    assert bench.ask("SELECT sum(cost) FROM catalog.calls WHERE method = 'sft.toy'") == [(15.0,)]


def test_an_answer_that_was_there_already_costs_nothing_again(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(prices=PRICES)
    bench.run()
    bench.put("delta")
    bench.run()
    assert [cost for cost, *_ in bench.ask(RUNS)] == [15.0, 5.0]
    assert bench.ask("SELECT sum(cost) FROM catalog.calls") == [(20.0,)]


def test_a_run_that_was_killed_and_its_successor_pay_each_their_own(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(prices=PRICES, partition=1)
    kill = bench.home / "kill"
    broken = f'    if __import__("os").path.exists("{kill}") and len(prefix) == 0:\n        raise KeyboardInterrupt\n'
    source = TOY.replace("    return [\n", f"{broken}    return [\n", 1)
    kill.touch()
    with pytest.raises(KeyboardInterrupt):
        bench.run(source)
    kill.unlink()
    bench.run(source)
    assert bench.ask("SELECT sum(cost), count(*) FROM catalog.calls") == [(15.0, 3)]
    assert [cost for cost, *_ in bench.ask(RUNS)] == [10.0]


def test_without_a_price_the_cost_is_null_and_the_calls_are_counted(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    assert bench.run().cost is None
    assert bench.ask(RUNS) == [(None, 3, 0, 0)]
    assert bench.ask("SELECT cost, unpriced FROM catalog.ledger") == [(None, 3)]


def test_tokens_that_are_not_told_are_counted_as_unknown(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: Reply("yes", usage=None) if prompt == "beta" else f"re {prompt}")
    outcome = bench.run(TOY.replace('expects=[unique("completion")]', "expects=[]"))
    assert (outcome.tokens, outcome.unmetered) == (6, 1)
    assert bench.ask("SELECT prompt_tokens, completion_tokens FROM catalog.calls WHERE text = 'yes'") == [(None, None)]


def test_failed_requests_are_counted(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: Reply(status=400) if prompt == "beta" else f"re {prompt}", prices=PRICES)
    outcome = bench.run()
    assert (outcome.calls, outcome.failed, outcome.cost) == (3, 1, 10.0)
    assert bench.ask("SELECT calls, failed, unpriced FROM catalog.ledger") == [(3, 1, 0)]


def test_mlflow_has_the_cost_and_the_failures(bench_with: Callable[..., Bench]) -> None:
    from mlflow.tracking import MlflowClient

    bench = bench_with(prices=PRICES)
    outcome = bench.run()
    metrics = MlflowClient(bench.settings.tracking_uri).get_run(outcome.mlflow_run).data.metrics
    assert (metrics["cost"], metrics["calls_failed"], metrics["calls_unpriced"]) == (15.0, 0.0, 0.0)


def test_what_was_spent_elsewhere_is_no_cost_of_this_run() -> None:
    ledger = Ledger(purse=Purse(10, spent=9))
    ledger.paid(0.5)
    assert (ledger.cost, ledger.refusal()) == (0.5, "")
    ledger.paid(0.5)
    assert (ledger.cost, ledger.refusal()) == (1.0, "$10.00 of $10.00 are spent")


def test_one_unknown_price_makes_the_cost_unknown_and_a_cap_impossible() -> None:
    ledger = Ledger(purse=Purse(10))
    ledger.paid(1.0)
    ledger.paid(None)
    assert ledger.cost is None
    assert "cannot be kept" in ledger.refusal()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "$0.00"), (1234.5, "$1,234.50"), (0.5, "$0.50"), (0.0123, "$0.012"), (0.00000123, "$1.2e-06")],
)
def test_dollars_are_shown_as_people_read_them(amount: float, shown: str) -> None:
    assert dollars(amount) == shown


def test_progress_shows_tokens_dollars_and_what_they_will_come_to() -> None:
    doing = _Doing("sft.toy")
    doing.begin("generate", 4)
    doing.count(Asked(prompt_tokens=60, completion_tokens=40, cost=0.5))
    doing.count(Asked(failed=True, retries=3))
    shown = str(doing)
    assert "sft.toy: generate 2/4 calls" in shown
    assert "100 of about 200 tokens" in shown
    assert "$0.50 of about $1.00" in shown
    assert "1 failed" in shown
    assert "3 retries" in shown


def test_progress_says_where_dollars_are_not_known() -> None:
    doing = _Doing("sft.toy")
    doing.begin("generate", 4)
    doing.count(Asked(prompt_tokens=60, completion_tokens=40))
    assert "dollars not known" in str(doing)
