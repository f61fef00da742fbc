"""What tools' folders say of themselves, in files of JSON and in the headers of cards."""

import json
from pathlib import Path
from typing import Any, cast

from infra.errors import Refusal

_MOST = 1 << 24
"""Bytes of a file that says what a folder holds: one that has more is none."""


def told(file: Path) -> dict[str, Any] | None:
    """The object in a file of JSON; None where there is no such file, or it holds something else."""
    try:
        found = json.loads(_text(file))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def header(file: Path) -> dict[str, Any]:
    """The YAML between the dashes at the top of a card; nothing where there is none that can be read."""
    import yaml

    first, *parts = _text(file).split("\n---", 1)
    if not first.startswith("---") or not parts:
        return {}
    try:
        found = yaml.safe_load(first[3:])
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def names(value: Any, file: Path) -> list[str]:
    """A list of names as it stands in such a file.

    Raises:
        Refusal: where it is none.
    """
    if isinstance(value, list) and all(isinstance(each, str) for each in cast("list[Any]", value)):
        return cast("list[str]", value)
    # Not its text: of aliases in YAML that may be longer than all there is.
    raise Refusal(f"{file}: holds {type(value).__name__} where a list of names is wanted")


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder that a pattern means, in the order of their names."""
    try:
        return sorted(file for file in folder.glob(pattern) if file.is_file())
    except (OSError, ValueError, IndexError, NotImplementedError):  # a pattern that is none, or one from the root
        return []


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8") if file.is_file() and file.stat().st_size <= _MOST else ""
    except (OSError, ValueError):  # ValueError: a NUL in its name, or bytes that are no UTF-8
        return ""
