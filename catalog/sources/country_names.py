"""What nine languages call the countries, languages and currencies of ISO: triples with the relation `label@xx`."""

from collections.abc import Iterator

from catalog.records import Triple
from catalog.sources import source
from catalog.sources._iso import LANGUAGES, PACKAGE, Standard, names, plain, translated

# Constructed, extinct and small languages have no names in most catalogues: those with a code of two letters are taken.
_STANDARDS: dict[Standard, int] = {"iso3166-1": 2, "iso639-3": 2, "iso4217": 3}


@source(table="raw.triples", licence="LGPL-2.1-or-later", package=PACKAGE, part="databases and locales")
def country_names() -> Iterator[tuple[Triple, str]]:
    """Debian's iso-codes, translated by its volunteers; a name that a catalogue lacks is left."""
    for standard, length in _STANDARDS.items():
        for code, name in names(standard).items():
            for language in LANGUAGES if len(code) == length else ():
                if called := translated(standard, name, language):
                    english, other = plain(standard, name), plain(standard, called)
                    row = Triple(subject=english, relation=f"label@{language}", object=other, graph="countries")
                    yield row, f"{language}/{standard}#{code}"
