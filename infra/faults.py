"""Faults of the machine: a disk that is full, told from the errors of many libraries."""

import errno
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.errors import Failure

_FULL = re.compile(r"no space left on device|disk is full|disk full|disk quota exceeded", re.IGNORECASE)
_FULL_CODES = {errno.ENOSPC, errno.EDQUOT}
_NOTHING_LEFT = 1 << 20
"""Bytes: with fewer on its disk, SQLite says that it cannot open a file, or that there was an error, not why."""


def full_disk(error: BaseException, places: Sequence[Path]) -> Failure | None:
    """The failure to tell of in place of an error, where a full disk is behind it: that of the folders written to."""
    there = [place for place in places if place.exists()] or [Path.cwd()]
    tightest = min(there, key=_free)
    if not any(_says_full(each) for each in _chain(error)) and _free(tightest) >= _NOTHING_LEFT:
        return None
    return Failure(
        f"disk: that of {tightest} is full ({_free(tightest) / 1e6:,.1f} MB are free), room for what a run makes was "
        "wanted; free some, then give the same command again: what is published can be read, and nothing that was "
        "answered is asked again"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those behind it."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _says_full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in _FULL_CODES) or bool(_FULL.search(str(error)))


def _free(place: Path) -> int:
    return shutil.disk_usage(place).free
