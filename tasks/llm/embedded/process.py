"""The server process: llama.cpp, for a folder's leases or for as long as its input is open.

`python -m tasks.llm.embedded.process` runs it; it must be a process of its own, because llama.cpp's server has no end.
"""

import argparse
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, cast

from infra.settings import Settings

IDLE_SECONDS = 3.0
"""How long the server outlives its last lease: a flow's methods open and close models one after the other."""
_CONNECTIONS = 128
"""Threads that take requests, at least: each connection keeps one, and whoever finds none waits until one closes."""


def start(
    settings: Settings, weights: Path, *options: str, stdin: int, stdout: int | IO[bytes], stderr: IO[bytes]
) -> "subprocess.Popen[bytes]":
    """Start a server process; `options` say where it serves."""
    command = [
        *(sys.executable, "-m", "tasks.llm.embedded.process"),
        *("--home", str(settings.home.absolute())),
        *("--weights", str(weights)),
        *("--slots", str(settings.embedded_slots)),
        *("--context", str(settings.embedded_context)),
        *options,
    ]
    root = str(Path(__file__).parents[3])
    environment = os.environ | {
        # llama.cpp's threads wait busily by default: under contention that cost 40 times the speed.
        "GOMP_SPINCOUNT": "10000",
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])),
    }
    return subprocess.Popen(  # noqa: S603 - this very file
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        # A session of its own: an interrupt at the terminal is for the runs, not for what they share.
        start_new_session=True,
    )


def serve_leases(home: Path, **given: Any) -> None:
    """Serve on a free port until no lease is left; never returns."""
    folder = home / "embedded"
    told = _claim(folder / "server.json")
    url = _serve(home, host="127.0.0.1", port=0, **given)
    os.ftruncate(told, 0)
    os.pwrite(told, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
    _wait(folder, told)
    # Nothing of llama.cpp needs to be taken down; its threads only delay the end.
    os._exit(0)


def serve_input(home: Path, **given: Any) -> None:
    """Serve until the standard input ends, after a line with the address on the standard output; never returns."""
    print(_serve(home, **given), flush=True)
    sys.stdin.read()
    os._exit(0)


def _claim(path: Path) -> int:
    """The file, locked: whoever else starts a server here gives way."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(100):
        # Whoever looks whether a server runs holds the lock for a moment.
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            return descriptor
        time.sleep(0.05)
    sys.exit("another server of this folder runs")


def _serve(home: Path, *, weights: Path, slots: int, context: int, host: str, port: int) -> str:
    """Load the model and serve it; returns the address once it answers."""
    from tasks.llm.embedded.weights import EMBEDDED_MODEL, prepare

    models = home / "models"
    models.mkdir(parents=True, exist_ok=True)
    served = prepare(weights, models)

    import xllamacpp

    parameters = cast(Any, xllamacpp).CommonParams()
    parameters.model.path = str(served)
    parameters.model_alias = [EMBEDDED_MODEL]
    parameters.hostnames = [host]
    parameters.port = port  # 0: any free one
    parameters.ui = False
    parameters.cors_origins = "http://127.0.0.1"  # by default a page of any site may ask
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context
    parameters.n_threads_http = max(_CONNECTIONS, 4 * slots)
    parameters.cpuparams.n_threads = os.cpu_count() or 1
    parameters.cache_ram_mib = 1024
    server = cast(Any, xllamacpp).Server(parameters)
    _KEPT.append(server)
    return str(server.listening_address)


_KEPT: list[Any] = []
"""A server that nothing refers to would be taken down."""


def _wait(folder: Path, told: int) -> None:
    """Give a sign of life each second until no lease was held for some; what was `told` is withdrawn then."""
    from filelock import FileLock, Timeout

    unused_since = time.monotonic()
    while True:
        time.sleep(1)
        os.utime(told)
        if _held(folder / "leases"):
            unused_since = time.monotonic()
        elif time.monotonic() - unused_since >= IDLE_SECONDS:
            # Whoever holds the lock is looking for this server, or waits for another to start.
            with contextlib.suppress(Timeout), FileLock(folder / "start.lock", timeout=0):
                if not _held(folder / "leases"):
                    (folder / "server.json").unlink(missing_ok=True)
                    return


def _held(leases: Path) -> bool:
    """Whether somebody holds a lease; those of the dead are removed."""
    held = False
    for path in leases.glob("[0-9]*"):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:  # just given back
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            held = True
        finally:
            os.close(descriptor)
    return held


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    given = vars(parser.parse_args())
    if given["host"] is None:
        serve_leases(**{name: value for name, value in given.items() if value is not None})
    else:
        serve_input(**given)


if __name__ == "__main__":
    main()
