"""Memory over partitions: `wrap` over ten times as many documents, against a server that answers at once.

Documents are real words of documentation and code, some 60 each, so that each is one chunk.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from pydoc_data.topics import topics

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from table import Line, show  # noqa: E402 - found by the line above

from quality.screening import policies  # noqa: E402

ROWS, WORDS = 100_000, 60
OFF = {"EVERSPRING_SCREENS": json.dumps(dict.fromkeys(policies(), "off"))}
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def documents(rows: int) -> list[str]:
    chance = random.Random(0)
    pool = [
        sentence for text in topics.values() for sentence in re.split(r"(?<=[.])\s+", text) if 30 < len(sentence) < 200
    ]
    return [" ".join(" ".join(chance.sample(pool, 4)).split()) for _ in range(rows)]


def wrapped(rows: int) -> tuple[float, float, int]:
    """Seconds, peak memory in MB, and rows published of one run over so many documents."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "documents.jsonl")
        with file.open("w") as out:
            out.writelines(json.dumps({"text": text}) + "\n" for text in documents(rows))
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/benchmarks/instant.py"), "--rephrase"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout
        environment = {
            **os.environ,
            "EVERSPRING_HOME": str(Path(folder, "home")),
            "OPENAI_BASE_URL": server.stdout.readline().strip(),
            "OPENAI_API_KEY": "none",
            "EVERSPRING_MODEL": "instant",
        }
        everspring = [sys.executable, "-m", "flows"]
        importing = [*everspring, "import", str(file), "--table", "raw.big", "--as", "Document"]
        subprocess.run(importing, cwd=ROOT, env=environment | OFF, capture_output=True, check=True)
        command = [*everspring, "run", "pretraining", "--method", "wrap", "--read", "wrap.documents=raw.big"]
        began = time.perf_counter()
        with subprocess.Popen(
            [*command, "--rows", "all"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            most = 0
            while run.poll() is None:
                try:
                    status = Path(f"/proc/{run.pid}/status").read_text()
                except OSError:
                    break
                most = max(most, *(int(found) for found in PEAK.findall(status)), 0)
                time.sleep(0.2)
        seconds = time.perf_counter() - began
        server.communicate()
        counted = subprocess.run(
            [*everspring, "sql", "select count(*) as n from pretraining.wrap", "--format", "json"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return seconds, most / 1000, json.loads(counted.stdout)[0]["n"]


def lines(rows: int = ROWS) -> list[Line]:
    few_seconds, few, _ = wrapped(rows // 10)
    seconds, many, published = wrapped(rows)
    return [
        Line(f"peak memory, {rows:,} documents", many, few, "MB", f"a tenth of them, in {few_seconds:.0f} s"),
        Line("documents a second, end to end", rows / seconds, rows / 10 / few_seconds, "1/s", "a tenth of them"),
        Line("rows published", published, None, ""),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    show(lines(**vars(parser.parse_args())))
