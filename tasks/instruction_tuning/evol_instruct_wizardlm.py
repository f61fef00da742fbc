"""Evol-Instruct: rewrite instructions into harder or newer ones, drop the failures, answer the rest.

Xu et al., 2023, https://arxiv.org/abs/2304.12244

Departs from the paper:
- The seeds themselves are not answered again: the table holds the evolved instructions of every round.
- Each operation, and the judge of equality, is shown how by examples of ours, as a weak model needs.
- An instruction or answer that runs in a circle fails too, as a weak model often does.
- Answers are bounded by `max_tokens`, where the paper allows 2048 tokens: more than a small model can hold.
"""

import re
from dataclasses import dataclass
from typing import Any

from catalog.records import Answer, Prompt, PromptCompletion
from quality.expectations import between, differ, distinct_together, not_blank, one_of
from tasks.llm import LLM
from tasks.method import Paper, Rows, method
from tasks.operators.dedup import dedup
from tasks.operators.evolve import Evolved, evolve
from tasks.operators.filter import keep
from tasks.operators.label import label
from tasks.operators.rewrite import looped
from tasks.operators.solve import solve

OPERATIONS = ("add constraints", "deepen", "concretise", "increase reasoning steps", "complicate input", "in-breadth")


@dataclass(frozen=True, kw_only=True)
class Child(Prompt):
    """An evolved instruction, not yet answered, beside the one that it was made of."""

    parent: str
    operation: str
    gain: str = ""


@dataclass(frozen=True, kw_only=True)
class EvolvedInstruction(PromptCompletion):
    """An evolved instruction with its answer, and the one it was made of; `round` counts the epochs from 1."""

    parent: str
    operation: str
    round: int


@method(
    paper=Paper(
        "WizardLM: Empowering Large Language Models to Follow Complex Instructions", "Xu et al.", 2023, "2304.12244"
    ),
    categories=["general-model-distillation"],
    also=["data_preparation", "sft"],
    reads={"seeds": ("instruction_tuning.self_instruct", "raw.prompts")},
    expects=[
        not_blank("completion"),
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
    max_tokens: int = 512,
    seed: int = 0,
) -> Rows[EvolvedInstruction]:
    """In each round every instruction of the pool evolves; a child that passes takes its parent's place."""
    ask: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens}
    pool = list[Prompt](dedup(seeds, lambda row: row.prompt, reason="the instruction repeats another"))
    made: list[EvolvedInstruction] = []
    for number in range(1, rounds + 1):
        draw = seed * rounds + number
        evolved = evolve(llm, pool, PROMPTS, turns=SHOTS, parse=instruction, **ask, seed=draw)
        children = keep([child(parent, answer) for parent, answer in evolved], leak)
        verdicts = label(llm, children, GAIN, ("again", "more"), PAIR, demos=GAIN_SHOTS, seed=draw)
        gained = keep([judged(row, verdict) for row, verdict in verdicts], no_gain)
        answers = solve(llm, gained, **ask, seed=draw)
        passed = keep([answered(row, answer, number) for row, answer in answers], no_answer)
        made += passed
        grown = {row.parent: row for row in passed}
        pool = list({row.prompt: row for row in (grown.get(row.prompt, row) for row in pool)}.values())
    return dedup(made, lambda row: (row.prompt, row.completion), reason="the instruction repeats another")


def child(parent: Prompt, evolved: Answer[Evolved]) -> Child:
    """The instruction that an operation made of its parent."""
    made = evolved.value
    return Child(prompt=made.text, parent=parent.prompt, operation=made.operation, origin=(parent, evolved))


def judged(row: Child, verdict: Answer[str]) -> Child:
    """The child with what was said of its gain."""
    return Child(
        prompt=row.prompt, parent=row.parent, operation=row.operation, gain=verdict.value, origin=(row, verdict)
    )


def answered(row: Child, answer: Answer[str], number: int) -> EvolvedInstruction:
    """The row of a child that passed."""
    return EvolvedInstruction(
        prompt=row.prompt,
        completion=answer.value,
        parent=row.parent,
        operation=row.operation,
        round=number,
        origin=(row, answer),
    )


def instruction(text: str) -> str:
    """The evolved instruction, without the heading that asked for it.

    Raises:
        ValueError: where nothing is left.
    """
    said = re.sub(r"\A\W*(?:rewritten|created|harder|new)\s+prompt\W*[:#]+\s*", "", text, flags=re.IGNORECASE)
    if not (said := said.strip(' \n"')):
        raise ValueError("the instruction is blank")
    return said


