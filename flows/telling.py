"""Telling Prefect what a run does, which must never cost the run a row: a server that is away is told nothing."""

import logging
import os
from collections.abc import Callable
from typing import Any, TypeVar

import httpx
from prefect.exceptions import PrefectHTTPStatusError

from flows.console import console
from infra.errors import EverspringError
from infra.web import healthy

T = TypeVar("T")

came_to: dict[str, Any] = {}
"""What the flows of this process came to, by name: outcomes, or the exception that ended one."""
_warned: set[str] = set()


def tell(what: Callable[[], T]) -> T | None:
    """What Prefect answers; None, with one warning, where its server does not.

    It is asked whether it is well before: Prefect's client waits a minute for a server that is gone, at each call.
    """
    address = os.environ.get("PREFECT_API_URL", "")
    if address and not healthy(address):
        _warn(address)
        return None
    try:
        return what()
    except Exception as error:
        if not is_lost(error):
            raise
        _warn(address)
        return None


def is_lost(error: object) -> bool:
    """Whether an error says that Prefect's server went away, or is not well."""
    if isinstance(error, PrefectHTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def noting(flow: str, work: Callable[[], T]) -> T:
    """What some work comes to, noted as that of a flow: Prefect may not be there to be told."""
    try:
        came_to[flow] = result = work()
    except EverspringError as error:
        came_to[flow] = error
        raise
    return result


def _warn(address: str) -> None:
    if address not in _warned:
        _warned.add(address)
        logging.getLogger("prefect._internal.concurrency").setLevel(logging.CRITICAL)  # a page for each event unsent
        console(stderr=True).print(
            f"Prefect: {address} does not answer; the run goes on, and is not shown there meanwhile", style="yellow"
        )
