"""Upkeep: one pass over everything that is kept: expiry, compaction, signatures, validation, clean-up."""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalog.calls import open_store
from catalog.publish import insert
from catalog.store import Lake, Version
from catalog.upkeep import anchor, awaiting, clean, compact, compactable, expire, orphans, space
from catalog.withdrawals import withdrawals
from infra.settings import Settings
from tasks.materialize import dead_spools
from tasks.provenance import renew_files, signing_key, trusted
from tasks.validate import as_signed, checked, kept_promises
from tasks.withdraw import finish_purge


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a maintenance does.

    Versions younger than `keep_days` stay. Files that nothing needs any more are removed once that has been so for
    `grace` seconds: as long as a reader may take. Answers older than `answers_days` that no row was made from are
    removed; None: none is.
    """

    keep_days: float = 90.0
    grace: float = 60.0
    answers_days: float | None = None
    validate: bool = True
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a step of a maintenance found and did, and the files and bytes it freed; `bad` where somebody must look."""

    step: str
    found: int = 0
    done: int = 0
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    note: str = ""
    bad: bool = False


def maintain(lake: Lake, settings: Settings, plan: Plan, tell: Callable[[Step], None] | None = None) -> list[Step]:
    """Take every step of a maintenance, and write down in `catalog.maintenance` what came of it.

    It may be killed at any moment and begun again.

    Raises:
        Failure: where a version reads otherwise after compaction: the steps after it are not taken.
    """
    run_id, started = f"maintenance-{uuid.uuid4().hex[:12]}", datetime.now(UTC)
    done: list[Step] = []
    try:
        began = time.monotonic()
        for step in _steps(lake, settings, plan, run_id):
            done.append(replace(step, seconds=time.monotonic() - began))
            if tell:
                tell(done[-1])
            began = time.monotonic()
    finally:
        if done and not plan.dry_run:
            with lake.write(f"{run_id}: {len(done)} steps") as connection:
                insert(connection, "maintenance", [_row(each, run_id, started) for each in done])
    return done


def _row(step: Step, run_id: str, started: datetime) -> dict[str, object]:
    return {**asdict(step), "run_id": run_id, "started_at": started}


def _steps(lake: Lake, settings: Settings, plan: Plan, run_id: str) -> Iterator[Step]:
    grace, dry = timedelta(seconds=plan.grace), plan.dry_run
    yield _purges(lake, settings, plan)
    gone = expire(lake, plan.keep_days, dry_run=dry)
    left = [] if dry else anchor(lake, datetime.now(UTC) - timedelta(days=plan.keep_days))
    moved = f"{len(left)} last versions anchored anew; " if left else ""
    note = f"{moved}{gone.snapshots} snapshots" + (f": {', '.join(gone.versions)}" if gone.versions else "")
    yield Step(step="expiry", found=len(gone.versions), done=0 if dry else len(gone.versions), note=_short(note))
    yield _compaction(lake, dry=dry)
    if settings.sign:
        yield _signing(lake, settings, dry=dry)
    if plan.validate:
        yield _validation(lake, settings, run_id, dry=dry)
    yield _cleaning(lake, plan)
    before = space(lake)
    found, why = orphans(lake, grace, dry_run=dry)
    freed = space(lake).since(before)
    yield Step(
        step="orphans", found=found, done=freed.files, files=freed.files, bytes=freed.bytes, note=why, bad=bool(why)
    )
    if plan.answers_days is not None:
        yield _pruning(lake, settings, plan.answers_days, dry=dry)
    yield _spools(settings, dry=dry)


def _purges(lake: Lake, settings: Settings, plan: Plan) -> Step:
    """Finish purges that were killed."""
    left = [each.withdrawal_id for each in withdrawals(lake) if each.purge == "asked"]
    done = [] if plan.dry_run else [finish_purge(lake, each, settings, plan.grace) for each in left]
    return Step(
        step="purges",
        found=len(left),
        done=len(done),
        files=sum(each.files for each in done),
        bytes=sum(each.bytes for each in done),
        note=", ".join(left),
    )


