"""Scorecard: what is known about a version, axis by axis (operators.md 2.15), beside another version's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.store import Lake, Version
from infra.errors import Refusal
from quality.measures import AXES

_FIGURES = """
SELECT axis, metric, value, n, method, low, high, passed FROM catalog.scorecards WHERE table_name = ? AND version = ?
"""


@dataclass(frozen=True)
class Line:
    """A figure of a version: over `n` rows, by which measure, between which bounds it should be, and whether it is.

    `other` is the same figure of the version that it is compared with.
    """

    axis: str
    metric: str
    value: float
    n: int
    method: str
    low: float | None
    high: float | None
    passed: bool
    other: float | None = None

    @property
    def gated(self) -> bool:
        """Whether the figure has bounds at all."""
        return self.low is not None or self.high is not None

    @property
    def gate(self) -> str:
        """The bounds in words; empty where there are none."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"≥ {self.low:g}" if self.low is not None else f"≤ {self.high:g}" if self.high is not None else ""


def scorecard(lake: Lake, version: Version, against: Version | None = None) -> list[Line]:
    """The figures of a version, by axis and name, the gated ones of an axis first.

    Raises:
        Refusal: for a version without figures, such as one that was imported.
    """
    with lake.read() as connection:
        found = connection.execute(_FIGURES, [version.ref.table, version.ref.version]).fetchall()
        other: Mapping[str, float] = (
            {
                row[1]: row[2]
                for row in connection.execute(_FIGURES, [against.ref.table, against.ref.version]).fetchall()
            }
            if against
            else {}
        )
    if not found:
        raise Refusal(
            f"{version.ref}: has no scorecard, a table that a method made is wanted; "
            "see catalog.scorecards for those that have one"
        )
    lines = [Line(*row, other=other.get(row[1])) for row in found]
    return sorted(lines, key=lambda line: (AXES.index(line.axis), not line.gated, line.metric))  # type: ignore[arg-type]


def held(lines: Sequence[Line]) -> dict[str, tuple[int, int]]:
    """Axis → how many of its gates hold, and how many there are."""
    out: dict[str, tuple[int, int]] = {}
    for line in lines:
        if line.gated:
            good, all_ = out.get(line.axis, (0, 0))
            out[line.axis] = (good + line.passed, all_ + 1)
    return out


def draw(lines: Sequence[Line], title: str, other: str, file: Path) -> None:
    """Draw the gated figures, a strip each: the gate is a band, the version a dot, the other version a ring.

    Args:
        lines: of a scorecard.
        title: what the dots are.
        other: what the rings are; empty where there are none.
        file: where to: .png, .svg or .pdf.

    Raises:
        Refusal: where the file cannot be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [line for line in lines if line.gated] or list(lines)
    figure, strips = plt.subplots(
        len(shown), 1, figsize=(8, 0.9 + 0.48 * len(shown)), squeeze=False, layout="constrained"
    )
    figure.suptitle(f"{title}   ○ {other}" if other else title, fontsize=11, x=0.02, ha="left")
    for strip, line in zip(strips[:, 0], shown, strict=True):
        values = [value for value in (line.value, line.other, line.low, line.high) if value is not None]
        room = 0.15 * ((max(values) - min(values)) or abs(values[0]) or 1.0)
        low, high = min(values) - room, max(values) + room
        strip.set_xlim(low, high)
        strip.set_ylim(-1, 1)
        strip.set_yticks([])
        band = (low if line.low is None else line.low, high if line.high is None else line.high)
        strip.axvspan(*band, color="#d7ecd9" if line.gated else "white", lw=0)
        if line.other is not None:
            strip.plot([line.other], [0], "o", ms=8, mfc="none", mec="#555555")
        strip.plot([line.value], [0], "o", ms=7, color="#1b7f3b" if line.passed else "#c62828")
        strip.set_ylabel(f"{line.metric}  ", rotation=0, ha="right", va="center", fontsize=8)
        strip.tick_params(axis="x", labelsize=6, length=2, pad=1)
        for side in ("top", "left", "right"):
            strip.spines[side].set_visible(False)
    try:
        figure.savefig(file, dpi=150)
    except (OSError, ValueError) as error:
        raise Refusal(f"plot: {file} cannot be written ({error}), a .png, .svg or .pdf is wanted") from None
    finally:
        plt.close(figure)
