"""Forecasts: near what the run then comes to, cheap, free the second time, and nothing is published by them."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from bench import TOY, Bench
from scripted import Reply
from test_stop import GROWING

from infra.errors import Refusal
from tasks.forecast import Estimate, Forecast, Forecaster, extrapolate, regress
from tasks.materialize import Order
from tasks.stop import Stop

PRICES = {"scripted": {"input": 1, "output": 4}}


def texts(count: int) -> list[str]:
    """Texts of 20 to 400 words, few of them long."""
    draw = random.Random(7)
    return [f"{number} " + "word " * int(20 * 20 ** (draw.random() ** 2)) for number in range(count)]


def echo(prompt: str, body: Any) -> str:
    """An answer a third as long as the prompt, give or take a half."""
    words = prompt.split()
    return f"{words[0]} " + "said " * int(len(words) / 3 * random.Random(prompt).uniform(0.5, 1.5))


def forecast(bench: Bench, source: str = TOY, sample: int = 24, **order: Any) -> Forecast:
    return Forecaster(bench.lake, bench.models, bench.settings, sample).forecast(bench.method(source), Order(**order))


def near(figure: Estimate | None, actual: float, within: float = 0.25) -> bool:
    assert figure is not None
    assert figure.low <= figure.value <= figure.high
    return abs(figure.value - actual) <= within * actual


def test_it_is_within_a_quarter_of_what_the_run_comes_to(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(echo, prices=PRICES)
    bench.put(*texts(300))
    found = forecast(bench)
    bench.run()
    ((calls, read, written, dollars),) = bench.ask(
        "SELECT calls, prompt_tokens, completion_tokens, (SELECT sum(cost) FROM catalog.calls) "
        "FROM catalog.runs WHERE method = 'toy'"
    )
    assert near(found.requests, calls)
    assert near(found.prompt_tokens, read)
    assert near(found.completion_tokens, written)
    assert near(found.dollars, dollars)


def test_its_range_holds_what_the_run_comes_to(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(echo, prices=PRICES)
    bench.put(*texts(300))
    found = forecast(bench)
    bench.run()
    ((written,),) = bench.ask("SELECT completion_tokens FROM catalog.runs WHERE method = 'toy'")
    assert found.completion_tokens is not None
    assert found.completion_tokens.low <= written <= found.completion_tokens.high


def test_nothing_is_published_and_nothing_rejected(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: Reply(status=400) if prompt == "beta" else f"re {prompt}")
    before = bench.ask("SELECT count(*) FROM catalog.versions")
    forecast(bench)
    assert bench.ask("SELECT count(*) FROM catalog.versions") == before
    assert bench.ask("SELECT count(*) FROM catalog.rejected") == [(0,)]
    assert bench.ask("SELECT count(*) FROM catalog.runs WHERE method = 'toy'") == [(0,)]
    assert bench.lake.latest("sft.toy") is None


def test_the_sample_is_paid_for_once(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(echo, prices=PRICES)
    bench.put(*texts(100))
    first = forecast(bench)
    assert (first.asked, first.sampled) == (24, 24)
    assert first.paid == pytest.approx(bench.ask("SELECT sum(cost) FROM catalog.calls")[0][0])
    second = forecast(bench)
    assert (second.asked, second.paid) == (0, 0.0)
    assert second.dollars == first.dollars
    bench.run()
    assert len(bench.server.requests) == 103


def test_without_a_price_requests_are_forecast_and_dollars_are_not(bench_with: Callable[..., Bench]) -> None:
    found = forecast(bench_with())
    assert found.requests == Estimate(3, 3, 3)
    assert found.dollars is None


def test_it_ends_where_the_rows_are_accepted(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: Reply(status=400) if prompt[-1] in "13579" else f"re {prompt}")
    bench.put(*[f"seed {number}" for number in range(400)])
    found = forecast(bench, stop=Stop(accepted=50))
    outcome = bench.run(stop=Stop(accepted=50))
    assert near(found.requests, outcome.calls, 0.4)
    assert found.note == "ends at 50 rows accepted"


def test_it_ends_where_the_dollars_do(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: "word", prices={"scripted": {"input": 0, "output": 1_000_000}})
    bench.put(*[f"seed {number}" for number in range(397)])
    found = forecast(bench, stop=Stop(dollars=40))
    assert near(found.requests, 40)
    assert near(found.dollars, 40)
    assert found.note == "ends when the dollars are spent"


def test_a_cap_without_a_price_is_refused(bench_with: Callable[..., Bench]) -> None:
    with pytest.raises(Refusal, match="price of scripted is not known"):
        forecast(bench_with(), stop=Stop(dollars=1))


def test_a_set_is_forecast_from_a_smaller_one(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: f"word {prompt}", prices=PRICES)
    found = forecast(bench, GROWING, rows=500)
    assert near(found.requests, 500)
    assert len(bench.server.requests) == 24
    bench.run(GROWING, rows=500)
    assert len(bench.server.requests) == 500


def test_a_method_that_asks_nobody_costs_nothing(bench_with: Callable[..., Bench]) -> None:
    from tasks.method import find_method

    bench = bench_with()
    found = Forecaster(bench.lake, bench.models, bench.settings).forecast(find_method("amps"), Order(rows=50))
    assert (found.requests, found.note) == (Estimate(0, 0, 0), "asks no model")


def test_what_cannot_be_forecast_is_said_not_to_be(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    found = forecast(bench, TOY.replace("Partition[Prompt]", "Rows[Prompt]"))
    assert found.requests is None
    assert "cannot be forecast: it reads whole tables" in found.note
    assert bench.server.requests == []


def test_a_table_that_is_not_imported_yet_is_read_from_its_package(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: prompt)
    found = forecast(bench, TOY.replace("raw.seeds", "raw.prompts"), rows=40)
    assert found.requests is not None
    assert found.requests.value == 40
    assert bench.lake.latest("raw.prompts") is None
    bench_rows = bench.ask("SELECT count(*) FROM catalog.versions WHERE table_name = 'raw.prompts'")
    assert bench_rows == [(0,)]


def test_minutes_follow_from_latency_and_requests_at_once(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: Reply(f"re {prompt}", hang=0.2), concurrency=4)
    bench.put(*[f"seed {number}" for number in range(397)])
    found = forecast(bench)
    assert found.minutes is not None
    assert 60 * found.minutes.value >= 400 * 0.2 / 4
    limited = bench.settings.model_copy(update={"requests_per_minute": 20})
    found = Forecaster(bench.lake, bench.models, limited).forecast(bench.method(), Order())
    assert found.minutes == Estimate(20, 20, 20)


def test_a_straight_line_is_found_exactly() -> None:
    xs = [1.0, 2.0, 3.0]
    found = regress(xs, [5 + 2 * x for x in xs], [1.0, 2.0, 3.0, 10.0])
    assert found.value == pytest.approx(4 * 5 + 2 * 16)
    assert found.low == pytest.approx(found.high)


def test_a_sample_of_everything_is_no_estimate() -> None:
    assert regress([1.0, 2.0], [3.0, 4.0], [1.0, 2.0]) == Estimate(7.0, 7.0, 7.0)


def test_growth_that_slows_widens_the_range() -> None:
    assert extrapolate([(10, 20.0), (20, 30.0)], 100) == Estimate(150.0, 110.0, 200.0)
