"""How the site writes numbers, times and what stands in a row."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

LONG = 20_000
"""Characters of a field, a prompt or an answer that a row's page shows."""
SHORT = 600
"""Those that a sample shows."""
_CONTROL = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)} | {0x7F: 0x2421}
_RETURNS = re.compile(r"\r\n?")


@dataclass(frozen=True)
class Field:
    """A column of a row: its parts, (role or empty, text) each, and how many characters and parts are not shown."""

    name: str
    parts: Sequence[tuple[str, str]]
    cut: int = 0
    further: int = 0


def fields_of(content: Mapping[str, Any], most: int) -> list[Field]:
    """The columns of a row that hold something, each with so many characters at most."""
    return [_field(name, value, most) for name, value in content.items() if value is not None and value not in ("", [])]


def _field(name: str, value: Any, most: int) -> Field:
    parts = (
        [_part(each) for each in cast("list[Any]", value)] if isinstance(value, (list, tuple)) else [("", _text(value))]
    )
    shown: list[tuple[str, str]] = []
    room = most
    for role, text in parts:
        if room <= 0:
            break
        shown.append((role, visible(text[:room])))
        room -= len(text)
    return Field(name, shown, max(0, -room), len(parts) - len(shown))


def _part(value: Any) -> tuple[str, str]:
    if isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"role", "content"}:
        turn = cast("dict[str, Any]", value)
        return str(turn["role"]), _text(turn["content"])
    return "", _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list, bool)) else str(value)


def visible(text: str) -> str:
    """A text whose control characters, which no page can hold, are shown by their pictures."""
    return _RETURNS.sub("\n", text).translate(_CONTROL)


def snippet(content: Mapping[str, Any], most: int = 140) -> str:
    """The beginning of a row's first text, on one line."""
    for field in fields_of(content, 4 * most):
        text = " ".join(" ".join(part for _, part in field.parts).split())
        if len(text) > 3:
            return text if len(text) <= most else f"{text[: most - 1]}…"
    return ""


def number(value: float | None) -> str:
    """A number with its thousands set apart, to four digits where it is none that counts; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, int) or (math.isfinite(value) and value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:.4g}"


def share(value: float | None) -> str:
    """A share in percent."""
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if value in (0.0, 1.0) or 0.0095 < value < 0.995 else f"{100 * value:.2g} %"


def money(value: float | None) -> str:
    """Dollars."""
    if value is None:
        return "not known"
    return "$0" if not value else f"${value:,.2f}" if value >= 0.1 else f"${value:.2g}"


def when(value: datetime) -> str:
    """A time (UTC) to the minute."""
    return value.strftime("%Y-%m-%d %H:%M")


def seconds(value: float | None) -> str:
    """A length of time."""
    if value is None:
        return "–"
    if value < 100:
        return f"{value:.1f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
