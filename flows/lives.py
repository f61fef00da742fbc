"""Which flow runs live: each holds a lock that the system drops with its process, however that ends.

Prefect shows a run whose process was killed as running until somebody says otherwise. The next run on the home folder
does; it finds the locks of the dead.
"""

import fcntl
import os
from pathlib import Path
from typing import Any

from prefect.runtime import flow_run

from infra.settings import Settings
from infra.web import ask_prefect

_UNDONE = {"type": {"any_": ["PENDING", "RUNNING", "PAUSED", "CANCELLING"]}}
_held: list[int] = []
"""Locks of this process, until it ends."""


def tell_lives(settings: Settings) -> None:
    """Say that the flow run at work lives, and tell Prefect of those that have died."""
    folder, api = settings.folder("prefect", "alive"), os.environ.get("PREFECT_API_URL", "")
    if not api or not flow_run.id:
        return
    for left in folder.iterdir():
        _see_to(left, api)
    new = folder / f".{flow_run.id}"  # named once it is locked: until then it would be one of the dead
    lock = os.open(new, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    new.rename(folder / str(flow_run.id))
    _held.append(lock)


def _see_to(left: Path, api: str) -> None:
    """Tell Prefect that a run has crashed, where its process is dead and Prefect does not know it."""
    try:
        lock = os.open(left, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if left.name.startswith("."):
            return
        crashed = {"state": {"type": "CRASHED", "message": "Its process has died."}, "force": True}
        of_run: dict[str, Any] = {"flow_runs": {"id": {"any_": [left.name]}}}
        undone = ask_prefect(api, "flow_runs/filter", {"flow_runs": {**of_run["flow_runs"], "state": _UNDONE}})
        if undone is None:
            return  # it does not answer: the next run will see to it
        if undone:
            ask_prefect(api, f"flow_runs/{left.name}/set_state", crashed)
        for task in ask_prefect(api, "task_runs/filter", {**of_run, "task_runs": {"state": _UNDONE}}) or ():
            ask_prefect(api, f"task_runs/{task['id']}/set_state", crashed)
        left.unlink(missing_ok=True)
    except BlockingIOError:
        return  # it lives
    finally:
        os.close(lock)
