"""Case2Code: run real functions on inputs that a model writes, and ask for the function that the cases show.

Shao et al., 2024, https://arxiv.org/abs/2407.12504

Departs from the paper:
- The functions are those of the sources given, by default Python's standard library, where the paper takes The Stack.
- A function may import modules of the standard library whose functions touch nothing; its docstring is left out.
- Inputs are JSON: whole numbers, truth values, texts, lists and dictionaries. Outputs must be ones to write out.
- How many inputs are asked for, the fewest cases of a task and the longest output are ours; a task shows all its cases.
- Sources are gone through in batches, in random order, until there are `rows` tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.records import Code, PromptCompletion
from quality.expectations import length_between, matches, unique
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.cases import Case, cases, inputs
from tasks.operators.dedup import dedup
from tasks.operators.functions import functions
from tasks.operators.sample import dice, sample
from tasks.prompts import read_examples, read_prompts
from tasks.sandbox import Bounds, Sandbox


@dataclass(frozen=True, kw_only=True)
class Induction(PromptCompletion):
    """Cases of a function, and the function that gives them; each of `cases` is true in Python."""

    name: str
    cases: tuple[str, ...]


@method(
    paper=Paper("Case2Code: Scalable Synthetic Data for Code Generation", "Shao et al.", 2024, "2407.12504"),
    categories=["general-model-distillation"],
    reads={"sources": "raw.functions"},
    expects=[
        matches("prompt", r" == \S"),
        matches("completion", r"^def \w+\("),
        length_between("cases", 12),
        unique("completion"),
    ],
)
def case2code(
    sources: Rows[Code],
    llm: LLM,
    sandbox: Sandbox,
    *,
    rows: int = 1_300_000,
    most: int = 10,
    least: int = 3,
    longest: int = 200,
    seconds: float = 5.0,
    temperature: float = 0.7,
    batch: int = 400,
    seed: int = 0,
) -> Rows[Induction]:
    """Functions by rules, inputs by the model, outputs by running them, tasks of the cases that are left."""
    waiting, made = sample(sources, len(sources), seed=seed), list[Induction]()
    while waiting and len(made) < rows:
        part, waiting = waiting[:batch], waiting[batch:]
        known = [row.completion for row in made]
        found = dedup(functions(part), lambda row: row.code, seen=known, reason="the function repeats another")
        calls = inputs(
            llm, found, PROMPTS["inputs"], turns=TURNS, least=least, most=most, temperature=temperature, seed=seed
        )
        ran = cases(sandbox, calls, least=least, longest=longest, bounds=Bounds(seconds=seconds))
        made += [task(function, its, seed) for function, its in ran]
    return made[:rows]


def task(function: Code, its: Sequence[Case], seed: int) -> Induction:
    """The task that shows the cases of a function and asks for it, in one of several ways to ask."""
    lines = tuple(f"{case.call} == {case.output}" for case in its)
    way = dice(seed, function.record_id).choice([name for name in PROMPTS if name.startswith("task")])
    prompt = PROMPTS[way].format(cases="\n".join(lines), name=function.name)
    return Induction(prompt=prompt, completion=function.code, name=function.name, cases=lines, origin=its)


PROMPTS = read_prompts(__file__)
TURNS = [
    (PROMPTS["inputs"].format(name=each["name"], code=each["code"]), each["inputs"])
    for each in read_examples(PROMPTS, "name", "code", "inputs")
]
