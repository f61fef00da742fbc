"""Many texts screened by as many processes as there are cores: screens are Python, and Python works on one core."""

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import chain
from multiprocessing import get_context
from typing import Any

from infra.errors import Failure
from quality.screens import Fault, load_screens

CHUNK = 500
"""Texts that a process takes at once, at most."""
WORTH = 4 * CHUNK
"""Texts, one time and another, for which starting processes pays: each takes a second or two to import its screens."""
LEAST = 100
"""Texts for which it pays to hand them over."""

Faults = dict[str, list[Fault | None]]
"""Screen → what it finds in each text, in their order."""


Options = Mapping[str, Mapping[str, Any]]
"""Screen → its options."""

_seen = Counter[str]()
"""What this process has been shown."""


def find_faults(screens: Options, texts: Sequence[str], *, spread: bool = True) -> Faults:
    """What these screens find in these texts, by other processes too where `spread` allows it and it pays.

    Raises:
        Failure: where a process that screens is killed.
    """
    if not spread or not screens or (os.cpu_count() or 1) == 1 or not _pays(len(texts)):
        return _find(screens, texts)
    try:
        parts = [found.result() for found in list(_submitted(screens, texts))]
    except BrokenProcessPool:
        _pool.cache_clear()
        raise Failure(
            f"screens: a process that screened {len(texts):,} texts was killed, most likely for want of memory; "
            "free some, or make partitions smaller with EVERSPRING_PARTITION"
        ) from None
    return {name: list(chain.from_iterable(part[name] for part in parts)) for name in screens}


def _pays(texts: int) -> bool:
    """Whether so many texts more are worth processes of their own."""
    _seen["texts"] += texts
    return _seen["texts"] >= WORTH and texts >= LEAST


def _submitted(screens: Options, texts: Sequence[str]) -> Iterator[Future[Faults]]:
    size = min(CHUNK, math.ceil(len(texts) / (os.cpu_count() or 1)))
    for first in range(0, len(texts), size):
        yield _pool().submit(_find, screens, texts[first : first + size])


def _find(screens: Options, texts: Sequence[str]) -> Faults:
    return {name: load_screens()[name].find(texts, **options) for name, options in screens.items()}


@cache
def _pool() -> ProcessPoolExecutor:
    # Spawned, not forked: this process has threads, whose locks a fork would take along.
    return ProcessPoolExecutor(mp_context=get_context("spawn"))
