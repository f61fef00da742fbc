"""History: the versions of a table in chains, of which each version only adds to the one before it.

So the last version of a chain that can be read has the rows of all: a version's are those added up to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.store import Lake, Version


@dataclass(frozen=True)
class Chain:
    """Versions of a table of which each only adds to the one before it, and the last of them that can be read."""

    last: Version
    versions: tuple[Version, ...]

    @property
    def sql(self) -> str:
        """What to read for the rows of all its versions; `snapshot_id` says which version added each."""
        return self.last.sql


def chains(lake: Lake, versions: Iterable[Version] | None = None) -> list[Chain]:
    """The tables' histories, cut where rows were taken out; those of which nothing can be read are left out."""
    cut: list[list[Version]] = []
    found = lake.versions() if versions is None else versions
    for version in sorted(found, key=lambda each: (each.ref.table, each.ref.version or 0)):
        if version.mode != "append" or not cut or cut[-1][0].ref.table != version.ref.table:
            cut.append([])
        cut[-1].append(version)
    return [Chain(readable[-1], tuple(its)) for its in cut if (readable := [each for each in its if each.readable])]
