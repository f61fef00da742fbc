"""Mind's Eye: physics questions in words, whose answers and hints come out of a simulation of the scene.

Liu et al., 2022, https://arxiv.org/abs/2210.05359

Departs from the paper:
- The scene is built of the question's parts by this program. The paper trains a small model to write MuJoCo code.
- The engine is Chipmunk, in two dimensions; air is left out. The questions and their split into 39 kinds are our own.
- The table holds the benchmark, UTOPIA, with a hint for each question; no model is asked to answer with the hint.
"""

from dataclasses import dataclass
from random import Random

from catalog.records import Problem
from catalog.sources.physics_questions import PhysicsQuestion
from quality.expectations import not_blank, one_of, unique
from tasks.method import Paper, Rows, method
from tasks.operators.program import program
from tasks.operators.sample import dice, sample
from tasks.operators.scenes import EVERYDAY, measure, scene_of
from tasks.operators.simulate import simulate


@dataclass(frozen=True, kw_only=True)
class Posed(Problem):
    """A question before it is simulated; `ahead` names the body that has more of what is varied, if one has."""

    varied: str
    asked: str
    ahead: str
    most: bool
    measure: str


@dataclass(frozen=True, kw_only=True)
class Simulated(Problem):
    """A question with the engine's answer; `hint` says what the simulation showed, to be put before the prompt."""

    kind: str
    hint: str


@method(
    paper=Paper(
        "Mind's Eye: Grounded Language Model Reasoning through Simulation", "Liu et al.", 2022, arxiv="2210.05359"
    ),
    categories=["data-augmentation:non-llm"],
    reads={"questions": "raw.physics_questions"},
    expects=[unique("prompt"), one_of("answer", ["X", "Y", "the same"]), not_blank("hint")],
    # Questions of one kind differ in a few words.
    screens={"near_duplicate": "off", "repetition": "off"},
)
def minds_eye(
    questions: Rows[PhysicsQuestion], *, rows: int = 3900, margin: float = 0.01, seed: int = 0
) -> Rows[Simulated]:
    """`rows` questions, the scenes in turn; two measures within `margin` of each other, as a share, are the same."""
    each = -(-rows // max(1, len(questions)))
    posed = [row for _, row in program(questions, word, n=each, tries=50, seed=seed)]
    chosen = sample(posed, rows, by=lambda row: row.topic, seed=seed)
    seen = simulate(chosen, lambda row: scene_of(row.topic, *quantities(row, seed)))
    return [answered(row, [measure(row.asked, state) for state in states], margin) for row, states in seen]


def word(question: PhysicsQuestion, draw: Random) -> Posed:
    """The question about some things, in one of its wordings."""
    ahead, most, more = draw.choice(("X", "Y", "")), draw.random() < 0.5, draw.random() < 0.5
    one, other = ("X", "Y") if (ahead == "X") == more else ("Y", "X")
    relation = (question.more if more else question.less).format(one=one, other=other) if ahead else question.same
    setup = question.setup.format(things=draw.choice(THINGS.split(", ")))
    text = f'{setup} {relation}. {question.most if most else question.least} Answer with X, Y or "the same".'
    about = {name: getattr(question, name) for name in ("varied", "asked", "measure")}
    return Posed(prompt=text, answer="", topic=question.scene, ahead=ahead, most=most, origin=(question,), **about)


def quantities(row: Posed, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Numbers for X and Y that are as the question says."""
    draw = dice(seed, "quantities", row.record_id)
    x = {name: draw.uniform(low, high) for name, (low, high) in EVERYDAY.items()}
    more = {**x, row.varied: x[row.varied] * draw.uniform(1.5, 2)}
    return {"X": (more, x), "Y": (x, more), "": (x, x)}[row.ahead]


def answered(row: Posed, measured: Rows[float], margin: float) -> Simulated:
    """The question with what the simulation says of X and of Y."""
    x, y = measured
    same = abs(x - y) <= margin * max(abs(x), abs(y))
    said = "the same" if same else "X" if (x > y) == row.most else "Y"
    relation = "the same as" if same else "greater than" if x > y else "smaller than"
    hint = f"In a simulation, {row.measure} of X is {relation} that of Y."
    kind = f"{row.varied}, {row.asked}"
    return Simulated(prompt=row.prompt, answer=said, topic=row.topic, kind=kind, hint=hint, origin=(row,))


THINGS = (
    "blocks, boxes, crates, bricks, books, suitcases, stones, ice cubes, bars of soap, phones, coins, plates, tins, "
    "cartons, chests, trunks, tiles, pucks, parcels, dominoes, jars, toolboxes, trays, magnets"
)