def leak(row: Child) -> str:
    """Why an evolved instruction is none by its words alone."""
    if found := LEAKED.search(row.prompt):
        return f"words of the evolving prompt leaked: {found[0].lower()}"
    if row.prompt in {text for example in (*EXAMPLES.values(), *MORE_BREADTH) for text in example}:
        return "words of the evolving prompt leaked: its example"
    if row.prompt.split() == row.parent.split():
        return "no information gain: the same words"
    if looped(row.prompt):
        return "the instruction runs in a circle"
    return ""


def no_gain(row: Child) -> str:
    """Why an evolved instruction is no evolution by the model's verdict."""
    return "no information gain: judged equal to its parent" if row.gain == "again" else ""


def no_answer(row: EvolvedInstruction) -> str:
    """Why the answer shows that the instruction cannot be answered."""
    words = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", row.completion.lower())
    if "sorry" in words and len(words) < 80:
        return "the answer is short and says sorry"
    if all(word in STOP_WORDS for word in words):
        return "the answer is only punctuation and stop words"
    if looped(row.completion):
        return "the answer runs in a circle"
    return ""


def shots(name: str) -> list[tuple[str, str]]:
    """How an operation changes a prompt: two examples of its like, then its own."""
    like = [pair for other, pair in EXAMPLES.items() if other not in {name, "in-breadth"}][:2]
    pairs = [*(MORE_BREADTH if name == "in-breadth" else like), EXAMPLES[name]]
    return [(PROMPTS[name].format(prompt=given), made) for given, made in pairs]


IN_DEPTH = """Make #Given Prompt# a little harder for a well-known AI system, but still sensible, so that a person can
understand and answer it. {how} Add 10 to 20 words. Do not answer it, write only the harder prompt.

#Given Prompt#: {{prompt}}"""

IN_BREADTH = """Let #Given Prompt# inspire you to a brand new prompt. It belongs to the same field, but is rarer. It is
as long and as hard as #Given Prompt#, and a person can understand and answer it. Do not answer it, write only the new
prompt.

#Given Prompt#: {prompt}"""

PROMPTS = {
    "add constraints": IN_DEPTH.format(how="Add one more condition or requirement that the answer must meet."),
    "deepen": IN_DEPTH.format(how="Ask about its subject in more depth and breadth."),
    "concretise": IN_DEPTH.format(how="Replace a general idea in it by a more specific one."),
    "increase reasoning steps": IN_DEPTH.format(how="If it takes little thought, make it ask for several steps of it."),
    "complicate input": IN_DEPTH.format(how="Give it data to work on, such as a table, code, JSON or a formula."),
    "in-breadth": IN_BREADTH,
}

EXAMPLES = {
    "add constraints": (
        "How do I boil an egg?",
        "How do I boil an egg on a camp fire, if I have no clock to tell when it is done?",
    ),
    "deepen": (
        "Why is the sea salty?",
        "Why is the sea salty, where did the salt come from, and why are some seas saltier than others?",
    ),
    "concretise": (
        "Tell me how to learn a language.",
        "Tell me how to learn spoken Italian in three months, with half an hour a day on the train.",
    ),
    "increase reasoning steps": (
        "Which is cheaper, tea or coffee?",
        "Tea costs 4 for 50 cups and coffee 6 for 40 cups. Which is cheaper a cup, and how much do I save in 100 cups?",
    ),
    "complicate input": (
        "What is the best day for a walk?",
        "Given this table of day and rain in mm: Mon 3, Tue 0, Wed 8, which is the best day for a walk, and why?",
    ),
    "in-breadth": ("Write a poem about a dog.", "Write a short speech of a lighthouse keeper to his parrot."),
}

MORE_BREADTH = [
    ("What is the tallest mountain?", "Which lake in Africa is the deepest, and how was that found out?"),
    ("How do I learn to cook?", "How can I learn to mend a torn fishing net?"),
]

SHOTS = {name: shots(name) for name in PROMPTS}

PAIR = "{parent}\n{prompt}"

GAIN = """Does the second prompt say the first again, with the same conditions and as deep and broad, or does it ask for
more or for something else?"""

GAIN_SHOTS = [
    ("Why is the sea salty?\nWhat is the reason that the sea is salty?", "again"),
    ("How do I boil an egg?\nHow do I boil an egg on a camp fire without a clock?", "more"),
    ("Name a good book.\nCan you name a good book?", "again"),
    ("Write a poem about a dog.\nWrite a speech of a lighthouse keeper to his parrot.", "more"),
]

LEAKED = re.compile(r"#?\b(?:given|rewritten|created|harder) prompts?\b#?", re.IGNORECASE)

STOP_WORDS = frozenset(
    """a an the and or but if then so of to in on at by for from with without about as into over under again i me my we
    our you your he him his she her it its they them their this that these those is am are was were be been being do
    does did have has had will would can could should may might must not no nor only own same such than too very just
    there here what which who whom when where why how all any both each few more most other some""".split()  # noqa: SIM905
)
