"""Grammars of schemas: bounds only where none are, and only where asked for."""

import json
from typing import Any

from tasks.llm.embedded import grammar


def schema_in(made: str) -> dict[str, Any]:
    schema = json.loads(made.partition("%json ")[2])
    del schema["x-guidance"]
    return schema


def test_without_tokens_the_schema_is_as_it_was() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}, "n": {"type": "number"}}}
    assert schema_in(grammar(schema)) == schema


def test_a_text_gets_what_room_there_is() -> None:
    bounded = schema_in(grammar({"type": "string"}, 200))
    assert bounded == {"type": "string", "maxLength": 198}


def test_bounds_that_are_there_stay() -> None:
    schema = {
        "type": "object",
        "properties": {
            "short": {"type": "string", "maxLength": 9},
            "year": {"type": "integer", "minimum": 1900, "maximum": 2100},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "day": {"type": "string", "format": "date"},
            "three": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        },
    }
    assert schema_in(grammar(schema, 500)) == schema


def test_lists_are_made_shorter_before_their_texts_become_unreadable() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    assert schema_in(grammar(schema, 600)) == {
        "type": "array",
        "items": {"type": "string", "maxLength": 71},
        "maxItems": 8,
    }


def test_a_list_is_never_made_shorter_than_it_must_be() -> None:
    bounded = schema_in(grammar({"type": "array", "items": {"type": "string"}, "minItems": 5}, 50))
    assert bounded["maxItems"] == 5


def test_numbers_end() -> None:
    assert schema_in(grammar({"type": "number"}, 100)) == {
        "type": "number",
        "minimum": -(10**9),
        "maximum": 10**9,
        "multipleOf": 1e-6,
    }


def test_fields_that_are_called_like_keywords_are_fields() -> None:
    schema = {"type": "object", "properties": {"enum": {"type": "string"}, "type": {"type": "string"}}}
    bounded = schema_in(grammar(schema, 200))["properties"]
    assert bounded["enum"]["maxLength"] == bounded["type"]["maxLength"] > 60


def test_what_a_reference_means_counts_wherever_it_is_used() -> None:
    part = {"type": "object", "properties": {"text": {"type": "string"}}}
    schema = {
        "$defs": {"Part": part},
        "type": "object",
        "properties": {"one": {"$ref": "#/$defs/Part"}, "two": {"$ref": "#/$defs/Part"}},
    }
    bounded = schema_in(grammar(schema, 400))
    assert 150 < bounded["$defs"]["Part"]["properties"]["text"]["maxLength"] < 200


def test_a_schema_that_contains_itself_is_bounded_in_width() -> None:
    node = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#"}}},
    }
    bounded = schema_in(grammar(node, 300))["properties"]
    assert bounded["parts"]["maxItems"] >= 1
    assert bounded["name"]["maxLength"] >= 60
