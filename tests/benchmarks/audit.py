"""Every screen and every measure over 100,000 rows of 200 words, as their user runs them: `everspring audit`.

Beside it the time that only importing the same rows takes, since whoever looks at data without Everspring loads it too.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks"), str(ROOT / "tests" / "quality" / "measures")]

from measures import texts  # noqa: E402 - found by the line above
from table import Line, show  # noqa: E402

from quality.screening import policies  # noqa: E402

ROWS = 100_000


def run(home: Path, *arguments: str, **environment: str) -> tuple[float, str]:
    """Seconds that a command took, and what it said."""
    began = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        cwd=ROOT,
        env={**os.environ, "EVERSPRING_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, ended.stdout + ended.stderr


def lines(rows: int = ROWS) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        home, file = Path(folder, "home"), Path(folder, "rows.jsonl")
        with file.open("w") as out:
            out.writelines(json.dumps({"text": text}) + "\n" for text in texts(rows, 0))
        off = json.dumps(dict.fromkeys(policies(), "off"))
        imported, _ = run(home, "import", str(file), "--table", "raw.big", "--as", "Document", EVERSPRING_SCREENS=off)
        audited, said = run(home, "audit", "raw.big")
        print(said, file=sys.stderr)
        assert "gates hold" in said
        assert re.search(r"measuring \w+ \d+/\d+ measures", said), "no progress shown"
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    return [
        Line(f"every screen and measure, {rows:,} rows of 200 words", audited / 60, imported / 60, "min", "the import"),
        Line("peak memory of a process", most, None, "GB"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    show(lines(**vars(parser.parse_args())))
