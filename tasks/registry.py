"""The registry: what `catalog.methods` and METHODS.md say about the methods, from the methods themselves."""

import json
from typing import Any

from catalog.store import Lake, as_frame
from tasks.method import Method, load_methods
from tasks.survey import coverage, load_survey

_COLUMNS = {
    "method": "VARCHAR",
    "stage": "VARCHAR",
    "table_name": "VARCHAR",
    "summary": "VARCHAR",
    "title": "VARCHAR",
    "authors": "VARCHAR",
    "year": "INTEGER",
    "link": "VARCHAR",
    "categories": "VARCHAR[]",
    "also": "VARCHAR[]",
    "inputs": "VARCHAR",
    "roles": "VARCHAR[]",
    "settings": "VARCHAR",
    "shape": "VARCHAR",
    "code": "VARCHAR",
}


def describe(method: Method) -> dict[str, Any]:
    """A method as a row of `catalog.methods`."""
    return {
        "method": method.id,
        "stage": method.stage,
        "table_name": method.table,
        "summary": method.summary,
        "title": method.paper.title,
        "authors": method.paper.authors,
        "year": method.paper.year,
        "link": method.paper.link,
        "categories": method.categories,
        "also": method.also,
        "inputs": json.dumps({name: list(found.tables) for name, found in method.inputs.items()}),
        "roles": tuple(sorted(set(method.roles.values()))),
        "settings": json.dumps({name: setting.default for name, setting in method.settings.items()}, default=list),
        "shape": method.shape.__name__,
        "code": method.code,
    }


def operators_of(method: Method) -> list[str]:
    """The operators that its file uses, in the order in which it names them."""
    return [
        name
        for name, value in vars(method.module).items()
        if getattr(value, "__module__", "").startswith("tasks.operators.") and hasattr(value, "__wrapped__")
    ]


def needs_of(method: Method) -> list[str]:
    """What it must be given: the roles of its models, and whatever else."""
    return [*sorted(set(method.roles.values())), *(need.__name__.lower() for need in method.needs.values())]


def register_methods(lake: Lake) -> None:
    """Bring `catalog.methods` up to date; writes nothing where it is."""
    known = {method.id: method.code for method in load_methods().values()}
    with lake.read() as connection:
        there = dict(connection.execute("SELECT method, code FROM catalog.methods").fetchall())
    if there == known:
        return
    with lake.write("catalog.methods: brought up to date") as connection:
        connection.execute("DELETE FROM lake.catalog.methods")
        rows = as_frame([describe(method) for method in load_methods().values()], _COLUMNS)
        connection.register("incoming", rows)
        connection.execute("INSERT INTO lake.catalog.methods BY NAME SELECT * FROM incoming")


def methods_page() -> str:
    """METHODS.md: every method with its paper, what it reads and makes, and its settings."""
    lines = [
        "# Methods",
        "",
        "Written by `make docs` from the methods themselves; `make lint` fails where it is out of date.",
    ]
    stage = ""
    for method in load_methods().values():
        if method.stage != stage:
            stage = method.stage
            lines += ["", f"## {stage}"]
        reads = "; ".join(f"`{name}`: {' or '.join(found.tables)}" for name, found in method.inputs.items())
        settings = ", ".join(f"`{name}={setting.default!r}`" for name, setting in method.settings.items())
        operators = ", ".join(f"`{name}`" for name in operators_of(method))
        lines += [
            "",
            f"### {method.id}",
            "",
            method.summary,
            "",
            f"- Paper: [{method.paper.title}]({method.paper.link}), {method.paper.authors}, {method.paper.year}",
            f"- Reads: {reads}",
            f"- Makes: `{method.table}`, rows of shape `{method.shape.__name__}`",
            f"- Operators: {operators or 'none'}",
            f"- Needs: {', '.join(needs_of(method)) or 'nothing'}",
            f"- Settings: {settings or 'none'}",
            f"- Expects: {', '.join(f'`{promise.name}`' for promise in method.expects) or 'what every table does'}",
            f"- Survey: {', '.join(method.categories)}" + (f"; also {', '.join(method.also)}" if method.also else ""),
        ]
    return "\n".join([*lines, *_survey()]) + "\n"


def _survey() -> list[str]:
    """The part of METHODS.md that says which of the survey's systems are here."""
    whole, *parts = coverage()
    lines = ["", "## The survey's systems", "", f"{whole.done} of {whole.of} run as methods.", ""]
    lines += [
        "| part | done | of |",
        "|---|--:|--:|",
        *(f"| {each.part} | {each.done} | {each.of} |" for each in parts),
    ]
    lines += ["", "| system | cited as | here | operators | needs |", "|---|---|---|---|---|"]
    for system in load_survey().values():
        here = f"[{system.method.table}](#{system.id})" if system.method else "not yet"
        operators = system.operators.replace("|", "\\|")
        lines.append(f"| {system.name} | {system.citation} | {here} | {operators} | {', '.join(system.needs)} |")
    return lines
