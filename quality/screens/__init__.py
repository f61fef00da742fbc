"""Text screens: one file each. A screen reads texts and says what is wrong with each, or nothing.

A file holds one function with the file's name under `@text_screen`; that is all it takes to add one. Files that begin
with an underscore are shared by several.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from infra.declared import declaration, declares, modules_in, summary
from infra.errors import Refusal
from infra.settings import Policy
from quality.measures import Axis

F = TypeVar("F", bound=Callable[..., "list[Fault | None]"])


class Span(NamedTuple):
    """Characters of a text that a mask replaces by `<KIND>`; `end` is the first that stays."""

    start: int
    end: int
    kind: str


class Fault(NamedTuple):
    """What is wrong with a text: the reason, what shows it (never a secret itself), and where, if it has a place."""

    reason: str
    evidence: str = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Screen:
    """A text screen as its file declares it: what it finds, and what becomes of a row at fault by default."""

    name: str
    summary: str
    policy: Policy
    version: int
    axis: Axis
    everywhere: bool
    """Whether it looks at texts too that are meant to be bad, such as the rejected answer of a preference."""
    find: Callable[..., list[Fault | None]]
    """Texts → one fault or None each, in their order; its options are keyword-only."""

    def check(self, options: Mapping[str, Any]) -> None:
        """See whether these are options of the screen that it can work with.

        Raises:
            Refusal: where they are not.
        """
        known = [name for name, its in inspect.signature(self.find).parameters.items() if its.kind is its.KEYWORD_ONLY]
        for name in options:
            if name not in known:
                raise Refusal.unknown(f"{self.name}: option", name, known)
        try:
            self.find([], **options)
        except (TypeError, ValueError) as error:
            raise Refusal(
                f"screen {self.name}: cannot work with {dict(options)} ({error}); see its docstring"
            ) from None


def text_screen(
    *, policy: Policy, axis: Axis = "quality", version: int = 1, everywhere: bool = False
) -> Callable[[F], F]:
    """Declare the decorated function a text screen.

    Args:
        policy: what becomes of a row at fault where neither the method nor the user says otherwise.
        axis: the part of the scorecard in which its share of faults stands.
        version: counts the changes that make it find other things.
        everywhere: whether it looks at texts too that are meant to be bad, such as the rejected answer of a preference.
    """
    return declares("__everspring_screen__", (policy, version, axis, everywhere))


@functools.cache
def load_screens() -> Mapping[str, Screen]:
    """Every text screen, by name.

    Raises:
        TypeError: for a file that declares none.
    """
    found: dict[str, Screen] = {}
    for module in modules_in(__name__, Path(__file__).parent):
        function, declared = declaration(module, "__everspring_screen__", "screen", "text_screen")
        found[function.__name__] = Screen(function.__name__, summary(module), *declared, find=function)
    return found
