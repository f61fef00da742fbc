"""What a benchmark found: each figure beside that of what one would use instead, from the same run."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One figure: ours, that of `against` where there is something to compare with, and their unit."""

    what: str
    ours: float
    other: float | None
    unit: str
    against: str = ""


def show(lines: Iterable[Line]) -> None:
    """Print figures with their ratios."""
    table = Table("what", "Everspring", "instead", "unit", "ratio", "instead is")
    for line in lines:
        ratio = f"{line.ours / line.other:.2f}" if line.other else ""
        other = "" if line.other is None else f"{line.other:,.4g}"
        table.add_row(line.what, f"{line.ours:,.4g}", other, line.unit, ratio, line.against)
    Console(width=160).print(table)
