"""Running a flow from the command line: under a Prefect server, the user's or one for the length of the run."""

import importlib
from collections.abc import Mapping
from typing import Any

from flows.console import console
from infra.prefect_server import prefect_api
from infra.settings import load_settings


def run_flow(name: str, asked: Mapping[str, Any]) -> Any:
    """Run the flow of that name, which is also its module's; returns its result, or the exception that ended it."""
    settings = load_settings()
    settings.folder()
    console(stderr=True).print(f"everspring: {name}, home {settings.home}", style="dim", highlight=False)
    with prefect_api(settings):
        flow = getattr(importlib.import_module(f"flows.{name}"), name)
        from flows.monitor import drain  # Prefect reads its address when it is imported

        result = flow(**asked, return_state=True).result(raise_on_failure=False)
        drain()
    return result
