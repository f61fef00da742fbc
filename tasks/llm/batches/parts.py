"""Requests, and how many of them one batch takes."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

REQUESTS_A_BATCH = 50_000
BYTES_A_BATCH = 200_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """A request: the id of its call, its path below the base URL, and its body as JSON."""

    call: str
    path: str
    body: str


@dataclass(slots=True)
class Part:
    """Requests for one batch: of one path and one model, and as often failed before."""

    path: str
    model: str
    round: int
    items: list[Item] = field(default_factory=list[Item])
    requests: int = 0
    bytes: int = 0


def line(item: Item) -> bytes:
    """A request's line in the file; a line break in JSON is only ever space between its tokens."""
    head = json.dumps({"custom_id": item.call, "method": "POST", "url": f"/v1{item.path}"})
    body = item.body.replace("\n", " ").replace("\r", " ")
    return f'{head[:-1]}, "body": {body}}}\n'.encode()


def parts(items: Iterable[tuple[Item, int]], most: int) -> list[Part]:
    """Requests, each with its round, in parts of `most` at the most.

    A request that is too big for any batch is a part of its own.
    """
    made: list[Part] = []
    filling: dict[tuple[str, str, int], Part] = {}
    for item, round_ in items:
        body = json.loads(item.body)
        inputs = body.get("input")
        count = len(inputs) if isinstance(inputs, list) else 1  # every text to embed counts
        size = len(line(item))
        kind = item.path, str(body.get("model")), round_
        part = filling.get(kind)
        if part is None or part.requests + count > most or part.bytes + size > BYTES_A_BATCH:
            part = filling[kind] = Part(*kind)
            made.append(part)
        part.items.append(item)
        part.requests += count
        part.bytes += size
    return made
