"""A Prefect server in a child process that ends with its parent, however that dies."""

import json
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
from infra.making import making
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
    """The address of a Prefect API: the one the settings name, else the one `everspring up` serves, else our own.

    Raises:
        Failure: where a server of our own does not come up.
    """
    configure(settings)
    if address := settings.prefect or _announced(settings):
        os.environ["PREFECT_API_URL"] = address
        yield address
        return
    with prefect_server(settings) as address:
        os.environ["PREFECT_API_URL"] = address
        try:
            yield address
        finally:
            del os.environ["PREFECT_API_URL"]


@contextmanager
def prefect_server(settings: Settings, port: int | None = None) -> Generator[str]:
    """Serve Prefect's API and page from the home folder for the length of the block; yields the API's address.

    Args:
        settings: which home folder.
        port: on loopback; a free one where left out. A server on a port asked for is used by runs that start meanwhile.
    """
    configure(settings)
    at = port or free_port()
    address = f"http://127.0.0.1:{at}/api"
    log = settings.folder("prefect") / "server.log"
    with making(settings.folder("prefect") / "prefect.db"):
        server = _start(at, address, log)
    announcement = _announcement(settings)
    try:
        if port:
            announcement.write_text(json.dumps({"address": address}))
        yield address
    finally:
        if port:
            announcement.unlink(missing_ok=True)
        assert server.stdin
        server.stdin.close()  # the child ends when its input does
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()


def _start(port: int, address: str, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "infra.prefect_server", str(port)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONWARNINGS": "ignore", "PREFECT_SERVER_UI_API_URL": address},
            start_new_session=True,
        )
    try:
        _wait(address, server, log)
    except BaseException:
        server.kill()
        raise
    return server


def _announcement(settings: Settings) -> Path:
    return settings.folder("prefect") / "serving.json"


def _announced(settings: Settings) -> str:
    """The address of a server that says it serves this home folder, and does."""
    try:
        address = str(json.loads(_announcement(settings).read_text())["address"])
    except (OSError, ValueError, KeyError):
        return ""
    return address if healthy(address) else ""


def healthy(address: str) -> bool:
    """Whether a server at this address says, under `/health`, that it is well."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - loopback
            return True
    except (urllib.error.URLError, OSError):
        return False


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        if healthy(address):
            return
        time.sleep(0.1)
    said = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["nothing"]
    raise Failure(f"Prefect server: did not start (it said: {said[0]}); see {log}")


def free_port() -> int:
    """A loopback port that nobody listens on."""
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
