"""TinyGSM: write new grade-school problems after known ones, each with a Python function that is run for its answer.

Liu et al., 2023, https://arxiv.org/abs/2312.09241

Departs from the paper:
- The seeds are the problems of the table that is read, word problems or not; the paper's are GSM8K's training set.
- `variants` is one for each seed; the paper's 12.3 million programs are about a thousand for each.
- The problem stands in a column of its own, `prompt`, besides the function's docstring.
- Overlaps of 13 words with benchmarks are left to the gate, whose contamination screen drops them in every table.
- The verifier that picks among 48 sampled programs at inference is training, and no part of this table.
"""

from dataclasses import dataclass

from catalog.records import Problem, Prompt, PromptCompletion
from quality.expectations import distinct_together, matches
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.compute import compute, read_function
from tasks.operators.dedup import dedup
from tasks.operators.generate import generate
from tasks.operators.sample import dice
from tasks.prompts import read_prompts, read_shots
from tasks.sandbox import Sandbox


@dataclass(frozen=True, kw_only=True)
class Draft(Prompt):
    """A problem with its code before that is run."""

    code: str


@dataclass(frozen=True, kw_only=True)
class SolvedInCode(PromptCompletion):
    """A problem, a function without arguments that returns its answer, and what it returned."""

    answer: str


@method(
    paper=Paper("TinyGSM: achieving >80% on GSM8k with small language models", "Liu et al.", 2023, arxiv="2312.09241"),
    categories=["data-augmentation:reformation"],
    reads={"problems": ("data_preparation.amps", "raw.problems")},
    expects=[
        matches("completion", r"^def solution\(\)"),
        matches("answer", r"^-?\d+(\.\d+)?$"),
        distinct_together("prompt", "completion"),
    ],
)
def tinygsm(
    problems: Partition[Problem],
    llm: LLM,
    sandbox: Sandbox,
    *,
    variants: int = 1,
    temperature: float = 0.7,
    max_tokens: int = 256,
    seed: int = 0,
) -> Rows[SolvedInCode]:
    """For each seed a new problem in one of several styles, with code; what runs and returns a number stays."""

    def style(problem: Problem) -> str:
        return PROMPTS[dice(seed, "style", problem.record_id).choice(STYLES)]

    written = generate(
        llm,
        problems,
        lambda problem: style(problem).format(prompt=problem.prompt),
        turns=lambda problem: read_shots(PROMPTS, "problem", "solution", style(problem)),
        parse=read_function,
        n=variants,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
    )
    drafts = [Draft(prompt=one.value.told, code=one.value.code, origin=(problem, one)) for problem, one in written]
    shown = [read_function(solution).told for _, solution in read_shots(PROMPTS, "problem", "solution")]
    known = [((problem.record_id,), text) for problem in problems for text in (problem.prompt, *shown)]
    new = dedup(drafts, by=lambda row: (row.parents, row.prompt), seen=known, reason="the problem repeats another")
    return [
        SolvedInCode(prompt=row.prompt, completion=row.code, answer=number, origin=(row,))
        for row, number in compute(sandbox, new, lambda row: row.code)
    ]


PROMPTS = read_prompts(__file__)
STYLES = ("story", "step", "thing")
