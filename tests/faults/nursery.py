"""A process that has imported what a run imports, and forks one for each run it is told of: half a minute becomes three
seconds of a core, and a run that is killed is a process that is killed all the same.

`python tests/faults/nursery.py` reads a JSON line, the arguments of `everspring`, the settings that the run is to lack,
and where its output goes; writes the process id of the run, then, when that has ended, id and exit code.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))


def main() -> None:
    _import_all()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _run(asked)
        print(json.dumps({"pid": pid}), flush=True)
        threading.Thread(target=_wait, args=(pid,), daemon=True).start()


def _import_all() -> None:
    import great_expectations as gx
    import mlflow.tracking
    import openai

    import flows.cli
    import flows.lifecycle

    _IMPORTED.extend([gx, mlflow.tracking, openai, flows.cli, flows.lifecycle])


_IMPORTED: list[Any] = []


def _run(asked: dict[str, Any]) -> None:
    """Be the run."""
    from flows.__main__ import main as run

    output = os.open(asked["output"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in ((0, nothing), (1, output), (2, output)):
        os.dup2(descriptor, number)
    for name in asked["without"]:
        os.environ.pop(name)
    sys.argv = ["everspring", *asked["arguments"]]
    code: Any = 1
    try:
        run()
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:  # noqa: BLE001 - told as the interpreter would
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 1)


def _wait(pid: int) -> None:
    _, status = os.waitpid(pid, 0)
    print(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
