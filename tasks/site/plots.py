"""Plots of the site, as SVG that stands in the page: coloured by the style sheet, told in words by `<desc>`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from quality.scorecard import Line

if TYPE_CHECKING:
    from markupsafe import Markup

BINS = 32
_WIDE, _HIGH, _FOOT = 320, 96, 18


@dataclass(frozen=True)
class Scale:
    """Where the bins of a histogram lie: so many, from `low`, each `width` words wide; the last holds all beyond it."""

    low: int
    width: int
    bins: int
    open: bool


def scale_of(counts: Mapping[int, int]) -> Scale:
    """The scale that fits a histogram: from its least value to its greatest, or to where 99 % of the rows end."""
    low, high, end = min(counts), max(counts), _quantile(counts, 0.99)
    cut = high > 2 * max(end, low + 1)
    top = end if cut else high
    width = max(1, -(-(top - low + 1) // BINS))
    return Scale(low, width, -(-(top - low + 1) // width) + cut, cut)


def histogram(name: str, counts: Mapping[int, int], scale: Scale, key: str) -> "Markup":
    """The words in the texts of a column, as bars.

    Args:
        name: of the column.
        counts: words → rows.
        scale: of the table, so that its versions can be laid side by side.
        key: that no other plot of the page has.
    """
    from markupsafe import Markup, escape

    bars = [0] * scale.bins
    for length, rows in counts.items():
        bars[min(scale.bins - 1, max(0, (length - scale.low) // scale.width))] += rows
    most, step = max(bars), _WIDE / scale.bins
    middle = _quantile(counts, 0.5)
    drawn = [
        f'<rect class="bar" x="{_n(at * step + 0.5)}" y="{_n(_HIGH - high)}" width="{_n(max(step - 1, 1))}" '
        f'height="{_n(high)}"/>'
        for at, rows in enumerate(bars)
        if rows and (high := max(1.5, (_HIGH - 8) * rows / most))
    ]
    at = min(_WIDE - 1.0, (middle - scale.low + 0.5) / scale.width * step)
    end = scale.low + scale.width * (scale.bins - scale.open) - 1
    told = f"Between {min(counts):,} and {max(counts):,} words, the middle row has {middle:,}."
    more = "+" if scale.open else ""
    return Markup(  # noqa: S704 - the texts are escaped
        f'<svg class="plot histogram" viewBox="0 0 {_WIDE} {_HIGH + _FOOT}" role="img" '
        f'aria-labelledby="{key}-t {key}-d"><title id="{key}-t">{escape(name)}: words in a row</title>'
        f'<desc id="{key}-d">{told}</desc><line class="axis" x1="0" x2="{_WIDE}" y1="{_HIGH}" y2="{_HIGH}"/>'
        f'{"".join(drawn)}<line class="median" x1="{_n(at)}" x2="{_n(at)}" y1="2" y2="{_HIGH}"/>'
        f'<text x="0" y="{_HIGH + 14}">{scale.low:,}</text>'
        f'<text x="{_WIDE}" y="{_HIGH + 14}" text-anchor="end">{end:,}{more} words</text></svg>'
    )


def trend(name: str, points: Sequence[tuple[int, float]], key: str, gate: Line | None = None) -> "Markup":
    """A figure, version by version: a line with a dot for each, and its gate as a band.

    Args:
        name: of the figure.
        points: (version, value); one at least.
        key: that no other plot of the page has.
        gate: the figure's last line, where it has bounds.
    """
    from markupsafe import Markup, escape

    wide, high = 180, 44
    values = [value for _, value in points if math.isfinite(value)]
    bounds = [bound for bound in (gate.low, gate.high) if bound is not None] if gate else []
    if not values:
        return Markup("")
    low, top = min(values + bounds), max(values + bounds)
    room = 0.12 * ((top - low) or abs(top) or 1.0)
    low, top = low - room, top + room
    first, last = points[0][0], points[-1][0]

    def x(version: int) -> float:
        return 6 + (wide - 12) * ((version - first) / (last - first) if last > first else 0.5)

    def y(value: float) -> float:
        return high - 4 - (high - 8) * (value - low) / (top - low)

    band = ""
    if gate and bounds:
        above, below = y(top if gate.high is None else gate.high), y(low if gate.low is None else gate.low)
        band = f'<rect class="band" x="0" width="{wide}" y="{_n(above)}" height="{_n(max(1, below - above))}"/>'
    shown = [(x(version), y(value)) for version, value in points if math.isfinite(value)]
    line = " ".join(f"{_n(a)},{_n(b)}" for a, b in shown)
    kept = not gate or gate.passed
    told = f"{values[0]:.4g} in version {first}, {values[-1]:.4g} in version {last}." if first != last else ""
    dots = "".join(f'<circle cx="{_n(a)}" cy="{_n(b)}" r="1.6"/>' for a, b in shown[:-1])
    dots += f'<circle class="{"good" if kept else "bad"}" cx="{_n(shown[-1][0])}" cy="{_n(shown[-1][1])}" r="3"/>'
    return Markup(  # noqa: S704 - the texts are escaped
        f'<svg class="plot trend" viewBox="0 0 {wide} {high}" role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{escape(name)} by version</title><desc id="{key}-d">{told}</desc>'
        f'{band}<polyline points="{line}"/>{dots}</svg>'
    )


def strip(line: Line) -> "Markup":
    """A figure as a dot on a band, which is its gate; the numbers stand beside it."""
    from markupsafe import Markup

    bounds = [bound for bound in (line.low, line.high) if bound is not None]
    if not bounds or not math.isfinite(line.value):
        return Markup("")
    low, top = min([line.value, *bounds]), max([line.value, *bounds])
    room = 0.25 * ((top - low) or abs(top) or 1.0)
    low, top = low - room, top + room

    def x(value: float) -> float:
        return 100 * (value - low) / (top - low)

    start, end = x(low if line.low is None else line.low), x(top if line.high is None else line.high)
    state = "good" if line.passed else "bad"
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="plot strip" viewBox="0 0 100 14" aria-hidden="true"><line x1="0" x2="100" y1="7" y2="7"/>'
        f'<rect class="band" x="{_n(start)}" width="{_n(max(1, end - start))}" y="2" height="10"/>'
        f'<circle class="{state}" cx="{_n(x(line.value))}" cy="7" r="3.5"/></svg>'
    )


def _quantile(counts: Mapping[int, int], share: float) -> int:
    if share == 0.5 and len(counts) == 1:
        return next(iter(counts))
    total, seen = sum(counts.values()), 0
    for length in sorted(counts):
        seen += counts[length]
        if seen >= share * total:
            return length
    return int(median(counts))


def _n(value: float) -> str:
    """A coordinate, no longer than it need be."""
    return f"{value:.1f}".removesuffix(".0")
