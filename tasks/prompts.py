"""Prompts that stand in a page of their own: `<method>.md` beside the method, each `##` heading a prompt."""

import re
from collections.abc import Mapping
from pathlib import Path
from string import Formatter

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


def read_examples(prompts: Mapping[str, str], *fields: str) -> list[dict[str, str]]:
    """The worked examples of a page, by field: the texts under `<field> 1` of each, then under 2, and so on."""
    examples: list[dict[str, str]] = []
    while f"{fields[0]} {len(examples) + 1}" in prompts:
        examples.append({field: prompts[f"{field} {len(examples) + 1}"] for field in fields})
    return examples


def read_shots(prompts: Mapping[str, str], asked: str, said: str, prompt: str = "{}") -> list[tuple[str, str]]:
    """The worked examples of a page that are a question and its answer, as pairs.

    The question is `prompt` with the text under `<asked> 1` in the place of its placeholders, or that text alone.
    """
    names = {name for _, name, _, _ in Formatter().parse(prompt) if name}
    return [
        (prompt.format(example[asked], **dict.fromkeys(names, example[asked])), example[said])
        for example in read_examples(prompts, asked, said)
    ]
