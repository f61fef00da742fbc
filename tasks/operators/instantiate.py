"""`instantiate`: write inputs of a task with their outputs, either of them first (operators.md 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from catalog.records import Answer, Prompt, PromptCompletion
from tasks.ledger import operator
from tasks.llm import LLM
from tasks.method import Rows
from tasks.operators.generate import generate
from tasks.operators.rewrite import looped

_NO_INPUT = {"", "none", "n/a", "no input", "noinput", "empty"}


@dataclass(frozen=True, kw_only=True)
class Task(Prompt):
    """An instruction, and whether it has a fixed set of answers."""

    is_classification: bool


@dataclass(frozen=True, kw_only=True)
class Instance(PromptCompletion):
    """One instance of an instruction: the prompt is the instruction and, where there is one, the input."""

    instruction: str
    is_classification: bool
    input: str = ""  # blank where the instruction needs none


@operator
def instantiate(
    llm: LLM,
    rows: Rows[Task],
    prompt: str,
    *,
    first: Literal["input", "output"] = "input",
    shots: Sequence[tuple[str, str]] = (),
    n: int = 2,
    longest: int = 600,
    seed: int = 0,
) -> list[Instance]:
    """At most n instances of each task, written greedily.

    Args:
        llm: the model.
        rows: the tasks.
        prompt: asks for instances, with `{prompt}` for the task.
        first: what is written first of each. Of a classification it is better the output: the inputs that a model
            makes up tend to one class.
        shots: (task, instances in JSON) pairs that show how, as earlier turns.
        n: instances of a task.
        longest: characters of an input or output.
        seed: of the sampling.
    """
    answers: list[tuple[Task, Answer[Any]]] = generate(
        llm,
        rows,
        prompt,
        turns=[(prompt.format(prompt=task), written) for task, written in shots],
        schema=_form((first, "output" if first == "input" else "input"), n, longest),
        temperature=0.0,
        max_tokens=n * longest,  # a token is at least a character
        seed=seed,
    )
    return [_instance(row, each, answer) for row, answer in answers for each in answer.value.instances]


def incomplete(row: Instance) -> str:
    """Why an instance teaches nothing."""
    if not row.completion:
        return "the output is blank"
    if row.completion in {row.input, row.instruction}:
        return "the output repeats what was asked"
    if row.completion.endswith(":") or row.input.endswith(":"):
        return "the instance breaks off"
    if looped(row.completion) or looped(row.input):
        return "the instance repeats itself"
    return ""


def _instance(task: Task, written: Any, answer: Answer[Any]) -> Instance:
    given = "" if written.input.strip().lower().strip(".<>()") in _NO_INPUT else written.input.strip()
    return Instance(
        prompt=f"{task.prompt}\n\n{given}" if given else task.prompt,
        completion=written.output.strip(),
        instruction=task.prompt,
        input=given,
        is_classification=task.is_classification,
        origin=(task, answer),
    )


def _form(order: tuple[str, str], n: int, longest: int) -> Any:
    """The answer's type: input and output stand in the order in which to write them."""
    bounds = {"input": Field(max_length=longest), "output": Field(min_length=1, max_length=longest)}
    fields: dict[str, Any] = {name: (Annotated[str, bounds[name]], ...) for name in order}
    item: Any = create_model("Instance", **fields)
    items: Any = Annotated[list[item], Field(min_length=1, max_length=n)]
    return create_model("Instances", instances=(items, ...))
