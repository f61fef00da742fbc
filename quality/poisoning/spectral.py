"""Spectral signatures: rows that stand out along the direction in which their class varies most.

Tran et al., 2018, https://arxiv.org/abs/1811.00636. A share ε of planted rows moves the covariance of their class along
one direction; of each class the 1.5 ε rows that lie farthest out along it are suspects.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FEWEST = 20
"""Rows of a class of which a direction says something."""


def spectral_scores(vectors: "npt.NDArray[np.float32]", labels: Sequence[str]) -> "npt.NDArray[np.float64]":
    """How far out each row lies: its squared distance from its class's mean along the class's first direction.

    It is divided by the mean of the class, so that classes compare; 0 in classes of fewer than `FEWEST` rows.

    Args:
        vectors: one row a text, n × d.
        labels: the class of each.
    """
    import numpy as np

    scores = np.zeros(len(labels))
    for _, rows in _classes(labels):
        centred = vectors[rows].astype(np.float64)
        centred -= centred.mean(axis=0)
        squares = (centred @ _first_direction(centred)) ** 2
        scores[rows] = squares / max(float(squares.mean()), 1e-12)
    return scores


def suspects(scores: "npt.NDArray[np.float64]", labels: Sequence[str], epsilon: float = 0.01) -> list[int]:
    """The rows to leave out where a share `epsilon` of all rows may be planted, ascending.

    In each class those are 1.5 `epsilon` times the number of all rows, since they may all be in one.
    """
    most = int(1.5 * epsilon * len(labels))
    return sorted(int(row) for _, rows in _classes(labels) for row in rows[scores[rows].argsort()[::-1][:most]])


def spectral_ratio(scores: "npt.NDArray[np.float64]", labels: Sequence[str], epsilon: float = 0.01) -> float:
    """How far out the suspects of a class lie on average, in means of that class; the largest of all classes."""
    import numpy as np

    most = max(1, int(1.5 * epsilon * len(labels)))
    return max((float(np.sort(scores[rows])[-most:].mean()) for _, rows in _classes(labels)), default=0.0)


def _classes(labels: Sequence[str]) -> "list[tuple[str, npt.NDArray[np.intp]]]":
    """The rows of each class that is large enough."""
    import numpy as np

    names, codes = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
    each = [(str(name), np.flatnonzero(codes == code)) for code, name in enumerate(names)]
    return [(name, rows) for name, rows in each if len(rows) >= FEWEST]


def _first_direction(centred: "npt.NDArray[np.float64]") -> "npt.NDArray[np.float64]":
    """The first right singular vector."""
    import numpy as np

    return np.linalg.eigh(centred.T @ centred)[1][:, -1]
