"""A site on a loopback port, for this machine alone."""

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from infra.web import LOOPBACK

_HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _Handler(SimpleHTTPRequestHandler):
    """Gives the files of one folder, to whoever asks for them under a name of this machine."""

    def send_head(self) -> Any:
        """What is asked for; a page elsewhere whose name leads here by DNS is refused."""
        host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host")
        if host not in (LOOPBACK, "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)
            return None
        return super().send_head()

    def list_directory(self, path: Any) -> None:  # noqa: ARG002 - the base class's
        """Nothing: a folder is no page."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Add what keeps other pages away."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves a folder at a port of the loopback address until it is shut down."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__((LOOPBACK, port), partial(_Handler, directory=str(folder)))

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://{LOOPBACK}:{self.server_port}/"
