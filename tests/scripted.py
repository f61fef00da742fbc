"""A scripted OpenAI-compatible server: real HTTP on a loopback port, its answers are a function.

In a test: `with ScriptedServer(lambda prompt, body: "yes") as server: ...`, then `server.url`, `server.requests`. As a
program, for tests that need it to outlive a client: `python tests/scripted.py --port 0 --log FILE` prints its address
first, writes one JSON line for each request that it answers, and ends when its standard input does.
"""

import argparse
import asyncio
import hashlib
import json
import random
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

if TYPE_CHECKING:
    from tasks.llm import LLM, Request

WORDS = (  # noqa: SIM905 - a word a line would say no more
    "river stone market winter garden teacher signal bridge copper morning island engine forest number letter window "
    "planet recipe journey harbour lantern meadow theory puzzle village thunder pocket mirror castle rhythm"
).split()


@dataclass(frozen=True)
class Reply:
    """What the server does with one request, where a plain text with status 200 is not it."""

    content: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: float = 0.0  # seconds before anything is sent
    dropped: bool = False  # the connection is closed without an answer
    body: str | None = None  # sent as it is, in place of a completion
    empty: bool = False  # a completion without choices
    finish: str = "stop"


Answering = Callable[[str, dict[str, Any]], "str | Reply"]
StartServer = Callable[..., "ScriptedServer"]
"""The fixture `scripted_server`."""
BindLLM = Callable[..., "LLM"]
"""The fixture `scripted_llm`."""


class ScriptedServer:
    """Serves `answer(prompt, body)`; the prompt is the last user message, or the raw prompt of a completion.

    `requests` keeps the body of every completion asked for, in the order of arrival; `headers` theirs.
    `models` are the names that `/v1/models` lists, or a Reply in its place.
    """

    def __init__(
        self,
        answer: Answering,
        *,
        port: int = 0,
        models: Sequence[str] | Reply = ("scripted",),
        log: Path | None = None,
    ) -> None:
        self.answer = answer
        self.models = models
        self.port = port
        self._requests: list[dict[str, Any]] = []
        self._headers: list[dict[str, str]] = []
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
    def prompts(self) -> list[str]:
        """The prompt of every request."""
        return [prompt_of(body) for body in self.requests]

    async def _start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_get("/v1/models", self._list)
        # A hanging request must not hold up the end of a test.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        if isinstance(self.models, Reply):
            return await self._odd(request, self.models) or web.Response(text=self.models.content)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = prompt_of(body)
        with self._lock:
            self._requests.append(body)
            self._headers.append(dict(request.headers))
            number = len(self._requests)
        answer = self.answer(prompt, body)
        reply = Reply(answer) if isinstance(answer, str) else answer
        if odd := await self._odd(request, reply):
            return odd
        if self._log:
            line = {"number": number, "path": request.path, "prompt": prompt, "content": reply.content, "body": body}
            self._log.write(json.dumps(line) + "\n")
            self._log.flush()
        return web.json_response(_completion(request.path, prompt, body, reply), headers=reply.headers)

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


def question(prompt: str, **parameters: Any) -> "Request":
    """A request that asks just this."""
    from tasks.llm import Request

    return Request(messages=({"role": "user", "content": prompt},), **parameters)


def prompt_of(body: Mapping[str, Any]) -> str:
    """The last user message, or the raw prompt."""
    if "messages" in body:
        return next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
    return body["prompt"]


