"""The edit tax: requests that a small change costs, on 200 rows and a method of two steps.

Beside it the usual way: a script with a cache of its own, which knows a step by a hash over all its rows in their order
and its prompt.
"""

import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks")]

from bench import Bench  # noqa: E402 - found by the lines above
from scripted import ScriptedServer  # noqa: E402
from table import Line, show  # noqa: E402

from catalog.records import Prompt, digest  # noqa: E402
from infra.settings import load_settings  # noqa: E402
from tasks.ingest import ingest_file  # noqa: E402
from tasks.llm import open_models  # noqa: E402

ROWS = 200
TWO_STEPS = '''"""Draft an answer, then polish it."""
from catalog.records import Prompt, PromptCompletion
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.generate import generate


@method(
    paper=Paper("On drafts", "A. Maker", 2020, arxiv="2001.00001"),
    categories=["general-model-distillation"],
    reads={"seeds": "raw.rows"},
)
def toy(seeds: Partition[Prompt], llm: LLM, *, seed: int = 0) -> Rows[PromptCompletion]:
    drafts = [
        PromptCompletion(prompt=row.prompt, completion=answer.value, origin=(row, answer))
        for row, answer in generate(llm, seeds, "Draft: {prompt}", seed=seed)
    ]
    return [
        PromptCompletion(prompt=draft.prompt, completion=answer.value, origin=(draft, answer))
        for draft, answer in generate(llm, drafts, "Polish: {completion}", seed=seed)
    ]
'''
FIRST_STEP = TWO_STEPS[: TWO_STEPS.index("    drafts = [")] + (
    "    return [\n"
    "        PromptCompletion(prompt=row.prompt, completion=answer.value, origin=(row, answer))\n"
    '        for row, answer in generate(llm, seeds, "Draft: {prompt}", seed=seed)\n'
    "    ]\n"
)


def write(file: Path, prompts: Sequence[str]) -> Path:
    import polars as pl

    if file.suffix == ".parquet":
        pl.DataFrame({"prompt": prompts}).write_parquet(file)
    else:
        file.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    return file


class Naive:
    """The script: each step's rows are kept under the hash of all it was made from."""

    def __init__(self) -> None:
        self._kept: set[str] = set()

    def run(self, prompts: Sequence[str], steps: Sequence[str]) -> int:
        asked, key = 0, digest(list(prompts))
        for step in steps:
            key = digest([key, step])
            asked += 0 if key in self._kept else len(prompts)
            self._kept.add(key)
        return asked


def lines() -> list[Line]:
    prompts = [f"question {number}" for number in range(ROWS)]
    shuffled = random.Random(3).sample(prompts, len(prompts))
    more = [*prompts, "one more question"]
    two = ("Draft", "Polish")
    with (
        ScriptedServer(lambda prompt, body: f"re {prompt}") as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        home = Path(folder)
        settings = load_settings(home=home, base_url=server.url, model="scripted")
        with open_models(settings) as models:
            bench = Bench(home, settings, models, server)
            naive = Naive()

            def run(name: str, source: str, data: Sequence[str], suffix: str = ".jsonl") -> int:
                """Requests that a run on this data sends."""
                before = len(server.requests)
                file = write(home / f"{name}{suffix}", data)
                ingest_file(bench.lake, str(file), f"raw.{name}", Prompt, {}, settings)
                bench.run(source, reads={"seeds": f"raw.{name}"}, replace=True)
                return len(server.requests) - before

            assert run("rows", TWO_STEPS, prompts) == naive.run(prompts, two) == 2 * ROWS
            changed = TWO_STEPS.replace("Polish:", "Polish well:")
            edits: list[tuple[str, Callable[[], int], int]] = [
                ("one more row, a step of its own each", lambda: run("more", TWO_STEPS, more), naive.run(more, two)),
                ("rows in another order", lambda: run("order", TWO_STEPS, shuffled), naive.run(shuffled, two)),
                (
                    "the same rows from Parquet",
                    lambda: run("parquet", TWO_STEPS, prompts, ".parquet"),
                    naive.run(prompts, two),
                ),
                (
                    "the second step's prompt",
                    lambda: run("prompt", changed, prompts),
                    naive.run(prompts, ("Draft", "x")),
                ),
                (
                    "another method with the first step's prompt",
                    lambda: run("other", FIRST_STEP, prompts),
                    Naive().run(prompts, two[:1]),
                ),
            ]
            against = "a cache by the hash of a step's whole input"
            return [Line(f"{what}: requests", edit(), other, "requests", against) for what, edit, other in edits]


if __name__ == "__main__":
    show(lines())
