"""Review: what people have decided becomes rows of the table that asked them."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_origin

from catalog.lineage import edges_of
from catalog.publish import Run
from catalog.records import Record, columns, digest
from catalog.review_files import Given, read_decisions
from catalog.reviews import ANNOTATOR, Decided, Item, decide, decision_id, reviews
from catalog.spool import Spool
from catalog.store import Lake
from infra.errors import Refusal
from infra.settings import Settings
from tasks.ledger import Ledger
from tasks.materialize import Order, code_revision, conclude, screener_of, spool_folder
from tasks.method import Method, find_method
from tasks.outcome import Outcome
from tasks.screening import write_down

DECISIONS = "catalog.decisions"


def import_decisions(
    lake: Lake, file: Path, by: str, settings: Settings, *, annotators: int = 1
) -> tuple[int, list[Outcome]]:
    """Keep the decisions in a file, all of them or none; then publish, in each table, what is decided and not there.

    Args:
        lake: where to.
        file: as `everspring review export` wrote it, or its page saved it, with decisions.
        by: who decided.
        settings: where the home folder is, and the policies of screens.
        annotators: how many must have decided on a row; more than half of them must agree.

    Returns:
        How many decisions were new, and what became of each table.

    Raises:
        Refusal: for a file with a decision that cannot be, saying which.
        GateRefusal: where a promise of the table is broken; the decisions are kept, the next import tries again.
    """
    if not (name := " ".join(by.split())):
        raise Refusal("review: the annotator's name is blank, one is wanted; give it with --by NAME")
    asked = {item.record_id: item for item in reviews(lake)}
    given: dict[str, list[Decided]] = {}
    for found in read_decisions(file):
        item = asked.get(found.record_id)
        _check(found, item, file)
        assert item is not None
        made = Decided(
            record_id=decision_id(found.record_id, name, found.decision, found.decided_at),
            subject=found.record_id,
            decision=found.decision,
            annotator=name,
            decided_at=found.decided_at,
        )
        given.setdefault(item.table, []).append(made)
    new = sum(len(decide(lake, table, its, file.name)) for table, its in given.items())
    done = [publish_decided(lake, table, settings, annotators=annotators) for table in given]
    return new, [outcome for outcome in done if outcome]


def _check(found: Given, item: Item | None, file: Path) -> None:
    """Refuse what cannot be decided."""
    where = f"review file {file}, {found.place}"
    if item is None:
        raise Refusal(f"{where}: no table asks about {found.record_id}; is it of another home?")
    if item.choices and found.decision not in item.choices:
        raise Refusal(f"{where}: {found.decision!r} is no answer; the choices are {', '.join(item.choices)}")


def publish_decided(lake: Lake, table: str, settings: Settings, *, annotators: int = 1) -> Outcome | None:
    """Publish the decided rows that the table does not have yet, through its screens and gate; None: there are none.

    Raises:
        GateRefusal: where a promise of the table is broken.
    """
    ready = [item for item in reviews(lake, table) if not item.published and item.verdict(annotators)]
    if not ready:
        return None
    method = find_method(table.partition(".")[2])
    rows = [decided_row(method, item, annotators) for item in ready]
    run = Run(
        run_id=f"review-{uuid.uuid4().hex[:12]}",
        stage=method.stage,
        method=method.id,
        table_name=table,
        fingerprint=digest(["review", *(row.record_id for row in rows)]),
        code_revision=code_revision(),
    )
    ledger = Ledger()
    with Spool(spool_folder(settings, run.run_id), method.shape) as spool:
        run.rows_in = run.made = len(rows)
        passed = screener_of(method, lake, settings)(rows)
        decisions = {d.record_id: DECISIONS for item in ready for d in item.decisions.values()}
        edges, _ = edges_of(passed.kept, decisions)
        above = {row.record_id: item.parents for row, item in zip(rows, ready, strict=True)}
        spool.add_rows(passed.kept, {row.record_id: _above(row, above) for row in passed.kept})
        spool.add_edges(edges)
        write_down(passed, passed.kept, spool)
        run.kept, run.rejected = spool.counts["rows"], len(passed.rejected)
        ledger.rejected.update(rejection.screen for rejection in passed.rejected)
        ledger.noted.update(note.screen for note in passed.notes)
        return conclude(method, lake, Order(), settings, run, ledger, spool, None, "")


def decided_row(method: Method, item: Item, annotators: int = 1) -> Record:
    """The row of a review, with what the annotators decided, by those who did."""
    verdict = item.verdict(annotators)
    agreed = [each for each in item.decisions.values() if each.decision == verdict]
    asked = method.shape(record_id=item.record_id, parents=item.parents, **_content(method, item))
    changed: dict[str, Any] = {item.decides: verdict, ANNOTATOR: ", ".join(sorted(d.annotator for d in agreed))}
    return replace(asked, **changed, record_id="", parents=(), origin=(asked, *agreed))


def _content(method: Method, item: Item) -> Mapping[str, Any]:
    """The content of a review's row, for a shape that may have lost or gained columns since."""
    held = json.loads(item.content)
    kinds = columns(method.shape)
    return {
        name: tuple(value) if isinstance(value, list) and get_origin(kinds[name]) is tuple else value
        for name, value in held.items()
        if name in kinds
    }


def _above(row: Record, above: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The stored ancestors of a row, or of the row that it was before a screen masked it."""
    return next((above[its] for its in (row.record_id, *row.parents) if its in above), ())
