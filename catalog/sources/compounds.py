"""Chemical compounds: formula, molar mass, other names, melting and boiling point, as triples."""

import csv
from collections.abc import Iterator
from pathlib import Path

from catalog.records import Triple
from catalog.sources import folder_of, source

_PACKAGE = "chemicals"
_LIST = "chemical identifiers pubchem small.tsv"
"""The 1,800 compounds in common use; the large list has 70,000 that few have heard of."""


@source(table="raw.triples", licence="MIT", package=_PACKAGE, part="Identifiers and Phase Change")
def compounds() -> Iterator[tuple[Triple, str]]:
    """Compounds by their common name; temperatures in degrees Celsius, at the pressure of the air."""
    folder = folder_of(_PACKAGE, "chemicals")
    melting = _temperatures(folder / "Phase Change" / "OpenNotebook Melting Points.tsv")
    boiling = _temperatures(folder / "Phase Change" / "Yaws Boiling Points.tsv")
    seen: set[str] = set()
    for _, cas, formula, mass, _, _, _, systematic, name, *_ in _lines(folder / "Identifiers" / _LIST):
        if name in seen:
            continue
        seen.add(name)
        facts = {
            "molecular formula": formula,
            "molar mass": f"{float(mass):.2f} g/mol",
            "systematic name": systematic,
            "melting point": melting.get(cas),
            "boiling point": boiling.get(cas),
        }
        for relation, value in facts.items():
            if value and value != name:
                row = Triple(subject=name, relation=relation, object=value, graph="compounds")
                yield row, f"{_LIST}#{cas} {relation}"


def _lines(file: Path) -> Iterator[list[str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        yield from csv.reader(opened, delimiter="\t", quoting=csv.QUOTE_NONE)


def _temperatures(file: Path) -> dict[str, str]:
    """CAS number → temperature; the file has kelvin."""
    return {cas: f"{float(kelvin) - 273.15:.0f} °C" for cas, kelvin in list(_lines(file))[1:]}
