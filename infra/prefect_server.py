"""Prefect's server, in a child process that ends with its parent."""

import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from infra.child import Child
from infra.errors import Failure
from infra.making import making
from infra.services import START_SECONDS, serving
from infra.settings import Settings
from infra.web import LOOPBACK, free_port, healthy

PREFECT = "Prefect"
"""The service's name."""
_short_lived: set[str] = set()


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
            # By default a page of any site may start runs; Prefect's own page comes from where its API is.
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "http://127.0.0.1",
            # Who holds a place under a limit is kept in memory by default: a server that is killed never takes it back.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "60",  # infra/automations.yaml notices three that are missing
        }
    )
    if settings.prefect:
        os.environ["PREFECT_API_URL"] = settings.prefect


@contextmanager
def prefect_api(settings: Settings) -> Generator[str]:
    """The address of a Prefect API: the one the settings name, else the one `everspring up` serves, else our own.

    Our own is started again where it dies.

    Raises:
        Failure: where the one that the settings name does not answer, or ours does not come up.
    """
    configure(settings)
    if address := settings.prefect or serving(settings, PREFECT):
        if not healthy(address):
            raise Failure(
                f"Prefect: {address} does not answer, a server was wanted; start it, or unset PREFECT_API_URL"
            )
        os.environ["PREFECT_API_URL"] = address
        yield address
        return
    port = free_port()
    address = api_at(port)
    with making_prefect(settings):
        server = start_prefect(settings, port)
        try:
            _wait(address, server)
        except BaseException:
            server.end()
            raise
    os.environ["PREFECT_API_URL"] = address
    _short_lived.add(address)
    ended = threading.Event()

    def keep() -> None:
        nonlocal server
        while not ended.wait(0.5):
            if server.code is not None:
                server.end()
                server = start_prefect(settings, port)

    keeper = threading.Thread(target=keep, name="keeper of Prefect's server", daemon=True)
    keeper.start()
    try:
        yield address
    finally:
        ended.set()
        keeper.join()
        os.environ.pop("PREFECT_API_URL", None)
        server.end()


def prefect_lasts() -> bool:
    """Whether Prefect's server in use is there for other runs too, and does not end with this one."""
    return os.environ.get("PREFECT_API_URL") not in _short_lived


def making_prefect(settings: Settings) -> AbstractContextManager[None]:
    """Let the block make, or open, the home folder's database of Prefect."""
    return making(settings.folder("prefect") / "prefect.db", "prefect")


def start_prefect(settings: Settings, port: int, *, grace: float = 0.0) -> Child:
    """Start to serve Prefect's API and page from the home folder, on loopback."""
    configure(settings)
    environment = {"PYTHONWARNINGS": "ignore", "PREFECT_SERVER_UI_API_URL": api_at(port)}
    log = settings.folder("prefect") / "server.log"
    return Child(["infra.prefect_server", str(port)], log, environment, grace=grace)


def api_at(port: int) -> str:
    """The address of an API that is served on a port of this machine."""
    return f"http://{LOOPBACK}:{port}/api"


def _wait(address: str, server: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.code is None:
        if healthy(address):
            return
        time.sleep(0.1)
    raise Failure(f"Prefect server: did not start (it said: {server.last_words()}); see {server.log}")


def _serve(port: int) -> None:
    """Serve until the process is told to end."""
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(create_app(), host=LOOPBACK, port=port, log_level="warning", timeout_graceful_shutdown=3)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
