"""Private benchmark items, kept as hashes: an index finds them in texts, and nobody can read them.

An item's words are hashed eight in a row (BLAKE2b, 64 bits, keyed with a secret). Whoever has the secret, or hashes
made with none, can test a guess of eight words; so give one, and keep it out of the lake. Hashed items are found by
runs of words only: not where a text spaces them anew within words, changes their numbers, or rephrases them.
"""

import hashlib
import json
import re
from typing import NamedTuple

from catalog.records import BenchmarkItem
from infra.errors import Refusal
from quality.contamination.passages import GRAM, Units, passages_of
from quality.contamination.stream import Stream, stream

_MARK = '{"hashed_item": 1,'


class Sealed(NamedTuple):
    """A passage of a hashed item: the hashes of every `size` of its words in a row."""

    item: int
    size: int
    hashes: list[int]


def hashed(item: BenchmarkItem, secret: bytes = b"") -> BenchmarkItem:
    """The item with hashes in place of its text, and without its answer.

    Args:
        item: in clear; its benchmark's and its own name stay so.
        secret: of at most 64 bytes; `BenchmarkIndex` needs the same.

    Raises:
        Refusal: for an item that is too short to be told from other texts.
    """
    parts: list[dict[str, object]] = []
    for passage in passages_of(0, item.text, item.answer):
        s = stream([passage.text])
        size = min(GRAM, len(s.words) - 1)
        hashes = keyed_grams(s, size, secret).hashes
        parts.append({"words": size, "hashes": "".join(f"{int(key):016x}" for key in hashes)})
    if not parts:
        raise Refusal(f"{item.benchmark} {item.item}: is too short to be told from other texts once it is hashed")
    body = json.dumps({"secret": _print_of(secret), "passages": parts})
    return BenchmarkItem(benchmark=item.benchmark, item=item.item, text=f"{_MARK} {body[1:]}")


def is_hashed(text: str) -> bool:
    """Whether the text of an item is what `hashed` makes."""
    return text.startswith(_MARK)


def unsealed(number: int, item: BenchmarkItem, secret: bytes) -> list[Sealed]:
    """The hashes of an item of that number.

    Raises:
        Refusal: for hashes that are damaged, or were made with another secret.
    """
    try:
        content = json.loads(item.text)
        made_with = content["secret"]
        parts = [
            Sealed(number, int(p["words"]), [int(key, 16) for key in re.findall(".{16}", p["hashes"])])
            for p in content["passages"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            f"{item.benchmark} {item.item}: its hashes cannot be read ({error}); hash the item anew"
        ) from None
    if made_with != _print_of(secret):
        raise Refusal(
            f"{item.benchmark} {item.item}: was hashed with another secret; give the index the one it was hashed with"
        )
    return parts


def keyed_grams(s: Stream, size: int, secret: bytes) -> Units:
    """Every run of `size` words, under keyed hashes."""
    import numpy as np

    solid = s.solid(0, len(s.where))
    edges = s.words.tolist()
    hashes = [
        int.from_bytes(
            hashlib.blake2b(solid[start:end].encode("utf-8", "surrogatepass"), digest_size=8, key=secret).digest()
        )
        for start, end in zip(edges[:-size], edges[size:], strict=False)
    ]
    return Units(size, s.words, s.first_word, np.array(hashes, dtype=np.uint64))


def _print_of(secret: bytes) -> str:
    return hashlib.blake2b(b"everspring", digest_size=4, key=secret).hexdigest()
