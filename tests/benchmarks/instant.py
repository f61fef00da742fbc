"""A server that answers at once: as little in the way of the client's own time as Python allows.

`python tests/benchmarks/instant.py` prints its address, serves until its standard input ends, then prints the time (as
time.time() counts) at which the first request came, and how many came.
"""

import asyncio
import json
import sys
import time

BODY = json.dumps(
    {
        "id": "instant",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "logprobs": None,
                "message": {"role": "assistant", "content": "A short answer."},
            }
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
    }
).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


class Instant(asyncio.Protocol):
    """Answers every POST with the same completion, whatever it asks."""

    first = 0.0
    requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            _, _, length = head.partition(b"content-length:")
            size = end + 4 + int(length.partition(b"\r\n")[0] or 0)
            if len(self._received) < size:
                return
            self._received = self._received[size:]
            Instant.first = Instant.first or time.time()
            Instant.requests += 1
            self._transport.write(ANSWER)  # type: ignore[attr-defined]


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Instant, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps({"first": Instant.first, "requests": Instant.requests}))


if __name__ == "__main__":
    asyncio.run(main())
