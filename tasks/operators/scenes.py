"""The scenes of school mechanics for `simulate`, and what can be measured in them (operators.md 14)."""

from collections.abc import Mapping
from math import cos, hypot, radians, sin

from tasks.operators.simulate import Body, Scene, State

Quantities = Mapping[str, float]
"""What is given of a body: mass (kg), force (N), friction, initial speed (m/s), height (m), angle (degrees)."""

EVERYDAY: Mapping[str, tuple[float, float]] = {
    "mass": (1, 3),
    "force": (5, 10),
    "friction": (0.1, 0.2),
    "initial speed": (4, 8),
    "height": (3, 8),
    "angle": (25, 35),
}
"""From where to where a quantity may be drawn so that each scene ends, twice as much of any one included."""

_G = 9.81
_PUSH = 2.0  # seconds that a force acts, and that bodies are watched that collide
_SLOPE = 10.0  # metres


def scene_of(name: str, x: Quantities, y: Quantities) -> tuple[Scene, ...]:
    """The scene of two bodies X and Y: one in which they meet (`collision`), else one for each.

    The others are `motion` (a push on a smooth floor), `friction` (sliding until it stops), `free fall`, `projection`
    (a horizontal throw) and `slope` (sliding down 10 m). A quantity that plays no part in a scene is passed over.
    """
    if name == "collision":
        left = Body(mass=x["mass"], speed=x["initial speed"], x=-1)
        right = Body(mass=y["mass"], speed=-y["initial speed"], x=1)
        return (Scene(bodies=(left, right), done=lambda state: state.seconds >= _PUSH),)
    return _alone(name, x), _alone(name, y)


def measure(quantity: str, state: State) -> float:
    """A quantity of a body at its end, such as `speed`, `falling time`, `range`; in metres, seconds and kilograms."""
    start = state.start
    change = hypot(state.vx - start.speed, state.vy)
    match quantity.rpartition(" ")[2]:
        case "time":
            return state.seconds
        case "speed":
            return hypot(state.vx, state.vy)
        case "distance" | "range":
            return abs(state.x - start.x)
        case "acceleration":
            return change / state.seconds
        case "push":
            return start.mass * change
        case _:  # velocity change
            return change


def _alone(name: str, given: Quantities) -> Scene:
    mass, down = given["mass"], (0.0, -_G)
    match name:
        case "motion":
            body = Body(mass=mass, force=given["force"])
            return Scene(bodies=(body,), gravity=down, floor=True, done=lambda state: state.seconds >= _PUSH)
        case "friction":
            body = Body(mass=mass, friction=given["friction"], speed=given["initial speed"])
            return Scene(bodies=(body,), gravity=down, floor=True, done=lambda state: state.vx < 1e-9)
        case "slope":
            tilted = _G * sin(radians(given["angle"])), -_G * cos(radians(given["angle"]))
            body = Body(mass=mass, friction=given["friction"])
            return Scene(bodies=(body,), gravity=tilted, floor=True, done=lambda state: state.x >= _SLOPE)
        case _:  # free fall, projection
            speed = given["initial speed"] if name == "projection" else 0.0
            body = Body(mass=mass, speed=speed, y=given["height"])
            return Scene(bodies=(body,), gravity=down, done=lambda state: state.y <= 0)
