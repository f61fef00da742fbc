"""`simulate`: let a physics engine move the bodies of a scene, and measure them where they end (operators.md 14)."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TypeVar

from catalog.records import Record
from tasks.ledger import drop, operator
from tasks.method import Rows

R = TypeVar("R", bound=Record)

_STEP = 1 / 200  # seconds
_SIZE = 0.2  # metres: the diameter of a ball, the side of a block


@dataclass(frozen=True, kw_only=True)
class Body:
    """A ball, or on a floor a block that does not turn: metres, metres a second, kilograms, newtons to the right."""

    mass: float = 1.0
    x: float = 0.0
    y: float = 0.0
    speed: float = 0.0
    force: float = 0.0
    friction: float = 0.0


@dataclass(frozen=True, kw_only=True)
class State:
    """A body some seconds after its start: its place and velocity, in metres and metres a second."""

    start: Body
    seconds: float
    x: float
    y: float
    vx: float
    vy: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Bodies that share a space: `gravity` is a vector, a slope's floor is level under a tilted one.

    `done` tells of a body whether its state is the one to measure.
    """

    bodies: tuple[Body, ...]
    done: Callable[[State], bool]
    gravity: tuple[float, float] = (0.0, 0.0)
    floor: bool = False


@operator
def simulate(
    rows: Rows[R], scenes: Callable[[R], tuple[Scene, ...]], *, longest: float = 60.0
) -> list[tuple[R, tuple[State, ...]]]:
    """(row, states) pairs: of each body of each scene of a row, in their order, its state once it is done.

    The engine is two-dimensional (Chipmunk, by pymunk), in steps of 5 ms; the same scene always ends the same way.
    Bodies bounce off each other without losing energy. A row with a body that is not done after `longest` simulated
    seconds is dropped.
    """
    pairs: list[tuple[R, tuple[State, ...]]] = []
    for row in rows:
        states = [state for scene in scenes(row) for state in _run(scene, longest)]
        measured = tuple(state for state in states if state is not None)
        if len(measured) < len(states):
            drop(row, f"a body of the scene is not done after {longest:g} s")
        else:
            pairs.append((row, measured))
    return pairs


def _run(scene: Scene, longest: float) -> list[State | None]:
    import pymunk

    space = pymunk.Space()
    space.gravity = scene.gravity
    space.iterations = 30
    moving: list[pymunk.Body] = []
    for body in scene.bodies:
        made = pymunk.Body(body.mass, inf)
        made.position, made.velocity = (body.x, body.y + scene.floor * _SIZE / 2), (body.speed, 0)
        block = scene.floor
        shape = pymunk.Poly.create_box(made, (_SIZE, _SIZE)) if block else pymunk.Circle(made, _SIZE / 2)
        shape.elasticity, shape.friction = float(not block), body.friction
        space.add(made, shape)
        moving.append(made)
    if scene.floor:
        ground = pymunk.Segment(space.static_body, (-1e4, -1), (1e4, -1), 1)
        ground.friction = 1
        space.add(ground)
    states: list[State | None] = [None] * len(moving)
    for step in range(1, round(longest / _STEP) + 1):
        for body, made in zip(scene.bodies, moving, strict=True):
            made.apply_force_at_local_point((body.force, 0))
        space.step(_STEP)
        for place, (body, made) in enumerate(zip(scene.bodies, moving, strict=True)):
            (x, y), (vx, vy) = made.position, made.velocity
            now = State(start=body, seconds=step * _STEP, x=x, y=y, vx=vx, vy=vy)
            if states[place] is None and scene.done(now):
                states[place] = now
        if None not in states:
            break
    return states
