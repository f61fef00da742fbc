"""Measures: one file each. A measure reads a sample of a table's version and gives figures, each with its bounds.

A file holds one function with the file's name under `@measure`; that is all it takes to add one. Files that begin with
an underscore are shared by several.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, get_args

from infra.declared import declaration, declares, modules_in, summary

if TYPE_CHECKING:
    import numpy as np

Axis = Literal["quality", "diversity", "coverage", "fidelity", "contamination", "privacy", "security"]
"""The parts of a scorecard (operators.md 2.15)."""
AXES: tuple[Axis, ...] = get_args(Axis)

F = TypeVar("F", bound=Callable[["Sample"], Mapping[str, float]])


class Bounds(NamedTuple):
    """Between which values a figure is as it should be, both included; None: no limit."""

    low: float | None = None
    high: float | None = None

    def hold(self, value: float) -> bool:
        """Whether the value is within; a value that is no number is not."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What measures see of a version: rows drawn at random with a fixed seed, in the table's order.

    `texts` holds one text a row: of its required columns but the label, joined by line breaks. `labels` are there where
    the shape has a column `label` (or `topic`), `references` where the user names a table of human text, `earlier`
    (texts) where the table has an earlier version.
    """

    texts: Sequence[str]
    rows: Sequence[Mapping[str, Any]] = ()
    labels: Sequence[str] = ()
    references: Sequence[str] = ()
    earlier: Sequence[str] = ()
    encode: "Callable[[Sequence[str]], np.ndarray] | None" = field(default=None, repr=False)
    """Unit vectors, one row a text (float32, n × d), or None where there is no encoder."""
    seed: int = 0


@dataclass(frozen=True)
class Measure:
    """A measure as its file declares it."""

    name: str
    summary: str
    axis: Axis
    bounds: Mapping[str, Bounds]
    """Figure → its gate; figures without one are for reading only."""
    most: int | None
    """Rows that it is shown at most; None: all of them."""
    version: int
    run: Callable[[Sample], Mapping[str, float]]


class Figure(NamedTuple):
    """One figure of a version: its value, over how many rows, by which measure, and its gate."""

    metric: str
    value: float
    n: int
    axis: Axis
    method: str
    """Name and version of the measure, such as `self_bleu/1`."""
    low: float | None = None
    high: float | None = None


def measure(
    axis: Axis, *, bounds: Mapping[str, Bounds] | None = None, most: int | None = None, version: int = 1
) -> Callable[[F], F]:
    """Declare the decorated function a measure: it takes a Sample and returns figures by name.

    A figure that the sample is too small for, or that has nothing to be computed from, is left out.

    Args:
        axis: the part of the scorecard it belongs to.
        bounds: figure → between which values it is as it should be.
        most: rows that it is shown at most.
        version: counts the changes that make it give other values.
    """
    return declares("__everspring_measure__", (axis, dict(bounds or {}), most, version))


@functools.cache
def load_measures() -> Mapping[str, Measure]:
    """Every measure, by name.

    Raises:
        TypeError: for a file that declares none.
    """
    found: dict[str, Measure] = {}
    for module in modules_in(__name__, Path(__file__).parent):
        function, declared = declaration(module, "__everspring_measure__", "measure", "measure")
        found[function.__name__] = Measure(function.__name__, summary(module), *declared, run=function)
    return found
