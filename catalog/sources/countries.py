"""Countries: capital, neighbours, region, languages and currency, as triples with the names of ISO."""

import json
from collections.abc import Iterator
from typing import Any

from catalog.records import Triple
from catalog.sources import folder_of, source
from catalog.sources._iso import Standard, names, plain

_PACKAGE = "countryinfo"
_CODED: tuple[tuple[str, str, Standard], ...] = (
    ("shares a border with", "borders", "iso3166-1"),
    ("official language", "languages", "iso639-3"),
    ("currency", "currencies", "iso4217"),
)
"""Relation, the field of the package, and the standard of the codes in it."""


@source(table="raw.triples", licence="MIT", package=_PACKAGE, part="with the names of pycountry")
def countries() -> Iterator[tuple[Triple, str]]:
    """Every country in both packages; what changes from year to year (population, the time) is left."""
    folder = folder_of(_PACKAGE, "countryinfo") / "data"
    for file in sorted(folder.glob("*.json")):
        found = json.loads(file.read_bytes())
        code = found.get("ISO", {}).get("alpha2", "")
        if name := names("iso3166-1").get(code):
            facts = dict.fromkeys((relation, value) for relation, value in _facts(found) if value and value != name)
            for relation, value in facts:
                row = Triple(subject=name, relation=relation, object=value, graph="countries")
                yield row, f"{file.name}#{relation}: {value}"


def _facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    capital = found.get("capital") or ""
    for city in [capital] if isinstance(capital, str) else capital:
        yield "capital", city
    yield "region", found.get("subregion") or ""
    yield "continent", found.get("region") or ""
    for relation, field, standard in _CODED:
        for code in found.get(field) or ():
            yield relation, plain(standard, names(standard).get(code, ""))
