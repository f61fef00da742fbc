"""The crash tax: a client killed at 25, 50 and 65 % of 1,000 requests, then run again.

Counts what the server was asked twice (at the most what was in flight when the client died), and of that what the call
store held already (nothing). Beside it a script around the bare openai client that saves its answers every 100.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from scripted import Reply, ScriptedServer, question  # noqa: E402 - found by the lines above
from table import Line, show  # noqa: E402

REQUESTS, IN_FLIGHT, SAVED_EVERY = 1000, 16, 100


def ours(url: str, home: Path) -> list[str]:
    from infra.settings import load_settings
    from tasks.llm import open_models

    settings = load_settings(home=home, base_url=url, model="scripted", concurrency=IN_FLIGHT)
    with open_models(settings) as models:
        answers = models.get("generator").ask([question(f"{number}") for number in range(REQUESTS)], str)
    return [answer.value for answer in answers]  # type: ignore[union-attr]


def script(url: str, home: Path) -> list[str]:
    import openai

    saved = home / "saved.json"
    rows: list[str] = json.loads(saved.read_text()) if saved.exists() else []

    async def every() -> None:
        http = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=url, api_key="none", http_client=http) as client:
            gate = asyncio.Semaphore(IN_FLIGHT)

            async def one(number: int) -> str:
                async with gate:
                    messages: Any = [{"role": "user", "content": f"{number}"}]
                    answer = await client.chat.completions.create(model="scripted", messages=messages)
                    return str(answer.choices[0].message.content)

            for first in range(len(rows), REQUESTS, SAVED_EVERY):
                rows.extend(await asyncio.gather(*(one(number) for number in range(first, first + SAVED_EVERY))))
                saved.write_text(json.dumps(rows))

    asyncio.run(every())
    return rows


def stored(home: Path) -> set[str]:
    """The prompts whose answers the call store holds."""
    import sqlite3

    with sqlite3.connect(home / "calls.sqlite") as connection:
        found = connection.execute("SELECT request FROM calls WHERE text IS NOT NULL").fetchall()
    return {json.loads(request)["messages"][-1]["content"] for (request,) in found}


def tax(side: str, share: float) -> tuple[int, int]:
    """Requests asked twice, and those of them that had been stored before the kill; the rows are compared too."""
    with (
        ScriptedServer(lambda prompt, body: Reply(f"answer to {prompt}", hang=0.02)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        home = Path(folder)
        command = [sys.executable, __file__, "--side", side, "--url", server.url, "--home", folder]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while len(server.requests) < share * REQUESTS:
            time.sleep(0.002)
        client.send_signal(signal.SIGKILL)
        client.wait()
        before = len(server.requests)
        held = stored(home) if side == "ours" else set[str]()
        again = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(again.stdout) == [f"answer to {number}" for number in range(REQUESTS)]
        twice = {prompt for prompt, times in Counter(server.prompts).items() if times > 1}
        return len(twice), len(held & set(server.prompts[before:]))


def lines() -> list[Line]:
    found: list[Line] = []
    for share in (0.25, 0.5, 0.65):
        (twice, known), (of_script, _) = tax("ours", share), tax("script", share)
        killed = f"killed at {share:.0%} of {REQUESTS:,}"
        found += [
            Line(f"{killed}: asked twice", twice, of_script, "requests", f"a script that saves every {SAVED_EVERY}"),
            Line(f"{killed}: asked though stored", known, None, "requests"),
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=["ours", "script"])
    parser.add_argument("--url")
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if given.side:
        print(json.dumps({"ours": ours, "script": script}[given.side](given.url, given.home)))
    else:
        show(lines())


if __name__ == "__main__":
    main()
