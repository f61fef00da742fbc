"""Templates of physics questions that compare two bodies, written for this repository: six scenes, 39 kinds.

In each kind one quantity differs, or does not, the others are the same, and another quantity is asked about.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.records import Record
from catalog.sources import source


@dataclass(frozen=True, kw_only=True)
class PhysicsQuestion(Record):
    """A question about two bodies X and Y, in parts; `{things}` stands for what they are.

    Of the `varied` quantity the parts say which of `{one}` and `{other}` has more or less, or that both have as much;
    of the one `asked` about, which has more or less. `measure` names it in a sentence.
    """

    scene: str
    varied: str
    asked: str
    setup: str
    more: str
    less: str
    same: str
    most: str
    least: str
    measure: str


@source(table="raw.physics_questions", licence="Apache-2.0", package=None)
def physics_questions() -> Iterator[tuple[PhysicsQuestion, str]]:
    """Each quantity that is given in a scene, with each that is asked about."""
    for scene, (setup, given, asked) in _SCENES.items():
        for varied in given:
            others = [f"{_GIVEN[name][2]}." for name in given if name != varied]
            more, less, same = _GIVEN[varied]
            for name in asked:
                most, least, measure = _ASKED[name]
                row = PhysicsQuestion(
                    scene=scene,
                    varied=varied,
                    asked=name,
                    setup=" ".join([setup, *others]),
                    more=more,
                    less=less,
                    same=same,
                    most=most,
                    least=least,
                    measure=measure,
                )
                yield row, f"{scene}: {varied} and {name}"


_SCENES = {
    "motion": (
        "Two {things} X and Y stand on a level floor without friction. Each is pushed along it for the same time.",
        ("mass", "force"),
        ("acceleration", "speed", "distance"),
    ),
    "friction": (
        "Two {things} X and Y slide over a level, rough floor until friction stops them.",
        ("mass", "friction", "initial speed"),
        ("stopping distance", "stopping time"),
    ),
    "free fall": (
        "Two {things} X and Y are dropped from rest. There is no air.",
        ("mass", "height"),
        ("acceleration", "falling time", "impact speed"),
    ),
    "projection": (
        "Two {things} X and Y are thrown horizontally. There is no air.",
        ("mass", "height", "initial speed"),
        ("range", "falling time", "impact speed"),
    ),
    "collision": (
        "Two {things} X and Y move straight towards each other, collide and bounce off without losing energy.",
        ("mass", "initial speed"),
        ("speed", "velocity change", "push"),
    ),
    "slope": (
        "Two {things} X and Y start from rest and slide down straight slopes of the same length.",
        ("mass", "friction", "angle"),
        ("sliding time", "speed"),
    ),
}

_GIVEN = {
    "mass": ("{one} is heavier than {other}", "{one} is lighter than {other}", "X and Y have the same mass"),
    "force": (
        "The force on {one} is greater than the force on {other}",
        "The force on {one} is smaller than the force on {other}",
        "The forces on X and Y are the same",
    ),
    "friction": (
        "The friction under {one} is stronger than under {other}",
        "The friction under {one} is weaker than under {other}",
        "The ground under X and Y is equally rough",
    ),
    "initial speed": (
        "{one} is faster than {other} at the start",
        "{one} is slower than {other} at the start",
        "X and Y are equally fast at the start",
    ),
    "height": (
        "{one} starts higher above the ground than {other}",
        "{one} starts closer to the ground than {other}",
        "X and Y start at the same height",
    ),
    "angle": (
        "The slope under {one} is steeper than the one under {other}",
        "The slope under {one} is flatter than the one under {other}",
        "Both slopes are equally steep",
    ),
}
"""Of a given quantity: that one has more of it, that one has less, that both have as much."""

_ASKED = {
    "acceleration": (
        "Which one gains speed faster?",
        "Which one gains speed more slowly?",
        "the acceleration",
    ),
    "speed": ("Which one is faster in the end?", "Which one is slower in the end?", "the speed in the end"),
    "distance": ("Which one moves farther?", "Which one moves less far?", "the distance covered"),
    "stopping distance": (
        "Which one slides farther before it stops?",
        "Which one slides less far before it stops?",
        "the distance until it stops",
    ),
    "stopping time": (
        "Which one takes longer to stop?",
        "Which one stops sooner?",
        "the time until it stops",
    ),
    "falling time": (
        "Which one takes longer to reach the ground?",
        "Which one reaches the ground in less time?",
        "the time until it reaches the ground",
    ),
    "impact speed": (
        "Which one is faster when it hits the ground?",
        "Which one is slower when it hits the ground?",
        "the speed at the ground",
    ),
    "range": (
        "Which one lands farther away?",
        "Which one lands nearer?",
        "the distance at which it lands",
    ),
    "velocity change": (
        "Which one has the greater change of velocity?",
        "Which one has the smaller change of velocity?",
        "the change of velocity",
    ),
    "push": (
        "Which one gets the stronger push from the other?",
        "Which one gets the weaker push from the other?",
        "the push it gets",
    ),
    "sliding time": (
        "Which one takes longer to reach the bottom?",
        "Which one reaches the bottom in less time?",
        "the time until it reaches the bottom",
    ),
}
"""Of a quantity asked about: which has the most of it, which the least, and its name."""
