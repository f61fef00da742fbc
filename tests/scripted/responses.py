"""Bodies of responses: completions, embeddings, images."""

import base64
import hashlib
import math
import random
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from scripted.reply import Reply, prompt_of

DIMENSIONS = 32
"""Of an embedding, where the request names no other number."""


def response(path: str, body: Mapping[str, Any], replies: Sequence[Reply]) -> dict[str, Any]:
    """The body of the response to a request at `path`, with a choice for every reply."""
    if path.endswith("/embeddings"):
        return _embeddings(body, replies[0])
    if path.endswith("/images/generations"):
        return _images(body)
    return _completion(body, replies, chat=path.endswith("/chat/completions"))


def _completion(body: Mapping[str, Any], replies: Sequence[Reply], *, chat: bool) -> dict[str, Any]:
    read, written = len(prompt_of(body).split()), sum(len(reply.content.split()) for reply in replies)
    choices = [_choice(index, body, reply, chat=chat) for index, reply in enumerate(replies) if not reply.empty]
    counts = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return {
        "id": "scripted",
        "object": "chat.completion" if chat else "text_completion",
        "created": 0,
        "model": body.get("model", "scripted"),
        "choices": choices,
        **_usage(replies[0], counts),
    }


def _choice(index: int, body: Mapping[str, Any], reply: Reply, *, chat: bool) -> dict[str, Any]:
    text = {"message": {"role": "assistant", "content": reply.content}} if chat else {"text": reply.content}
    wanted = body.get("logprobs") not in (None, False)
    logprobs = {"content": _logprobs(reply.content, body.get("top_logprobs") or 0)} if wanted else None
    return {"index": index, "finish_reason": reply.finish, "logprobs": logprobs, **text}


def _logprobs(text: str, alternatives: int) -> list[dict[str, Any]]:
    """A log probability for every word, the same for the same word; the likeliest alternative is the word itself."""

    def one(token: str, logprob: float) -> dict[str, Any]:
        return {"token": token, "logprob": logprob, "bytes": list(token.encode())}

    tokens = [(word, -random.Random(word).random()) for word in text.split()]
    others = range(alternatives)
    return [
        one(word, logprob) | {"top_logprobs": [one(word + "'" * place, logprob - place) for place in others]}
        for word, logprob in tokens
    ]


def _embeddings(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    dimensions, packed = body.get("dimensions", DIMENSIONS), body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(vector_of(text, dimensions) for text in texts)
    ]
    read = sum(len(str(text).split()) for text in texts)
    usage = _usage(reply, {"prompt_tokens": read, "total_tokens": read})
    return {"object": "list", "model": body.get("model", "scripted"), "data": data, **usage}


def vector_of(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector of length 1, the same for the same text."""
    draw = random.Random(text)
    vector = [draw.gauss(0, 1) for _ in range(dimensions)]
    length = math.hypot(*vector)
    return [number / length for number in vector]


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _images(body: Mapping[str, Any]) -> dict[str, Any]:
    made = [png_of(f"{body['prompt']} {index}") for index in range(body.get("n") or 1)]
    return {"created": 0, "data": [{"b64_json": base64.b64encode(png).decode()} for png in made]}


def png_of(prompt: str) -> bytes:
    """A picture of 8 by 8 pixels, all of one colour, the same for the same prompt."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour = hashlib.sha256(prompt.encode()).digest()[:3]
    rows = (b"\0" + colour * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _usage(reply: Reply, counted: Mapping[str, Any]) -> dict[str, Any]:
    return {} if reply.usage is None else {"usage": {**counted, **reply.usage}}
