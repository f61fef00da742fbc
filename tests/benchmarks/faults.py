"""A bad server: how long 500 prompts take beside the time without faults, and whether a row is lost.

Faults strike by chance, a prompt's first sending only or any, as the cases say. The bare openai client is used as its
documentation shows, with its own retries; a prompt for which it raises, or gives no text, is a row lost.
"""

import asyncio
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from scripted import Reply, ScriptedServer, question  # noqa: E402 - found by the lines above
from table import Line, show  # noqa: E402

from catalog.records import Answer  # noqa: E402
from infra.settings import load_settings  # noqa: E402
from tasks.llm import open_models  # noqa: E402

PROMPTS, IN_FLIGHT, LATENCY = 500, 32, 0.1

Fault = Callable[[random.Random, int], Reply | None]
"""What befalls a sending, given chance and how often its prompt was sent before."""


@dataclass(frozen=True)
class Run:
    seconds: float
    lost: int
    waits: float
    """Seconds of Retry-After that the unluckiest prompt was told to wait in all."""


def limits(chance: random.Random, before: int) -> Reply | None:
    """Any sending: 10 % are refused for a second, 5 % break."""
    del before
    drawn = chance.random()
    if drawn < 0.10:
        return Reply(status=429, headers={"Retry-After": "1"})
    return Reply(status=500) if drawn < 0.15 else None


def hangs(chance: random.Random, before: int) -> Reply | None:
    """1 % of first sendings answer after a minute."""
    return Reply("late", hang=60) if not before and chance.random() < 0.01 else None


ODD = [
    Reply(dropped=True),
    Reply(body='{"choices": [{"mess'),
    Reply(body="<html>busy</html>"),
    Reply(body='{"error": {"message": "overloaded"}}'),
    Reply(empty=True),
    Reply(body='{"choices": [{"message": {"content": "caf\\ud800"}, "finish_reason": "stop"}]}'),
    Reply("x" * 5_000_000),
]


def odd(chance: random.Random, before: int) -> Reply | None:
    """Every tenth first sending gets something else than a plain answer."""
    return chance.choice(ODD) if not before and chance.random() < 0.10 else None


def faulty(fault: Fault | None) -> tuple[Callable[[str, dict[str, Any]], Reply], Counter[str]]:
    chance, lock = random.Random(7), threading.Lock()
    sent: Counter[str] = Counter()
    waits: Counter[str] = Counter()

    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        del body
        with lock:
            found = fault(chance, sent[prompt]) if fault else None
            sent[prompt] += 1
            if found and "Retry-After" in found.headers:
                waits[prompt] += int(found.headers["Retry-After"])
        return found or Reply(f"answer to {prompt}", hang=LATENCY)

    return answer, waits


def through_us(url: str, home: Path) -> int:
    settings = load_settings(home=home, base_url=url, model="scripted", concurrency=IN_FLIGHT)
    with open_models(settings) as models:
        answers = models.get("generator").ask([question(f"{number}") for number in range(PROMPTS)], str)
    return sum(not (isinstance(answer, Answer) and answer.value) for answer in answers)


def through_openai(url: str, home: Path) -> int:
    import openai

    del home

    async def every() -> int:
        http = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=url, api_key="none", http_client=http, timeout=120) as client:
            gate = asyncio.Semaphore(IN_FLIGHT)

            async def one(number: int) -> bool:
                async with gate:
                    try:
                        messages: Any = [{"role": "user", "content": f"{number}"}]
                        answer = await client.chat.completions.create(model="scripted", messages=messages)
                        return not answer.choices[0].message.content
                    except Exception:  # noqa: BLE001 - whatever it raises, the row is lost
                        return True

            return sum(await asyncio.gather(*(one(number) for number in range(PROMPTS))))

    return asyncio.run(every())


def measure(through: Callable[[str, Path], int], fault: Fault | None) -> Run:
    answer, waits = faulty(fault)
    with ScriptedServer(answer) as server, tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        lost = through(server.url, Path(home))
        return Run(time.perf_counter() - began, lost, max(waits.values(), default=0))


def lines() -> list[Line]:
    found: list[Line] = []
    plain = measure(through_us, None)
    for name, fault in (("no faults", None), ("10 % 429, 5 % 500", limits), ("1 % hang", hangs), ("10 % odd", odd)):
        we, they = measure(through_us, fault), measure(through_openai, fault)
        found += [
            Line(f"{name}: {PROMPTS} prompts", we.seconds, they.seconds, "s", "bare openai, its own retries"),
            Line(f"{name}: rows lost", we.lost, they.lost, "rows", "bare openai, its own retries"),
        ]
        if fault:
            without = we.seconds - we.waits
            found.append(Line(f"{name}: less the Retry-After waits", without, plain.seconds, "s", "ours, no faults"))
    return found


if __name__ == "__main__":
    show(lines())
