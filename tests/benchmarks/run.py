"""Speed beside what one would use instead, as ratios of medians in one run: `make bench`.

- asking: 2,000 requests through our client (store, ledger and all) and through the bare openai client, against the
  scripted server in a process of its own;
- reading: every row of a version as a Polars frame through the lake, and through plain DuckDB on one Parquet file.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from scripted import question  # noqa: E402 - found by the line above

from catalog.publish import Findings, Run, publish  # noqa: E402
from catalog.records import Prompt  # noqa: E402
from catalog.spool import Spool  # noqa: E402
from catalog.store import Lake, Version  # noqa: E402
from infra.settings import load_settings  # noqa: E402
from tasks.llm import open_models  # noqa: E402

REQUESTS, IN_FLIGHT, ROWS, TIMES = 2_000, 64, 100_000, 3


def median_seconds(work: Callable[[int], object]) -> float:
    taken: list[float] = []
    for turn in range(TIMES):
        began = time.perf_counter()
        work(turn)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def ask_through_us(url: str, home: Path, turn: int) -> None:
    settings = load_settings(home=home / f"asking-{turn}", base_url=url, model="scripted", concurrency=IN_FLIGHT)
    with open_models(settings) as models:
        requests = [question(f"{turn} {number}") for number in range(REQUESTS)]
        assert len(models.get("generator").ask(requests, str)) == REQUESTS


def ask_bare(url: str, turn: int) -> None:
    import openai

    async def every() -> None:
        http = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=http) as client:
            gate = asyncio.Semaphore(IN_FLIGHT)

            async def one(number: int) -> None:
                async with gate:
                    messages = [{"role": "user", "content": f"{turn} {number}"}]
                    await client.chat.completions.create(model="scripted", messages=messages)  # type: ignore[arg-type]

            await asyncio.gather(*(one(number) for number in range(REQUESTS)))

    asyncio.run(every())


def published(home: Path) -> tuple[Lake, Version]:
    lake = Lake(load_settings(home=home))
    run = Run(run_id="bench", stage="sft", method="bench", table_name="sft.bench", fingerprint="f")
    with Spool(home / "spool" / "bench", Prompt) as spool:
        spool.add_rows([Prompt(prompt=f"question {number} " * 20) for number in range(ROWS)], {})
        return lake, publish(lake, run, spool, Findings(), shape=Prompt)


def read_plain(file: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).pl()


def main() -> None:
    table = Table("what", "Everspring, s", "instead, s", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = subprocess.Popen(
            [sys.executable, ROOT / "tests/scripted.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdout
        url = server.stdout.readline().strip()
        ours = median_seconds(lambda turn: ask_through_us(url, home, turn))
        bare = median_seconds(lambda turn: ask_bare(url, turn))
        server.communicate()
        table.add_row(f"{REQUESTS:,} requests, bare openai", f"{ours:.2f}", f"{bare:.2f}", f"{ours / bare:.2f}")

        lake, version = published(home / "lake")
        lake.frame(version).write_parquet(home / "plain.parquet")
        ours = median_seconds(lambda _: lake.frame(version))
        plain = median_seconds(lambda _: read_plain(home / "plain.parquet"))
        table.add_row(f"{ROWS:,} rows read, plain DuckDB", f"{ours:.2f}", f"{plain:.2f}", f"{ours / plain:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
