"""The event loop of this process: one thread, shared by everybody who asks models."""

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine, Generator, Hashable, Iterable
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from tasks.llm.connection import Connection

T = TypeVar("T")


class Loop:
    """The event loop and the connections on it, there while somebody uses them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connections: dict[Hashable, tuple[Connection, Callable[[], None]]] = {}

    @contextmanager
    def use(self) -> Generator["Loop"]:
        """Keep the loop while inside; the last to leave closes it."""
        with self._lock:
            self._users += 1
        try:
            yield self
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._close()

    def run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call `function` on the loop, soon."""
        self._running().call_soon_threadsafe(function, *arguments)

    def connection(self, key: Hashable, make: Callable[[], tuple[Connection, Callable[[], None]]]) -> Connection:
        """The connection known by `key`, made on first use together with what to call when it is closed."""
        with self._lock:
            if key not in self._connections:
                self._connections[key] = make()
            return self._connections[key][0]

    def close(self) -> None:
        """Close everything, whoever uses it."""
        with self._lock:
            self._close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="models", daemon=True)
                self._thread.start()
            return self._loop

    def _close(self) -> None:
        connections, self._connections = self._connections, {}
        loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(_end(connection for connection, _ in connections.values()), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            assert self._thread is not None
            self._thread.join()
            loop.close()
        for _, end in connections.values():
            end()


async def _end(connections: Iterable[Connection]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for connection in connections:
        await connection.close()
    # TLS connections close on the loop's next turns.
    await asyncio.sleep(0)


LOOP = Loop()
atexit.register(LOOP.close)
