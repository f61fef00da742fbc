"""Roles: which models a run has, by what they are used for. Nothing starts before a request needs it."""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

from catalog.calls import CallStore, open_store
from infra import settings as configured
from infra.errors import Refusal
from infra.settings import EMBEDDED, Role, Settings
from tasks.llm.batches import Batches
from tasks.llm.client import LLM
from tasks.llm.connection import Connection, Endpoint, redacted
from tasks.llm.embedded.grammar import grammar
from tasks.llm.embedded.weights import EMBEDDED_MODEL
from tasks.llm.embedder import Embedder, offline, remote
from tasks.llm.faults import Unanswered
from tasks.llm.loop import LOOP, Loop
from tasks.llm.prices import load_prices
from tasks.llm.target import Target, Terms
from tasks.llm.watermark import mark
from tasks.sandbox import Sandbox, open_sandbox

_LOG = logging.getLogger("everspring")
EMBEDDED_TIMEOUT = 600.0
"""Seconds: the embedded model shares this machine's processor with everything else."""


class Models:
    """The models of one run, by role."""

    def __init__(self, settings: Settings, store: CallStore, loop: Loop, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._terms = Terms(store, load_prices(settings), settings.attempts)
        self._loop = loop
        self._say = say
        self._listed: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, role: Role) -> LLM:
        """The model of a role.

        Raises:
            Refusal: where the role names a model that its endpoint cannot be.
        """
        targets = tuple(self._target(role, endpoint) for endpoint in self._settings.endpoints(role))
        return LLM(role, targets, self._terms)

    def embedder(self) -> Embedder:
        """What makes vectors: the model of the role `embedder` where one is set, else the encoder of this machine."""
        return remote(self.get("embedder")) if "embedder" in self._settings.roles else offline()

    def sandbox(self) -> Sandbox:
        """What runs programs that models wrote.

        Raises:
            Refusal: where this machine has none, or not the one that is set.
        """
        return open_sandbox(self._settings.sandbox)

    def names(self, role: Role) -> tuple[str, ...]:
        """The names of a role's models; asks an endpoint for its list where none is set, starts nothing.

        Raises:
            Refusal: where an endpoint has several models and none is chosen.
            Failure: where an endpoint cannot be asked.
        """
        return tuple(member.model for member in self.get(role).pool)

    def _target(self, role: Role, endpoint: configured.Endpoint) -> Target:
        if endpoint.url == EMBEDDED:
            if endpoint.model not in ("", EMBEDDED_MODEL):
                raise Refusal(
                    f"{role}: the model {endpoint.model!r} is named without an address, and the embedded model is "
                    f"{EMBEDDED_MODEL!r}; set OPENAI_BASE_URL to where {endpoint.model!r} is served"
                )
            secret = self._settings.watermark
            its_mark = mark(secret.get_secret_value()) if secret else None
            most = self._settings.embedded_slots  # the server takes no `n` beyond its slots
            return Target(role, lambda: EMBEDDED_MODEL, self._embedded, grammar=grammar, mark=its_mark, draws=most)
        if self._settings.watermark:
            raise Refusal(
                f"{role}: a watermark is asked for at {redacted(endpoint.url)}, only the embedded model's tokens are "
                "known; unset EVERSPRING_WATERMARK, or watermark there"
            )
        if urlsplit(endpoint.url).scheme not in ("http", "https"):
            raise Refusal(
                f"{role}: the address {redacted(endpoint.url)!r} has no http:// or https://, a URL is wanted; "
                "set OPENAI_BASE_URL, as in http://127.0.0.1:8000/v1"
            )

        def connection() -> Connection:
            return self._remote(endpoint)

        def name() -> str:
            return endpoint.model or self._discover(role, endpoint, target)

        def batches(connection: Connection) -> Batches:
            folder = self._settings.folder("batches")
            return Batches(connection, folder, wait=self._settings.batch_wait, say=self._say)

        target = Target(role, name, connection, batches=batches if self._settings.batch else None)
        return target

    def _remote(self, endpoint: configured.Endpoint) -> Connection:
        settings = self._settings
        told = Endpoint(
            url=endpoint.url,
            key=endpoint.api_key,
            slots=settings.concurrency,
            timeout=settings.timeout,
            retries=settings.retries,
            hedge=settings.hedge,
            requests_per_minute=endpoint.requests_per_minute or settings.requests_per_minute,
            tokens_per_minute=endpoint.tokens_per_minute or settings.tokens_per_minute,
        )
        return self._loop.connection(told, lambda: (Connection(told), lambda: None))

    def _embedded(self) -> Connection:
        settings = self._settings

        def make() -> tuple[Connection, Callable[[], None]]:
            from tasks.llm.embedded import EmbeddedServer

            server = EmbeddedServer(settings)
            told = Endpoint(
                url="",
                slots=settings.embedded_slots,
                timeout=EMBEDDED_TIMEOUT,
                retries=settings.retries,
                hedge=False,  # a second sending would only slow down the first
                locate=server.locate,
            )
            return Connection(told), server.release

        return self._loop.connection((EMBEDDED, settings.home.absolute()), make)

    def _discover(self, role: Role, endpoint: configured.Endpoint, target: Target) -> str:
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
def open_models(settings: Settings, say: Callable[[str], None] = _LOG.info) -> Generator[Models]:
    """The models, as the settings name them; `say` is told what takes long, in a line."""
    store = open_store(settings)
    try:
        with LOOP.use() as loop:
            yield Models(settings, store, loop, say)
    finally:
        store.close()
