"""Pages: where each lies, and how what is known becomes HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quality.scorecard import Line, held
from tasks.cards.markdown import bibtex, command, departures, telling
from tasks.method import Method
from tasks.registry import needs_of, operators_of
from tasks.site import plots, words
from tasks.site.facts import ORDER, Details, Facts, TableFacts, VersionFacts
from tasks.site.graph import HIGH, WIDE, Drawing, lay_out
from tasks.site.trails import Origin, Row, Trails, asked, page_name
from tasks.survey import coverage, load_survey

if TYPE_CHECKING:
    from jinja2 import Environment

    from catalog.calls import Call
    from tasks.site.trails import Look

POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file: data:; "
    "base-uri 'none'; form-action 'none'"
)
"""What a page may load: what lies in the site. A page opened as a file has no origin that `self` could mean."""
STEPS = 30
"""Versions above a version that its page lists."""
MADE_OF_IT = 12
"""Offspring of a row that its page lists."""
_FILTERS = ("number", "share", "money", "when", "seconds", "visible")
_HERE = Path(__file__).parent
TEMPLATES, ASSETS = _HERE / "templates", _HERE / "assets"


def table_page(name: str) -> str:
    """The page of a table."""
    return f"tables/{name}.html"


def version_page(name: str) -> str:
    """The page of `table@version`."""
    table, _, number = name.partition("@")
    return f"tables/{table}/{number}.html"


def row_page(record_id: str) -> str:
    """The page of a row."""
    name = page_name(record_id)
    return f"rows/{name[:2]}/{name}.html"


def method_page(method: str) -> str:
    """The page of a method."""
    return f"methods/{method}.html"


@dataclass(frozen=True)
class Sample:
    """A row as the page of a version shows it."""

    record_id: str
    fields: Sequence[words.Field]


@dataclass(frozen=True)
class Asked:
    """A call as the page of a row shows it."""

    call_id: str
    kept: "Call | None"
    """None where the store has it no more."""
    prompts: Sequence[words.Field]
    answer: words.Field | None


@dataclass(frozen=True)
class Link:
    """A row that another names: its page, where it has one, its table, and how it begins."""

    record_id: str
    table: str
    page: str
    text: str


class Pages:
    """Writes pages into a folder; each of its methods writes one kind."""

    def __init__(self, folder: Path, facts: Facts) -> None:
        self._folder, self._facts = folder, facts
        self._made: set[Path] = set()

    @cached_property
    def _templates(self) -> "Environment":
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        made = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        filters: dict[str, Any] = {name: getattr(words, name) for name in _FILTERS}
        known: dict[str, Any] = {
            "policy": POLICY,
            "table_page": table_page,
            "version_page": version_page,
            "method_page": method_page,
            "row_page": row_page,
            "strip": plots.strip,
        }
        made.filters.update(filters)
        made.globals.update(known)
        return made

    def write(self, page: str, text: str) -> None:
        """Put a file into the folder."""
        file = self._folder / page
        if file.parent not in self._made:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(file.parent)
        file.write_text(text, "utf-8", newline="\n")

    def _render(self, page: str, template: str, here: str, **told: Any) -> None:
        root = "../" * page.count("/")
        self.write(page, self._templates.get_template(template).render(root=root, here=here, **told))

    def index(self) -> None:
        """The tables, by stage."""
        tables = self._facts.tables
        self._render(
            "index.html",
            "index.html.j2",
            "tables",
            stages={
                stage: its for stage in ORDER if (its := [each for each in tables.values() if each.stage == stage])
            },
            trends={
                each.name: plots.trend("rows", [(of.number, of.version.rows) for of in each.versions], f"rows-{place}")
                for place, each in enumerate(tables.values())
                if len(each.versions) > 1
            },
            totals={
                "tables": len(tables),
                "versions": len(self._facts.versions),
                "rows in the last versions": sum(each.last.version.rows for each in tables.values()),
                "methods at work": len({each.method.id for each in tables.values() if each.method}),
            },
        )

    def table(self, table: TableFacts, details: Details, look: "Look | None", around: Sequence[str]) -> None:
        """A table: its versions, how its figures went, its columns, what it reads and what reads it."""
        points: dict[str, list[tuple[int, float]]] = {}
        last: dict[str, Line] = {}
        for number, lines in sorted(details.figures.items()):
            for line in lines:
                points.setdefault(line.metric, []).append((number, line.value))
                last[line.metric] = line
        figures = sorted(last.values(), key=lambda line: (not line.gated, line.axis, line.metric))
        kept = [(of.number, of.run.share_kept) for of in table.versions if of.run and of.run.share_kept is not None]
        trends = [
            ("rows", plots.trend("rows", [(of.number, of.version.rows) for of in table.versions], "t-rows"), None)
        ]
        if kept:
            trends.append(("yield", plots.trend("yield", [(at, value or 0.0) for at, value in kept], "t-yield"), None))
        trends += [
            (
                line.metric,
                plots.trend(line.metric, points[line.metric], f"t-{at}", line if line.gated else None),
                line,
            )
            for at, line in enumerate(figures)
        ]
        several = len(table.versions) > 1
        self._render(
            table_page(table.name),
            "table.html.j2",
            "tables",
            table=table,
            details=details,
            columns=look.columns if look else (),
            trends=[each for each in trends if each[2] is None or each[2].gated] if several else (),
            further=[each for each in trends if each[2] and not each[2].gated] if several else (),
            departures=departures(table.method) if table.method else "",
            graph=self._graph({name: self._facts.tables[name] for name in around}, table.name, "../"),
        )

    def version(
        self,
        table: TableFacts,
        facts: VersionFacts,
        details: Details,
        drawings: Mapping[str, Any],
        samples: Sequence[Sample],
    ) -> None:
        """A version: figures with their gates, plots, samples, what was left out, and how to make it again."""
        run = facts.version.run_id
        figures = details.figures.get(facts.number, ())
        steps = [facts, *(self._facts.versions[name] for name in facts.above)]
        made = [each for each in steps if each.method]
        place = table.versions.index(facts)
        self._render(
            version_page(facts.name),
            "version.html.j2",
            "tables",
            table=table,
            facts=facts,
            version=facts.version,
            before=table.versions[place - 1].name if place else None,
            after=table.versions[place + 1].name if place + 1 < len(table.versions) else None,
            figures=telling(figures),
            held=held(figures),
            checks=details.checks.get(facts.number, ()),
            operators=details.operators.get(run, ()),
            reasons=details.reasons.get(run, ()),
            notes=details.notes.get(run, ()),
            models=details.models.get(run, ()),
            drawings=drawings,
            samples=samples,
            commands=[command(each.step) for each in reversed(made[:STEPS])],
            further_steps=max(0, len(made) - STEPS),
            above=facts.above[:STEPS],
            further_above=max(0, len(facts.above) - STEPS),
        )

    def row(self, row: Row, table: str, trails: Trails, calls: Mapping[str, "Call"], texts: Mapping[str, str]) -> None:
        """A row: its content, what it was made from, with each prompt and answer, and what was made of it."""
        its = row.record_id

        def link(record_id: str, held_by: str = "") -> Link:
            page = row_page(record_id) if record_id in trails.tables else ""
            return Link(record_id, trails.tables.get(record_id, held_by), page, texts.get(record_id, ""))

        def shown(call_id: str) -> Asked:
            call = calls.get(call_id)
            if call is None:
                return Asked(call_id, None, (), None)
            prompts = [words.fields_of({role: text}, words.LONG) for role, text in asked(call)]
            answer = words.fields_of({"answer": call.text}, words.LONG) if call.text is not None else []
            return Asked(call_id, call, [each for found in prompts for each in found], next(iter(answer), None))

        steps: list[tuple[str, Sequence[Link], Sequence[Asked], bool]] = []
        seen, left = {its}, [its]
        while left:
            one = left.pop(0)
            origin = trails.origins.get(one, Origin())
            steps.append(
                (one, [link(*each) for each in origin.rows], [shown(call) for call in origin.calls], origin.more)
            )
            between = [parent for parent, held_by in origin.rows if not held_by and parent not in seen]
            seen |= set(between)
            left += between
        offspring = trails.offspring.get(its, ())
        self._render(
            row_page(its),
            "row.html.j2",
            "tables",
            row=row,
            table=table,
            version=f"{table}@{row.version}" if row.version else None,
            fields=words.fields_of(row.content, words.LONG),
            steps=[step for step in steps if step[1] or step[2] or step[3]],
            parents=[link(each) for each in trails.nearest(its)],
            seeds=[link(each) for each in trails.seeds(its)[:MADE_OF_IT]],
            offspring=[link(each) for each in offspring[:MADE_OF_IT]],
            further_offspring=max(0, len(offspring) - MADE_OF_IT),
        )

    def lineage(self) -> None:
        """Which table was made from which."""
        self._render("lineage.html", "lineage.html.j2", "lineage", graph=self._graph(self._facts.tables, "", ""))

    def methods(self, methods: Sequence[Method]) -> None:
        """The methods, and what of the survey is done."""
        whole, *parts = coverage()
        self._render(
            "methods.html",
            "methods.html.j2",
            "methods",
            methods=methods,
            tables=self._facts.tables,
            whole=whole,
            parts_of_survey=parts,
            systems=list(load_survey().values()),
        )

    def method(self, method: Method) -> None:
        """A method: its paper, what it reads and makes, its settings and promises."""
        self._render(
            method_page(method.id),
            "method.html.j2",
            "methods",
            method=method,
            table=self._facts.tables.get(method.table),
            tables=self._facts.tables,
            departures=departures(method),
            bibtex=bibtex(method),
            needs=needs_of(method),
            operators=operators_of(method),
        )

    def _graph(self, tables: Mapping[str, TableFacts], mark: str, root: str) -> Mapping[str, Any]:
        """What the template of a graph is told of these tables; `mark` is the one that the page is about."""
        drawing: Drawing = lay_out(
            {
                name: [other for other in each.read_by if other in tables and other != name]
                for name, each in tables.items()
            }
        )
        return {
            "tables": tables,
            "drawing": drawing,
            "number": {node.name: place for place, node in enumerate(drawing.nodes)},
            "mark": mark,
            "root": root,
            "wide": WIDE,
            "high": HIGH,
        }
