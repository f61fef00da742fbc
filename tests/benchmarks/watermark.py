"""The watermark on the embedded model: how sure it is found, how often in human text, and what it costs the text.

Both sides answer the same prompts, with and without the bias, in one run; human text is Python's documentation and the
conversations of chatterbot-corpus, in pieces of as many tokens.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from scripted import WORDS  # noqa: E402 - found by the line above
from table import Line, show  # noqa: E402

from catalog.sources._chatterbot import conversations  # noqa: E402
from infra.settings import load_settings  # noqa: E402
from quality.watermark import FOUND, detect  # noqa: E402
from tasks.llm import LLM, Failed, Request, open_models  # noqa: E402
from tasks.llm.tokens import token_ids  # noqa: E402
from tasks.llm.watermark import mark  # noqa: E402

LENGTH, GENERATIONS, TEXTS = 200, 20, 1000
SECRET = "a secret"
ENDLESS = {"0": -100.0, "2": -100.0}
"""Bias against the tokens that would end an answer."""


def human(most: int) -> Iterator[list[int]]:
    """Human text in pieces of `LENGTH` tokens."""
    spoken = " ".join(turn for talk in conversations("english") for turn in talk.turns)
    read = token_ids("\n\n".join(topics.values())) + token_ids(spoken)
    for start in range(0, min(len(read) - LENGTH, most * LENGTH), LENGTH):
        yield read[start : start + LENGTH]


def write(llm: LLM, texts: int) -> tuple[list[list[int]], float, float]:
    """Texts of `LENGTH` tokens, their perplexity to the model, and tokens a second."""
    asked = [
        Request(
            messages=(
                {"role": "user", "content": f"Write a long text about the {WORDS[n % len(WORDS)]}, number {n}."},
            ),
            max_tokens=LENGTH,
            seed=n,
            logit_bias=ENDLESS,
            logprobs=1,
        )
        for n in range(texts)
    ]
    began = time.perf_counter()
    answers = [answer for answer in llm.ask(asked, str) if not isinstance(answer, Failed)]
    seconds = time.perf_counter() - began
    assert len(answers) == texts
    loss = statistics.fmean(-token.logprob for answer in answers for token in answer.tokens)
    return [token_ids(answer.value) for answer in answers], math.exp(loss), texts * LENGTH / seconds


def lines(generations: int = GENERATIONS, texts: int = TEXTS) -> list[Line]:
    key = mark(SECRET)
    of_humans = [detect(text, key.greens).z for text in human(texts)]
    with tempfile.TemporaryDirectory() as folder:
        with open_models(load_settings(home=Path(folder), watermark=SECRET)) as models:
            marked, perplexity, speed = write(models.get("generator"), generations)
        with open_models(load_settings(home=Path(folder))) as models:
            plain, usual, fast = write(models.get("generator"), generations)
    z, without = ([detect(text, key.greens).z for text in side] for side in (marked, plain))
    what = f"{generations} texts of {LENGTH} tokens"
    return [
        Line(f"least z, {what}", min(z), min(without), "z", "without the watermark"),
        Line("median z", statistics.median(z), statistics.median(without), "z", "without the watermark"),
        Line("found", sum(one >= FOUND for one in z) / len(z), sum(one >= FOUND for one in without) / len(z), "share"),
        Line(
            f"found in {len(of_humans)} human texts", sum(o >= FOUND for o in of_humans) / len(of_humans), 0.01, "share"
        ),
        Line("greatest z of those", max(of_humans), FOUND, "z", "what counts as found"),
        Line("perplexity", perplexity, usual, "", "without the watermark"),
        Line("speed", speed, fast, "tokens/s", "without the watermark"),
        Line("bias in a request", len(json.dumps(dict(key.bias))) / 1000, None, "KB"),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=GENERATIONS)
    parser.add_argument("--texts", type=int, default=TEXTS)
    show(lines(**vars(parser.parse_args())))