def _completion(path: str, prompt: str, body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    chat = path.endswith("/chat/completions")
    text = {"message": {"role": "assistant", "content": reply.content}} if chat else {"text": reply.content}
    choice = {"index": 0, "finish_reason": reply.finish, "logprobs": None, **text}
    read, written = len(prompt.split()), len(reply.content.split())
    return {
        "id": "scripted",
        "object": "chat.completion" if chat else "text_completion",
        "created": 0,
        "model": body.get("model", "scripted"),
        "choices": [] if reply.empty else [choice],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def schema_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON schema that a request asks its answer to follow."""
    if "json_schema" in body:
        return body["json_schema"]
    wanted = body.get("response_format") or {}
    return wanted["json_schema"]["schema"] if wanted.get("type") == "json_schema" else None


def sensible(prompt: str, body: dict[str, Any]) -> str:
    """An answer for any request, the same for the same request: an instance of its schema, or a few sentences."""
    seed = hashlib.sha256(json.dumps([prompt, body.get("seed")]).encode()).hexdigest()
    if (schema := schema_of(body)) is not None:
        return json.dumps(instance_of(schema, seed))
    draw = random.Random(seed)
    return " ".join(_sentence(draw) for _ in range(draw.randint(1, 3)))


def instance_of(schema: Mapping[str, Any], seed: int | str) -> Any:
    """A value that is valid under a JSON schema, the same for the same seed.

    Raises:
        ValueError: for a `pattern` or `format`, which it cannot meet.
    """
    return _instance(schema, schema, random.Random(seed))


def _instance(schema: Mapping[str, Any], root: Mapping[str, Any], draw: random.Random) -> Any:
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _instance(target, root, draw)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw.choice(schema["enum"])
    if "allOf" in schema:
        return _instance({key: value for part in schema["allOf"] for key, value in part.items()}, root, draw)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return _instance(draw.choice(choices), root, draw)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    made: dict[str, Callable[[], Any]] = {
        "null": lambda: None,
        "boolean": lambda: draw.random() < 0.5,
        "integer": lambda: _number(schema, draw, whole=True),
        "number": lambda: _number(schema, draw, whole=False),
        "string": lambda: _string(schema, draw),
        "array": lambda: _array(schema, root, draw),
        "object": lambda: _object(schema, root, draw),
    }
    return made[draw.choice(kind) if isinstance(kind, list) else kind]()


def _number(schema: Mapping[str, Any], draw: random.Random, *, whole: bool) -> float:
    step = schema.get("multipleOf", 1 if whole else 0.01)
    low = schema.get("minimum", schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else None)
    if low is None:
        low = 1 if high is None else high - 9
    if high is None:
        high = low + 9
    if whole:
        first = -(-low // step)
        return int(step * draw.randint(int(first), int(high // step)))
    return round(draw.uniform(low, high), 6)


def _string(schema: Mapping[str, Any], draw: random.Random) -> str:
    if unmet := {"pattern", "format"} & schema.keys():
        raise ValueError(f"schema: {unmet} cannot be met by the scripted server")
    text = _sentence(draw)
    while len(text) < schema.get("minLength", 0):
        text += " " + _sentence(draw)
    return text[: schema.get("maxLength", len(text))].strip().ljust(schema.get("minLength", 0), "x")


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], draw: random.Random) -> list[Any]:
    made = [_instance(item, root, draw) for item in schema.get("prefixItems", ())]
    low = schema.get("minItems", 1 if "items" in schema else 0)
    size = max(len(made), draw.randint(low, min(schema.get("maxItems", low + 2), low + 4)))
    while isinstance(items := schema.get("items"), Mapping) and len(made) < size:
        made.append(_instance(items, root, draw))
    return made


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    made = {name: _instance(inner, root, draw) for name, inner in schema.get("properties", {}).items()}
    extra = schema.get("additionalProperties")
    if not made and isinstance(extra, Mapping):
        return {draw.choice(WORDS): _instance(extra, root, draw) for _ in range(2)}
    return made


def _sentence(draw: random.Random) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(5, 12))).capitalize() + "."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    given = parser.parse_args()

    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        return Reply(sensible(prompt, body), hang=given.delay)

    with ScriptedServer(answer, port=given.port, log=given.log) as server:
        print(server.url, flush=True)
        # Ends with whoever started it: the other end of standard input is theirs.
        sys.stdin.read()


if __name__ == "__main__":
    main()
