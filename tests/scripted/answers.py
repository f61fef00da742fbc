"""Answers for any request, the same for the same request: an instance of its schema, or a few sentences."""

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

WORDS = (  # noqa: SIM905 - a word a line would say no more
    "river stone market winter garden teacher signal bridge copper morning island engine forest number letter window "
    "planet recipe journey harbour lantern meadow theory puzzle village thunder pocket mirror castle rhythm"
).split()


def schema_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The JSON schema that a request asks its answer to follow."""
    if "json_schema" in body:
        return body["json_schema"]
    wanted = body.get("response_format") or {}
    return wanted["json_schema"]["schema"] if wanted.get("type") == "json_schema" else None


def sensible(prompt: str, body: dict[str, Any]) -> str:
    """An answer for any request, the same for the same request: an instance of its schema, or a few sentences."""
    seed = hashlib.sha256(json.dumps([prompt, body.get("seed")]).encode()).hexdigest()
    if (schema := schema_of(body)) is not None:
        return json.dumps(instance_of(schema, seed))
    draw = random.Random(seed)
    return " ".join(_sentence(draw) for _ in range(draw.randint(1, 3)))


def instance_of(schema: Mapping[str, Any], seed: int | str) -> Any:
    """A value that is valid under a JSON schema, the same for the same seed.

    Raises:
        ValueError: for a `pattern` or `format`, which it cannot meet.
    """
    return _instance(schema, schema, random.Random(seed))


def _instance(schema: Mapping[str, Any], root: Mapping[str, Any], draw: random.Random) -> Any:
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _instance(target, root, draw)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw.choice(schema["enum"])
    if "allOf" in schema:
        return _instance({key: value for part in schema["allOf"] for key, value in part.items()}, root, draw)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return _instance(draw.choice(choices), root, draw)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    made: dict[str, Callable[[], Any]] = {
        "null": lambda: None,
        "boolean": lambda: draw.random() < 0.5,
        "integer": lambda: _number(schema, draw, whole=True),
        "number": lambda: _number(schema, draw, whole=False),
        "string": lambda: _string(schema, draw),
        "array": lambda: _array(schema, root, draw),
        "object": lambda: _object(schema, root, draw),
    }
    return made[draw.choice(kind) if isinstance(kind, list) else kind]()


def _number(schema: Mapping[str, Any], draw: random.Random, *, whole: bool) -> float:
    step = schema.get("multipleOf", 1 if whole else 0.01)
    low = schema.get("minimum", schema["exclusiveMinimum"] + step if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema["exclusiveMaximum"] - step if "exclusiveMaximum" in schema else None)
    if low is None:
        low = 1 if high is None else high - 9
    if high is None:
        high = low + 9
    if whole:
        first = -(-low // step)
        return int(step * draw.randint(int(first), int(high // step)))
    return round(draw.uniform(low, high), 6)


def _string(schema: Mapping[str, Any], draw: random.Random) -> str:
    if unmet := {"pattern", "format"} & schema.keys():
        raise ValueError(f"schema: {unmet} cannot be met by the scripted server")
    text = _sentence(draw)
    while len(text) < schema.get("minLength", 0):
        text += " " + _sentence(draw)
    return text[: schema.get("maxLength", len(text))].strip().ljust(schema.get("minLength", 0), "x")


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], draw: random.Random) -> list[Any]:
    made = [_instance(item, root, draw) for item in schema.get("prefixItems", ())]
    low = schema.get("minItems", 1 if "items" in schema else 0)
    size = max(len(made), draw.randint(low, min(schema.get("maxItems", low + 2), low + 4)))
    while isinstance(items := schema.get("items"), Mapping) and len(made) < size:
        made.append(_instance(items, root, draw))
    return made


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    made = {name: _instance(inner, root, draw) for name, inner in schema.get("properties", {}).items()}
    extra = schema.get("additionalProperties")
    if not made and isinstance(extra, Mapping):
        return {draw.choice(WORDS): _instance(extra, root, draw) for _ in range(2)}
    return made


def _sentence(draw: random.Random) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(draw.randint(5, 12))).capitalize() + "."
