"""Pins: versions that stay readable, whatever their age, until somebody unpins them."""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.publish import insert
from catalog.store import Lake, TableRef, Version
from infra.errors import Refusal


@dataclass(frozen=True)
class Pin:
    """Who pinned a version, when and what for."""

    pinned_at: datetime
    who: str
    note: str


def pinned(lake: Lake) -> dict[str, Pin]:
    """The pinned versions, by reference."""
    with lake.read() as connection:
        found = connection.execute(
            "SELECT table_name || '@' || version, pinned_at, who, note FROM catalog.pins ORDER BY pinned_at"
        ).fetchall()
    return {reference: Pin(*rest) for reference, *rest in found}


def pin(lake: Lake, ref: TableRef, *, note: str = "", who: str = "") -> Version:
    """Keep a version readable; one that is pinned already gets the new note.

    Raises:
        Refusal: where there is no such version, or it has expired.
    """
    version = lake.find(_numbered(ref))
    now, by = datetime.now(UTC), who or user()
    its = {"table_name": ref.table, "version": ref.version}
    with lake.write(f"{ref}: pinned") as connection:
        connection.execute("DELETE FROM lake.catalog.pins WHERE table_name = ? AND version = ?", list(its.values()))
        insert(connection, "pins", [{**its, "pinned_at": now, "who": by, "note": note}])
    return version


def unpin(lake: Lake, ref: TableRef) -> None:
    """Let maintenance expire a version again.

    Raises:
        Refusal: where it is not pinned.
    """
    if str(_numbered(ref)) not in (known := pinned(lake)):
        raise Refusal(f"{ref}: is not pinned, a pinned version is wanted; there are: {', '.join(known) or 'none'}")
    with lake.write(f"{ref}: unpinned") as connection:
        connection.execute(
            "DELETE FROM lake.catalog.pins WHERE table_name = ? AND version = ?", [ref.table, ref.version]
        )


def user() -> str:
    """Who is at work, as the system calls them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""


def _numbered(ref: TableRef) -> TableRef:
    if ref.version is None:
        raise Refusal(f"{ref}: names no version, one is wanted; write {ref.table}@1, say")
    return ref
