"""Ingest: take real data into `raw.*`, screened, each row with its place and licence, each source with its hash."""

import dataclasses
import hashlib
import itertools
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.bridges import open_source
from catalog.imports import Bad, Good, content_hash, origin_of, read_rows, reading
from catalog.publish import Findings, Run, publish, record
from catalog.records import BenchmarkItem, Record, content, digest
from catalog.sources import sources_of
from catalog.spool import Spool
from catalog.store import RAW, Lake, TableRef
from infra.errors import Failure, Refusal
from infra.settings import Policy, Settings
from quality.contamination import hashed
from quality.screening import CONTAMINATED, content_key, policies
from tasks.emit import emit
from tasks.materialize import code_revision, find_published, spool_folder
from tasks.outcome import Outcome
from tasks.provenance import sign_due
from tasks.screening import BENCHMARKS, Screener, benchmark_secret, write_down

BATCH = 10_000


@dataclass(frozen=True, kw_only=True)
class Supply:
    """Rows of one origin, in batches, with those that could not be read among them."""

    name: str
    licence: str
    origin: str
    batches: Iterable[Sequence[Good | Bad]]


def ingest_source(lake: Lake, table: str, settings: Settings, *, force: bool = False, flow_run: str = "") -> Outcome:
    """Bring a `raw.*` table up to date with the packages that feed it.

    Its rows are not compared with benchmarks in other words: they are seeds, and many.

    Raises:
        Refusal: where nothing feeds it, or a package is missing.
    """
    sources = sources_of(table)
    supplies = [
        Supply(
            name=source.name,
            licence=source.licence,
            origin=source.origin,
            batches=_batches(Good(row, place) for row, place in source.rows()),
        )
        for source in sources
    ]
    fingerprint = digest([source.fingerprint for source in sources])
    options = {**settings.screen_options, CONTAMINATED: {"by_meaning": 0}}
    settings = settings.model_copy(update={"screen_options": options})
    return _ingest(lake, table, sources[0].shape, supplies, fingerprint, settings, force=force, flow_run=flow_run)


def ingest_file(
    lake: Lake,
    where: str,
    table: str,
    shape: type[Record],
    mapping: Mapping[str, str],
    settings: Settings,
    *,
    licence: str = "unknown",
    written_by: str = "",
    split: str = "",
    replace: bool = False,
    force: bool = False,
) -> Outcome:
    """Take a file, a folder or a database table into a `raw.*` table.

    The tool that wrote it is known by its columns and files, unless it is named by `written_by` (`plain` for none); the
    outcome's note says which it was, and which columns are left out.

    Raises:
        Refusal: where it cannot be read as `shape`.
    """
    ref = TableRef.parse(table)
    if ref.schema != RAW or ref.version:
        raise Refusal(f"table {table!r}: imports go to raw.NAME; name one, such as raw.{ref.name}")
    source = open_source(where, named=written_by, split=split)
    rows = reading(source, shape, mapping)
    supply = Supply(name=ref.name, licence=licence, origin=source.table.origin, batches=rows.batches(BATCH))
    by = [rows.bridge.name] if rows.bridge else []
    fingerprint = digest([source.table.content_hash(), shape.__name__, mapping, licence, *by])
    # What the user has is the user's: screens say what they find in it, and leave it as it is. But what would speak as
    # the system to the models that are to read it does not come in.
    flags: dict[str, Policy] = {name: "flag" for name, policy in policies().items() if policy != "off"}
    flags["injection"] = "drop"
    outcome = _ingest(lake, table, shape, [supply], fingerprint, settings, screens=flags, replace=replace, force=force)
    read_as = f"read as {rows.told}" if rows.told else ""
    unread = f"columns left out: {', '.join(rows.left_out)}" if rows.left_out else ""
    return dataclasses.replace(outcome, note="; ".join(filter(None, (outcome.note, read_as, unread))))


@dataclass(frozen=True, kw_only=True)
class _Question(Record):
    """A row of somebody's benchmark."""

    text: str
    answer: str = ""


def ingest_benchmark(
    lake: Lake,
    where: str,
    name: str,
    mapping: Mapping[str, str],
    settings: Settings,
    *,
    licence: str = "unknown",
    sealed: bool = False,
) -> Outcome:
    """Add a file's rows to the benchmarks that every table is kept clean of.

    Args:
        lake: where to.
        where: as `catalog.imports.read_rows` takes it.
        name: the benchmark; its items are called NAME/1, NAME/2 …
        mapping: `text` and `answer` → columns, where they are called otherwise.
        settings: where the home folder is.
        licence: of the benchmark.
        sealed: keep its items as hashes under the settings' secret, and nothing of their text.

    Raises:
        Refusal: where it cannot be read so, or there is no secret to hash it with.
    """
    read = read_rows(where, shape=_Question, columns=mapping, batch=BATCH)
    items = _as_items(name, read)
    if sealed:
        items = _hashed(items, _secret(name, settings))
    supply = Supply(name=name, licence=licence, origin=origin_of(where), batches=items)
    fingerprint = digest([content_hash(where), name, mapping, licence, *(["hashed"] if sealed else [])])
    return _ingest(lake, BENCHMARKS, BenchmarkItem, [supply], fingerprint, settings)


