"""Limits: how much of an endpoint runs take at once, over all processes that use the same Prefect server."""

import platform
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

from flows.telling import tell
from infra.prefect_server import prefect_lasts
from infra.settings import EMBEDDED, Settings
from tasks.method import Method

LEASE_SECONDS = 60
"""A process that was killed gives its places back after so long: as short as Prefect lets a lease be."""


@contextmanager
def places(settings: Settings, method: Method) -> Generator[None]:
    """Hold a place at each endpoint that a method asks for every request that it may have in flight there.

    Prefect's global concurrency limit of an endpoint is made with as many places as one process may use. Whoever
    changes it in Prefect's UI lets several tables be made there at once, or none. Under a Prefect server that ends with
    the run there is nobody to share with.
    """
    wanted = _endpoints(settings, method) if prefect_lasts() else {}
    held = ExitStack()
    try:
        for name, most in sorted(wanted.items()):  # in one order everywhere, so that no two wait for each other
            tell(partial(_hold, held, name, most))
        yield
    finally:
        tell(held.close)


def _endpoints(settings: Settings, method: Method) -> dict[str, int]:
    """The limits of the endpoints that a method asks, each with the requests that one process has in flight there."""
    found: dict[str, int] = {}
    for role in method.roles.values():
        for endpoint in settings.endpoints(role):
            if endpoint.url == EMBEDDED:
                found[f"embedded model on {platform.node()}"] = settings.embedded_slots
            else:
                address = urlsplit(endpoint.url)
                where = f"{address.hostname}:{address.port}" if address.port else f"{address.hostname}"
                found[_named(f"{endpoint.model} at {where}".strip())] = settings.concurrency
    return found


def _named(text: str) -> str:
    """A name without what Prefect forbids in one."""
    return "".join("-" if char in "/%&<>" else char for char in text)


def _hold(held: ExitStack, name: str, most: int) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.concurrency.sync import concurrency
    from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
    from prefect.logging import get_run_logger

    with get_client(sync_client=True) as client:
        try:
            limit = client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            with suppress(ObjectAlreadyExists):  # another process was faster
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=most))
            limit = client.read_global_concurrency_limit_by_name(name)
    occupy = max(1, min(most, limit.limit))
    if limit.active and limit.active_slots + occupy > limit.limit:
        get_run_logger().info("waits for %d of the %d places of %s, which others hold", occupy, limit.limit, name)
    held.enter_context(concurrency(name, occupy, lease_duration=LEASE_SECONDS))
