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

from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Problem, PromptCompletion
from quality.expectations import distinct_together, matches, one_of
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.evolve import mask_number
from tasks.operators.restate import assert_answer, rephrase
from tasks.operators.solve import solve
from tasks.operators.verify import verify
from tasks.prompts import read_prompts, read_shots

KINDS = ("answer augmentation", "rephrasing", "self-verification", "fobar")


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
        matches("completion", r"The answer is: \S"),
        one_of("kind", KINDS),
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
    warm: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    original = [side("answer augmentation", p, p.prompt, p.answer) for p in problems]
    said = rephrase(llm, problems, PROMPTS["rephrase"], shots=REPHRASED, n=samples, **warm)
    changed = [side("rephrasing", problem, text.value, problem.answer, text) for problem, text in said]
    stated = assert_answer(llm, problems, PROMPTS["state"], shots=SAY, max_tokens=max_tokens, seed=seed)
    mask: dict[str, Any] = {"n": samples // 2, "seed": seed}
    told = mask_number(stated, lambda row: row.prompt, spare=lambda row: row.answer, **mask)
    posed = mask_number(problems, lambda row: row.prompt, **mask)
    for kind, row, m in [*(("self-verification", *pair) for pair in told), *(("fobar", *pair) for pair in posed)]:
        asked = PROMPTS[kind].format(masked=m.text, answer=row.answer, unknown=m.unknown)
        changed.append(side(kind, row, asked, m.number))
    changed = dedup(changed, lambda row: row.prompt, reason="the question repeats another")
    solutions = solve(llm, original, shots=lambda _: FORWARD[:shots], n=samples, **warm)
    solutions += solve(llm, changed, shots=lambda row: BACKWARD.get(row.kind, FORWARD)[:shots], **warm)
    right = verify(solutions, lambda question: question.answer)
    made = [Solved(prompt=q.prompt, completion=a.value, answer=q.answer, kind=q.kind, origin=(q, a)) for q, a in right]
    return dedup(made, by=lambda row: (row.prompt, row.completion), reason="the solution repeats another")


def side(kind: str, made_of: Problem, prompt: str, answer: str, *answers: Answer[str]) -> Question:
    """A question made of a problem and, where a model put it in words, its answers."""
    return Question(kind=kind, prompt=prompt, answer=answer, topic=made_of.topic, origin=(made_of, *answers))


PROMPTS = read_prompts(__file__)
REPHRASED = read_shots(PROMPTS, "problem to rephrase", "problem rephrased")
SAY = [("How many pens does Ana have left?", "16", "Ana has 16 pens left."), ("Calculate 14 - 5.", "9", "14 - 5 is 9.")]
FORWARD = read_shots(PROMPTS, "forward problem", "forward solution")
BACKWARD = {kind: read_shots(PROMPTS, f"{kind} problem", f"{kind} solution") for kind in KINDS[2:]}
