"""A graph in layers: each node stands to the right of all that leads to it, near what it is joined with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDE, HIGH = 208, 46
"""Of a node."""
_ACROSS, _DOWN, _THIN = 84, 18, 14
"""Room between layers, between nodes, and for an edge that passes through a layer."""
_SWEEPS = 12


@dataclass(frozen=True)
class Placed:
    """A node, by its upper left corner."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Path:
    """An edge, as the `d` of an SVG path."""

    start: str
    end: str
    d: str


@dataclass(frozen=True)
class Drawing:
    """Where everything stands, and how large all of it is."""

    nodes: Sequence[Placed]
    edges: Sequence[Path]
    width: float
    height: float


def lay_out(leads_to: Mapping[str, Sequence[str]]) -> Drawing:
    """Place nodes, each given with those that it leads to; an edge that closes a circle is left out.

    Args:
        leads_to: every node, in the order in which they stand where nothing else decides.
    """
    following = _without_circles(leads_to)
    layer = _layers(following)
    rows, joined = _with_bends(following, layer)
    _untangle(rows, joined)
    y = _heights(rows, joined)
    top = min(y.values(), default=0.0)
    x = {at: at * (WIDE + _ACROSS) for at in range(len(rows))}
    nodes = [Placed(name, x[layer[name]], y[name, -1] - top) for name in leads_to]
    height = max((node.y for node in nodes), default=0.0) + HIGH
    edges = [
        Path(one, other, _curve([(x[at], y[part] - top + _size(part) / 2) for at, part in _points(one, other, layer)]))
        for one, others in following.items()
        for other in others
    ]
    height = max([height, *(y[part] - top + _size(part) for row in rows for part in row)])
    return Drawing(nodes, edges, max(0, len(rows) * (WIDE + _ACROSS) - _ACROSS), height)


_Part = tuple[str, int]
"""A node's name and -1, or an edge's `start end` and the layer through which it passes."""


def _size(part: _Part) -> float:
    return HIGH if part[1] < 0 else _THIN


def _without_circles(leads_to: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The edges, without those that lead back to where a walk came from, and those to nowhere."""
    state: dict[str, int] = {}
    kept: dict[str, list[str]] = {name: [] for name in leads_to}
    for root in leads_to:
        if root in state:
            continue
        state[root] = 1
        walk = [(root, iter(leads_to[root]))]
        while walk:
            name, others = walk[-1]
            for other in others:
                if other not in leads_to or state.get(other) == 1:
                    continue
                kept[name].append(other)
                if other not in state:
                    state[other] = 1
                    walk.append((other, iter(leads_to[other])))
                    break
            else:
                state[name] = 2
                walk.pop()
    return kept


def _layers(following: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Each node's layer: one behind the last that leads to it."""
    waits = dict.fromkeys(following, 0)
    for others in following.values():
        for other in others:
            waits[other] += 1
    layer = dict.fromkeys(following, 0)
    ready = [name for name, count in waits.items() if not count]
    for name in ready:
        for other in following[name]:
            layer[other] = max(layer[other], layer[name] + 1)
            waits[other] -= 1
            if not waits[other]:
                ready.append(other)
    return layer


def _points(one: str, other: str, layer: Mapping[str, int]) -> list[tuple[int, _Part]]:
    bends = [(at, (f"{one} {other}", at)) for at in range(layer[one] + 1, layer[other])]
    return [(layer[one], (one, -1)), *bends, (layer[other], (other, -1))]


def _with_bends(
    following: Mapping[str, Sequence[str]], layer: Mapping[str, int]
) -> tuple[list[list[_Part]], dict[_Part, list[_Part]]]:
    """What stands in each layer, edges that pass through it included, and what each is joined with in the next ones."""
    rows: list[list[_Part]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    joined: dict[_Part, list[_Part]] = {}
    for name in following:
        rows[layer[name]].append((name, -1))
    for one, others in following.items():
        for other in others:
            points = _points(one, other, layer)
            for (_, part), (at, following_part) in pairwise(points):
                if following_part[1] >= 0:
                    rows[at].append(following_part)
                joined.setdefault(part, []).append(following_part)
                joined.setdefault(following_part, []).append(part)
    return rows, joined


def _untangle(rows: Sequence[list[_Part]], joined: Mapping[_Part, Sequence[_Part]]) -> None:
    """Order each layer by where its neighbours stand in the one before, then after, and again."""
    place = {part: at for row in rows for at, part in enumerate(row)}
    layer_of = {part: number for number, row in enumerate(rows) for part in row}
    for sweep in range(_SWEEPS):
        back = sweep % 2
        for number in reversed(range(len(rows) - 1)) if back else range(1, len(rows)):
            beside = number + 1 if back else number - 1

            def middle(part: _Part, beside: int = beside) -> float:
                found = [place[other] for other in joined.get(part, ()) if layer_of[other] == beside]
                return sum(found) / len(found) if found else place[part]

            rows[number].sort(key=middle)
            place.update((part, at) for at, part in enumerate(rows[number]))


def _heights(rows: Sequence[Sequence[_Part]], joined: Mapping[_Part, Sequence[_Part]]) -> dict[_Part, float]:
    """How far down each stands: as near to the middle of its neighbours as those above and below it let it."""
    y: dict[_Part, float] = {}
    for row in rows:
        at = 0.0
        for part in row:
            y[part] = at
            at += _size(part) + _DOWN
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 else reversed(rows):
            wanted = [
                sum(y[other] + _size(other) / 2 for other in joined[part]) / len(joined[part]) - _size(part) / 2
                if part in joined
                else y[part]
                for part in row
            ]
            y |= zip(row, _apart(row, wanted), strict=True)
    return y


def _apart(row: Sequence[_Part], wanted: Sequence[float]) -> list[float]:
    """Heights in the order of a layer, none too near to another, as a whole as near to those wanted as can be.

    Those that push each other become one block, whose place is the middle of what its parts want.
    """
    blocks: list[tuple[float, int, float]] = []  # where it begins, how many parts it has, how high it is
    for part, height in zip(row, wanted, strict=True):
        block = (height, 1, _size(part) + _DOWN)
        while blocks and blocks[-1][0] + blocks[-1][2] > block[0]:
            start, count, high = blocks.pop()
            begins = (start * count + (block[0] - high) * block[1]) / (count + block[1])
            block = (begins, count + block[1], high + block[2])
        blocks.append(block)
    heights: list[float] = []
    for start, count, _ in blocks:
        at = start
        for part in row[len(heights) : len(heights) + count]:
            heights.append(at)
            at += _size(part) + _DOWN
    return heights


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A curve from the right edge of the first node to the left edge of the last, straight through layers between."""
    x, y = points[0][0] + WIDE, points[0][1]
    d = f"M{x:.0f} {y:.1f}"
    for place, (left, down) in enumerate(points[1:], 1):
        half = (left - x) / 2
        d += f"C{x + half:.0f} {y:.1f} {x + half:.0f} {down:.1f} {left:.0f} {down:.1f}"
        x, y = left, down
        if place < len(points) - 1:
            x += WIDE
            d += f"H{x:.0f}"
    return d
