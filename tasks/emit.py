"""Emit: a run that has ended is told as OpenLineage events, to a server where the settings name one, else to a file.

Nothing that is in the way costs the run anything but a warning: the server has a few seconds, and what it does not take
is kept in the file.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.openlineage import events
from catalog.store import Lake
from infra.settings import Settings

FILE = "openlineage.jsonl"
"""In the home folder; a line an event."""
_SECONDS = 5.0
"""For all events of a run."""
_AGAIN = 300.0
"""Seconds after which a server that did not answer is tried again: a flow has many runs, and none is to wait for it."""

_away: dict[str, float] = {}
"""Servers that did not take what they were sent, and when they were last tried."""


def emit(lake: Lake, run_id: str, settings: Settings) -> None:
    """Tell a run that has ended, once it stands in `catalog.runs`."""
    if settings.openlineage_disabled:
        return
    try:
        told = events(lake, run_id)
        if not settings.openlineage_url or not _sent(told, run_id, settings):
            _append(told, settings.folder() / FILE)
    except Exception as error:  # noqa: BLE001 - what was made is in the lake; the events can be printed from there
        why = (str(error).splitlines() or [type(error).__name__])[0]
        _warn(f"{run_id}: no OpenLineage events ({why}); `everspring lineage TABLE@V --format openlineage` prints them")


def as_line(event: Mapping[str, Any]) -> str:
    """An event as a line of the file."""
    return json.dumps(event, sort_keys=True)


def _append(told: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Add lines to a file that others add to as well; a last line that was never ended stays by itself."""
    from filelock import FileLock

    lines = "".join(f"{as_line(event)}\n" for event in told).encode()
    with FileLock(f"{file}.lock", timeout=_SECONDS), file.open("ab+") as out:
        if out.tell():
            out.seek(-1, os.SEEK_END)
            if out.read(1) != b"\n":
                lines = b"\n" + lines
        out.write(lines)


def _sent(told: Sequence[Mapping[str, Any]], run_id: str, settings: Settings) -> bool:
    """Whether the server took the events; where it did not, a warning says so once."""
    url = settings.openlineage_url
    if url in _away and time.monotonic() - _away[url] < _AGAIN:
        return False
    if not (why := _post(told, settings)):
        _away.pop(url, None)
        return True
    if url not in _away:
        _warn(f"{run_id}: OPENLINEAGE_URL does not take events ({why}); meanwhile they go to {FILE} in the home folder")
    _away[url] = time.monotonic()
    return False


def _post(told: Sequence[Mapping[str, Any]], settings: Settings) -> str:
    """Send events; returns why that could not be done, or nothing.

    In a thread that may be left behind: no timeout of the client's bounds a name that is not resolved, or an answer
    that comes byte by byte.
    """
    came_to: list[str] = []
    sending = threading.Thread(target=lambda: came_to.append(_why_not(told, settings)), daemon=True)
    sending.start()
    sending.join(_SECONDS)
    return came_to[0] if came_to else f"no answer within {_SECONDS:g} s"


def _why_not(told: Sequence[Mapping[str, Any]], settings: Settings) -> str:
    from openlineage.client.transport.http import HttpConfig, HttpTransport

    config: dict[str, Any] = {
        "url": settings.openlineage_url,
        "endpoint": settings.openlineage_endpoint,
        "timeout": _SECONDS,
        "retry": {"total": 0, "connect": 0, "read": 0},
    }
    if key := settings.openlineage_api_key:
        config["auth"] = {"type": "api_key", "apiKey": key.get_secret_value()}
    try:
        transport = HttpTransport(HttpConfig.from_dict(config))
        for event in told:
            transport.emit(event)  # type: ignore[arg-type] - it makes an object of any event before it sends it
        transport.close()
    except Exception as error:  # noqa: BLE001 - whatever it is, the events go to the file
        return (str(error).splitlines() or [type(error).__name__])[0]
    return ""


def _warn(text: str) -> None:
    from infra.secrets import redacted

    logging.getLogger("everspring").warning("%s", redacted(text))
