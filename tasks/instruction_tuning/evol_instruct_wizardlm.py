"""Evol-Instruct: rewrite instructions into harder or newer ones, drop the failures, answer the rest.

Xu et al., 2023, https://arxiv.org/abs/2304.12244

Departs from the paper:
- The seeds themselves are not answered again: the table holds the evolved instructions of every round.
- Each operation, and the judge of equality, is shown how by examples of ours, as a weak model needs.
- An instruction or answer that runs in a circle fails too, as a weak model often does.
- Answers are bounded by `max_tokens`, where the paper allows 2048 tokens: more than a small model can hold.
"""

from dataclasses import dataclass
from typing import Any

from catalog.records import Prompt, PromptCompletion, content
from quality.expectations import between, differ, distinct_together, one_of
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.eliminate import Child, eliminate, fault_of_answer, read_instruction
from tasks.operators.evolve import evolve
from tasks.operators.filter import keep
from tasks.operators.gate import gate
from tasks.operators.iterate import iterate
from tasks.operators.solve import solve
from tasks.prompts import read_prompts, read_shots

OPERATIONS = ("add constraints", "deepen", "concretise", "increase reasoning steps", "complicate input", "in-breadth")


@dataclass(frozen=True, kw_only=True)
class EvolvedInstruction(Child, PromptCompletion):
    """An evolved instruction with its answer, and the one it was made of; `round` counts the epochs from 1."""

    round: int


@method(
    paper=Paper(
        "WizardLM: Empowering Large Language Models to Follow Complex Instructions", "Xu et al.", 2023, "2304.12244"
    ),
    categories=["general-model-distillation"],
    also=["data_preparation", "sft"],
    reads={"seeds": ("instruction_tuning.self_instruct", "raw.prompts")},
    expects=[
        differ("prompt", "parent"),
        one_of("operation", OPERATIONS),
        between("round", 1),
        distinct_together("prompt", "completion"),
    ],
)
def evol_instruct_wizardlm(
    seeds: Rows[Prompt],
    llm: LLM,
    *,
    rounds: int = 4,
    temperature: float = 1.0,
    top_p: float = 0.9,
    max_tokens: int = 256,
    seed: int = 0,
) -> Rows[EvolvedInstruction]:
    """In each round every instruction of the pool evolves; a child that passes takes its parent's place."""
    made: list[EvolvedInstruction] = []

    def epoch(pool: list[Prompt], number: int) -> list[Prompt]:
        ask: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "seed": seed * rounds + number}
        evolved = evolve(llm, pool, PROMPTS, turns=SHOTS, parse=read_instruction, max_tokens=max_tokens, **ask)
        children = eliminate(evolved, shown=SHOWN)
        told: dict[str, Any] = {"wanted": "more", "reason": NO_GAIN, "demos": GAIN, "seed": ask["seed"]}
        gained = gate(llm, children, PAGE["gain"], ("again", "more"), "{parent}\n{prompt}", **told)
        verdicts = {row.record_id: verdict for row, verdict in gained}
        answered: list[EvolvedInstruction] = []
        for row, said in solve(llm, [row for row, _ in gained], max_tokens=max_tokens, **ask):
            origin = (row, verdicts[row.record_id], said)
            answered.append(EvolvedInstruction(**content(row), completion=said.value, round=number, origin=origin))
        passed = keep(answered, lambda row: fault_of_answer(row.completion))
        made.extend(passed)
        grown = {row.parent: row for row in passed}
        return list({row.prompt: row for row in (grown.get(row.prompt, row) for row in pool)}.values())

    distinct = dedup(seeds, lambda row: row.prompt, reason="the instruction repeats another")
    iterate(list[Prompt](distinct), epoch, rounds=rounds)
    return dedup(made, lambda row: (row.prompt, row.completion), reason="the instruction repeats another")


PAGE = read_prompts(__file__)
PROMPTS = {name: PAGE["in-depth"].format(how=PAGE[name]) for name in OPERATIONS[:-1]}
PROMPTS["in-breadth"] = PAGE["in-breadth"]
EXAMPLES = {name: read_shots(PAGE, f"{name} given", f"{name} made") for name in OPERATIONS}
SHOWN = {text for pairs in EXAMPLES.values() for pair in pairs for text in pair}
IN_DEPTH = [pair for name in OPERATIONS[:-1] for pair in EXAMPLES[name]]
SHOTS = {  # an operation's own examples, after those of its like where it has fewer than three
    name: [(PROMPTS[name].format(prompt=given), made) for given, made in [*like, *own]]
    for name, own in EXAMPLES.items()
    for like in [[pair for pair in IN_DEPTH if pair not in own][: 3 - len(own)]]
}
NO_GAIN = "no information gain: judged equal to its parent"
GAIN = read_shots(PAGE, "compared", "verdict")
