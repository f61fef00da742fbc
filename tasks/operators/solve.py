"""`solve`: answer the rows' prompts, n times each, outright, step by step, or by a program (operators.md 3)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from catalog.records import Answer, Prompt
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.answers import final_answer
from tasks.operators.generate import Prompting, generate
from tasks.operators.verify import read_code

P = TypeVar("P", bound=Prompt)


@operator
def solve(
    llm: LLM,
    rows: Rows[P],
    *,
    shots: Callable[[P], Sequence[tuple[str, str]]] | None = None,
    system: "Prompting[P]" = "",
    program: bool = False,
    n: int = 1,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> list[tuple[P, Answer[str]]]:
    """Answer each row's prompt n times; returns (row, answer) pairs, n at most for each row.

    Args:
        llm: the model.
        rows: the prompts.
        shots: for a row, (problem, worked solution) pairs that show how, as earlier turns. With it the answers are
            chains of thought: each ends in a line "The answer is: …", and one that states none is asked again.
        system: the system's message.
        program: the answers are programs of thought, Python code, read out of its fence; one that does not parse is
            asked again. `shots` are then (problem, program) pairs.
        n: answers for each row.
        temperature: of the sampling; 0 is greedy.
        top_p: share of the probability mass to sample from.
        max_tokens: the longest answer.
        seed: of the sampling.
    """
    return generate(
        llm,
        rows,
        "{prompt}",
        system=system,
        turns=shots or (),
        parse=read_code if program else read_reasoning if shots else read_answer,
        n=n,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
    )


def read_answer(text: str) -> str:
    """The answer as it is.

    Raises:
        ValueError: where it is blank.
    """
    if not text.strip():
        raise ValueError("the answer is blank")
    return text.strip()


def read_reasoning(text: str) -> str:
    """A chain of thought in its final form: the steps, then one line that states the answer.

    Raises:
        ValueError: where no answer is stated.
    """
    steps: list[str] = []
    for line in text.strip().removeprefix("Solution:").strip().splitlines():
        # What follows the first statement of an answer is another problem, or doubt.
        if answer := final_answer(line):
            said = line.strip().lower().startswith(("the answer is", "the final answer is", "answer:", "####"))
            return "\n".join([*steps, *([] if said else [line]), STATED.format(answer=answer)]).strip()
        steps.append(line)
    raise ValueError("the solution states no answer")


STATED = "The answer is: {answer}"
