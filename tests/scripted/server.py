"""The server: real HTTP on a loopback port, its answers are a function."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from scripted.batches import BatchDesk
from scripted.reply import Answering, Reply, prompt_of
from scripted.responses import response


class ScriptedServer:
    """Serves `answer(prompt, body)`; the prompt is that of `prompt_of`.

    `requests` keeps the body of everything asked of a model, alone or in a batch, in the order of arrival; `headers`
    those of requests that came alone. `paths` keeps method and path of every HTTP request. `models` are the names that
    `/v1/models` lists, or a Reply in its place. `n` completions for one request take an answer each, asked for with
    another seed, or are one where it does not honour `n`. `desk` holds files and batches; `meddle(method, path)` may
    return a Reply in place of what they do.
    """

    def __init__(
        self,
        answer: Answering,
        *,
        port: int = 0,
        models: Sequence[str] | Reply = ("scripted",),
        log: Path | None = None,
        honours_n: bool = True,
        batch_delay: int | None = 0,
    ) -> None:
        self.answer = answer
        self.models = models
        self.port = port
        self.honours_n = honours_n
        self.desk = BatchDesk(self._respond_in_batch, batch_delay)
        self.meddle: Callable[[str, str], Reply | None] = lambda method, path: None
        self._requests: list[dict[str, Any]] = []
        self._headers: list[dict[str, str]] = []
        self._paths: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        self._log = log.open("a", encoding="utf-8") if log else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        if self._log:
            self._log.close()

    @property
    def url(self) -> str:
        """The base URL, as `OPENAI_BASE_URL` wants it."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._requests)

    @property
    def headers(self) -> list[dict[str, str]]:
        with self._lock:
            return list(self._headers)

    @property
    def paths(self) -> list[tuple[str, str]]:
        with self._lock:
            return list(self._paths)

    @property
    def prompts(self) -> list[str]:
        """The prompt of every request."""
        return [prompt_of(body) for body in self.requests]

    async def _start(self) -> None:
        app = web.Application(client_max_size=512 * 1024 * 1024, middlewares=[self._record])
        for path in ("chat/completions", "completions", "embeddings", "images/generations"):
            app.router.add_post(f"/v1/{path}", self._answer)
        app.router.add_get("/v1/models", self._list)
        app.router.add_routes(self.desk.routes())
        # A hanging request must not hold up the end of a test.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        with self._lock:
            self._paths.append((request.method, request.path))
        reply = self.meddle(request.method, request.path)
        if reply is None:
            return await handler(request)
        if reply.done:
            await handler(request)
        return await self._odd(request, reply) or web.Response(text=reply.content, headers=reply.headers)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if isinstance(self.models, Reply):
            return await self._odd(request, self.models) or web.Response(text=self.models.content)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        with self._lock:
            self._headers.append(dict(request.headers))
        number, reply, answered = self._respond(request.path, body)
        if odd := await self._odd(request, reply):
            return odd
        self._note(number, request.path, body, reply)
        return web.json_response(answered, headers=reply.headers)

    def _respond_in_batch(self, path: str, body: dict[str, Any]) -> tuple[Reply, dict[str, Any]]:
        number, reply, answered = self._respond(path, body)
        self._note(number, path, body, reply)
        return reply, answered

    def _respond(self, path: str, body: dict[str, Any]) -> tuple[int, Reply, dict[str, Any]]:
        """The number of a request, the reply to it, and the body of the response where nothing is wrong."""
        with self._lock:
            self._requests.append(body)
            number = len(self._requests)
        prompt = prompt_of(body)
        replies = [self._reply(prompt, body)]
        copies = (body.get("n") or 1) if self.honours_n and path.endswith("completions") else 1
        seed = body.get("seed") or 0
        replies += [self._reply(prompt, body | {"seed": seed + index}) for index in range(1, copies)]
        return number, replies[0], response(path, body, replies)

    def _note(self, number: int, path: str, body: dict[str, Any], reply: Reply) -> None:
        if self._log:
            line = {"number": number, "path": path, "prompt": prompt_of(body), "content": reply.content, "body": body}
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()

    def _reply(self, prompt: str, body: dict[str, Any]) -> Reply:
        try:
            answer = self.answer(prompt, body)
        except (AssertionError, LookupError, ValueError) as error:  # a test's mistake: what is wrong does not pass
            return Reply(f"the script has no answer ({type(error).__name__}: {error})", status=400)
        return Reply(answer) if isinstance(answer, str) else answer

    async def _odd(self, request: web.Request, reply: Reply) -> web.StreamResponse | None:
        if reply.hang:
            await asyncio.sleep(reply.hang)
        if reply.dropped:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if reply.body is not None:
            kind = "application/json"
            return web.Response(text=reply.body, status=reply.status, headers=reply.headers, content_type=kind)
        if reply.status != 200:
            error = {"message": reply.content or f"scripted {reply.status}", "type": "scripted", "code": reply.status}
            return web.json_response({"error": error}, status=reply.status, headers=reply.headers)
        return None
