"""Stop rules: a run ends at the first bound that it reaches, says which, and publishes what it has by then."""

from collections.abc import Callable
from typing import Any

import pytest
from bench import TOY, Bench
from scripted import Reply

from infra.errors import Refusal
from tasks.ledger import Purse
from tasks.stop import Stop, Tally

DOLLAR_A_WORD = {"scripted": {"input": 0, "output": 1_000_000}}

GROWING = '''"""Ask for as many new words as are wanted."""
from catalog.records import Prompt, PromptCompletion
from quality.expectations import unique, varied
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.generate import generate


@method(
    paper=Paper("On sets", "A. Maker", 2020, arxiv="2001.00002"),
    categories=["general-model-distillation"],
    reads={"seeds": "raw.seeds"},
    expects=[unique("prompt"), varied("completion", 1.0)],
)
def toy(seeds: Rows[Prompt], llm: LLM, *, rows: int = 50, seed: int = 0) -> Rows[PromptCompletion]:
    asked = [Prompt(prompt=f"{seed} {number}", origin=(seeds[0],)) for number in range(rows)]
    return [
        PromptCompletion(prompt=answer.value, completion="word", origin=(row, answer))
        for row, answer in generate(llm, asked, "{prompt}", seed=seed)
    ]
'''


def seeds(count: int) -> list[str]:
    return [f"seed {number}" for number in range(count)]


