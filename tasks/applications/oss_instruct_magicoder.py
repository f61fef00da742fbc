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
from quality.expectations import length_between, not_blank, unique
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.extract import snippet
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.rewrite import looped
from tasks.operators.verify import parses


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
    expects=[length_between("prompt", 20), not_blank("completion"), not_blank("snippet"), unique("prompt")],
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
    pieces = dedup(
        snippet(sources, min_lines, max_lines, seed=seed),
        lambda piece: piece.code,
        reason="the snippet repeats another",
    )
    bounded = Annotated[str, Field(min_length=20, max_length=longest)]
    shape: Any = create_model("Written", problem=(bounded, ...), solution=(bounded, ...))
    answers = generate(llm, pieces, PROMPT, turns=TURNS, schema=shape, temperature=0.0, max_tokens=longest, seed=seed)
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
    shown = [problem for _, problem, _ in SHOTS]
    return dedup(
        keep(made, partial(fault, longest)), lambda row: row.prompt, seen=shown, reason="the problem repeats another"
    )


def fault(longest: int, row: Inspired) -> str:
    """Why a problem with its solution teaches no code."""
    if row.prompt == row.completion:
        return "the solution is the problem"
    if looped(row.prompt) or len(row.prompt) >= longest:
        return "the problem does not end"
    if row.language != "python":
        return ""
    code = (
        "\n\n".join(re.findall(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", row.completion, re.DOTALL))
        or row.completion
    )
    return "" if parses(code) else "the solution is no Python that parses"


PROMPT = """Language: {language}
Snippet:
{code}

Let the snippet inspire you to a good coding problem, and solve it. Write JSON: "problem" can be understood without the
snippet and says all that one needs to know, "solution" is correct {language} code for the whole problem."""

SHOTS = [
    (
        "    return sum(values) / len(values)",
        "Write a function `middle(a, b)` that returns the number halfway between two numbers.",
        "def middle(a, b):\n    return (a + b) / 2",
    ),
    (
        "for line in handle:\n    if line.startswith('#'):\n        continue",
        (
            "A shop keeps its orders as texts such as 'tea:3'. Write a function `total(orders)` that adds up the "
            "amounts, without the orders that start with a minus sign."
        ),
        (
            "def total(orders):\n    amount = 0\n    for order in orders:\n        if not order.startswith('-'):\n"
            "            amount += int(order.split(':')[1])\n    return amount"
        ),
    ),
    (
        "class Queue:\n    def __len__(self):",
        "Write a class `Jar` for marbles: `put(colour)` adds one, `count(colour)` says how many of a colour it holds.",
        (
            "class Jar:\n    def __init__(self):\n        self.marbles = []\n\n    def put(self, colour):\n"
            "        self.marbles.append(colour)\n\n    def count(self, colour):\n"
            "        return self.marbles.count(colour)"
        ),
    ),
]

TURNS = [
    (PROMPT.format(language="python", code=code), json.dumps({"problem": problem, "solution": solution}))
    for code, problem, solution in SHOTS
]
