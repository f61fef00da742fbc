"""Take-down: withdraw rows from every table, see what the tables still promise, sign them, and purge what is left."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from catalog.calls import open_store
from catalog.publish import insert
from catalog.store import Lake, TableRef
from catalog.upkeep import anchor, awaiting, clean, expire, rewrite
from catalog.withdrawals import (
    PURGE,
    Asked,
    Holding,
    Withdrawal,
    answers_of,
    mark_purged,
    still_holding,
    withdraw,
    withdrawals,
)
from infra.settings import Settings
from quality.gate import Check
from tasks.emit import emit
from tasks.materialize import code_revision
from tasks.provenance import sign_version, signing_key
from tasks.validate import checked, kept_promises

FOREVER = 36_500.0
"""Days for which a purge keeps the versions that are none of its concern."""
_CLEARED = ("rejected", "reviews", "decisions", "flags", "signatures")
"""System tables from which a withdrawal takes rows or texts."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a withdrawal: promises that the tables now break, and the versions that still have the rows."""

    withdrawal: Withdrawal
    broken: Sequence[tuple[str, Check]]
    holding: Sequence[Holding]
    purged: "Purged | None" = None


@dataclass(frozen=True, kw_only=True)
class Purged:
    """What a purge removed; `awaiting` counts the files that are still to be removed, by the next maintenance."""

    versions: Sequence[str]
    answers: int
    bytes: int
    files: int
    awaiting: int


def take_down(
    lake: Lake, asked: Asked, settings: Settings, *, who: str, why: str, purge: bool = False, grace: float = 60.0
) -> Taken:
    """Withdraw what was asked for; a promise that a table breaks without the rows is reported, and keeps none in.

    Args:
        lake: whose tables.
        asked: what is to go.
        settings: where the home folder is, and whether versions are signed.
        who: on whose account.
        why: the reason, for the record.
        purge: let go, at once, of earlier versions that have the rows, unless pinned, and of answers that made them.
        grace: seconds that readers of removed files are given.

    Raises:
        Refusal: for something that is not there, or a key that cannot be used; nothing is withdrawn.
    """
    key = signing_key(settings) if settings.sign else None
    done = withdraw(lake, asked, who=who, why=why, purge=purge, code_revision=code_revision())
    purged = finish_purge(lake, done.withdrawal_id, settings, grace) if purge else None
    broken: list[tuple[str, Check]] = []
    rows: list[dict[str, object]] = []
    for reference in done.versions:
        version = lake.find(TableRef.parse(reference))
        if key:
            sign_version(lake, version, key)
        emit(lake, version.run_id, settings)
        checks = kept_promises(lake, version)
        rows += checked(version, checks, done.withdrawal_id)
        broken += [(reference, check) for check in checks if not check.passed]
    with lake.write(f"{done.withdrawal_id}: {len(rows)} checks") as connection:
        insert(connection, "checks", rows)
    return Taken(withdrawal=done, broken=broken, holding=still_holding(lake, done.withdrawal_id), purged=purged)


def finish_purge(lake: Lake, withdrawal_id: str, settings: Settings, grace: float) -> Purged:
    """Do what is left to do of a purge: it may be begun again wherever it was killed."""
    done = next(each for each in withdrawals(lake) if each.withdrawal_id == withdrawal_id)
    last = {version.ref.table: version for version in lake.versions()}
    for table in done.tables:
        if last[table].mode == PURGE and str(last[table].ref) in done.versions:
            rewrite(lake, table)
    for table in _CLEARED:
        rewrite(lake, f"catalog.{table}")
    anchor(lake, datetime.now(UTC))
    held = {str(each.version.ref) for each in still_holding(lake, withdrawal_id) if not each.pinned}
    gone = expire(lake, FOREVER, but=held, at_once=True)
    with closing(open_store(settings)) as store:
        deleted = store.delete(answers_of(lake, withdrawal_id))
    if awaiting(lake) and grace:
        time.sleep(grace)
    files = clean(lake, timedelta(seconds=grace))
    mark_purged(lake, withdrawal_id)
    return Purged(
        versions=gone.versions, answers=deleted.calls, bytes=deleted.bytes, files=files, awaiting=awaiting(lake)
    )