def stopped(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.ask("SELECT stopped, kept FROM catalog.runs WHERE method = 'toy' ORDER BY started_at")


def test_exactly_so_many_rows_are_accepted_and_the_surplus_is_on_record(bench_with: Callable[..., Bench]) -> None:
    # The first portion brings nothing, so the next are larger than it turns out they need to be.
    bench = bench_with(lambda prompt, body: Reply(status=400) if len(bench.server.requests) <= 20 else f"re {prompt}")
    bench.put(*seeds(100))
    outcome = bench.run(stop=Stop(accepted=20))
    assert (outcome.kept, stopped(bench)) == (20, [("accepted", 20)])
    assert outcome.rejected["surplus"] > 0
    assert outcome.kept + outcome.rejected["surplus"] + outcome.dropped["generate"] == outcome.rows_in
    assert bench.ask("SELECT count(*) FROM sft.toy") == [(20,)]
    assert bench.ask("SELECT count(*) FROM catalog.rejected WHERE screen = 'surplus'") == [
        (outcome.rejected["surplus"],)
    ]
    assert outcome.note == "stopped at 20 rows accepted"


def test_no_more_is_asked_than_the_yield_so_far_calls_for(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.put(*seeds(200))
    assert bench.run(stop=Stop(accepted=40)).rows_in == 40
    assert len(bench.server.requests) == 40


def test_input_that_runs_out_first_is_said_to_have(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    outcome = bench.run(stop=Stop(accepted=10))
    assert (outcome.kept, stopped(bench)) == (3, [("input", 3)])
    assert outcome.note == "the input ran out at 3 of 10 accepted"


def test_candidates_count_what_is_dropped_on_the_way(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: Reply(status=400) if prompt.endswith(("1", "3", "5")) else f"re {prompt}")
    bench.put(*seeds(100))
    outcome = bench.run(stop=Stop(candidates=30))
    assert outcome.made + sum(outcome.dropped.values()) == 30
    assert outcome.note == "stopped at 30 candidates"


def test_spending_ends_at_the_cap_but_for_what_was_in_flight(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: prompt[-1], prices=DOLLAR_A_WORD, concurrency=2)
    bench.put(*[chr(ord("a") + number) for number in range(26)])
    outcome = bench.run(TOY.replace("Partition[Prompt]", "Rows[Prompt]"), stop=Stop(dollars=5))
    assert 5 <= outcome.cost <= 5 + 2
    assert outcome.kept == outcome.cost  # a dollar a row
    assert outcome.note.startswith("stopped: $")
    assert stopped(bench) == [("dollars", outcome.kept)]
    assert len(bench.server.requests) == outcome.cost
    ((reason, rows),) = bench.ask("SELECT reason, count(*) FROM catalog.rejected GROUP BY reason")
    assert (reason, rows + outcome.kept) == ("stopped", outcome.rows_in)


def test_a_cap_without_a_known_price_is_refused_before_anything_is_asked(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    with pytest.raises(Refusal, match=r'price of scripted is not known.*\[prices\."scripted"\] input') as refused:
        bench.run(stop=Stop(dollars=1))
    assert "--max-dollars" in str(refused.value)
    assert bench.server.requests == []


def test_a_cap_ends_a_run_whose_endpoint_stops_telling_what_it_used(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: Reply(prompt, usage=None), prices=DOLLAR_A_WORD, concurrency=1)
    bench.put(*seeds(30))
    outcome = bench.run(stop=Stop(dollars=1000))
    assert "price of an answer is not known" in outcome.note
    assert outcome.cost is None
    assert len(bench.server.requests) == 1


def test_what_a_killed_run_paid_counts_towards_the_cap(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: prompt, prices=DOLLAR_A_WORD, concurrency=1, partition=1)
    source = TOY.replace(
        "    return [\n", '    if seeds[0].prompt == "beta" and __import__("os").path.exists(KILL):\n'
        "        raise KeyboardInterrupt\n    return [\n", 1
    ) + f'KILL = "{bench.home}/kill"\n'  # fmt: skip
    (bench.home / "kill").touch()
    with pytest.raises(KeyboardInterrupt):
        bench.run(source, stop=Stop(dollars=2))
    ((before,),) = bench.ask("SELECT sum(cost) FROM catalog.calls")
    (bench.home / "kill").unlink()
    outcome = bench.run(source, stop=Stop(dollars=2))
    assert before + outcome.cost == 2
    assert bench.ask("SELECT sum(cost) FROM catalog.calls") == [(2.0,)]
    assert outcome.note == "stopped: $2.00 of $2.00 are spent"


def test_a_cap_leaves_rows_whose_every_step_was_paid_for(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: prompt.split()[-1], prices=DOLLAR_A_WORD)
    bench.put(*[f"seed {number}" for number in range(100)])
    second = (
        "    drafts = [\n        PromptCompletion(prompt=row.prompt, completion=answer.value, origin=(row, answer))\n"
    )
    second += '        for row, answer in generate(llm, drafts, "again {completion}", seed=seed)\n    ]\n    return [\n'
    outcome = bench.run(TOY.replace("    return [\n", second, 1), stop=Stop(dollars=100))
    assert outcome.kept >= 45  # two dollars a row
    assert outcome.note.startswith("stopped: $")


def test_a_cap_holds_for_all_that_one_command_runs(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: prompt, prices=DOLLAR_A_WORD, concurrency=1)
    purse = Purse(4)
    assert bench.run(purse=purse, stop=Stop(dollars=4)).cost == 3
    bench.put("delta", "epsilon")
    assert bench.run(purse=purse, stop=Stop(dollars=4)).cost == 1
    assert purse.spent == 4


def test_a_set_is_made_in_rounds_until_it_is_large_enough(bench_with: Callable[..., Bench]) -> None:
    # Half of what it says, it has said before.
    bench = bench_with(lambda prompt, body: f"word {int(prompt.split()[1]) // 2} of {prompt.split()[0]}")
    outcome = bench.run(GROWING, stop=Stop(accepted=20))
    assert (outcome.kept, stopped(bench)) == (20, [("accepted", 20)])
    rounds = {prompt.split()[0] for prompt in bench.server.prompts}
    assert {"0", "1"} <= rounds
    assert len(bench.server.requests) < 60


def test_a_set_that_brings_nothing_new_twice_is_given_up(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(lambda prompt, body: "the same")
    outcome = bench.run(GROWING, stop=Stop(accepted=20))
    assert stopped(bench) == [("nothing new", 1)]
    assert outcome.note == "stopped at 1 of 20 accepted: two rounds in a row brought nothing new"


def test_the_same_order_again_makes_nothing_and_a_larger_one_goes_on(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with()
    bench.put(*seeds(50))
    bench.run(stop=Stop(accepted=10))
    asked = len(bench.server.requests)
    assert bench.run(stop=Stop(accepted=10)).status == "unchanged"
    assert bench.run(stop=Stop(accepted=15)).kept == 15
    assert bench.ask("SELECT count(*) FROM sft.toy") == [(25,)]
    assert len(bench.server.requests) - asked == 15


@pytest.mark.parametrize(
    ("stop", "tally", "rows"),
    [
        (Stop(accepted=1000), Tally(), 16),
        (Stop(accepted=3), Tally(), 3),
        (Stop(accepted=1000), Tally(taken=16, candidates=16), 32),
        (Stop(accepted=1000), Tally(taken=16, candidates=16, accepted=8), 64),
        (Stop(accepted=100), Tally(taken=100, candidates=100, accepted=90), 12),
        (Stop(candidates=100), Tally(taken=10, candidates=80), 2),
        (Stop(candidates=100), Tally(taken=10, candidates=99), 1),
        (Stop(accepted=100, candidates=100), Tally(taken=30, candidates=90, accepted=30), 3),
    ],
)
def test_a_portion_is_sized_by_what_came_of_those_before(stop: Stop, tally: Tally, rows: int) -> None:
    assert stop.portion(tally, 1000) == rows


def test_a_portion_is_not_larger_than_what_is_left_to_spend() -> None:
    tally = Tally(taken=16, candidates=16, accepted=16, cost=8.0)
    assert Stop(dollars=10).portion(tally, 50_000, left=2.0) == 4
