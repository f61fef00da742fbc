"""The survey's systems, and which of them run as methods here.

*A Survey on Data Synthesis and Augmentation for Large Language Models*, Wang et al., 2024,
https://arxiv.org/abs/2410.12896, names 195; `survey.tsv` has each with its stages, categories, operators and needs.
"""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.store import STAGES
from tasks.method import Method, load_methods

FILE = Path(__file__).with_name("survey.tsv")


@dataclass(frozen=True, kw_only=True)
class System:
    """A published system, as the survey places it: `operators` is its row in those of `tasks/operators`."""

    id: str
    name: str
    citation: str
    stages: tuple[str, ...]
    categories: tuple[str, ...]
    modality: tuple[str, ...]
    operators: str
    needs: tuple[str, ...]

    @property
    def method(self) -> Method | None:
        """The method that it is here; None where it is not yet."""
        return load_methods().get(self.id)


@dataclass(frozen=True)
class Coverage:
    """How many systems of a part of the survey run as methods."""

    part: str
    done: int
    of: int


@cache
def load_survey() -> Mapping[str, System]:
    """Every system, by id, in the survey's order."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    systems = [
        System(
            id=row["id"],
            name=row["name"],
            citation=row["citation"],
            stages=tuple(row["stages"].split(";")),
            categories=tuple(row["categories"].split(";")),
            modality=tuple(row["modality"].split("+")),
            operators=row["operators"],
            needs=tuple(row["needs"].split(";")),
        )
        for row in rows
    ]
    return {system.id: system for system in systems}


def coverage() -> list[Coverage]:
    """What is done of the whole survey, then of each stage and category; a system counts in every one that it is in."""
    of: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for system in load_survey().values():
        stages = [f"stage {stage}" for stage in system.stages if stage in STAGES]
        parts = ["all", *stages, *(f"category {category}" for category in system.categories)]
        of.update(parts)
        if system.method:
            done.update(parts)
    order = ["all", *(f"stage {stage}" for stage in STAGES), *sorted(part for part in of if part.startswith("cat"))]
    return [Coverage(part, done[part], of[part]) for part in order]
