"""Share of the embedded model's answers that are valid under a nested schema, beside a bare openai client's.

The bare client sends the schema as `response_format` too, and reads the answer with `json.loads` and pydantic. Both ask
the same server the same questions, a part each in turn.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from scripted import WORDS  # noqa: E402 - found by the line above
from table import Line, show  # noqa: E402

from catalog.records import Prompt  # noqa: E402
from infra.settings import load_settings  # noqa: E402
from tasks.ledger import Ledger, keep  # noqa: E402
from tasks.llm import open_models  # noqa: E402
from tasks.llm.embedded import EmbeddedServer  # noqa: E402
from tasks.operators.generate import generate  # noqa: E402

REQUESTS, PARTS, IN_FLIGHT, MAX_TOKENS = 200, 4, 8, 256


class Ingredient(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=24)]
    unit: Literal["g", "ml", "piece"]
    amount: Annotated[int, Field(ge=1, le=999)]


class Recipe(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=40)]
    course: Literal["starter", "main", "dessert"]
    ingredients: Annotated[list[Ingredient], Field(min_length=1, max_length=4)]
    minutes: Annotated[int, Field(ge=1, le=240)]
    note: Annotated[str, Field(max_length=60)] | None = None


@dataclass
class Tally:
    """What a side has got: answers asked for, those of them that are valid, tokens and seconds."""

    asked: int = 0
    valid: int = 0
    tokens: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float:
        return 100 * self.valid / self.asked

    @property
    def speed(self) -> float:
        return self.tokens / self.seconds


def prompt(number: int) -> str:
    return f"Recipe {number}, with {WORDS[number % len(WORDS)]} and {WORDS[(number // 3 + 5) % len(WORDS)]}, as JSON."


def ask_through_us(llm: Any, numbers: range, tally: Tally) -> None:
    rows = [Prompt(prompt=prompt(number)) for number in numbers]
    began = time.perf_counter()
    with keep(Ledger()) as ledger:
        pairs = generate(llm, rows, "{prompt}", schema=Recipe, max_tokens=MAX_TOKENS)
    tally.seconds += time.perf_counter() - began
    tally.asked += len(rows)
    tally.valid += sum(isinstance(answer.value, Recipe) for _, answer in pairs)
    step = ledger.step("generate")
    assert not step.reused
    tally.tokens += step.completion_tokens
    print(f"{step.calls - len(rows)} of {len(rows)} were asked for again", file=sys.stderr)
    for lost in ledger.drops:
        print(f"dropped: {lost.reason}: {lost.evidence[-200:]}", file=sys.stderr)


async def ask_bare(url: str, numbers: range, tally: Tally) -> None:
    import openai

    form: Any = {
        "type": "json_schema",
        "json_schema": {"name": "recipe", "schema": Recipe.model_json_schema(), "strict": True},
    }
    gate = asyncio.Semaphore(IN_FLIGHT)
    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

        async def one(number: int) -> None:
            async with gate:
                answer = await client.chat.completions.create(
                    model="smollm2-135m-instruct",
                    messages=[{"role": "user", "content": prompt(number)}],
                    response_format=form,
                    max_tokens=MAX_TOKENS,
                    temperature=0.7,
                    seed=number,
                )
            tally.tokens += answer.usage.completion_tokens if answer.usage else 0
            text = answer.choices[0].message.content or ""
            try:
                Recipe.model_validate(json.loads(text))
                tally.valid += 1
            except (json.JSONDecodeError, ValidationError):
                print(f"invalid ({answer.choices[0].finish_reason}): {text[-100:]!r}", file=sys.stderr)

        began = time.perf_counter()
        await asyncio.gather(*(one(number) for number in numbers))
    tally.seconds += time.perf_counter() - began
    tally.asked += len(numbers)


def lines(requests: int = REQUESTS) -> list[Line]:
    ours, bare = Tally(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder), embedded_slots=IN_FLIGHT)
        server = EmbeddedServer(settings)
        url = server.locate()
        part = -(-requests // PARTS)
        try:
            with open_models(settings) as models:
                for first in range(0, requests, part):
                    numbers = range(first, min(first + part, requests))
                    ask_through_us(models.get("generator"), numbers, ours)
                    asyncio.run(ask_bare(url, numbers, bare))
        finally:
            server.release()
    against = "openai with response_format, json.loads, pydantic"
    return [
        Line(f"valid under a nested schema, of {requests} answers", ours.share, bare.share, "%", against),
        Line("such answers", ours.valid / ours.seconds, bare.valid / bare.seconds, "/s", against),
        Line("tokens of such answers, of which an answer has fewer here", ours.speed, bare.speed, "tokens/s", against),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    show(lines(**vars(parser.parse_args())))
