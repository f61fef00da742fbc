"""The card as Markdown, with the header that Hugging Face reads."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quality.scorecard import Line
from tasks.cards.card import Card, Step
from tasks.method import Method

TEMPLATE = Path(__file__).with_name("card.md.j2")
LONG = 600
"""Characters of a sample's field that are shown."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"
_SCREENED = re.compile(r"(rejected|noted)\.")
"""Shares of rows at fault."""
_WORDS = re.compile(r"[^a-z0-9]+")


def markdown(
    card: Card, *, splits: Mapping[str, str] | None = None, plots: Sequence[tuple[str, str]] = (), folder: str = ""
) -> str:
    """The card's text.

    Args:
        card: of a version.
        splits: split → file beside the card, for `datasets` to read.
        plots: (what it shows, file beside the card).
        folder: where the data stand, for the example that loads them.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown: what comes from rows is escaped or fenced below
    )
    environment.filters |= {"cell": cell, "fence": fence, "share": lambda value: f"{100 * value:.0f} %"}
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(
        card=card,
        version=card.version,
        header=_header(card, splits or {}),
        plots=plots,
        folder=folder,
        bibtex=[bibtex(method) for method in card.methods],
        departures=departures(card.step.method) if card.step.method else "",
        commands=[command(step) for step in reversed(card.steps) if step.method],
        samples=[json.dumps(_short(row), ensure_ascii=False, indent=2, default=str) for row in card.samples],
        figures=telling(card.figures),
        failing=[line for line in card.figures if not line.passed],
    )


def telling(figures: Sequence[Line]) -> list[Line]:
    """The figures that say something: a share of rows at fault that is 0, and has no gate, goes without saying."""
    return [line for line in figures if line.gated or line.value or not _SCREENED.match(line.metric)]


def bibtex(method: Method) -> str:
    """The paper as a BibTeX entry."""
    paper = method.paper
    first = _WORDS.sub("", paper.authors.split()[0].lower())
    word = next((word for word in _WORDS.split(paper.title.lower()) if len(word) > 3), method.id)
    authors = re.sub(r"\s+et al\.?$", " and others", paper.authors).replace(", ", " and ")
    arxiv = f",\n  eprint = {{{paper.arxiv}}},\n  archiveprefix = {{arXiv}}" if paper.arxiv else ""
    return (
        f"@misc{{{first}{paper.year}{word},\n  title = {{{paper.title}}},\n  author = {{{authors}}},\n"
        f"  year = {{{paper.year}}},\n  url = {{{paper.link}}}{arxiv}\n}}"
    )


def departures(method: Method) -> str:
    """What the method's file says of where it departs from the paper."""
    said = (method.module.__doc__ or "").partition("Departs from the paper:")[2]
    return said.strip("\n")


def command(step: Step) -> str:
    """How to make a version again, with the same settings and inputs."""
    assert step.method
    its, words = step.method.id, ["everspring", "run", step.method.stage, "--method", step.method.id]
    given = dict(step.settings)
    words += ["--rows", str(given.pop("rows", step.rows_in))]
    for name, reference in zip(step.method.inputs, step.inputs, strict=False):
        words += ["--read", f"{its}.{name}={reference}"]
    defaults = {name: setting.default for name, setting in step.method.settings.items()}
    for name, value in given.items():
        if name in defaults and json.dumps(value) != json.dumps(defaults[name], default=list):
            words += ["--set", f"{its}.{name}={_shell(value)}"]
    return " ".join(words)


def cell(value: Any) -> str:
    """A value as it can stand in a table of Markdown: on one line, and nothing in it is HTML or ends the cell."""
    text = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", text).replace("&", "&amp;")


def fence(text: str) -> str:
    """A text between fences that are longer than any in it."""
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{ticks}\n{text}\n{ticks}"


def _shell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if re.fullmatch(r"[\w.,:/@+-]*", text) else "'" + text.replace("'", "'\\''") + "'"


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"{value[:LONG]} …" if isinstance(value, str) and len(value) > LONG else value
        for name, value in row.items()
    }


def _header(card: Card, splits: Mapping[str, str]) -> str:
    import yaml

    rows = card.version.rows
    own = card.licences[0].lower() if len(card.licences) == 1 else "other"
    told: dict[str, Any] = {
        "pretty_name": f"{card.version.ref.table}, version {card.version.ref.version}",
        "license": own if re.fullmatch(r"[a-z0-9.-]+", own) and own != "unknown" else "other",
        "size_categories": [next((size for under, size in _SIZES if rows < under), _LARGEST)],
        "tags": ["synthetic", "everspring", *(method.id.replace("_", "-") for method in card.methods)],
    }
    if told["license"] == "other":
        told["license_name"] = ", ".join(card.licences) or "unknown"
    if splits:
        files = [{"split": split, "path": file} for split, file in splits.items()]
        told["configs"] = [{"config_name": "default", "data_files": files}]
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True).strip()
