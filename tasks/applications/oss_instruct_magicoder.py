"""OSS-Instruct: let a random piece of open-source code inspire a coding problem, and solve it.

Wei et al., 2023, https://arxiv.org/abs/2312.02120

Departs from the paper:
- Seed snippets that repeat are left out before a problem is asked for, not after.
- A Python solution must parse; a weak model's often does not.
- Samples that hold a benchmark's text or solution are removed by the contamination screen of every table, not here.
- Three examples of ours are shown first, and problem and solution come as two JSON fields of bounded length: a weak
  model would find neither the form nor the end.
"""

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from pydantic import Field, create_model

from catalog.records import Code, PromptCompletion
from quality.expectations import distinct_together, length_between, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.extract import snippet
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.rewrite import looped
from tasks.operators.verify import parses
from tasks.prompts import read_examples, read_prompts


@dataclass(frozen=True, kw_only=True)
class Inspired(PromptCompletion):
    """A coding problem with its solution, and the snippet that inspired it."""

    snippet: str
    language: str


@method(
    paper=Paper("Magicoder: Empowering Code Generation with OSS-Instruct", "Wei et al.", 2023, "2312.02120"),
    categories=["general-model-distillation", "domain-model-distillation"],
    also=["data_preparation", "sft"],
    reads={"sources": "raw.functions"},
    expects=[length_between("prompt", 20), not_blank("snippet"), distinct_together("prompt", "completion")],
)
def oss_instruct_magicoder(
    sources: Partition[Code],
    llm: LLM,
    *,
    min_lines: int = 1,
    max_lines: int = 15,
    longest: int = 1200,
    seed: int = 0,
) -> Rows[Inspired]:
    """A snippet of each source, a problem with solution for each snippet; repeats and what is no code left out."""
    drawn = snippet(sources, min_lines, max_lines, seed=seed)
    pieces = dedup(drawn, lambda piece: piece.code, reason="the snippet repeats another")
    bounded = Annotated[str, Field(min_length=20, max_length=longest)]
    shape: Any = create_model("Written", problem=(bounded, ...), solution=(bounded, ...))
    ask: dict[str, Any] = {"turns": TURNS, "temperature": 0.0, "max_tokens": longest, "seed": seed}
    answers = generate(llm, pieces, PROMPTS["ask"], schema=shape, **ask)
    made = [
        Inspired(
            prompt=answer.value.problem.strip(),
            completion=answer.value.solution.strip(),
            snippet=piece.code,
            language=piece.language,
            origin=(piece, answer),
        )
        for piece, answer in answers
    ]
    sound = keep(made, partial(fault, longest))
    return dedup(sound, lambda row: (row.prompt, row.completion), reason="the problem repeats another")


def fault(longest: int, row: Inspired) -> str:
    """Why a problem with its solution teaches no code."""
    if row.prompt == row.completion:
        return "the solution is the problem"
    if row.prompt in [each["problem"] for each in SHOTS]:
        return "the problem is one of the examples"
    if looped(row.prompt) or len(row.prompt) >= longest:
        return "the problem does not end"
    if row.language != "python":
        return ""
    code = "\n\n".join(FENCED.findall(row.completion)) or row.completion
    return "" if parses(code) else "the solution is no Python that parses"


PROMPTS = read_prompts(__file__)
FENCED = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
SHOTS = read_examples(PROMPTS, "code", "problem", "solution")
TURNS = [
    (PROMPTS["ask"].format(language="python", **each), json.dumps({n: each[n] for n in ("problem", "solution")}))
    for each in SHOTS
]
