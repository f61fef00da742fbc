"""Tokens: the embedded model's counted as its server counts them, those of others learnt."""

import json
import urllib.request
from pathlib import Path

import pytest

from infra.settings import load_settings
from tasks.llm.embedded import EmbeddedServer
from tasks.llm.tokens import TokenEstimate, count_tokens

TEXTS = [
    "",
    " ",
    "   leading, and   inside",
    "12345 1 2  3 ½ Ⅷ ٣",
    "it's, we'll, I'M, 'tis and ''s",
    "<|im_start|>user\nHi<|im_end|>\n<|im_end <|endoftext|>",
    "日本語のテキスト 한국어 ไทย नमस्ते مرحبا",
    "😀👨‍👩‍👧‍👦 e\u0301 \u200b\ufeff\u00a0\u0085\u2028",
    "\t\n\r\n  \x00\x1c x\n\n",
    "a" * 3000 + "=" * 1000,
    "def f(x):\n    return {'a': [1, 2.5e-3]}  # done\n",
]


def test_words_digits_and_special_tokens_are_counted() -> None:
    assert count_tokens("") == 0
    assert count_tokens("The capital of France is Paris.") == 7
    assert count_tokens("12345") == 5
    assert count_tokens("<|im_start|>user\nHi<|im_end|>") == 5


def test_a_long_word_is_counted_in_a_moment() -> None:
    assert count_tokens("a" * 200_000) == 50_000


@pytest.mark.embedded
def test_the_server_counts_the_same(tmp_path: Path) -> None:
    server = EmbeddedServer(load_settings(home=tmp_path, embedded_slots=1))
    try:
        url = server.locate().removesuffix("/v1")
        assert [count_tokens(text) for text in TEXTS] == [tokenized(url, text) for text in TEXTS]
    finally:
        server.release()


def tokenized(url: str, text: str) -> int:
    body = json.dumps({"content": text}).encode()
    request = urllib.request.Request(f"{url}/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return len(json.loads(response.read())["tokens"])


def test_an_estimate_begins_on_the_careful_side() -> None:
    assert TokenEstimate().estimate(300) == 101


def test_an_estimate_follows_what_is_reported() -> None:
    estimate = TokenEstimate()
    for _ in range(10):
        estimate.learn(4000, 1000)

    assert estimate.estimate(400) == 101


def test_an_estimate_forgets() -> None:
    estimate = TokenEstimate()
    for _ in range(500):
        estimate.learn(4000, 1000)
    for _ in range(500):
        estimate.learn(1000, 1000)

    assert estimate.estimate(1000) == pytest.approx(1000, rel=0.01)


def test_nothing_to_read_is_one_token() -> None:
    assert TokenEstimate().estimate(0) == 1
