"""Money: a forecast beside what the run then came to, what a cap let through, and how exactly a count is kept.

One home, a scripted server that takes its time, 1,000 texts whose lengths vary by a factor of 20, few of them long.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from bench import Bench  # noqa: E402 - found by the line above
from scripted import Reply, ScriptedServer  # noqa: E402
from table import Line, show  # noqa: E402

from infra.settings import load_settings  # noqa: E402
from tasks.forecast import Estimate, Forecaster  # noqa: E402
from tasks.ledger import Ledger, keep  # noqa: E402
from tasks.llm import open_models  # noqa: E402
from tasks.materialize import Order  # noqa: E402
from tasks.stop import Stop  # noqa: E402

IN_FLIGHT, DELAY = 16, 0.3
PRICES = {"scripted": {"input": 2.5, "output": 10}}


def texts(count: int) -> list[str]:
    draw = random.Random(7)
    return [f"{number} " + "word " * int(20 * 20 ** (draw.random() ** 2)) for number in range(count)]


def echo(prompt: str, body: dict[str, Any]) -> Reply:
    """An answer a third as long as the prompt, give or take a half; one in five cannot be answered."""
    del body
    draw, words = random.Random(prompt), prompt.split()
    if draw.random() < 0.2:
        return Reply(status=400, hang=DELAY)
    return Reply(f"{words[0]} " + "said " * int(len(words) / 3 * draw.uniform(0.5, 1.5)), hang=DELAY)


def desk(home: Path, url: str, rows: int) -> Bench:
    settings = load_settings(home=home, base_url=url, model="scripted", concurrency=IN_FLIGHT, prices=PRICES)
    bench = Bench(home, settings, open_models(settings).__enter__(), None)
    bench.put(*texts(rows))
    return bench


def first_rows(bench: Bench, rows: int) -> float:
    """Dollars as a script would guess them: so many times the mean of the first rows."""
    ids = bench.lake.ids(bench.lake.latest("raw.seeds"))[:24]  # type: ignore[arg-type]
    method, ledger = bench.method(), Ledger()
    with keep(ledger):
        method.run(
            bench.lake.rows(bench.lake.latest("raw.seeds"), method.inputs["seeds"].shape, ids),  # type: ignore[arg-type]
            bench.models.get("generator"),
        )
    return ledger.own.spent * rows / len(ids)


def lines(rows: int = 1000) -> list[Line]:
    found: list[Line] = []
    with tempfile.TemporaryDirectory() as folder, ScriptedServer(echo) as server:
        home = Path(folder)
        guess = first_rows(desk(home / "guess", server.url, rows), rows)
        bench = desk(home / "whole", server.url, rows)
        forecast = Forecaster(bench.lake, bench.models, bench.settings).forecast(bench.method(), Order())
        bench.run()
        ((calls, read, written, dollars, minutes),) = bench.ask(
            "SELECT calls, prompt_tokens, completion_tokens, (SELECT sum(cost) FROM catalog.calls), "
            "(SELECT sum(seconds) / 60 FROM catalog.ledger) FROM catalog.runs WHERE method = 'toy'"
        )
        for what, figure, actual, unit in (
            ("forecast: requests", forecast.requests, calls, ""),
            ("forecast: tokens read", forecast.prompt_tokens, read, ""),
            ("forecast: tokens written", forecast.completion_tokens, written, ""),
            ("forecast: dollars", forecast.dollars, dollars, "$"),
            ("forecast: minutes", forecast.minutes, minutes, "min"),
        ):
            assert isinstance(figure, Estimate)
            found.append(
                Line(what, figure.value, float(actual), unit, f"the run; {figure.low:.4g} to {figure.high:.4g}")
            )
        found.append(Line("the first 24 rows' mean: dollars", guess, dollars, "$", "the run"))

        cap = dollars / 4
        capped = desk(home / "capped", server.url, rows)
        spent = capped.run(stop=Stop(dollars=cap)).cost
        ((late,),) = capped.ask(
            "WITH paid AS (SELECT sum(cost) OVER (ORDER BY created_at, call_id) - cost AS before FROM catalog.calls) "
            f"SELECT count(*) FROM paid WHERE before >= {cap}"
        )
        found.append(Line(f"spent under a cap, {IN_FLIGHT} in flight", spent, cap, "$", "the cap"))
        found.append(Line("answers after the cap was reached", late, float(IN_FLIGHT), "", "requests in flight"))

        wanted = rows // 4
        counted = desk(home / "counted", server.url, rows)
        outcome = counted.run(stop=Stop(accepted=wanted))
        found += [
            Line("rows accepted", outcome.kept, wanted, "", "what was asked for"),
            Line("answers paid for and not taken", outcome.rejected.get("surplus", 0), 0.0, ""),
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    show(lines(parser.parse_args().rows))


if __name__ == "__main__":
    main()
