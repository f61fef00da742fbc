"""Self-Instruct: grow a pool of instructions from a few human ones, and write instances of each.

Wang et al., 2022, https://arxiv.org/abs/2212.10560

Departs from the paper:
- The seeds are prompts without instances, so the examples of instances in the prompts are ours, the same for all.
- Chat models are asked: the tasks shown are earlier turns and an answer is the next task, or a numbered list, where a
  completion model went on with a list of eight; so `batch` is 40 requests at once, not 5. The later steps are JSON.
- An instance that runs in a circle is dropped too, as a weak model often does.
- A loop that finds nothing new in `patience` rounds ends, short of `rows`.
"""

import re
import string
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, create_model

from catalog.records import Answer, Prompt, PromptCompletion, Record
from quality.expectations import differ, distinct_together, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup, dedup_near
from tasks.operators.filter import keep
from tasks.operators.generate import generate
from tasks.operators.label import label
from tasks.operators.rewrite import looped
from tasks.operators.sample import dice


@dataclass(frozen=True, kw_only=True)
class Shown(Record):
    """The tasks shown to the model in one request for new ones; `draw` tells the requests apart."""

    tasks: tuple[str, ...]
    draw: int


@dataclass(frozen=True, kw_only=True)
class Task(Prompt):
    """A new instruction, and whether it has a fixed set of answers."""

    is_classification: bool


@dataclass(frozen=True, kw_only=True)
class Instance(PromptCompletion):
    """One instance of a new instruction: the prompt is the instruction and, where there is one, the input."""

    instruction: str
    input: str
    is_classification: bool


@method(
    paper=Paper(
        "Self-Instruct: Aligning Language Models with Self-Generated Instructions", "Wang et al.", 2022, "2212.10560"
    ),
    categories=["model-self-improvement", "general-model-distillation", "data-augmentation:reformation"],
    also=["data_preparation", "sft", "alignment"],
    reads={"seeds": "raw.prompts"},
    expects=[
        not_blank("instruction"),
        not_blank("completion"),
        differ("input", "completion"),
        distinct_together("instruction", "input"),
    ],
)
def self_instruct(
    seeds: Rows[Prompt],
    llm: LLM,
    *,
    rows: int = 52_000,
    human: int = 6,
    machine: int = 2,
    batch: int = 40,
    threshold: float = 0.7,
    instances: int = 2,
    longest: int = 600,
    temperature: float = 0.7,
    top_p: float = 0.5,
    patience: int = 3,
    seed: int = 0,
) -> Rows[Instance]:
    """Grow the pool to `rows` new instructions, tell classification apart, write instances, filter them."""
    made: list[Prompt] = []
    draw = barren = 0
    while len(made) < rows and barren < patience:
        shown = [in_context(seeds, made, human, machine, draw + i, seed) for i in range(min(batch, rows - len(made)))]
        draw += len(shown)
        replies = generate(
            llm,
            shown,
            ANOTHER,
            turns=shown_turns,
            parse=listed,
            temperature=temperature,
            top_p=top_p,
            max_tokens=256,
            seed=seed,
        )
        found = keep([Prompt(prompt=text, origin=(row, a)) for row, a in replies for text in a.value], unfit)
        known = [task.prompt for task in (*seeds, *made)]
        new = dedup_near(found, lambda task: task.prompt, pool=known, threshold=threshold)
        made += new
        barren = 0 if new else barren + 1

    kinds = label(llm, made[:rows], IS_CLASSIFICATION, ("yes", "no"), "{prompt}", demos=DEMOS, seed=seed)
    tasks = [Task(prompt=t.prompt, is_classification=kind.value == "yes", origin=(t, kind)) for t, kind in kinds]
    ask: dict[str, Any] = {"temperature": 0.0, "max_tokens": instances * longest, "seed": seed}
    open_ended = [task for task in tasks if not task.is_classification]
    classification = [task for task in tasks if task.is_classification]
    first_input, first_output = (
        form(order, instances, longest) for order in (("input", "output"), ("output", "input"))
    )
    written = [
        *generate(llm, open_ended, INPUT_FIRST, turns=INPUT_SHOTS, schema=first_input, **ask),
        *generate(llm, classification, OUTPUT_FIRST, turns=OUTPUT_SHOTS, schema=first_output, **ask),
    ]
    every = keep([instance(task, each, a) for task, a in written for each in a.value.instances], incomplete)
    distinct = dedup(every, lambda row: (row.prompt, row.completion), reason="the instance repeats another")
    outputs = Counter(row.prompt for row in distinct)
    return keep(distinct, lambda row: "its input has another output too" if outputs[row.prompt] > 1 else "")


