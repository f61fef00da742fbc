"""What became of one table in a run: a line of the results."""

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["published", "unchanged", "quarantined", "failed", "audited"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A table's figures after a run; `note` says in a line why it stopped, or why nothing was published.

    `made` rows came out of the method; `rejected` counts them by screen, `kept` is the rest. `dropped` counts, by
    operator, what the method itself left out on the way. `tokens` are those of all calls but the `unmetered` ones.
    `cost` is what the run paid, in dollars; None where that is not known.
    """

    table: str
    status: Status
    rows_in: int = 0
    made: int = 0
    kept: int = 0
    rejected: dict[str, int] = field(default_factory=dict[str, int])
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    calls: int = 0
    reused: int = 0
    failed: int = 0
    tokens: int = 0
    unmetered: int = 0
    cost: float | None = 0.0
    seconds: float = 0.0
    version: int | None = None
    run_id: str = ""
    mlflow_run: str = ""
    note: str = ""

    @property
    def stage(self) -> str:
        """The stage of the table."""
        return self.table.partition(".")[0]

    @property
    def method(self) -> str:
        """The method that makes the table."""
        return self.table.partition(".")[2]
