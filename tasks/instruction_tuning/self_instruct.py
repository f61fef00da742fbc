"""Self-Instruct: grow a pool of instructions from a few human ones, and write instances of each.

Wang et al., 2022, https://arxiv.org/abs/2212.10560

Departs from the paper:
- The seeds are prompts without instances, so the examples of instances in the prompts are ours, the same for all.
- Chat models are asked: the tasks shown are earlier turns and an answer is the next task, or a numbered list, where a
  completion model went on with a list of eight; so `batch` is 40 requests at once, not 5. The later steps are JSON.
- An instance that runs in a circle is dropped too, as a weak model often does.
- A loop that finds nothing new in `patience` rounds ends, short of `rows`.
"""

from collections import Counter
from typing import Any

from catalog.records import Prompt
from quality.expectations import differ, distinct_together, not_blank
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.bootstrap import bootstrap, unfit
from tasks.operators.dedup import dedup, dedup_near
from tasks.operators.filter import keep
from tasks.operators.instantiate import Instance, Task, incomplete, instantiate
from tasks.operators.iterate import iterate
from tasks.operators.label import label
from tasks.prompts import read_prompts, read_shots


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
    ask: dict[str, Any] = {"human": human, "machine": machine, "temperature": temperature, "top_p": top_p, "seed": seed}

    def think(made: list[Prompt], number: int) -> list[Prompt]:
        draws = range(number * batch, number * batch + min(batch, rows - len(made)))
        found = keep(bootstrap(llm, seeds, made, PROMPTS["another"], draws, **ask), unfit)
        known = [task.prompt for task in (*seeds, *made)]
        return made + dedup_near(found, lambda task: task.prompt, pool=known, threshold=threshold)

    made = iterate(list[Prompt](), think, size=len, target=rows, patience=patience)[:rows]
    kinds = label(llm, made, PROMPTS["is classification"], ("yes", "no"), "{prompt}", demos=KINDS, seed=seed)
    tasks = [Task(prompt=t.prompt, is_classification=kind.value == "yes", origin=(t, kind)) for t, kind in kinds]
    open_ended = [task for task in tasks if not task.is_classification]
    classification = [task for task in tasks if task.is_classification]
    form: dict[str, Any] = {"n": instances, "longest": longest, "seed": seed}
    written = [
        *instantiate(llm, open_ended, PROMPTS["input first"], first="input", shots=OPEN, **form),
        *instantiate(llm, classification, PROMPTS["output first"], first="output", shots=CLOSED, **form),
    ]
    whole = keep(written, incomplete)
    distinct = dedup(whole, lambda row: (row.prompt, row.completion), reason="the instance repeats another")
    outputs = Counter(row.prompt for row in distinct)
    return keep(distinct, lambda row: "its input has another output too" if outputs[row.prompt] > 1 else "")


PROMPTS = read_prompts(__file__)
KINDS = read_shots(PROMPTS, "task", "its kind")
OPEN = read_shots(PROMPTS, "open task", "its instances")
CLOSED = read_shots(PROMPTS, "classification", "instances of it")