def _as_items(name: str, batches: Iterable[Sequence[Good | Bad]]) -> Iterable[Sequence[Good | Bad]]:
    numbers = itertools.count(1)
    for batch in batches:
        yield [
            replace(found, row=BenchmarkItem(benchmark=name, item=f"{name}/{number}", **content(found.row)))
            if isinstance(found, Good)
            else found
            for found, number in zip(batch, numbers, strict=False)
        ]


def _secret(name: str, settings: Settings) -> bytes:
    if not (secret := benchmark_secret(settings)):
        raise Refusal(
            f"benchmark {name}: there is no secret to hash it with, and without one whoever has the hashes can test "
            "a guess; set EVERSPRING_BENCHMARK_SECRET, for this and every later run"
        )
    return secret


def _hashed(batches: Iterable[Sequence[Good | Bad]], secret: bytes) -> Iterable[Sequence[Good | Bad]]:
    """The items as hashes; one that cannot be is bad, and nothing of its text is kept."""

    def seal(found: Good | Bad) -> Good | Bad:
        if isinstance(found, Bad):
            return replace(found, evidence="")
        assert isinstance(found.row, BenchmarkItem)
        try:
            return replace(found, row=hashed(found.row, secret))
        except Refusal as error:
            return Bad(found.place, str(error))

    return ([seal(found) for found in batch] for batch in batches)


def _batches(rows: Iterable[Good]) -> Iterable[Sequence[Good | Bad]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch


def _ingest(
    lake: Lake,
    table: str,
    shape: type[Record],
    supplies: Sequence[Supply],
    fingerprint: str,
    settings: Settings,
    *,
    screens: Mapping[str, Policy] | None = None,
    replace: bool = False,
    force: bool = False,
    flow_run: str = "",
) -> Outcome:
    """Take supplies into a table, through the fixed screens, and those of `screens` or named by the user."""
    last = lake.latest(table)
    same = find_published(lake, table, fingerprint, anew=replace)
    if last and same and not force:
        if settings.sign:
            sign_due(lake, table, settings)
        note = f"{same.ref} holds the same data already"
        return Outcome(table=table, status="unchanged", version=last.ref.version, note=note)
    name = table.partition(".")[2]
    run = Run(
        run_id=f"{name}-{uuid.uuid4().hex[:12]}",
        stage=RAW,
        method=name,
        table_name=table,
        fingerprint=fingerprint,
        code_revision=code_revision(),
        flow_run=flow_run,
        sign=settings.sign,
    )
    policies(settings.screens)  # refuses what is no screen
    screener = Screener.of(lake, settings, table, {**(screens or {}), **settings.screens}, anew=replace)
    found_by: Counter[str] = Counter()
    listed: list[dict[str, Any]] = []
    columns = {"source": "VARCHAR", "licence": "VARCHAR", "imported_from": "VARCHAR"}
    with Spool(spool_folder(settings, run.run_id), shape, columns) as spool:
        for supply in supplies:
            hashed, taken = hashlib.blake2b(digest_size=16), 0
            for batch in supply.batches:
                good = [found for found in batch if isinstance(found, Good)]
                bad = [found for found in batch if isinstance(found, Bad)]
                for found in good:
                    hashed.update(content_key(found.row).encode())
                # A row that the table has had before is no news, and no duplicate within the source either.
                before = screener.published([found.row for found in good])
                new = [found for found in good if content_key(found.row) not in before]
                passed = screener([found.row for found in new])
                kept = passed.kept
                places = {found.row.record_id: found.place for found in new}
                sources = [places[(*row.parents, row.record_id)[0]] for row in kept]  # a masked row has a parent
                whence = {"licence": [supply.licence] * len(kept), "imported_from": [supply.name] * len(kept)}
                spool.add_rows(kept, {}, source=sources, **whence)
                write_down(passed, kept, spool)
                spool.add_rejected([(None, "unreadable", b.reason, f"{b.place}: {b.evidence}") for b in bad])
                run.rows_in += len(batch)
                run.made += len(new) + len(bad)
                taken += len(kept)
                found_by.update(r.screen for r in passed.rejected)
                found_by["unreadable"] += len(bad)
            listed.append(
                {
                    "source": supply.name,
                    "licence": supply.licence,
                    "origin": supply.origin,
                    "content_hash": hashed.hexdigest(),
                    "rows": taken,
                    "run_id": run.run_id,
                }
            )
        run.kept, run.rejected = spool.counts["rows"], sum(found_by.values())
        findings = Findings(sources=listed)
        if not run.kept and not (last and run.made == 0):
            run.error = f"{table}: none of {run.rows_in} rows can be used, one at least is wanted"
            record(lake, run, spool, findings, "failed")
            emit(lake, run.run_id, settings)
            raise Failure(f"{run.error}; see catalog.rejected where run_id = '{run.run_id}'")
        version = publish(lake, run, spool, findings, shape=shape, replace=replace, extra=columns)
        if settings.sign:
            sign_due(lake, table, settings)
        emit(lake, run.run_id, settings)
    return Outcome(
        table=table,
        status="published",
        rows_in=run.rows_in,
        made=run.made,
        kept=run.kept,
        rejected={screen: count for screen, count in found_by.items() if count},
        seconds=run.seconds,
        version=version.ref.version,
        run_id=run.run_id,
    )
