"""Problem classification: short problems of reasoning-gym with the branch that the package files them under."""

from collections.abc import Iterator

from catalog.records import Labelled
from catalog.sources import source
from catalog.sources._reasoning_gym import LICENCE, PACKAGE, problems

_BRANCHES = {
    "algebra": ("complex_arithmetic", "simple_equations"),
    "algorithms": ("base_conversion", "caesar_cipher", "number_filtering", "sentence_reordering", "word_ladder"),
    "arithmetic": ("chain_sum", "gsm_symbolic", "leg_counting", "products", "time_intervals"),
    "games": ("maze", "mini_sudoku", "puzzle24", "sudoku"),
    "geometry": ("advanced_geometry", "simple_geometry"),
    "logic": ("knights_knaves", "syllogism"),
    "probability": ("coin_flip",),
}
_EACH = 40


@source(table="raw.labelled_texts", licence=LICENCE, package=PACKAGE)
def reasoning_gym_kinds() -> Iterator[tuple[Labelled, str]]:
    """Seven classes of forty rows."""
    for branch, families in _BRANCHES.items():
        for family in families:
            for number, found in enumerate(problems(family, _EACH // len(families))):
                row = Labelled(text=found["question"].strip(), label=branch, dataset="problem kind")
                yield row, f"{family}#{number}"
