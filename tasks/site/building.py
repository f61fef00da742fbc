"""Building: the site in a folder of its own, all of it or what was there before."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.store import Lake, Version
from infra.errors import Failure, Refusal
from infra.faults import full_disk
from tasks.method import load_methods
from tasks.site import facts, plots, search, trails, words
from tasks.site.facts import Facts, TableFacts
from tasks.site.pages import ASSETS, Pages, Sample, method_page, row_page, table_page

if TYPE_CHECKING:
    import duckdb

    from tasks.site.trails import Look, Trails

MARK = "everspring-site.json"
"""The file by which a folder is known to be a site of ours."""
SAMPLES = 4
"""Rows that are shown of a version."""

Reach = Callable[[str, int, int], None]
"""Is told what is at work, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Wish:
    """What a site is to be: where, and with how many rows of each version."""

    folder: Path
    samples: int = SAMPLES


@dataclass(frozen=True)
class Built:
    """What a site holds."""

    tables: int
    versions: int
    rows: int
    methods: int


def build(lake: Lake, wish: Wish, reach: Reach = lambda _what, _done, _of: None) -> Built:
    """Write the site of a lake into a folder; one that was there stays until the new one is whole.

    Raises:
        Refusal: for a folder that holds something else.
        Failure: where it cannot be written.
    """
    folder = wish.folder.absolute()
    _check(folder)
    partial, before = (folder.with_name(f"{folder.name}.{word}") for word in ("partial", "before"))
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        built = _write(lake, partial, wish.samples, reach)
        told = {"everspring": "site", **vars(built)}
        (partial / MARK).write_text(json.dumps(told, indent=2) + "\n", "utf-8")
        if folder.exists():
            shutil.rmtree(before, ignore_errors=True)
            folder.rename(before)
        partial.rename(folder)
        shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        if failure := full_disk(error, [folder.parent]):
            raise failure from None
        raise Failure(
            f"site: {folder} cannot be written ({error.strerror}), a folder is wanted; name another"
        ) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return built


def _check(folder: Path) -> None:
    """Refuse a folder that holds what is not ours.

    Raises:
        Refusal: where it does.
    """
    if folder.exists() and not folder.is_dir():
        raise Refusal(f"site: {folder} is a file, a folder is wanted; name another with --out")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Refusal(f"site: {folder} holds something else, a new folder or an earlier site is wanted; name another")


def _write(lake: Lake, folder: Path, samples: int, reach: Reach) -> Built:
    shutil.copytree(ASSETS, folder / "assets")
    with lake.read(once=True) as connection:
        reach("reading the catalogue", 0, 1)
        connection.execute("SET enable_progress_bar = false")  # there is one already
        facts.prepare(connection)
        found = facts.read_facts(connection, lake)
        pages = Pages(folder, found)
        drawn = _drawn(connection, found, samples, reach)
        sampled = {each: table for table, its in drawn.items() for ids in its.values() for each in ids}
        followed = trails.follow(connection, sampled, found.tables.keys())
        entries = _Tables(lake, connection, found, drawn, followed, pages, reach).write()
    known = list(load_methods().values())
    for method in known:
        pages.method(method)
    pages.methods(known)
    pages.lineage()
    pages.index()
    entries += [
        search.Entry(
            "method",
            method.id,
            f"{method.summary} {method.paper.title}, {method.paper.authors}",
            method_page(method.id),
        )
        for method in known
    ]
    pages.write("data/search.js", search.script(entries))
    return Built(len(found.tables), len(found.versions), len(followed.tables), len(known))


def _drawn(
    connection: "duckdb.DuckDBPyConnection", found: Facts, samples: int, reach: Reach
) -> dict[str, dict[int, list[str]]]:
    """Table → version → ids of its samples."""
    drawn: dict[str, dict[int, list[str]]] = {}
    for done, (name, table) in enumerate(found.tables.items()):
        reach("drawing samples", done, len(found.tables))
        drawn[name] = {}
        for chain in table.chains:
            drawn[name] |= trails.draw(connection, chain, samples)
    return drawn


