"""Servers on the network: whether one is well, what it answers, and which ports are free."""

import base64
import json
import os
import socket
import urllib.error
import urllib.request
from typing import Any

LOOPBACK = "127.0.0.1"
_SECONDS = 5
_PORTS = 20


def healthy(address: str) -> bool:
    """Whether a server at this address says, under `/health`, that it is well."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=_SECONDS):  # noqa: S310 - an address from the settings
            return True
    except (urllib.error.URLError, OSError):
        return False


def ask_prefect(api: str, path: str, body: Any = None) -> Any:
    """What Prefect's API answers at a path, to a body where one is given; None where it does not answer.

    Prefect's own client takes seconds to import.
    """
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("PREFECT_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    elif secret := os.environ.get("PREFECT_API_AUTH_STRING"):
        headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{api}/{path}", data, headers)  # noqa: S310 - an address from the settings
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def free_port(wanted: int = 0) -> int:
    """The loopback port wanted, or the next one that is free, or 0 where none near is; any where none is wanted."""
    near = range(wanted, wanted + _PORTS) if wanted else (0,)
    return next(filter(None, map(_bound, near)), 0)


def _bound(port: int) -> int:
    """The port that was bound for a moment; 0 where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: what has just ended may be used
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])
