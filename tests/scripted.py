"""The scripted server (the package beside this file) as a program: `python tests/scripted.py --port 0 --log FILE`.

It prints its address first, writes one JSON line for each request that it answers, and ends when its standard input
does.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from scripted import Reply, ScriptedServer, sensible


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--batch-delay", type=int, default=0, help="times that a batch is asked for before it is done")
    given = parser.parse_args()

    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        return Reply(sensible(prompt, body), hang=given.delay)

    with ScriptedServer(answer, port=given.port, log=given.log, batch_delay=given.batch_delay) as server:
        print(server.url, flush=True)
        # Ends with whoever started it: the other end of standard input is theirs.
        sys.stdin.read()


if __name__ == "__main__":
    main()
