"""The watermark of a run's texts: what a secret asks of the sampling, and how its texts are told again.

Only the embedded model's vocabulary is known here, so only its texts can be marked.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from quality.watermark import TOKENS, Detection, GreenList, detect, green_list, logit_bias
from tasks.llm.tokens import plain_tokens, token_ids

PENALTIES = {"presence_penalty": 0.5, "frequency_penalty": 0.5}
"""Sent with the bias: each different token counts once, and a small model that repeats itself leaves few to count."""


@dataclass(frozen=True)
class Mark:
    """A watermark: its name, which tells nothing of the secret, the tokens that it prefers, and by how much."""

    name: str
    greens: GreenList
    bias: Mapping[str, float]

    def put_into(self, body: str) -> str:
        """The body of a request with the bias and the penalties in place of the name."""
        asked = PENALTIES | json.loads(body)
        del asked["watermark"]
        asked["logit_bias"] = {**self.bias, **asked.get("logit_bias", {})}
        return json.dumps(asked)

    def detect(self, text: str) -> Detection:
        """How a text stands to it."""
        return detect(token_ids(text), self.greens)


@cache
def mark(secret: str) -> Mark:
    """The watermark of a secret.

    Raises:
        Refusal: for an empty secret, or where the embedded model's weights are not installed.
    """
    greens = green_list(plain_tokens()[:TOKENS], secret)
    name = hashlib.blake2b(secret.encode("utf-8", "surrogatepass"), digest_size=8, person=b"watermark").hexdigest()
    return Mark(name, greens, logit_bias(greens))
