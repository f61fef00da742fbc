"""The command that says what two versions differ in, and why."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.console import console, printable

if TYPE_CHECKING:
    from catalog.store import Version
    from tasks.diff import Column, Diff, Figure, Rows, Spread

Piece = tuple[Literal["same", "old", "new"], str]
"""Words that stayed, went or came."""
WORDS = 80
"""Words of a text that are compared and shown, from shortly before the first that differs."""
_AROUND = 8
"""Words before the first that differs, and after the last."""
_SPACE = re.compile(r"(\s+)")
_STYLES = {"same": "", "old": "red strike", "new": "green"}
# Where there are no colours.
_PLAIN = {"same": "{}", "old": "[-{}-]", "new": "{{+{}+}}"}
_MARKDOWN = {"same": "{}", "old": "~~{}~~", "new": "**{}**"}


def diff(
    one: Annotated[str, typer.Argument(metavar="TABLE[@A]", help="The earlier version; alone: the later one.")],
    other: Annotated[
        str | None, typer.Argument(metavar="TABLE[@B]", help="The later version; left out: against the one before.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="Samples of the rows of each kind.")] = 3,
    form: Annotated[Literal["table", "json", "markdown"], typer.Option("--format", "-f")] = "table",
) -> None:
    """Say what two versions differ in: rows, columns, scorecards, and what they were made with."""
    from catalog.store import Lake, TableRef
    from infra.settings import load_settings
    from tasks.diff import before
    from tasks.diff import diff as compare

    lake = Lake(load_settings())
    first = lake.find(TableRef.parse(one))
    pair = (first, lake.find(TableRef.parse(other))) if other else (before(lake, first), first)
    with console(stderr=True).status("comparing"):
        found = compare(lake, *pair, samples=rows)
    if form == "json":
        print(json.dumps(as_json(found), ensure_ascii=False, indent=2, default=str))
    elif form == "markdown":
        print(as_markdown(found))
    else:
        show(found, console())


def words(before: str, after: str) -> list[Piece]:
    """Two texts as words that stayed, went and came, where they differ: what is far from that is left out as `…`."""
    one, other = _SPACE.split(before), _SPACE.split(after)
    start = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    start = min(len(one), len(other)) if start is None else start
    first = max(0, start - 2 * _AROUND)
    # Words and the spaces between them count alike.
    cut = [found[first : first + 2 * WORDS] for found in (one, other)]
    pieces: list[Piece] = [("same", "… ")] if first else []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, *cut, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(("same", "".join(cut[0][i1:i2])))
            continue
        if gone := "".join(cut[0][i1:i2]):
            pieces.append(("old", gone))
        if came := "".join(cut[1][j1:j2]):
            pieces.append(("new", came))
    if pieces and pieces[-1][0] == "same" and len(last := _SPACE.split(pieces[-1][1])) > 2 * _AROUND:
        pieces[-1] = ("same", "".join(last[: 2 * _AROUND]) + " …")
    elif len(one) > first + 2 * WORDS or len(other) > first + 2 * WORDS:
        pieces.append(("same", " …"))
    return pieces


# ── on a terminal ──


def show(found: "Diff", out: Console) -> None:
    """Print what was found, in colours where there are any."""
    names = [str(found.before.ref), str(found.after.ref)]
    out.print(Text(_title(found), style="bold"), soft_wrap=True)
    out.print(Text(_counts(found.rows)), soft_wrap=True)
    _show_samples(found.rows, out)
    if causes := [(cause.what, cause.before or "–", cause.after or "–") for cause in found.causes if cause.changed]:
        out.print(_grid(["why", *names], "lll", causes))
    if same := _unchanged(found):
        out.print(Text(f"the same: {printable(same)}", "dim"), soft_wrap=True)
    if len(found.between) > 1:
        out.print(Text(f"on the way: {_way(found.between)}", "dim"), soft_wrap=True)
    out.print(_grid(["column", "", *names, "change"], "llrrr", _column_lines(found)))
    figures, axis = list[Sequence[str | Text]](), ""
    for figure in found.figures:
        style = {"holds now": "green", "is broken now": "bold red"}.get(figure.flips, "")
        cells = [Text(printable(cell), style) for cell in _figure(figure)]
        figures.append(["" if figure.axis == axis else figure.axis, *cells])
        axis = figure.axis
    if figures:
        out.print(_grid(["axis", "figure", *names, "change", "gate"], "llrrrl", figures))
    else:
        out.print("neither has a scorecard; make one with `everspring audit TABLE`", style="dim", highlight=False)


def _grid(names: Sequence[str], sides: str, rows: Iterable[Sequence[str | Text]]) -> Table:
    """A table, its columns to the l(eft) or r(ight)."""
    table = Table(box=box.SIMPLE_HEAD)
    for name, side in zip(names, sides, strict=True):
        table.add_column(name, justify="right" if side == "r" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in row))
    return table


def _show_samples(rows: "Rows", out: Console) -> None:
    for sign, style, name, samples in (
        ("-", "red", "removed", rows.removed_samples),
        ("+", "green", "added", rows.added_samples),
        (" ", "dim", "kept", rows.kept_samples),
    ):
        for row in samples:
            out.print(Text(f"{sign} {name} {row['record_id'][:12]}", style), soft_wrap=True)
            for column, value in row.items():
                if column != "record_id" and value not in (None, "", []):
                    out.print(Text(printable(f"{sign}   {column}: {_short(value)}"), style), soft_wrap=True)
    for change in rows.changed_samples:
        ids = f"{change.before['record_id'][:12]} → {change.after['record_id'][:12]}"
        out.print(Text(f"~ changed {ids}", "yellow"), soft_wrap=True)
        for column, pieces in _changed(change.before, change.after):
            line = Text(printable(f"~   {column}: "), "yellow")
            for kind, text in pieces:
                told = printable(_line(text))
                if out.color_system is None:
                    line.append(_PLAIN[kind].format(told))
                else:
                    line.append(told, _STYLES[kind])
            out.print(line, soft_wrap=True)


# ── Markdown and JSON ──


def as_markdown(found: "Diff") -> str:
    """What was found as Markdown, in which nothing that a row holds is markup."""
    from tasks.cards.markdown import cell

    names = [str(found.before.ref), str(found.after.ref)]
    causes = [(cause.what, cause.before or "–", cause.after or "–") for cause in found.causes if cause.changed]
    lines = [f"# {cell(_title(found))}", "", cell(_counts(found.rows)), ""]
    lines += ["## Why", "", *_table(["", *names], "lll", causes), ""] if causes else []
    lines += [f"The same: {cell(same)}.", ""] if (same := _unchanged(found)) else []
    lines += [f"On the way: {cell(_way(found.between))}.", ""] if len(found.between) > 1 else []
    lines += _samples(found.rows)
    lines += ["## Columns", "", *_table(["column", "", *names, "change"], "llrrr", _column_lines(found))]
    figures = [(figure.axis, *_figure(figure)) for figure in found.figures]
    if figures:
        wanted = ["axis", "figure", *names, "change", "gate"]
        lines += ["", "## Scorecards", "", *_table(wanted, "llrrrl", figures)]
    return printable("\n".join(lines))


def _samples(rows: "Rows") -> list[str]:
    from tasks.cards.markdown import cell

    lines: list[str] = []
    for title, samples in (
        ("Removed", rows.removed_samples),
        ("Added", rows.added_samples),
        ("Kept", rows.kept_samples),
    ):
        if samples:
            lines += [f"## {title}, such as", "", *(f"- {cell(_one_line(row))}" for row in samples), ""]
    if rows.changed_samples:
        lines += ["## Changed, such as", ""]
        for change in rows.changed_samples:
            lines.append(f"- {change.before['record_id'][:12]} → {change.after['record_id'][:12]}")
            for column, pieces in _changed(change.before, change.after):
                told = " ".join(_MARKDOWN[kind].format(cell(text)) for kind, text in pieces if text.strip())
                lines.append(f"  - {cell(column)}: {told}")
        lines += [""]
    return lines


def _table(names: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown, its columns to the l(eft) or r(ight)."""
    from tasks.cards.markdown import cell

    rule = "|".join({"l": "---", "r": "--:"}[side] for side in sides)
    lines = [names, *rows]
    told = [f"| {' | '.join(map(cell, line))} |" for line in lines]
    return [told[0], f"|{rule}|", *told[1:]]


