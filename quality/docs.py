"""Data Docs: what the gate found, as a site of static pages that need no network, one a run, and an index.

Each result is rendered by Great Expectations' own renderer and templates. The page around them is ours: theirs loads
styles, scripts and fonts from six hosts on the web, and has no place for a promise's name and severity. A page is
written once and stays; the index is made anew from the small JSON file beside each page.
"""

import html
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from quality.gate import Verdict, great_expectations, quiet

SHOWN = 160
"""Characters of a broken row's value that a page shows."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the gate found about one run; `version` is None where it was refused, and the rows are in quarantine."""

    table: str
    run_id: str
    at: datetime
    verdicts: Sequence[Verdict]
    version: int | None = None

    @property
    def failed(self) -> list[Verdict]:
        """The verdicts on broken expectations."""
        return [verdict for verdict in self.verdicts if not verdict.check.passed]


def write_docs(folder: Path, page: Page) -> Path:
    """Write a run's page (in place of an earlier one of the same run) and the index; returns the page's path.

    Any number of processes may write at once.
    """
    place = folder / quote(page.table, safe="") / f"{quote(page.run_id, safe='')}.html"
    place.parent.mkdir(parents=True, exist_ok=True)
    _put(place, _rendered(page))
    blocks = sum(verdict.check.severity == "block" for verdict in page.failed)
    facts = {
        "table": page.table,
        "run_id": page.run_id,
        "at": page.at.isoformat(),
        "version": page.version,
        "checks": len(page.verdicts),
        "blocks": blocks,
        "warnings": len(page.failed) - blocks,
    }
    _put(place.with_suffix(".json"), json.dumps(facts))
    index(folder)
    return place


def index(folder: Path) -> Path:
    """Write the site's first page: each table with its last run, and every run, newest first; returns its path."""
    from filelock import FileLock
    from jinja2 import Environment

    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "index.html"
    with FileLock(folder / ".lock"):
        runs = [_facts(file) for file in folder.glob("*/*.json")]
        runs.sort(key=lambda run: run["at"], reverse=True)
        tables: dict[str, list[Mapping[str, Any]]] = {}
        for run in runs:
            tables.setdefault(run["table"], []).append(run)
        template = Environment(autoescape=True).from_string(_INDEX)
        _put(place, template.render(tables=sorted(tables.items()), runs=runs, style=_STYLE))
    return place


def _facts(file: Path) -> dict[str, Any]:
    """What the index tells of a run; of one whose file cannot be read, that."""
    facts = {"table": file.parent.name, "run_id": file.stem, "at": "", "unread": True}
    try:
        facts = facts | {"unread": False} | json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, TypeError):
        facts["unread"] = True
    return {**facts, "page": f"{quote(file.parent.name)}/{quote(file.stem)}.html"}


