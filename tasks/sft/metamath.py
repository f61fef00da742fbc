"""MetaMath: ask mathematical problems from four sides, forwards and backwards, and keep the right solutions.

Yu et al., 2023, https://arxiv.org/abs/2309.12284

Departs from the paper:
- The paper gives the totals of each kind, not the draws for one problem: here the kinds stand as in its GSM8K half,
  2 : 2 : 1 : 1, with `samples` draws for each of the first two (about ten would give its totals).
- The examples in the prompts are our own: what is made of a problem depends on no other row.
- Only the sentence that asks is turned into a statement for self-verification; what stands before it stays as it is.
- A rephrasing that loses a number or gives the answer away is dropped: a right answer to it would be luck.
- The unknown is named x, or the next free letter where the problem has an x of its own.
"""

import re
from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Problem, PromptCompletion
from quality.expectations import distinct_together, matches, not_blank, one_of
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.evolve import mask_number
from tasks.operators.extract import sentences
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.rewrite import read
from tasks.operators.solve import solve
from tasks.operators.verify import verify


@dataclass(frozen=True, kw_only=True)
class Question(Problem):
    """A problem asked from one side; where a number is masked, that number is the answer."""

    kind: str


@dataclass(frozen=True, kw_only=True)
class Solved(PromptCompletion):
    """A question with a solution that ends in the right answer; `kind` is the side it was asked from."""

    answer: str
    kind: str