def as_json(found: "Diff") -> dict[str, Any]:
    """What was found, for programs."""
    from dataclasses import asdict

    def version(each: "Version") -> dict[str, Any]:
        told = {name: value for name, value in vars(each).items() if name != "ref"}
        return {"table": each.ref.table, "version": each.ref.version, **told}

    return {
        "before": version(found.before),
        "after": version(found.after),
        "rows": asdict(found.rows),
        "causes": [{**asdict(cause), "changed": cause.changed} for cause in found.causes],
        "between": [version(each) for each in found.between],
        "columns": [asdict(column) for column in found.columns],
        "figures": [{**asdict(figure), "change": figure.change, "flips": figure.flips} for figure in found.figures],
    }


# ── in words ──


def _title(found: "Diff") -> str:
    return f"{found.before.ref} ({found.rows.before:,} rows) → {found.after.ref} ({found.rows.after:,} rows)"


def _counts(rows: "Rows") -> str:
    alike = f" ({rows.alike:,} of them say what they did)" if rows.alike else ""
    return (
        f"{rows.added:,} added, {rows.removed:,} removed, {rows.changed:,} changed{alike}, {rows.kept:,} kept; "
        f"changed: of the same parents or the same {rows.subject}"
    )


def _unchanged(found: "Diff") -> str:
    return ", ".join(f"{cause.what} {cause.after}" for cause in found.causes if not cause.changed)


