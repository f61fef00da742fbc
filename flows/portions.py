"""The Prefect task that makes a portion, in whatever process a runner has for it."""

import atexit
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.store import Lake
from flows.workplace import at_work, is_open
from infra.settings import Settings, load_settings
from tasks.llm import Models, open_models
from tasks.method import find_method
from tasks.portions import Made, Portion, make_elsewhere


@task(name="portion", cache_policy=NO_CACHE, persist_result=False)
def make_portion(portion: Portion, given: Mapping[str, Any]) -> Made:
    """Make a portion with what this process works with; `given` are the settings that the command line changed."""
    method = find_method(portion.basis.method)
    if is_open():  # a thread of the run's own process
        place = at_work()
        return make_elsewhere(portion, method, place.lake, place.models, place.settings, spread=True)
    settings, lake, models = _desk(given)
    return make_elsewhere(portion, method, lake, models, settings)


_desks: dict[str, tuple[Settings, Lake, Models]] = {}
_STACK = ExitStack()


def _desk(given: Mapping[str, Any]) -> tuple[Settings, Lake, Models]:
    """Settings, lake and models of a worker, opened once a process."""
    key = repr(sorted(given.items()))
    if key not in _desks:
        if not _desks:
            atexit.register(_STACK.close)
        settings = load_settings(**given)
        _desks[key] = settings, Lake(settings), _STACK.enter_context(open_models(settings))
    return _desks[key]
