"""The card as Croissant: JSON-LD that search engines and loaders read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from tasks.cards.card import Card

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_KINDS: Mapping[type, str] = {bool: "sc:Boolean", int: "sc:Integer", float: "sc:Float"}
_ENCODINGS = {"jsonl": "application/jsonlines", "parquet": "application/x-parquet"}


class Datum(NamedTuple):
    """A file of the data: its split, path beside the card, bytes, SHA-256, and one of its rows."""

    split: str
    path: str
    bytes: int
    sha256: str
    row: Mapping[str, Any]


def croissant(card: Card, data: Sequence[Datum]) -> str:
    """The card's version and the files that hold it, as JSON-LD.

    Args:
        card: of the version.
        data: the files.
    """
    ref, made = card.version.ref, card.step.method
    told: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"{ref.name}-{ref.version}",
        "description": f"{ref}: {made.summary if made else 'imported data'}",
        "version": f"{ref.version}.0.0",
        "datePublished": card.published_at.isoformat(timespec="seconds"),
        "license": card.licences or ["unknown"],
        "creator": {"@type": "Organization", "name": "Everspring"},
        "isLiveDataset": False,
        "keywords": ["synthetic", *(method.id for method in card.methods)],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": datum.path,
                "name": datum.path,
                "contentUrl": datum.path,
                "contentSize": f"{datum.bytes} B",
                "encodingFormat": _ENCODINGS[datum.path.rpartition(".")[2]],
                "sha256": datum.sha256,
            }
            for datum in data
        ],
        "recordSet": [_records(datum) for datum in data],
    }
    if card.methods:
        told["citeAs"] = "; ".join(method.paper.citation for method in card.methods)
        told["isBasedOn"] = [method.paper.link for method in card.methods]
        told["url"] = card.methods[0].paper.link
    told["rai:dataCollection"] = "; ".join(
        f"{source.table}: {source.origin or source.source} ({source.licence})" for source in card.sources
    )
    told["rai:dataCollectionType"] = "synthetic" if made else "imported"
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _records(datum: Datum) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": datum.split,
        "name": datum.split,
        "field": [_field(datum, name, value) for name, value in datum.row.items()],
    }


def _field(datum: Datum, name: str, value: Any) -> dict[str, Any]:
    """A column, as one of its values tells what it holds: texts, numbers, turns of a conversation, lists of these."""
    several = isinstance(value, list)
    one: Any = next(iter(cast("list[Any]", value)), "") if several else value
    field: dict[str, Any] = {"@type": "cr:Field", "@id": f"{datum.split}/{name}", "name": f"{datum.split}/{name}"}
    if several:
        field["repeated"] = True
    if not isinstance(one, dict):
        return {**field, "dataType": _KINDS.get(type(one), "sc:Text"), **_source(datum, {"column": name})}
    parts = [
        {
            "@type": "cr:Field",
            "@id": f"{field['@id']}/{part}",
            "name": f"{field['@id']}/{part}",
            "dataType": "sc:Text",
            **_source(datum, {"jsonPath": f"$.{name}{'[*]' if several else ''}.{part}"}),
        }
        for part in cast("dict[str, Any]", one)
    ]
    return {**field, "subField": parts}


def _source(datum: Datum, extract: Mapping[str, str]) -> dict[str, Any]:
    return {"source": {"fileObject": {"@id": datum.path}, "extract": extract}}
