"""Prompts that stand in a page of their own: `<method>.md` beside the method, each `##` heading a prompt."""

import re
from collections.abc import Mapping
from pathlib import Path

_HEADING = re.compile(r"^## +(.+?)\s*$", re.MULTILINE)


def page_of(file: str) -> Path:
    """The page of prompts that belongs to a method's file, whether or not there is one."""
    return Path(file).with_suffix(".md")


def read_prompts(file: str) -> Mapping[str, str]:
    """The prompts of a method, by heading; `file` is the method's own, as in `read_prompts(__file__)`.

    Raises:
        TypeError: where a heading stands twice or has no text under it.
    """
    page = page_of(file)
    _, *parts = _HEADING.split(page.read_text("utf-8"))
    prompts: dict[str, str] = {}
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        if name in prompts or not text.strip():
            raise TypeError(f"{page.name}: prompt {name!r} stands twice or is empty; one heading with text is wanted")
        prompts[name] = text.strip()
    return prompts


def read_shots(prompts: Mapping[str, str], asked: str, said: str) -> list[tuple[str, str]]:
    """The worked examples of a page: the texts under `<asked> 1` and `<said> 1`, then 2, and so on."""
    shots: list[tuple[str, str]] = []
    while (question := prompts.get(f"{asked} {len(shots) + 1}")) is not None:
        shots.append((question, prompts[f"{said} {len(shots) + 1}"]))
    return shots
