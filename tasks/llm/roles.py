"""Roles: which models a run has, by what they are used for. Nothing starts before a request needs it."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

from catalog.calls import CallStore, calls_path
from infra.errors import Refusal
from infra.settings import EMBEDDED, Endpoint, Role, Settings
from tasks.llm.client import LLM, Target
from tasks.llm.connection import LOOP, Connection, Loop, Unanswered, redacted

EMBEDDED_MODEL = "smollm2-135m-instruct"
EMBEDDED_TIMEOUT = 600.0
"""Seconds: the embedded model shares this machine's processor with everything else."""


class Models:
    """The models of one run, by role."""

    def __init__(self, settings: Settings, store: CallStore, loop: Loop) -> None:
        self._settings = settings
        self._store = store
        self._loop = loop
        self._listed: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, role: Role) -> LLM:
        """The model of a role.

        Raises:
            Refusal: where the role names a model that its endpoint cannot be.
        """
        targets = tuple(self._target(role, endpoint) for endpoint in self._settings.endpoints(role))
        return LLM(role, targets, self._store, self._settings.attempts)

    def names(self, role: Role) -> tuple[str, ...]:
        """The names of a role's models; asks an endpoint for its list where none is set, starts nothing.

        Raises:
            Refusal: where an endpoint has several models and none is chosen.
            Failure: where an endpoint cannot be asked.
        """
        return tuple(member.model for member in self.get(role).pool)

    def _target(self, role: Role, endpoint: Endpoint) -> Target:
        if endpoint.url == EMBEDDED:
            if endpoint.model not in ("", EMBEDDED_MODEL):
                raise Refusal(
                    f"{role}: the model {endpoint.model!r} is named without an address, and the embedded model is "
                    f"{EMBEDDED_MODEL!r}; set OPENAI_BASE_URL to where {endpoint.model!r} is served"
                )
            return Target(role, lambda: EMBEDDED_MODEL, self._embedded, embedded=True)
        if urlsplit(endpoint.url).scheme not in ("http", "https"):
            raise Refusal(
                f"{role}: the address {redacted(endpoint.url)!r} has no http:// or https://, a URL is wanted; "
                "set OPENAI_BASE_URL, as in http://127.0.0.1:8000/v1"
            )

        def connection() -> Connection:
            return self._remote(endpoint)

        def name() -> str:
            return endpoint.model or self._discover(role, endpoint, target)

        target = Target(role, name, connection, embedded=False)
        return target

    def _remote(self, endpoint: Endpoint) -> Connection:
        settings = self._settings
        key = endpoint.api_key.get_secret_value() if endpoint.api_key else None

        def make() -> tuple[Connection, Callable[[], None]]:
            made = Connection(
                endpoint.url,
                key=endpoint.api_key,
                slots=settings.concurrency,
                timeout=settings.timeout,
                retries=settings.retries,
            )
            return made, lambda: None

        return self._loop.connection(
            (endpoint.url, key, settings.concurrency, settings.timeout, settings.retries), make
        )

    def _embedded(self) -> Connection:
        settings = self._settings

        def make() -> tuple[Connection, Callable[[], None]]:
            from tasks.llm.embedded import EmbeddedServer

            server = EmbeddedServer(settings)
            made = Connection(
                EMBEDDED,
                key=None,
                slots=settings.embedded_slots,
                timeout=EMBEDDED_TIMEOUT,
                retries=settings.retries,
                locate=server.locate,
            )
            return made, server.release

        return self._loop.connection((EMBEDDED, settings.home.absolute()), make)

    def _discover(self, role: Role, endpoint: Endpoint, target: Target) -> str:
        """The model that an endpoint serves: the one it lists, or `default` where it lists none."""
        with self._lock:
            if endpoint.url not in self._listed:
                connection = self._remote(endpoint)
                try:
                    names = self._loop.run(connection.models()).result()
                except Unanswered as error:
                    raise target.failure(error) from None
                if len(names) > 1:
                    raise Refusal(
                        f"{role}: {connection.name} serves {len(names)} models ({_listed(names)}), one must be chosen; "
                        "set EVERSPRING_MODEL"
                    )
                self._listed[endpoint.url] = names[0] if names else "default"
            return self._listed[endpoint.url]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")


@contextmanager
def open_models(settings: Settings) -> Generator[Models]:
    """The models, as the settings name them."""
    store = CallStore(calls_path(settings))
    try:
        with LOOP.use() as loop:
            yield Models(settings, store, loop)
    finally:
        store.close()