def in_context(seeds: Rows[Prompt], made: Rows[Prompt], human: int, machine: int, draw: int, seed: int) -> Shown:
    """Tasks to show: `machine` that a model made, where there are as many, and the rest by people, in random order."""
    random = dice(seed, "tasks shown", draw)
    own = random.sample(made, min(machine, len(made)))
    theirs = random.sample(seeds, min(human + machine - len(own), len(seeds)))
    tasks = [*theirs, *own]
    random.shuffle(tasks)
    return Shown(tasks=tuple(" ".join(task.prompt.split()) for task in tasks), draw=draw, origin=tasks)


def shown_turns(shown: Shown) -> list[tuple[str, str]]:
    """The tasks shown, as if the model had thought of them one after the other."""
    return [(ANOTHER, task) for task in shown.tasks]


def listed(text: str) -> list[str]:
    """The new tasks in an answer: the items of a numbered list, or its first line.

    Raises:
        ValueError: where there is none.
    """
    items = re.findall(r"^\W*(?:Task )?\d+[.:)]\s*(.+)$", text, re.MULTILINE) or text.strip().splitlines()[:1]
    if not (tasks := [task for item in items if (task := item.strip(' *"'))]):
        raise ValueError("there is no task in the answer")
    return tasks


def unfit(task: Prompt) -> str:
    """Why an instruction does not go into the pool."""
    words = task.prompt.split()
    if not 3 < len(words) <= 150:
        return "the instruction is too short" if len(words) <= 3 else "the instruction is too long"
    if found := BANNED.search(task.prompt):
        return f"a model cannot do it with text alone: {found[0].lower()}"
    if task.prompt.lower().startswith("write a program"):
        return "it asks for a program"
    if task.prompt[0] in string.punctuation or not task.prompt[0].isascii():
        return "it starts with no letter or digit"
    return ""


def instance(task: Task, written: Any, answer: Answer[Any]) -> Instance:
    """A row of one instance as the model wrote it."""
    given = "" if written.input.strip().lower().strip(".<>()") in NONE else written.input.strip()
    return Instance(
        prompt=f"{task.prompt}\n\n{given}" if given else task.prompt,
        completion=written.output.strip(),
        instruction=task.prompt,
        input=given,
        is_classification=task.is_classification,
        origin=(task, answer),
    )


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


def form(order: tuple[str, str], instances: int, longest: int) -> Any:
    """The answer's type: at most `instances` instances, with input and output in the order in which to write them."""
    bounds = {"input": Field(max_length=longest), "output": Field(min_length=1, max_length=longest)}
    fields: dict[str, Any] = {name: (Annotated[str, bounds[name]], ...) for name in order}
    item: Any = create_model("Instance", **fields)
    items: Any = Annotated[list[item], Field(min_length=1, max_length=instances)]
    return create_model("Instances", instances=(items, ...))


NONE = {"", "none", "n/a", "no input", "noinput", "empty"}

BANNED = re.compile(
    r"\b(?:images?|graphs?|pictures?|files?|maps?|draw|plot|go to|video|audio|music|flowchart|"
    r"diagram)\b",
    re.IGNORECASE,
)

ANOTHER = "Think of a new task that a person could give you, of another kind."

IS_CLASSIFICATION = "Does the task have a small fixed set of possible answers, so that it is classification?"

DEMOS = [
    ("Tell me whether this review is happy or angry.", "yes"),
    ("Write a short letter to thank a neighbour.", "no"),
    ("Say if the statement is true or false.", "yes"),
    ("Explain how bread is made.", "no"),
    ("What is a good name for a cat?", "no"),
    ("Sort the message into work, family or advertising.", "yes"),
    ("Make the sentence shorter.", "no"),
    ("Do these two sentences mean the same? Reply yes or no.", "yes"),
    ("How far is the moon?", "no"),
    ("Give three tips for a job interview.", "no"),
]

INPUT_FIRST = """Task: {prompt}

Give examples of the task with its answer, in JSON. If it needs a text to work on, make one up as the "input", else
leave "input" empty. Then do the task: "output" is the full answer."""

OUTPUT_FIRST = """Task: {prompt}

The task has a fixed set of answers. Give examples in JSON: first choose the answer, as the "output", then write an
"input" that has this answer. Each example has another answer."""

INPUT_SHOTS = [
    (
        INPUT_FIRST.format(prompt="Make the sentence shorter."),
        (
            '{"instances": [{"input": "The meeting that we had planned for today will not take place.", '
            '"output": "Today\'s meeting is cancelled."}]}'
        ),
    ),
    (
        INPUT_FIRST.format(prompt="How do plants drink?"),
        '{"instances": [{"input": "", "output": "Through their roots. Thin tubes lead the water up to the leaves."}]}',
    ),
]

OUTPUT_SHOTS = [
    (
        OUTPUT_FIRST.format(prompt="Tell me whether this review is happy or angry."),
        (
            '{"instances": [{"output": "happy", "input": "The soup was warm and the waiter kind. I will come again."}, '
            '{"output": "angry", "input": "I waited an hour and the soup was cold!"}]}'
        ),
    )
]