def _compaction(lake: Lake, *, dry: bool) -> Step:
    tables = compactable(lake)
    done = [] if dry else [compact(lake, table) for table in tables]
    merged = [each for each in done if each.after < each.before]
    told = [f"{each.table} {each.before} → {each.after}" for each in merged]
    told += [f"{each.table} stays as it is ({each.why})" for each in done if each.why]
    if dry:
        told = [f"{table} {files} files" for table, files in tables.items()]
    return Step(step="compaction", found=sum(tables.values()), done=len(merged), note=_short(", ".join(told)))


def _signing(lake: Lake, settings: Settings, *, dry: bool) -> Step:
    """Sign the files of versions anew."""
    readable = [version for version in lake.versions() if version.readable]
    done = [] if dry else renew_files(lake, readable, signing_key(settings), trusted(settings))
    return Step(
        step="signatures", found=len(readable), done=len(done), note=_short(", ".join(str(v.ref) for v in done))
    )


def _validation(lake: Lake, settings: Settings, run_id: str, *, dry: bool) -> Step:
    """Check the last version of every table: is it what was signed, does it keep what the table promises?"""
    last: dict[str, Version] = {version.ref.table: version for version in lake.versions()}
    keys = trusted(settings) if settings.sign else frozenset[str]()
    rows: list[dict[str, object]] = []
    broken: list[str] = []
    for version in last.values():
        checks = kept_promises(lake, version)
        if settings.sign:
            checks.append(as_signed(lake, version, keys))
        rows += checked(version, checks, run_id)
        broken += [
            f"{version.ref} {check.expectation}: {check.error or check.observed}"
            for check in checks
            if not check.passed and check.severity == "block"
        ]
    if rows and not dry:
        with lake.write(f"{run_id}: {len(rows)} checks") as connection:
            insert(connection, "checks", rows)
    return Step(
        step="validation",
        found=len(last),
        done=len(last) - len({each.partition(" ")[0] for each in broken}),
        note=_short("; ".join(broken)),
        bad=bool(broken),
    )


def _cleaning(lake: Lake, plan: Plan) -> Step:
    """Remove files that no version needs, once no reader can be at work on them."""
    waiting, before = awaiting(lake), space(lake)
    if plan.dry_run or not waiting:
        return Step(step="clean-up", found=waiting)
    time.sleep(plan.grace)
    done = clean(lake, timedelta(seconds=plan.grace))
    freed = space(lake).since(before)
    return Step(step="clean-up", found=waiting, done=done, files=freed.files, bytes=freed.bytes)


def _pruning(lake: Lake, settings: Settings, days: float, *, dry: bool) -> Step:
    """Remove old answers that no row was made from."""
    with lake.read() as connection:
        found = connection.execute("SELECT DISTINCT parent_id FROM catalog.lineage WHERE kind = 'call'").fetchall()
    named = {call for (call,) in found}
    with closing(open_store(settings)) as store:
        old = [call for call in store.before(datetime.now(UTC) - timedelta(days=days)) if call not in named]
        if dry:
            return Step(step="answers", found=len(old))
        gone = store.delete(old)
    return Step(step="answers", found=len(old), done=gone.calls, bytes=gone.bytes)


def _spools(settings: Settings, *, dry: bool) -> Step:
    """Remove what runs that were killed had spooled."""
    left = dead_spools(settings)
    size = sum(file.stat().st_size for folder in left for file in folder.rglob("*") if file.is_file())
    files = sum(1 for folder in left for file in folder.rglob("*") if file.is_file())
    if dry:
        return Step(step="spools", found=len(left))
    _remove(left)
    return Step(step="spools", found=len(left), done=len(left), files=files, bytes=size)


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _short(text: str, most: int = 1000) -> str:
    return text if len(text) <= most else f"{text[: most - 2]} …"
