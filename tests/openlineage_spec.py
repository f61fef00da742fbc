"""OpenLineage's own schemas, and that of our facet: whether an event is what they allow, every facet by its own."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

ROOT = Path(__file__).parents[1]
FILES = [*ROOT.glob("tests/catalog/openlineage_schemas/**/*.json"), ROOT / "catalog" / "openlineage_run_facet.json"]
SCHEMAS = {schema["$id"]: schema for schema in (json.loads(file.read_text("utf-8")) for file in FILES)}
REGISTRY: Registry[Any] = Registry().with_resources(
    (identity, Resource.from_contents(schema)) for identity, schema in SCHEMAS.items()
)
EVENT = next(schema for identity, schema in SCHEMAS.items() if identity.endswith("/OpenLineage.json"))


def facets_of(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every facet of an event with its name."""
    holders = [event["run"], event["job"], *event.get("inputs", []), *event.get("outputs", [])]
    for holder in holders:
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from (holder.get(kind) or {}).items()


def check_schema(schema: Mapping[str, Any], value: Any) -> None:
    """Raise where a value is not what a schema allows; no network is asked for the schemas it refers to."""
    Draft202012Validator(schema, registry=REGISTRY, format_checker=FormatChecker()).validate(value)


def check_event(event: Mapping[str, Any]) -> None:
    """Raise where an event, or a facet in it, is not what its schema allows, or a facet has a name of its own."""
    check_schema(EVENT, event)
    for name, facet in facets_of(event):
        document = SCHEMAS[facet["_schemaURL"].partition("#")[0]]
        assert name in document["properties"], name
        check_schema({"$ref": facet["_schemaURL"]}, facet)
        check_schema(document, {name: facet})
