"""Measuring a version: every measure that is not switched off, beside the human text that the user names."""

from typing import TYPE_CHECKING

from catalog.imports import guess_shape
from catalog.records import Record
from catalog.sources import load_sources
from catalog.store import Lake, TableRef, Version
from infra.settings import Settings
from quality.encoder import default_encoder
from quality.measuring import COMPARED, Taken, chosen, take
from quality.texts import texts_of
from tasks.ledger import Ledger
from tasks.method import load_methods

if TYPE_CHECKING:
    import polars as pl


def measure(
    lake: Lake,
    rows: "pl.LazyFrame",
    shape: type[Record],
    settings: Settings,
    ledger: Ledger,
    *,
    earlier: "pl.LazyFrame | None",
) -> Taken:
    """Take the measures of a version's rows, `earlier` being those of the version before; the ledger hears of each.

    Raises:
        Refusal: for a measure, or a table of human text, that there is none of.
    """
    return take(
        chosen(settings.measures_off),
        rows,
        shape,
        references=_references(lake, settings),
        earlier=earlier,
        encode=default_encoder(),
        report=lambda name, done, total: ledger.reach(f"measuring {name}", done, total, "measures"),
    )


def shape_of(lake: Lake, version: Version) -> type[Record]:
    """The shape of a version's rows: that of the method or the package that makes the table, or the one that fits.

    Raises:
        Refusal: where none fits.
    """
    for method in load_methods().values():
        if method.table == version.ref.table:
            return method.shape
    for source in load_sources().values():
        if source.table == version.ref.table:
            return source.shape
    with lake.read() as connection:
        return guess_shape(dict.fromkeys(lake.columns(connection, version), "VARCHAR"))


def _references(lake: Lake, settings: Settings) -> list[str]:
    """Texts of the human table that measures compare with; none where the user names none.

    Raises:
        Refusal: where there is no such table.
    """
    if not settings.reference:
        return []
    version = lake.find(TableRef.parse(settings.reference))
    shape = shape_of(lake, version)
    rows = lake.rows(version, shape, lake.ids(version, rows=COMPARED))
    return texts_of([vars(row) for row in rows], shape)
