"""What the tests of the site are given."""

from dataclasses import dataclass
from pathlib import Path

from catalog.store import Lake


@dataclass(frozen=True)
class Made:
    """A lake, and the folder of its site."""

    lake: Lake
    folder: Path