@method(
    paper=Paper(
        "MetaMath: Bootstrap Your Own Mathematical Questions for Large Language Models", "Yu et al.", 2023, "2309.12284"
    ),
    categories=["data-augmentation:reformation"],
    also=["applications"],
    reads={"problems": ("data_preparation.amps", "raw.problems")},
    expects=[
        not_blank("prompt"),
        matches("completion", r"The answer is: \S"),
        one_of("kind", ["answer augmentation", "rephrasing", "self-verification", "fobar"]),
        distinct_together("prompt", "completion"),
    ],
)
def metamath(
    problems: Partition[Problem],
    llm: LLM,
    *,
    samples: int = 4,
    temperature: float = 0.7,
    shots: int = 3,
    max_tokens: int = 256,
    seed: int = 0,
) -> Rows[Solved]:
    """Four sides of each problem, solved step by step, verified against the known answer or the masked number."""
    ask: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    greedy: dict[str, Any] = {**ask, "temperature": 0.0}
    rephrased = generate(llm, problems, REPHRASE, turns=REPHRASE_SHOTS, parse=read, n=samples, **ask)
    statements = generate(llm, problems, as_statement, turns=STATE_SHOTS, parse=read, **greedy)
    original = [side("answer augmentation", p, p.prompt, p.answer) for p in problems]
    changed = keep([side("rephrasing", p, text.value, p.answer, text) for p, text in rephrased], no_rephrasing)
    stated = keep([told(problem, statement) for problem, statement in statements], no_statement)
    masked = {
        "self-verification": mask_number(stated, prompt_of, spare=lambda p: p.answer, n=samples // 2, seed=seed),
        "fobar": mask_number(problems, prompt_of, n=samples // 2, seed=seed),
    }
    for kind, pairs in masked.items():
        for row, m in pairs:
            asked = BACKWARD[kind].format(masked=m.text, answer=row.answer, unknown=m.unknown)
            changed.append(side(kind, row, asked, m.number))
    changed = dedup(changed, prompt_of, reason="the question repeats another")

    def show(question: Question) -> list[tuple[str, str]]:
        return EXAMPLES.get(question.kind, FORWARD)[:shots]

    solutions = [*solve(llm, original, shots=show, n=samples, **ask), *solve(llm, changed, shots=show, **ask)]
    right = verify(solutions, lambda question: question.answer)
    solved = [
        Solved(prompt=q.prompt, completion=a.value, answer=q.answer, kind=q.kind, origin=(q, a)) for q, a in right
    ]
    return dedup(solved, by=lambda row: (row.prompt, row.completion), reason="the solution repeats another")


def side(kind: str, made_of: Problem, prompt: str, answer: str, *answers: Answer[str]) -> Question:
    """A question made of a problem and, where a model put it in words, its answers."""
    return Question(kind=kind, prompt=prompt, answer=answer, topic=made_of.topic, origin=(made_of, *answers))


def parts(prompt: str) -> tuple[str, str]:
    """What a problem tells, and the sentence that asks: the last with a question mark, else with a number."""
    said = sentences(prompt) or [prompt]
    asks = [s for s in said if s.endswith("?")] or [s for s in said if re.search(r"\d", s)] or said
    place = len(said) - 1 - said[::-1].index(asks[-1])
    return " ".join(said[:place]), said[place]


def as_statement(problem: Problem) -> str:
    """The prompt that asks for question and answer as a statement."""
    return STATE.format(question=parts(problem.prompt)[1], answer=problem.answer)


def told(problem: Problem, statement: Answer[str]) -> Problem:
    """The problem with its answer in place of its question."""
    text = f"{parts(problem.prompt)[0]} {statement.value}".strip()
    return Problem(prompt=text, answer=problem.answer, topic=problem.topic, origin=(problem, statement))


def no_statement(stated: Problem) -> str:
    """Why a problem with its answer cannot be asked backwards."""
    return "" if stated.answer in stated.prompt else "the statement lacks the answer"


def no_rephrasing(question: Question) -> str:
    """Why a text does not ask the problem that it was made of."""
    problem = question.origin[0]
    assert isinstance(problem, Problem)
    before, after = set(numbers(problem.prompt)), set(numbers(question.prompt))
    if question.prompt == problem.prompt:
        return "the rephrasing is the problem itself"
    if before - after:
        return "the rephrasing loses a number"
    if question.answer in after - before:
        return "the rephrasing gives the answer away"
    return ""


def numbers(text: str) -> list[str]:
    """The numbers in a text, without their signs."""
    return re.findall(r"\d+(?:[.,]\d+)*", text)


def prompt_of(row: Problem) -> str:
    """What a row asks."""
    return row.prompt


REPHRASE = "Say the problem in other words. Keep every number, and what is asked.\n\nProblem: {prompt}"

REPHRASE_SHOTS = [
    (
        REPHRASE.format(prompt="How many pens are in 3 bags of 6 pens each?"),
        "Each of 3 bags holds 6 pens. What is the number of pens in all?",
    ),
    (REPHRASE.format(prompt="Calculate 14 - 5."), "What is left when 5 is taken away from 14?"),
]

STATE = "Turn the question and its answer into one statement.\n\nQuestion: {question}\nAnswer: {answer}"

STATE_SHOTS = [
    (STATE.format(question="How many pens does Ana have left?", answer="16"), "Ana has 16 pens left."),
    (STATE.format(question="Calculate 14 - 5.", answer="9"), "14 - 5 is 9."),
]

BACKWARD = {
    "self-verification": "{masked} What is the value of the unknown {unknown}?",
    "fobar": "{masked}\nIf we know that the answer to this is {answer}, what is the value of the unknown {unknown}?",
}

FORWARD = [
    (
        "A bag holds 6 pens. Ana has 3 bags and loses 2 pens. How many pens does she have left?",
        "Three bags hold 3 * 6 = 18 pens. She loses 2, so 18 - 2 = 16 are left.\nThe answer is: 16",
    ),
    ("What is 3 + 4 * 2?", "First multiply: 4 * 2 = 8. Then add: 3 + 8 = 11.\nThe answer is: 11"),
    ("Solve for y: 5*y - 10 = 20", "Add 10: 5*y = 30. Divide by 5: y = 30 / 5 = 6.\nThe answer is: 6"),
]

EXAMPLES = {
    "self-verification": [
        ("14 - x is 9. What is the value of the unknown x?", "x = 14 - 9 = 5.\nThe answer is: 5"),
        (
            "A bag holds x pens. Ana has 3 bags and loses 2 pens. She has 16 left. What is the value of the unknown x?",
            "She had 16 + 2 = 18 pens in 3 bags, so one bag holds 18 / 3 = 6.\nThe answer is: 6",
        ),
    ],
    "fobar": [
        (
            "Calculate 14 - x.\nIf we know that the answer to this is 9, what is the value of the unknown x?",
            "14 - x = 9, so x = 14 - 9 = 5.\nThe answer is: 5",
        ),
        (
            "Find 3 * x.\nIf we know that the answer to this is 18, what is the value of the unknown x?",
            "3 * x = 18, so x = 18 / 3 = 6.\nThe answer is: 6",
        ),
    ],
}
