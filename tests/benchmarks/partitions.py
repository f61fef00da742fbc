"""Partitions: time and memory over ten times as many rows, of a method that asks a model and of one that asks none.

`wrap` rephrases documents of some 60 real words, each of them one chunk, against a server that answers at once;
`text_copy_paste` edits texts of 30 words. Memory is that of all processes of a run together: its own, those of its
screens or its runner, and Prefect's server.
"""

import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from pydoc_data.topics import topics

import psutil

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from quality.screening import policies  # noqa: E402

WRAPPED, EDITED = 100_000, 1_000_000
WORDS = 30
MINUTES, GIGABYTES = 15, 4
"""What `EDITED` rows may take, on two cores."""
OFF = {"EVERSPRING_SCREENS": json.dumps(dict.fromkeys(policies(), "off"))}
EVERSPRING = [sys.executable, "-m", "flows"]
MODEL = {"OPENAI_API_KEY": "none", "EVERSPRING_MODEL": "instant"}


def documents(rows: int) -> Iterator[str]:
    """Four sentences of Python's reference each."""
    chance = random.Random(0)
    pool = [
        sentence for text in topics.values() for sentence in re.split(r"(?<=[.])\s+", text) if 30 < len(sentence) < 200
    ]
    return (" ".join(" ".join(chance.sample(pool, 4)).split()) for _ in range(rows))


def texts(rows: int) -> Iterator[str]:
    """Thirty words each, of which every one follows the one before somewhere in Python's reference."""
    chance = random.Random(0)
    words = [word for text in topics.values() for word in text.split()]
    after: dict[str, list[str]] = {}
    for word, following in itertools.pairwise(words):
        after.setdefault(word, []).append(following)
    for _ in range(rows):
        made = [chance.choice(words)]
        while len(made) < WORDS:
            made.append(chance.choice(after.get(made[-1], words)))
        yield " ".join(made)


class Peak(threading.Thread):
    """The most memory, in MB, that a process and all below it had together."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self.megabytes = 0.0

    def run(self) -> None:
        while True:
            total = 0
            try:
                processes = [self._process, *self._process.children(recursive=True)]
            except psutil.Error:
                return
            for process in processes:
                with suppress(psutil.Error):
                    total += process.memory_info().rss
            self.megabytes = max(self.megabytes, total / 1e6)
            time.sleep(0.25)


def measured(
    method: str, rows: Iterator[str], environment: Mapping[str, str], *options: str
) -> tuple[float, float, int]:
    """Seconds, peak memory in MB, and rows published of one run of a method over these texts."""
    stage, name = method.split(".")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "texts.jsonl")
        with file.open("w") as out:
            out.writelines(json.dumps({"text": text}) + "\n" for text in rows)
        everything = {**os.environ, **MODEL, **environment, "EVERSPRING_HOME": str(Path(folder, "home"))}
        importing = [*EVERSPRING, "import", str(file), "--table", "raw.big", "--as", "Document"]
        subprocess.run(importing, cwd=ROOT, env=everything | OFF, capture_output=True, check=True)
        command = [*EVERSPRING, "run", stage, "--method", name, "--read", f"{name}.documents=raw.big", "--rows", "all"]
        began = time.perf_counter()
        with Path(folder, "said").open("w+") as said:
            run = subprocess.Popen([*command, *options], cwd=ROOT, env=everything, stdout=said, stderr=said)
            peak = Peak(run.pid)
            peak.start()
            assert run.wait() == 0, (said.seek(0), said.read())
        seconds = time.perf_counter() - began
        counted = subprocess.run(
            [*EVERSPRING, "sql", f"select count(*) as n from {method}", "--format", "json"],
            cwd=ROOT,
            env=everything,
            capture_output=True,
            text=True,
            check=True,
        )
        return seconds, peak.megabytes, json.loads(counted.stdout)[0]["n"]


def wrapped(rows: int, *options: str) -> tuple[float, float, int]:
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/benchmarks/instant.py"), "--rephrase"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    try:
        url = {"OPENAI_BASE_URL": server.stdout.readline().strip()}
        return measured("pretraining.wrap", documents(rows), url, *options)
    finally:
        server.communicate()


def edited(rows: int, *options: str) -> tuple[float, float, int]:
    nowhere = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    return measured("data_preparation.text_copy_paste", texts(rows), nowhere, *options)


def lines(wrapping: int = WRAPPED, editing: int = EDITED, runner: str = "") -> list[Line]:
    return list(_lines(wrapping, editing, *(["--runner", runner] if runner else [])))


def _lines(wrapping: int, editing: int, *options: str) -> Iterator[Line]:
    for what, rows, run in (("wrap", wrapping, wrapped), ("text_copy_paste", editing, edited)):
        if not rows:
            continue
        few_seconds, few, _ = run(rows // 10, *options)
        print(f"{what}: {rows // 10:,} rows in {few_seconds:.0f} s, {few:.0f} MB", flush=True)
        seconds, many, published = run(rows, *options)
        yield Line(f"{what}: peak memory over {rows:,} rows", many, few, "MB", "a tenth of them")
        yield Line(f"{what}: seconds", seconds, 10 * few_seconds, "s", f"ten times those of {rows // 10:,} rows")
        yield Line(f"{what}: rows published", published, rows, "", "rows read")
        if rows == EDITED and run is edited:
            yield Line(f"{what}: minutes", seconds / 60, MINUTES, "min", "what it may take")
            yield Line(f"{what}: peak memory", many / 1000, GIGABYTES, "GB", "what it may take")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrapping", type=int, default=WRAPPED, help="documents; 0 for none")
    parser.add_argument("--editing", type=int, default=EDITED, help="texts; 0 for none")
    parser.add_argument("--runner", default="", help="as `everspring run` takes it")
    show(lines(**vars(parser.parse_args())))
