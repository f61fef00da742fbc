"""Mend JSON that a model wrote nearly right: fences and talk around it, a missing quote, comma or bracket."""

import json
import re

LONGEST = 100_000
"""Characters of an answer that is mended; a longer one is asked for again."""
_FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)


def repaired(text: str) -> str | None:
    """The JSON object or array in `text`, mended; None where there is none. What it means is for others to check."""
    fenced = _FENCED.search(text)
    inner = fenced[1] if fenced else text
    brace, bracket = inner.find("{"), inner.find("[")
    begins = [bracket, brace] if 0 <= bracket < brace else [brace if brace >= 0 else bracket]
    if begins == [-1] or len(inner) > LONGEST:
        return None
    return max((_valid(inner, begin) for begin in begins), key=len) or _mended(inner[begins[0] :])


def _valid(text: str, begin: int) -> str:
    """The object or array that begins there, where it needs no mending."""
    try:
        _, end = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        return ""
    return text[begin:end]


def _mended(text: str) -> str | None:
    from json_repair import repair_json

    try:
        return repair_json(text, ensure_ascii=False) or None
    except (ValueError, RecursionError):  # nested too deeply
        return None
