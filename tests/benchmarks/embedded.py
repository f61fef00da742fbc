"""Speed of the embedded model through our client, beside llama.cpp's server in a bare script that threads ask.

Both serve the same weights with the same slots, context and threads; both sides write the same number of tokens for the
same prompts, in turn, because the speed of a shared machine moves more than they differ.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from scripted import WORDS  # noqa: E402 - found by the line above
from table import Line, show  # noqa: E402

from infra.settings import Settings, load_settings  # noqa: E402
from tasks.ledger import Ledger, keep  # noqa: E402
from tasks.llm import LLM, Failed, Request, open_models  # noqa: E402
from tasks.llm.embedded import find_weights, prepare  # noqa: E402

IN_FLIGHT, TOKENS, REQUESTS, ROUNDS = 8, 128, 24, 5
ENDLESS = {"0": -100, "2": -100}
"""Bias against the tokens that would end an answer."""

BARE = """
import os, sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames = ["127.0.0.1"]
parameters.n_parallel = int(sys.argv[2])
parameters.n_ctx = int(sys.argv[2]) * int(sys.argv[3])
parameters.cpuparams.n_threads = os.cpu_count()
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
"""


def prompts(turn: int, requests: int) -> list[str]:
    return [
        f"Write a long story, number {turn * 1000 + number}, about the {WORDS[number % len(WORDS)]} "
        f"and the {WORDS[(7 * number + turn) % len(WORDS)]}."
        for number in range(requests)
    ]


def ask_through_us(llm: LLM, turn: int, requests: int) -> int:
    """Tokens written."""
    asked = [
        Request(
            messages=({"role": "user", "content": prompt},),
            max_tokens=TOKENS,
            seed=number,
            logit_bias={token: float(bias) for token, bias in ENDLESS.items()},
        )
        for number, prompt in enumerate(prompts(turn, requests))
    ]
    with keep(Ledger()) as ledger:
        assert not [answer for answer in llm.ask(asked, str) if isinstance(answer, Failed)]
    assert not ledger.step("method").reused
    return ledger.step("method").completion_tokens


def ask_bare(address: str, turn: int, requests: int) -> int:
    """Tokens written."""

    def one(number: int, prompt: str) -> int:
        body = {
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0.7,
            "top_p": 1.0,
            "max_tokens": TOKENS,
            "seed": number,
            "logit_bias": ENDLESS,
        }
        connection = http.client.HTTPConnection(address)
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["usage"]["completion_tokens"]

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        return sum(pool.map(one, range(requests), prompts(turn, requests)))


@contextmanager
def bare_server(weights: Path, settings: Settings) -> Iterator[str]:
    command = [sys.executable, "-c", BARE, weights, str(settings.embedded_slots), str(settings.embedded_context)]
    server = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"GOMP_SPINCOUNT": "10000"},  # without which it is several times slower on a busy machine
    )
    assert server.stdin
    assert server.stdout
    yield server.stdout.readline().strip().removeprefix("http://")
    server.stdin.close()
    server.wait()


def speed(work: Callable[[], int]) -> float:
    """Tokens a second."""
    began = time.perf_counter()
    tokens = work()
    return tokens / (time.perf_counter() - began)


def lines(requests: int = REQUESTS, rounds: int = ROUNDS) -> list[Line]:
    ours: list[float] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder), embedded_slots=IN_FLIGHT)
        weights = prepare(find_weights(), settings.folder("models"))
        with open_models(settings) as models, bare_server(weights, settings) as address:
            llm = models.get("generator")
            ask_through_us(llm, -1, IN_FLIGHT), ask_bare(address, -1, IN_FLIGHT)  # both warm
            for turn in range(rounds):
                sides = [
                    lambda turn=turn: ours.append(speed(lambda: ask_through_us(llm, turn, requests))),
                    lambda turn=turn: bare.append(speed(lambda: ask_bare(address, turn, requests))),
                ]
                for side in sides if turn % 2 else reversed(sides):
                    side()
    for turn, pair in enumerate(zip(ours, bare, strict=True)):
        print(f"round {turn}: {pair[0]:.0f} and {pair[1]:.0f} tokens/s, ratio {pair[0] / pair[1]:.2f}", file=sys.stderr)
    return [
        Line(
            f"embedded model, {IN_FLIGHT} in flight, {TOKENS} tokens each",
            statistics.median(ours),
            statistics.median(bare),
            "tokens/s",
            "llama.cpp's server, plain threads",
        )
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    show(lines(**vars(parser.parse_args())))