def _way(between: "Sequence[Version]") -> str:
    return ", ".join(f"@{each.ref.version} ({each.mode}, {each.added:,} rows)" for each in between)


def _column_lines(found: "Diff") -> Iterator[tuple[str, ...]]:
    """The lines of every column, its name before the first of them."""
    for column in found.columns:
        for number, cells in enumerate(_lines(column)):
            yield ("" if number else column.name, *cells)


def _lines(column: "Column") -> Iterator[tuple[str, str, str, str]]:
    """What is told of a column: the figure, before, after, and the change."""
    one, other = column.before, column.after
    if one is None or other is None or one.type != other.type:
        yield "type", one.type if one else "–", other.type if other else "–", ""
    for name, before, after in (
        ("blank", one and one.blank, other and other.blank),
        ("distinct", one and one.distinct, other and other.distinct),
    ):
        yield name, *_beside(before, after, _share, points=True)
    if unit := next((each.unit for each in (one, other) if each and each.unit), ""):
        for name, share in (("low", "5 %"), ("middle", "50 %"), ("high", "95 %"), ("most", "most")):
            before, after = (_of(each, name) for each in (one, other))
            yield f"{unit}, {share}", *_beside(before, after, _number)
    for value, (before, after) in column.counts.items():
        yield f"= {_short(value) or '(blank)'}", f"{before:,}", f"{after:,}", f"{after - before:+,}"


def _of(spread: "Spread | None", name: str) -> float | None:
    return getattr(spread, name) if spread else None


def _beside(
    before: float | None, after: float | None, told: Callable[[float], str], *, points: bool = False
) -> tuple[str, str, str]:
    one, other = ("–" if value is None else told(value) for value in (before, after))
    if before is None or after is None or before == after:
        return one, other, ""
    return one, other, f"{100 * (after - before):+.1f}" if points else f"{after - before:+,.4g}"


def _figure(figure: "Figure") -> tuple[str, str, str, str, str]:
    before, after = (line and line.value for line in (figure.before, figure.after))
    line = figure.after or figure.before
    gate = line.gate if line else ""
    if gate and line:
        gate += f" {figure.flips or ('✓' if line.passed else '✗')}"
    return figure.metric, *_beside(before, after, _number), gate


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 100 else f"{value:.4g}"


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, list[Piece]]]:
    """The columns in which two rows differ, with what differs; one that a row has not is blank there."""
    for column in dict.fromkeys([*before, *after]):
        one, other = (_text(row.get(column)) for row in (before, after))
        if column != "record_id" and one != other:
            yield column, words(one, other)


def _text(value: Any) -> str:
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, list) and all(isinstance(turn, dict) and {"role", "content"} <= turn.keys() for turn in value):
        return "\n".join(f"{turn['role']}: {turn['content']}" for turn in value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _one_line(row: Mapping[str, Any]) -> str:
    told = (f"{name}: {_short(value)}" for name, value in row.items() if value not in (None, "", []))
    return "; ".join(told)


def _line(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ⏎ ", text)


def _short(value: Any, width: int = 160) -> str:
    text = " ".join(_text(value).split())
    return text if len(text) <= width else text[: width - 1] + "…"
