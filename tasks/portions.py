"""Portions: parts of a run's work that any process can do, as long as it sees the home folder.

To make a portion is to call the method on some rows of its input, and to look at each row that comes of it by itself.
What is made lies as Parquet in a folder of its own, and nothing but its name and figures is handed back. What depends
on the rows of other portions is decided where they come together, in their order: a run makes the same rows wherever
its portions are made.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from catalog.calls import attribution
from catalog.lineage import edges_of, tell_models
from catalog.records import Record
from catalog.spool import Spool
from catalog.store import Lake, laid_out
from infra.errors import Failure
from infra.settings import Policy, Settings
from tasks.ledger import Books, Ledger, keep
from tasks.llm import Models
from tasks.method import Method
from tasks.needs import names_of, provide
from tasks.screening import Against, Screener, write_down


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What the portions of one run have in common: names, references and settings."""

    method: str
    code: str
    models: tuple[str, ...]
    configured: Mapping[str, Any]
    policies: Mapping[str, Policy]
    against: Against
    run_id: str
    folder: Path
    """Where the run keeps what it makes, its input among it."""
    name: str
    """Of the method's parameter that takes the input, and the table that the input is from."""
    table: str

    @property
    def file(self) -> Path:
        """The input, in the order in which it is taken."""
        return self.folder / "input.parquet"


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Some rows of a run's input, by their places."""

    basis: Basis
    first: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was made of some rows: a reference to it, and its figures."""

    folder: Path
    rows_in: int
    made: int
    counts: Mapping[str, int]
    """Rows of each kind in the folder."""
    rejected: Mapping[str, int]
    """Rows that did not pass, by screen."""
    books: Books | None = None
    """What its own ledger says, where it had one."""


class Spread(Protocol):
    """Whoever has portions made elsewhere, several at a time, and hands back what was made in their order."""

    def __call__(self, portions: Iterable[Portion]) -> Iterator[Made]:
        """What is made of each portion."""
        ...


def make(
    lake: Lake,
    method: Method,
    models: Models,
    inputs: Mapping[str, Sequence[Record]],
    configured: Mapping[str, Any],
    *,
    tables: Mapping[str, str],
    first: int,
    screener: Screener,
    ledger: Ledger,
    folder: Path,
) -> Made:
    """Call the method once, under an open `ledger`, and put what comes of it, looked at row by row, into a folder.

    Args:
        lake: knows the calls that were made.
        method: what to call.
        models: what it may ask.
        inputs: parameter → rows.
        configured: its settings.
        tables: parameter → the table that its rows are from.
        first: how many rows the run has had before these.
        screener: looks at the rows.
        ledger: has the method's drops, and the rows that wait for people.
        folder: in which a new one is made.
    """
    made = method.run(**inputs, **provide(method, models), **configured)
    passed = screener.look(made, first)
    stored = {row.record_id: tables[name] for name, rows in inputs.items() for row in rows}
    edges, parents = edges_of(passed.kept, stored | dict.fromkeys((r.record_id for r in passed.kept), method.table))
    part = Spool(folder / f"made-{uuid.uuid4().hex}", method.shape)
    part.add_rows(passed.kept, parents)
    tell_models(lake, edges)
    part.add_edges(edges)
    write_down(passed, passed.kept, part, stored)
    if "shingles" in passed.signatures.columns:
        part.add_frame("shingles", passed.signatures)
    _, above = edges_of([drop.row for drop in ledger.drops if drop.row], stored)
    part.add_rejected([(d.row, d.operator, d.reason, d.evidence) for d in ledger.drops], above)
    part.add_reviews(ledger.reviews, *edges_of([review.row for review in ledger.reviews], stored))
    ledger.drops.clear()
    ledger.reviews.clear()
    return Made(
        folder=part.folder,
        rows_in=sum(map(len, inputs.values())),
        made=len(made),
        counts=part.counts,
        rejected=Counter(rejection.screen for rejection in passed.rejected),
    )


def read(portion: Portion, method: Method) -> dict[str, Sequence[Record]]:
    """The rows of a portion, as the method takes them."""
    basis = portion.basis
    return {basis.name: laid_out(basis.file, method.inputs[basis.name].shape, portion.first, portion.size)}


def make_elsewhere(
    portion: Portion, method: Method, lake: Lake, models: Models, settings: Settings, *, spread: bool = False
) -> Made:
    """Make a portion with a ledger of its own, on the account of its run.

    Args:
        portion: which.
        method: its method, as this process knows it.
        lake: the lake.
        models: the models of this process.
        settings: the settings of this process.
        spread: whether screens may use further processes.

    Raises:
        Failure: where this process has other code or other models than the run.
    """
    basis, ledger = portion.basis, Ledger()
    if basis.run_id not in _screeners:
        _see_that_all_is_the_same(basis, method, models)
        _screeners.clear()
        _screeners[basis.run_id] = Screener.for_rows(lake, settings, basis.policies, basis.against, spread=spread)
    with keep(ledger), attribution(run_id=basis.run_id, method=method.table):
        made = make(
            lake,
            method,
            models,
            read(portion, method),
            basis.configured,
            tables={basis.name: basis.table},
            first=portion.first,
            screener=_screeners[basis.run_id],
            ledger=ledger,
            folder=basis.folder,
        )
    return replace(made, books=ledger.books())


_screeners: dict[str, Screener] = {}
"""That of the run whose portions this process makes, by the run's id: benchmarks are read once."""


def _see_that_all_is_the_same(basis: Basis, method: Method, models: Models) -> None:
    if method.code != basis.code:
        raise Failure(
            f"{method.table}: a worker has another version of its code than the run, the same is wanted; "
            "install the same Everspring on every machine"
        )
    if (names := names_of(method, models)) != list(basis.models):
        raise Failure(
            f"{method.table}: a worker has other models ({', '.join(names)}) than the run "
            f"({', '.join(basis.models)}); give it the same settings"
        )
