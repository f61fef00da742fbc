"""AMPS: draw mathematics problems with worked solutions from parameterised scripts; computer algebra checks each.

Hendrycks et al., 2021, https://arxiv.org/abs/2103.03874

Departs from the paper:
- The scripts are our own, in Python with sympy, and fewer: the paper has about 100 in Mathematica, and the exercise
  generators of Khan Academy. The default number of problems is small; the paper's corpus has over 5 million.
- Every script writes step-by-step solutions; in the paper only some do.
- Every answer is read back from its text and checked by another way than the one it was found in.
"""

import inspect
from dataclasses import dataclass
from functools import partial
from random import Random

from catalog.records import Problem, ProblemScript
from catalog.sources.problem_scripts import SCRIPTS, Drawn, read_answer
from quality.expectations import between, not_blank, unique
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.filter import keep
from tasks.operators.program import program
from tasks.operators.sample import sample


@dataclass(frozen=True, kw_only=True)
class LevelledProblem(Problem):
    """A problem with the level of difficulty at which its script drew it: 1 is the easiest."""

    level: int


@method(
    paper=Paper(
        "Measuring Mathematical Problem Solving With the MATH Dataset", "Hendrycks et al.", 2021, arxiv="2103.03874"
    ),
    categories=["data-augmentation:non-llm"],
    reads={"scripts": "raw.problem_scripts"},
    expects=[unique("prompt"), not_blank("answer"), not_blank("solution"), between("level", 1)],
)
def amps(scripts: Rows[ProblemScript], *, rows: int = 1000, levels: int = 3, seed: int = 0) -> Rows[LevelledProblem]:
    """`rows` problems, spread evenly over levels, topics and scripts; fewer where a script runs out of new ones."""
    current = keep(scripts, _stale)
    made: dict[str, LevelledProblem] = {}
    drawn: dict[str, Drawn] = {}
    for level in range(1, levels + 1):
        quota = rows * level // levels - rows * (level - 1) // levels
        for n, some in _shares(current, quota, seed=seed + level):
            for script, value in program(some, partial(_draw, level=level), n=n, tries=20, seed=seed * levels + level):
                problem = _verbalise(script, value, level)
                made[problem.record_id], drawn[problem.record_id] = problem, value
    distinct = dedup(list(made.values()), by=lambda problem: problem.prompt)
    return keep(distinct, lambda problem: _fault(problem, drawn[problem.record_id]))


def _shares(scripts: Rows[ProblemScript], quota: int, *, seed: int) -> list[tuple[int, list[ProblemScript]]]:
    """How many problems each script is to draw: the same number, and one more for some, topic by topic."""
    each, rest = divmod(quota, max(1, len(scripts)))
    more = sample(scripts, rest, by=lambda script: script.topic, seed=seed)
    chosen = {script.name for script in more}
    return [(each + 1, more), (each, [script for script in scripts if script.name not in chosen])]


def _draw(script: ProblemScript, draw: Random, *, level: int) -> Drawn:
    return SCRIPTS[script.name](draw, level)


def _verbalise(script: ProblemScript, value: Drawn, level: int) -> LevelledProblem:
    solution = "\n".join([*value.steps, f"The answer is {value.answer}."])
    return LevelledProblem(
        prompt=value.question,
        answer=value.answer,
        solution=solution,
        topic=script.topic,
        level=level,
        origin=(script,),
    )


def _stale(script: ProblemScript) -> str:
    """A problem must come from the code that its parent row shows."""
    if script.name not in SCRIPTS:
        return "no script has this name now"
    if inspect.getsource(SCRIPTS[script.name]) != script.source_code:
        return "the script was changed since it was imported"
    return ""


def _fault(problem: LevelledProblem, value: Drawn) -> str:
    return "" if value.check(read_answer(problem.answer)) else "the answer fails its check"
