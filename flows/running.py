"""Running a flow from the command line: under a Prefect server, the user's or one for the length of the run."""

import importlib
from collections.abc import Mapping
from typing import Any

from flows.console import console
from infra.errors import Failure
from infra.prefect_server import prefect_api
from infra.settings import load_settings


def run_flow(name: str, asked: Mapping[str, Any]) -> Any:
    """Run the flow of that name, which is also its module's; returns its result, or the exception that ended it."""
    settings = load_settings()
    settings.folder()
    console(stderr=True).print(f"everspring: {name}, home {settings.home}", style="dim", highlight=False)
    with prefect_api(settings) as address:
        flow = getattr(importlib.import_module(f"flows.{name}"), name)
        from flows.monitor import drain  # Prefect reads its address when it is imported
        from flows.telling import came_to, is_lost

        came_to.clear()
        try:
            result = flow(**asked, return_state=True).result(raise_on_failure=False)
        except Exception as error:
            if not is_lost(error):
                raise
            result = error
        if not is_lost(result):
            drain()
            return result
    if name in came_to:  # all is done, and only Prefect has not heard of it
        return came_to[name]
    return Failure(
        f"Prefect: {address} went away and did not come back, a server that answers was wanted; what is published "
        "stands, and the same command goes on with the rest: nothing that was answered is asked again"
    )
