"""A Prefect server of a run's own, in a child process that ends with its parent, however that dies."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import Failure
from infra.settings import Settings

START_SECONDS = 180.0


def configure(settings: Settings) -> None:
    """Point Prefect at the home folder and keep it quiet; to be called before Prefect is imported."""
    os.environ["PREFECT_HOME"] = str(settings.folder("prefect"))
    os.environ.update(
        {
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
            "PREFECT_CLI_WRAP_LINES": "false",
            "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        }
    )
    if settings.prefect:
        os.environ["PREFECT_API_URL"] = settings.prefect


@contextmanager
def prefect_api(settings: Settings) -> Generator[str]:
    """The address of a Prefect API: the one the settings name, else a server of our own on a loopback port.

    Raises:
        Failure: where the server does not come up.
    """
    configure(settings)
    if settings.prefect:
        yield settings.prefect
        return
    port = _free_port()
    log = settings.folder("prefect") / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "infra.prefect_server", str(port)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}/api"
        _wait(address, server, log)
        os.environ["PREFECT_API_URL"] = address
        yield address
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        assert server.stdin
        server.stdin.close()  # the child ends when its input does
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    said = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["nothing"]
    raise Failure(f"Prefect server: did not start (it said: {said[0]}); see {log}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(port: int) -> None:
    """Serve until standard input ends."""

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
