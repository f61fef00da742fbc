"""RFT: sample many solutions of each problem, keep the right ones that calculate differently, and pool several models'.

Yuan et al., 2023, https://arxiv.org/abs/2308.01825

Departs from the paper:
- Its samplers are models fine-tuned on the training set; training is no part of this table. Ours are shown `shots`
  worked examples instead, and the union is over the models that the role names.
- `samples` is 100 in the paper. The default fits a small model on two cores: set it to 100 for the paper's table.
- The human solutions, which the paper trains on as well, stay where they are: in the table that is read.
- A path without any equation is dropped: nothing tells it from another. Ours stand in prose, not in marks as GSM8K's.
"""

from dataclasses import dataclass, replace

from catalog.records import Problem, PromptCompletion
from quality.expectations import distinct_together, matches, varied
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.equations import calculate, diverse, equations
from tasks.operators.solve import solve
from tasks.operators.verify import verify


@dataclass(frozen=True, kw_only=True)
class ReasoningPath(PromptCompletion):
    """A solution with the right answer; `equations` are its calculations in order, all true."""

    answer: str
    equations: tuple[str, ...]
    model: str


@method(
    paper=Paper(
        "Scaling Relationship on Learning Mathematical Reasoning with Large Language Models",
        "Yuan et al.",
        2023,
        arxiv="2308.01825",
    ),
    categories=["model-self-improvement"],
    reads={"problems": ("data_preparation.amps", "raw.problems")},
    expects=[
        matches("completion", r"The answer is: \S"),
        varied("completion", 1.0),  # the last line is the same but for the number
        replace(distinct_together("prompt", "equations"), of_new_rows=True),  # a later run may word a path better
    ],
    screens={"near_duplicate": "off"},  # paths to one answer share most of their words
)
def rft(
    problems: Partition[Problem],
    llm: LLM,
    *,
    samples: int = 8,
    temperature: float = 0.7,
    shots: int = 4,
    max_tokens: int = 160,
    seed: int = 0,
) -> Rows[ReasoningPath]:
    """`samples` solutions from each model; right answers, true calculations, one path for each list of equations."""
    paths: list[ReasoningPath] = []
    for model in llm.pool:
        solutions = solve(
            model,
            problems,
            shots=lambda _: SHOTS[:shots],
            n=samples,
            temperature=temperature,
            max_tokens=max_tokens,
            seed=seed,
        )
        right = calculate(verify(solutions, lambda problem: problem.answer), least=1)
        paths += [
            ReasoningPath(
                prompt=problem.prompt,
                completion=solution.value,
                answer=problem.answer,
                equations=tuple(map(str, equations(solution.value))),
                model=model.model,
                origin=(problem, solution),
            )
            for problem, solution in right
        ]
    return diverse(
        paths,
        by=lambda path: path.equations,
        text=lambda path: path.completion,
        among=lambda path: path.parents,
        reason="a path with the same equations differs more from the rest",
    )


SHOTS = [
    (
        "A bag holds 6 pens. Ana has 3 bags and loses 2 pens. How many pens does she have left?",
        "Three bags hold 3 * 6 = 18 pens. She loses 2, so 18 - 2 = 16 are left.\nThe answer is: 16",
    ),
    ("State the result: 7 - 12 =", "7 - 12 = -5\nThe answer is: -5"),
    ("Solve for y: 5*y = 30", "y = 30 / 5 = 6\nThe answer is: 6"),
    ("Solve the multiplication 4 * 9.", "4 * 9 = 36\nThe answer is: 36"),
]
