"""Courts of the United States: where they sit, of what system and level they are, and which court is above them."""

import json
from collections.abc import Iterator

from catalog.records import Triple
from catalog.sources import folder_of, source

_PACKAGE = "courts-db"
_SAID = {
    "colr": "court of last resort",
    "iac": "intermediate appellate court",
    "gjc": "court of general jurisdiction",
    "ljc": "court of limited jurisdiction",
    "trial": "trial court",
    "appellate": "appellate court",
    "bankruptcy": "bankruptcy court",
    "special": "special court",
    "ag": "attorney general",
    "international": "international court",
}
"""The codes of the package that are no words, or half of one, in words."""


@source(table="raw.triples", licence="BSD-2-Clause", package=_PACKAGE, part="courts.json")
def courts() -> Iterator[tuple[Triple, str]]:
    """What courts-db says of each court in words; its patterns and examples of citations are left."""
    file = folder_of(_PACKAGE, "courts_db") / "data" / "courts.json"
    found = json.loads(file.read_bytes())
    names = {court["id"]: court["name"].strip() for court in found}
    for number, court in enumerate(found):
        name, above = court["name"].strip(), court.get("appeal_to") or ""
        facts = {
            "is located in": court.get("location"),
            "belongs to the system": court.get("system"),
            "is a": _SAID.get(court.get("type") or ""),
            "has the level": _SAID.get(court.get("level") or ""),
            "is part of": names.get(court.get("parent")),
            "appeals go to": names.get(above) if isinstance(above, str) else None,
        }
        for relation, value in facts.items():
            if value and value != name:
                row = Triple(subject=name, relation=relation, object=value, graph="courts")
                yield row, f"{file.name}#{number} {relation}"
