"""LEMA: collect wrong solutions, have a corrector find, explain and mend the first mistake, and keep what comes right.

An et al., 2023, https://arxiv.org/abs/2310.20689

Departs from the paper:
- Only mathematical problems are read; the paper also takes CommonsenseQA.
- The wrong solutions are those of the role `student`, of every model that it names, in place of the paper's nine.
- The chains of thought are the corrector's own where they are right; the paper adds those that people wrote.
- An evolved question has the answer that more than half of the corrector's solutions give; else it is dropped.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Problem, PromptCompletion
from quality.expectations import distinct_together, matches, varied
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.agree import agree
from tasks.operators.correct import Attempt, Correction, correct, mistakes
from tasks.operators.dedup import dedup
from tasks.operators.evolve import evolve
from tasks.operators.rewrite import read
from tasks.operators.solve import STATED, solve
from tasks.operators.verify import verify
from tasks.prompts import read_examples, read_prompts, read_shots


@dataclass(frozen=True, kw_only=True)
class Lesson(PromptCompletion):
    """A chain of thought (`cot`), or the `correction` of a wrong one that its prompt shows; both end in the answer."""

    answer: str
    kind: str


@method(
    paper=Paper("Learning From Mistakes Makes LLM Better Reasoner", "An et al.", 2023, arxiv="2310.20689"),
    categories=["general-model-distillation"],
    reads={"problems": ("data_preparation.amps", "raw.problems")},
    expects=[matches("completion", "is: ."), varied("completion", 1.0), distinct_together("prompt", "completion")],
    screens={"near_duplicate": "off"},  # several wrong solutions of one problem are what the table is for
)
def lema(
    problems: Partition[Problem],
    llm: LLM,
    student: LLM,
    *,
    paths: int = 4,
    votes: int = 5,
    temperature: float = 0.7,
    max_tokens: int = 160,
    seed: int = 0,
) -> Rows[Lesson]:
    """Chains of thought and corrections, of the problems and of questions evolved from those that had corrections."""
    ask: Any = {"shots": shots, "temperature": temperature, "max_tokens": max_tokens, "seed": seed}

    def learn(asked: Rows[Problem]) -> list[tuple[Attempt, Answer[Correction]]]:
        attempts = mistakes([pair for model in student.pool for pair in solve(model, asked, n=paths, **ask)])
        return correct(llm, attempts, PROMPTS["correction"], turns=CORRECTED, seed=seed)

    corrected = learn(problems)
    seeds = [p for p in problems if p.record_id in {attempt.parents[0] for attempt, _ in corrected}]
    grown = evolve(llm, seeds, OPERATIONS, turns=GROWN, parse=read, max_tokens=max_tokens, seed=seed)
    questions = [Problem(prompt=text.value.text, answer="", origin=(problem, text)) for problem, text in grown]
    known = [((seed.record_id,), seed.prompt) for seed in seeds]
    questions = dedup(questions, by=lambda row: (row.parents, row.prompt), seen=known)
    settled = agree(solve(llm, questions, n=votes, **ask), of=votes)
    corrected += learn(list({problem.record_id: problem for problem, _ in settled}.values()))

    right = verify(solve(llm, problems, n=paths, **ask), lambda problem: problem.answer)
    lessons = [*(chain(*pair) for pair in (*right, *settled)), *(correction(*pair) for pair in corrected)]
    return dedup(lessons, by=lambda row: (row.parents, row.completion), reason="the lesson repeats another")


def chain(problem: Problem, said: Answer[str]) -> Lesson:
    """A right solution as a row."""
    return Lesson(
        prompt=problem.prompt, completion=said.value, answer=problem.answer, kind="cot", origin=(problem, said)
    )


def correction(attempt: Attempt, said: Answer[Correction]) -> Lesson:
    """A wrong solution as a prompt, with what the corrector says of it."""
    found, made = said.value, (attempt, said)
    asked = PROMPTS["correction"].format(prompt=attempt.prompt, path=attempt.path)
    text = f"Step {found.wrong_step} is wrong. {found.why}\n{found.solution}\n{STATED.format(answer=found.answer)}"
    return Lesson(prompt=asked, completion=text, answer=attempt.answer, kind="correction", origin=made)


def shots(_: Problem) -> list[tuple[str, str]]:
    """Problems with worked solutions."""
    return read_shots(PROMPTS, "prompt", "solved")


PROMPTS = read_prompts(__file__)
EXAMPLES = read_examples(PROMPTS, "prompt", "path", "corrected")
CORRECTED = [(PROMPTS["correction"].format(**each), each["corrected"]) for each in EXAMPLES]
OPERATIONS = {name: PROMPTS[name] for name in ("harder", "other")}
GROWN = {name: [(PROMPTS[name].format(prompt=PROMPTS["prompt 1"]), PROMPTS[f"{name} 1"])] for name in OPERATIONS}
