"""Bounds on what a process may use."""

import re
import resource
from pathlib import Path

_POWERS = " kmgt"


def bytes_of(size: str) -> int:
    """The bytes of a size such as `4GB` or `1.5GiB`."""
    found = re.fullmatch(r"([0-9.]+)\s?([kmgt]?)(i?)b", size.lower())
    assert found, size
    number, unit, binary = found.groups()
    return int(float(number) * ((1024 if binary else 1000) ** _POWERS.index(unit or " ")))


def bound_memory(more: int) -> None:
    """Let this process have so many bytes more than it has now: what goes beyond fails there, not elsewhere."""
    status = Path("/proc/self/status")
    if not status.exists():  # not Linux
        return
    has = int(re.findall(r"VmData:\s+(\d+) kB", status.read_text())[0]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = has + more
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
