"""What a request costs beside the bare openai client on its aiohttp transport: processor time, speed, memory, start.

Ours is the whole way of a row: prompt, call store, ledger, answer, record, lineage, spool, over partitions of 1,000
rows. Each side is a process of its own that asks a server that answers at once; both run in turn, medians are compared.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

IN_FLIGHT, PARTITION = 100, 1000


def ours(url: str, requests: int, home: Path) -> dict[str, float]:
    from catalog.calls import attribution
    from catalog.lineage import edges_of
    from catalog.records import Prompt, PromptCompletion
    from catalog.spool import Spool
    from infra.settings import load_settings
    from tasks.ledger import Ledger, keep
    from tasks.llm import open_models
    from tasks.operators.generate import generate

    settings = load_settings(home=home, base_url=url, model="scripted", concurrency=IN_FLIGHT)
    ledger = Ledger()
    with open_models(settings) as models, keep(ledger), attribution(run_id="bench", method="sft.bench"):
        llm = models.get("generator")
        generate(llm, [Prompt(prompt="warm")], "{prompt}")
        began, before = time.perf_counter(), _processor()
        with Spool(home / "spool" / "bench", PromptCompletion) as spool:
            for first in range(0, requests, PARTITION):
                rows = [
                    Prompt(prompt=f"question {number}") for number in range(first, min(first + PARTITION, requests))
                ]
                made = [
                    PromptCompletion(prompt=row.prompt, completion=answer.value, origin=(row, answer))
                    for row, answer in generate(llm, rows, "{prompt}")
                ]
                edges, parents = edges_of(made, dict.fromkeys((row.record_id for row in rows), "raw.bench"))
                spool.add_rows(made, parents)
                spool.add_edges(edges)
            assert spool.counts["rows"] == requests
        assert ledger.steps["generate"].calls == requests + 1
        return _figures(requests, began, before)


def bare(url: str, requests: int, home: Path) -> dict[str, float]:
    import openai

    del home

    async def every() -> dict[str, float]:
        http = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=http) as client:
            gate = asyncio.Semaphore(IN_FLIGHT)

            async def one(number: int) -> str | None:
                async with gate:
                    messages: Any = [{"role": "user", "content": f"question {number}"}]
                    answer = await client.chat.completions.create(
                        model="scripted", messages=messages, temperature=0.7, top_p=1.0, max_tokens=512, seed=number
                    )
                    return answer.choices[0].message.content

            await one(-1)
            began, before = time.perf_counter(), _processor()
            await asyncio.gather(*(one(number) for number in range(requests)))
            return _figures(requests, began, before)

    return asyncio.run(every())


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _figures(requests: int, began: float, before: float) -> dict[str, float]:
    seconds = time.perf_counter() - began
    return {
        "cpu": 1000 * (_processor() - before) / requests,
        "rate": requests / seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


@contextmanager
def instant_server() -> Generator[tuple[str, "subprocess.Popen[str]"]]:
    """The address of a server of its own, and the server."""
    server = subprocess.Popen(
        [sys.executable, ROOT / "tests/benchmarks/instant.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    try:
        yield server.stdout.readline().strip(), server
    finally:
        server.kill()
        server.wait()


def measure(side: str, requests: int) -> dict[str, float]:
    """One side's figures from a process of its own; `start` is the seconds from its start to its first request."""
    with instant_server() as (url, server), tempfile.TemporaryDirectory() as home:
        began = time.time()
        command = [sys.executable, __file__, "--side", side, "--url", url, "--requests", str(requests), "--home", home]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        seen, _ = server.communicate()
        figures = json.loads(told.splitlines()[-1])
        return {**figures, "start": json.loads(seen)["first"] - began}


def lines(requests: int = 20_000, times: int = 3, many: int = 200_000) -> list[Line]:
    """Medians of several runs, the sides in turn; then one long run of ours, for its memory."""
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
    for _ in range(times):
        for side, of_side in runs.items():
            of_side.append(measure(side, requests))
    we, they = (
        {name: statistics.median(run[name] for run in of_side) for name in of_side[0]} for of_side in runs.values()
    )
    against = "bare openai on aiohttp"
    found = [
        Line(f"processor time a request, of {requests:,}", we["cpu"], they["cpu"], "ms", against),
        Line(f"requests a second, {IN_FLIGHT} in flight", we["rate"], they["rate"], "1/s", against),
        Line("peak memory", we["memory"], they["memory"], "MB", against),
        Line("process start to first request", we["start"], they["start"], "s", against),
    ]
    if many:
        long = measure("ours", many)["memory"]
        found.append(Line(f"peak memory of {many:,} requests", long, we["memory"], "MB", f"ours for {requests:,}"))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=["ours", "bare"])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--many", type=int, default=200_000)
    parser.add_argument("--url")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if given.side:
        print(json.dumps({"ours": ours, "bare": bare}[given.side](given.url, given.requests, given.home)))
    else:
        show(lines(given.requests, given.times, given.many))


if __name__ == "__main__":
    main()
