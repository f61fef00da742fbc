"""The HTTP client under `openai`: its own aiohttp one, on a shorter way for what completions consist of.

A request with a plain body goes to aiohttp as it is; cookies, authentication flows and the parsing of one and the same
address are left out, which halves the processor time of a request. Uploads and streams take the long way.
"""

from typing import Any

import aiohttp
import httpx2
import openai
from httpx2 import URL, Request, Response


class Transport(openai.DefaultAioHttpClient):
    """An `http_client` for `openai.AsyncOpenAI`."""

    def __init__(self, *, connections: int, connect: float, anonymous: bool, trust_env: bool) -> None:
        super().__init__(
            timeout=httpx2.Timeout(None, connect=connect),  # who sends a request bounds its time
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=trust_env,
        )
        self._connections = connections
        self._connect = connect
        self._anonymous = anonymous  # openai insists on a key
        self._from_environment = trust_env
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    def build_request(self, method: str, url: URL | str, **given: Any) -> Request:
        """A request, with its address parsed once."""
        content = given.get("content")
        if not isinstance(content, bytes) or given.get("params") or given.get("files"):
            return self._signed(super().build_request(method, url, **given))
        known = self._urls.get(str(url))
        if known is None:
            known = self._urls[str(url)] = URL(str(url))
        return self._signed(
            Request(method, known, headers=given["headers"], content=content, extensions={"short": True})
        )

    async def send(self, request: Request, **given: Any) -> Response:
        """The answer to a request, read to its end."""
        if not request.extensions.get("short") or given.get("stream"):
            return await super().send(request, **given)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self._from_environment,
            )
        headers = {name: value for name, value in request.headers.items() if name not in _OWN}
        try:
            async with self._session.request(
                request.method, str(request.url), data=request.content, headers=headers
            ) as answer:
                content = await answer.read()
        except aiohttp.ClientError as error:
            raise httpx2.NetworkError(str(error), request=request) from error
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _UNDONE]
        return Response(answer.status, headers=kept, content=content, request=request)

    def _signed(self, request: Request) -> Request:
        if self._anonymous:
            del request.headers["Authorization"]
        return request

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
        await super().aclose()


_OWN = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
"""Headers that aiohttp writes itself."""
_UNDONE = {"content-encoding", "transfer-encoding", "content-length"}
"""Headers that no longer hold for a body that has been read."""