def _put(place: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    part.write_text(text, "utf-8")
    part.replace(place)


def _rendered(page: Page) -> str:
    """The page's HTML."""
    great_expectations()
    from great_expectations.render.view.view import DefaultJinjaPageView

    with quiet():
        rows = [(verdict, [_cells(result, verdict) for result in verdict.results]) for verdict in page.verdicts]
        template = DefaultJinjaPageView().env.from_string(_PAGE)
        return template.render(page=page, rows=rows, style=_STYLE)


def _cells(result: Any, verdict: Verdict) -> list[Any]:
    """What was expected, with the rows that are not so, and what was seen, for Great Expectations' templates."""
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.render.renderer.content_block.validation_results_table_content_block import (
        ValidationResultsTableContentBlockRenderer,
    )

    found = {key: value for key, value in result.result.items() if not key.startswith("partial_")}
    if found.get("unexpected_count"):
        found["partial_unexpected_list"] = [html.escape(example) for example in _examples(verdict)]
    config = result.expectation_config
    if verdict.expectation.figure:
        found["observed_value"] = html.escape(verdict.check.observed)
        config.kwargs = {key: float(f"{v:.6g}") if isinstance(v, float) else v for key, v in config.kwargs.items()}
    shown = ExpectationValidationResult(success=result.success, expectation_config=config, result=found)
    block: Any = ValidationResultsTableContentBlockRenderer.render([shown], include_column_name=True)
    _, expected, observed = block.to_json_dict()["table"][0]
    return [expected, observed]


def _examples(verdict: Verdict) -> list[str]:
    """The rows that a check names: record_id, and what they hold in the columns that it is about."""
    held = [", ".join(map(_short, row.values())) for row in verdict.values]
    named = verdict.check.examples
    return [f"{record_id}: {text}" for record_id, text in zip(named, held, strict=True)] if named else held


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ page.table }}: checks of {{ page.run_id }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<nav><a href="../index.html">Checks</a> / {{ page.table }} / {{ page.run_id }}</nav>
<h1>{{ page.table }}{% if page.version is not none %}@{{ page.version }}{% endif %}</h1>
<p class="summary {{ 'good' if not page.failed else 'bad' }}">
{{ page.verdicts|length - page.failed|length }} of {{ page.verdicts|length }} expectations hold;
{% if page.version is none %}nothing was published, the rows are in quarantine
{%- else %}published as version {{ page.version }}{% endif %}.
Run {{ page.run_id }}, {{ page.at.strftime("%Y-%m-%d %H:%M:%S %Z") }}.</p>
<table><thead><tr><th></th><th>Promise</th><th>Expectation</th><th>Observed</th><th>If broken</th></tr></thead><tbody>
{% for verdict, cells in rows %}{% set check = verdict.check %}
{% set came = "good" if check.passed else "bad" if check.severity == "block" else "warning" %}
<tr>
<td class="{{ came }}">{{ "✓" if check.passed else "✗" if check.severity == "block" else "!" }}</td>
<td>{{ check.expectation }}</td>
<td>{% if check.error %}<span class="bad">{{ check.error }}</span>
{%- else %}{% for expected, _ in cells %}<div>{{ expected|render_content_block|safe }}</div>{% endfor %}{% endif %}</td>
<td>{% if check.broken_rows or not cells %}{{ check.observed }}
{%- elif not check.error %}{% for _, observed in cells %}<div>{{ observed|render_content_block|safe }}</div>{% endfor %}
{%- endif %}</td>
<td>{{ check.severity }}</td>
</tr>
{% endfor %}
</tbody></table>
</body>
</html>
"""

_INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Everspring: checks</title>
<style>{{ style|safe }}</style>
</head>
<body>
<h1>Checks</h1>
{% macro came(run) %}
{%- if run.unread %}<span class="bad">cannot be read</span>
{%- elif run.blocks %}<span class="bad">{{ run.blocks }} broken</span>
{%- else %}<span class="good">passed</span>{% endif %}
{%- if run.warnings %} <span class="warning">{{ run.warnings }} warned</span>{% endif %}
{%- endmacro %}
{% macro row(run) %}
<td><a href="{{ run.page }}">{{ run.run_id }}</a></td><td>{{ run.at[:19]|replace("T", " ") }}</td>
<td>{{ came(run) }}</td>
<td>{% if run.version %}version {{ run.version }}{% elif not run.unread %}quarantine{% endif %}</td>
<td class="number">{{ run.checks }}</td>
{% endmacro %}
<h2>Tables</h2>
<table><thead><tr><th>Table</th><th>Runs</th><th>Last run</th><th>At</th><th>Came out</th><th>Rows went to</th>
<th>Expectations</th></tr></thead><tbody>
{% for table, its in tables %}<tr><td>{{ table }}</td><td class="number">{{ its|length }}</td>{{ row(its[0]) }}</tr>
{% endfor %}</tbody></table>
<h2>Runs</h2>
<table><thead><tr><th>Table</th><th>Run</th><th>At</th><th>Came out</th><th>Rows went to</th><th>Expectations</th></tr>
</thead><tbody>
{% for run in runs %}<tr><td>{{ run.table }}</td>{{ row(run) }}</tr>
{% endfor %}</tbody></table>
</body>
</html>
"""

# `badge` and `text-danger` are Bootstrap's classes, which Great Expectations' templates name.
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h1 { font-size: 1.5rem; margin: .8rem 0 .3rem; }
h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
a { color: #2f81f7; }
nav { font-size: .9rem; }
table { border-collapse: collapse; width: 100%; margin: .3rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; background: var(--soft); }
td { overflow-wrap: anywhere; }
td:nth-child(2) { min-width: 13rem; }
td:nth-child(4) { min-width: 8rem; }
td table { display: block; max-height: 16rem; overflow: auto; font-size: .85rem; margin: .4rem 0 .2rem; }
td td:nth-child(n), td th { min-width: 0; padding: .1rem .5rem; }
.number { font-variant-numeric: tabular-nums; }
.summary { padding: .6rem .9rem; border-left: 4px solid; background: var(--soft); }
.good { color: var(--good); }
.bad, .text-danger { color: var(--bad); }
.warning { color: var(--warn); }
.text-danger { font-weight: 400; }
.text-danger br:first-child { display: none; }
.badge { font: .85em ui-monospace, monospace; background: var(--soft); border-radius: 4px; padding: .1em .35em; }
"""