@dataclass
class _Tables:
    """Writes the pages of tables, versions and rows, a table at a time, those first from which others were made."""

    lake: Lake
    connection: "duckdb.DuckDBPyConnection"
    facts: Facts
    drawn: Mapping[str, Mapping[int, Sequence[str]]]
    trails: "Trails"
    pages: Pages
    reach: Reach

    def write(self) -> list[search.Entry]:
        """Write all; returns what of them can be found."""
        ids: dict[str, list[str]] = {}
        for record_id, table in self.trails.tables.items():
            ids.setdefault(table, []).append(record_id)
        texts: dict[str, str] = {}
        of, done = len(self.trails.tables) + len(self.facts.versions), 0
        entries: dict[str, list[search.Entry]] = {}
        for name in _in_order(self.facts.tables):
            table = self.facts.tables[name]
            shown = self._rows(
                table, ids.get(name, []), texts, lambda more, done=done: self.reach("writing", done + more, of)
            )
            self._versions(table, shown)
            done += len(ids.get(name, ())) + len(table.versions)
            self.reach("writing", done, of)
            entries[name] = [_entry(table), *_entries(table, shown, texts)]
        inside = [entry for name in self.facts.tables for entry in entries[name]]
        rows = [entry for entry in inside if entry.kind == "row"]
        return [entry for entry in inside if entry.kind != "row"] + rows[: search.MOST]

    def _rows(
        self, table: TableFacts, ids: Sequence[str], texts: dict[str, str], reach: Callable[[int], None]
    ) -> dict[str, Sample]:
        """Write the pages of a table's rows; returns its samples."""
        samples = {each for its in self.drawn[table.name].values() for each in its}
        shown: dict[str, Sample] = {}
        missing = dict.fromkeys(ids)
        versions = [each.version for each in table.versions]
        for batch in trails.rows_of(self.connection, table.chains, versions, ids):
            calls = trails.calls_of(self.lake, self.trails, batch)
            for row in batch:
                texts[row.record_id] = words.snippet(row.content)
            for row in batch:
                del missing[row.record_id]
                self.pages.row(row, table.name, self.trails, calls, texts)
                if row.record_id in samples:
                    fields = words.fields_of(row.content, words.SHORT)
                    shown[row.record_id] = Sample(row.record_id, fields)
            reach(len(ids) - len(missing))
        for record_id in missing:  # in none of the versions that can still be read
            self.pages.row(trails.Row(record_id, {}, None), table.name, self.trails, {}, texts)
        return shown

    def _versions(self, table: TableFacts, shown: Mapping[str, Sample]) -> None:
        details = facts.read_details(self.connection, table.name)
        looks: dict[int | None, tuple[Look, Version]] = {}
        for chain in table.chains:
            its = trails.look(self.connection, chain)
            looks |= {version.ref.version: (its, version) for version in chain.versions}
        scales: dict[str, plots.Scale] = {}
        last: Look | None = None
        for each in reversed(table.versions):  # the last version sets the scale of all
            look, version = looks.get(each.number, (None, None))
            last = last or look
            drawings = {}
            for place, (name, counts) in enumerate(look.words_of(version).items() if look and version else ()):
                scale = scales.setdefault(name, plots.scale_of(counts))
                drawings[name] = plots.histogram(name, counts, scale, f"words-{place}")
            samples = [
                shown[record_id] for record_id in self.drawn[table.name].get(each.number, ()) if record_id in shown
            ]
            self.pages.version(table, each, details, drawings, samples)
        self.pages.table(table, details, last, _around(self.facts.tables, table.name))


def _in_order(tables: Mapping[str, TableFacts]) -> list[str]:
    """The tables, each behind those that it was made from, as far as these do not go in circles."""
    order: dict[str, None] = {}
    seen: set[str] = set()
    for root in tables:
        left = [(root, False)]
        while left:
            name, done = left.pop()
            if done:
                order[name] = None
            elif name not in seen:
                seen.add(name)
                left.append((name, True))
                left += [(parent, False) for parent in tables[name].reads]
    return list(order)


def _around(tables: Mapping[str, TableFacts], name: str) -> list[str]:
    """A table with all that it was made from and all that was made of it, however far."""
    found = {name}
    for following in (
        {each: its.reads for each, its in tables.items()},
        {each: its.read_by for each, its in tables.items()},
    ):
        left, seen = [name], {name}
        while left:
            new = [each for each in following[left.pop()] if each not in seen]
            seen |= set(new)
            left += new
        found |= seen
    return [each for each in tables if each in found]


def _entry(table: TableFacts) -> search.Entry:
    told = table.method.summary if table.method else ", ".join(sorted({each.source for each in table.last.sources}))
    return search.Entry("table", table.name, told, table_page(table.name))


def _entries(table: TableFacts, shown: Mapping[str, Sample], texts: Mapping[str, str]) -> list[search.Entry]:
    return [search.Entry("row", table.name, f"{texts[each]} {each[:12]}", row_page(each)) for each in sorted(shown)]
