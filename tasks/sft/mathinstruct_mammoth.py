"""MathInstruct: answer each problem by a chain of thought and by a program that is run, and mix both kinds.

Yue et al., 2023, https://arxiv.org/abs/2309.05653

Departs from the paper:
- It collects 13 datasets; here one table is read, `source` is a problem's topic there, `author` that source or a model.
- Chains of thought that a model writes are kept where their answer is right, too; the paper checks programs only.
- The new problems are written after one seed each, not after several of TheoremQA, and their answer is the one that
  more than half of `votes` solutions give; the paper takes the model's word.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Problem, PromptCompletion, Record
from quality.expectations import distinct_together, one_of, varied
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.agree import agree
from tasks.operators.dedup import dedup
from tasks.operators.execute import execute
from tasks.operators.generate import generate
from tasks.operators.rewrite import read
from tasks.operators.solve import STATED, solve
from tasks.operators.verify import verify
from tasks.prompts import read_prompts, read_shots
from tasks.sandbox import Program, Sandbox


@dataclass(frozen=True, kw_only=True)
class Rationale(PromptCompletion):
    """A problem with a chain of thought (`cot`) that ends in its answer, or a program (`pot`) that prints it."""

    answer: str
    style: str
    source: str
    author: str


@method(
    paper=Paper(
        "MAmmoTH: Building Math Generalist Models through Hybrid Instruction Tuning", "Yue et al.", 2023, "2309.05653"
    ),
    categories=["general-model-distillation"],
    also=["data_preparation", "applications"],
    reads={"problems": ("data_preparation.amps", "raw.problems")},
    expects=[one_of("style", ["cot", "pot"]), varied("completion", 1.0), distinct_together("prompt", "completion")],
)
def mathinstruct_mammoth(
    problems: Partition[Problem],
    llm: LLM,
    sandbox: Sandbox,
    *,
    votes: int = 3,
    temperature: float = 0.7,
    max_tokens: int = 160,
    seed: int = 0,
) -> Rows[Rationale]:
    """Chains of thought, known, asked for and of new problems, and programs that print the known answers."""
    ask: Any = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    greedy: Any = {**ask, "temperature": 0.0}
    known = [(p, f"{p.solution}\n{STATED.format(answer=p.answer)}") for p in problems if p.solution]
    made = [rationale(problem, worked, "cot", "source", problem) for problem, worked in known]
    unknown = [problem for problem in problems if not problem.solution]
    chains = verify(solve(llm, unknown, shots=lambda _: shown("thought"), **greedy), lambda problem: problem.answer)

    written = generate(llm, problems, PROMPTS["new"], turns=shown("new"), parse=read, **ask)
    new = [Problem(prompt=text.value, answer="", topic=old.topic, origin=(old, text)) for old, text in written]
    new = dedup(new, by=lambda row: (row.parents, row.prompt), seen=[((p.record_id,), p.prompt) for p in problems])
    chains += agree(solve(llm, new, shots=lambda _: shown("thought"), n=votes, **ask), of=votes)
    made += [rationale(problem, said.value, "cot", llm.model, problem, said) for problem, said in chains]

    coded = solve(
        llm, [for_program(problem) for problem in problems], shots=lambda _: shown("program"), program=True, **greedy
    )
    pot = [rationale(problem, code.value, "pot", llm.model, problem, code) for problem, code in coded]
    printed = execute(sandbox, pot, lambda row: Program(code=row.completion))
    outputs = [(row, Answer(ran.stdout, "")) for row, ran in printed]
    made += [row for row, _ in verify(outputs, lambda row: row.answer, stated=str.strip)]
    return dedup(made, by=lambda row: (row.parents, row.prompt), reason="the problem has a rationale of this style")


def rationale(problem: Problem, text: str, style: str, author: str, *origin: Record | Answer[str]) -> Rationale:
    """A rationale as a row."""
    about: Any = {"answer": problem.answer, "style": style, "source": problem.topic or "unnamed", "author": author}
    return Rationale(prompt=problem.prompt, completion=text, origin=origin, **about)


def for_program(problem: Problem) -> Problem:
    """The problem, asked for a program."""
    asked = PROMPTS["program"].format(prompt=problem.prompt)
    return Problem(prompt=asked, answer=problem.answer, topic=problem.topic, origin=(problem,))


def shown(kind: str) -> list[tuple[str, str]]:
    """Two problems, each with its thought, its program or a new one made after it."""
    return read_shots(PROMPTS, "problem", kind, PROMPTS[kind])


PROMPTS = read_prompts(__file__)
