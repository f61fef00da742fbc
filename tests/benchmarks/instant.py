"""A server that answers at once: as little in the way of the client's own time as Python allows.

`python tests/benchmarks/instant.py` prints its address, serves until its standard input ends, then prints the time (as
time.time() counts) at which the first request came, and how many came. With `--rephrase` it does not say the same each
time, but what it is asked about in another order.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable

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
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def rephrased(body: bytes) -> bytes:
    """What the last message asks about, its sentences from last to first and some words left out."""
    asked: str = json.loads(body)["messages"][-1]["content"]
    order, _, text = asked.partition("\n\n")
    sentences = [" ".join(word for n, word in enumerate(s.split()) if n % 4) for s in reversed(text.split(". "))]
    said = ". ".join(sentences)
    if "Question:" in order:
        said = f"Question: What is said here? Answer: {said}"
    return BODY.replace(b'"A short answer."', json.dumps(said).encode())


class Instant(asyncio.Protocol):
    """Answers every POST with the same completion, whatever it asks, or with what `answer` makes of it."""

    answer: Callable[[bytes], bytes] | None = None

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
            body, self._received = self._received[end + 4 : size], self._received[size:]
            Instant.first = Instant.first or time.time()
            Instant.requests += 1
            said = Instant.answer(body) if Instant.answer else BODY
            self._transport.write(HEAD % len(said) + said)  # type: ignore[attr-defined]


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Instant, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps({"first": Instant.first, "requests": Instant.requests}))


if __name__ == "__main__":
    if "--rephrase" in sys.argv[1:]:
        Instant.answer = rephrased
    asyncio.run(main())
