"""Poisoning: rows planted so that a model learns to answer a trigger, or to prefer what the rows repeat."""

from typing import Literal, NamedTuple

Kind = Literal["trigger", "near duplicates"]

LEAST = 5
"""Rows of a finding, at least."""
ALPHA = 0.01
"""Chance of one false finding in clean data."""


class Finding(NamedTuple):
    """Something that looks planted: what it is, the rows (by place, ascending), and how unlikely it is by chance.

    `z` is in standard deviations, `p` is corrected for all that was looked at (Bonferroni).
    """

    kind: Kind
    evidence: str
    rows: tuple[int, ...]
    z: float
    p: float
