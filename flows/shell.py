"""The shell of `everspring sql`: questions in SQL one after the other, with history, completion and colours."""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer
from rich import box
from rich.table import Table
from rich.text import Text

from catalog.store import Lake
from flows.answers import Form, show_answer
from flows.console import console, printable
from infra.errors import EverspringError, Refusal
from infra.settings import Settings

HISTORY = "sql_history"
"""In the home folder, for its owner alone."""
FORMS: tuple[Form, ...] = tuple(form for form in get_args(Form) if form != "parquet")
"""How answers can be shown: Parquet is nothing for a terminal."""
_FRESH = 30.0
"""Seconds for which the names in the lake are taken to be the same: meanwhile a run may publish a table."""
_PROMPT, _MORE = "everspring> ", "       ...> "
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$|--[^\n]*(?=\n)|/\*.*?\*/", re.DOTALL)
"""What may hold a semicolon that ends nothing."""
_OPEN = re.compile(r"['\"]|--|/\*|\$\$")
_WORD = re.compile(r"[\w.]*$")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_TABLE = re.compile(r"\b([a-z_]\w*\.[a-z_]\w*)\b(?:\s+(?:as\s+)?([a-z_]\w*))?", re.IGNORECASE)
"""A table that a question names, and what it may call it from there on."""
_NAMES = """
SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns()
WHERE database_name = 'lake' ORDER BY schema_name, table_name, column_index
"""
_KEYWORDS = "SELECT keyword_name FROM duckdb_keywords() ORDER BY ALL"

Columns = Mapping[str, str]
"""Name → type."""


class Names:
    """What a question may name: the tables and views of the lake with their columns, and SQL's own words."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._tables: Mapping[str, Columns] = {}
        self._words: Sequence[str] = ()
        self._asked = -_FRESH

    @property
    def tables(self) -> Mapping[str, Columns]:
        """Every table and view, SCHEMA.NAME, in order, with its columns."""
        if time.monotonic() - self._asked >= _FRESH:
            found: dict[str, dict[str, str]] = {}
            with self._lake.answer(_NAMES) as answer:
                for table, column, kind in answer.fetchall():
                    found.setdefault(table, {})[column] = kind
            self._tables, self._asked = found, time.monotonic()
        return self._tables

    @property
    def words(self) -> Sequence[str]:
        """The words of SQL."""
        if not self._words:
            with self._lake.answer(_KEYWORDS) as answer:
                self._words = [word for (word,) in answer.fetchall()]
        return self._words

    def find(self, table: str) -> Columns:
        """The columns of a table.

        Raises:
            Refusal: for an unknown one, naming the nearest.
        """
        if table not in self.tables:
            raise Refusal.unknown("table", table, self.tables)
        return self.tables[table]


class SqlCompleter(Completer):
    """Completes what stands before the cursor: columns of the tables that the question names, tables, words of SQL."""

    def __init__(self, names: Names, commands: Mapping[str, Sequence[str] | None]) -> None:
        """`commands`: what begins with a dot → the arguments that it takes; None for tables."""
        self._names, self._commands = names, commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """What the word may become, the likeliest first; nothing where the lake cannot be asked."""
        del complete_event
        try:
            found = list(self._found(document))
        except EverspringError:  # a question will say so
            return
        yield from found

    def _found(self, document: Document) -> Iterator[Completion]:
        before = document.text_before_cursor
        if before.startswith("."):
            yield from self._of_command(before)
            return
        word = (_WORD.search(before) or [""])[0]
        holder, dot, start = word.rpartition(".")
        tables, named = self._names.tables, self._named(document.text)
        if dot:
            columns = tables.get(named.get(holder.lower(), holder), {})
            yield from _starting(start, map(_as_sql, columns), "column")
            inside = [name.partition(".")[2] for name in tables if name.startswith(f"{holder}.")]
            yield from _starting(start, inside, "table")
            return
        columns = dict.fromkeys(column for table in named.values() for column in tables.get(table, {}))
        yield from _starting(start, map(_as_sql, columns), "column")
        schemas = dict.fromkeys(f"{name.partition('.')[0]}." for name in tables)
        yield from _starting(start, schemas, "schema")
        if start:
            yield from _starting(start, tables, "table", inside=True)
            upper = start.isupper()
            yield from _starting(start, (w.upper() if upper else w for w in self._names.words), "")

    def _named(self, text: str) -> dict[str, str]:
        """What a question calls tables → the tables."""
        tables, words = self._names.tables, set(self._names.words)
        out: dict[str, str] = {}
        for table, alias in _TABLE.findall(text):
            name = table.lower()
            if name in tables:
                out |= {name: name, name.partition(".")[2]: name}
                if alias and alias.lower() not in words:
                    out[alias.lower()] = name
        return out

    def _of_command(self, before: str) -> Iterator[Completion]:
        command, space, start = before.partition(" ")
        if not space:
            yield from _starting(command, self._commands, "")
        elif command in self._commands:
            given = self._commands[command]
            yield from _starting(start, self._names.tables if given is None else given, "")


def _starting(start: str, names: Iterable[str], meta: str, *, inside: bool = False) -> Iterator[Completion]:
    """The names that go on from a start, in either case; `inside`: or whose part after a dot does."""
    lower = start.lower()
    for name in names:
        its = name.lower()
        if its.startswith(lower) or (inside and its.partition(".")[2].startswith(lower)):
            yield Completion(name, start_position=-len(start), display=printable(name), display_meta=meta)


def _as_sql(name: str) -> str:
    """A name as a question has it: quoted where it is not plain."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def is_whole(text: str) -> bool:
    """Whether what was typed is to be answered: a command, nothing, or a question that has its semicolon."""
    left = _QUOTED.sub(" ", f"{text}\n").strip()
    return not left or left.startswith(".") or (left.endswith(";") and not _OPEN.search(left))


class Shell:
    """A session at a terminal; only `Lake.answer` runs what is typed, so nothing can be changed."""

    def __init__(self, lake: Lake, settings: Settings, form: Form) -> None:
        """Refuses a form of answers that is nothing for a terminal."""
        self._lake, self._settings = lake, settings
        self._form: Form = _form(form)
        self._names = Names(lake)
        self._commands: dict[str, tuple[Callable[[str], None], str, Sequence[str] | None]] = {
            ".help": (self._help, "what can be typed", ()),
            ".tables": (self._list, "tables and views; .tables sft lists those of a schema", ()),
            ".schema": (self._describe, "columns of a table: .schema sft.metamath", None),
            ".format": (self._set_form, f"how answers are shown: .format {'|'.join(FORMS)}", FORMS),
            ".quit": (self._quit, "end; so does Ctrl-D", ()),
        }
        self._out, self._err = console(), console(stderr=True)

    def run(self) -> None:
        """Ask for questions and answer them, until there is no more to ask."""
        session: PromptSession[str] = PromptSession(
            message=_PROMPT,
            multiline=True,
            prompt_continuation=_MORE,
            history=FileHistory(str(_private(self._settings.folder() / HISTORY))),
            completer=SqlCompleter(self._names, {name: given for name, (_, _, given) in self._commands.items()}),
            complete_while_typing=False,
            complete_in_thread=True,
            lexer=PygmentsLexer(SqlLexer),
            key_bindings=_keys(),
        )
        self._err.print("Read-only SQL; a question ends with ;  .help says more, Ctrl-D ends", style="dim")
        while True:
            try:
                text = session.prompt()
            except KeyboardInterrupt:  # what was typed is let go
                continue
            except EOFError:
                return
            try:
                if not self._answer(text.strip()):
                    return
            except EverspringError as error:
                self._err.print(Text(f"error: {_line(error)}", "red"), soft_wrap=True)
            except (KeyboardInterrupt, RuntimeError) as ended:
                # DuckDB, in the middle of a query, makes a RuntimeError of an interrupt.
                if isinstance(ended, RuntimeError) and str(ended) != "Query interrupted":
                    raise
                self._err.print("interrupted", style="yellow")

    def _answer(self, text: str) -> bool:
        """Do what was typed; returns whether to go on."""
        if text.startswith("."):
            command, _, given = text.rstrip(";").strip().partition(" ")
            if command not in self._commands:
                raise Refusal.unknown("command", command, self._commands)
            self._commands[command][0](given.strip())
            return command != ".quit"
        if text.strip("; \n\t"):
            with self._lake.answer(text) as found:
                show_answer(found, self._form)
        return True

    def _help(self, _given: str) -> None:
        table = Table(box=None, show_header=False)
        for name, (_, what, _) in self._commands.items():
            table.add_row(name, Text(what))
        table.add_row("QUESTION;", "SELECT and its kin, over as many lines as it takes; FROM catalog.versions; is one")
        table.add_row("Tab", "completes words of SQL, schemas, tables and columns")
        table.add_row("Ctrl-C", "lets go of what is typed, or interrupts a question")
        self._out.print(table)

    def _list(self, schema: str) -> None:
        tables = [name for name in self._names.tables if not schema or name.partition(".")[0] == schema]
        if not tables:
            raise Refusal.unknown("schema", schema, {name.partition(".")[0] for name in self._names.tables})
        self._out.print(Text("\n".join(tables)))

    def _describe(self, name: str) -> None:
        table = Table("column", "type", box=box.SIMPLE_HEAD)
        for column, kind in self._names.find(name).items():
            table.add_row(Text(column), Text(kind))
        self._out.print(table)

    def _set_form(self, given: str) -> None:
        if given:
            self._form = _form(given)
        self._out.print(Text(f"answers are shown as {self._form}"))

    def _quit(self, _given: str) -> None:
        """End."""


def _form(given: str) -> Form:
    for form in FORMS:
        if form == given:
            return form
    raise Refusal(f"format {given!r}: is nothing for a terminal, one of {', '.join(FORMS)} is wanted")


def _keys() -> KeyBindings:
    """Enter answers a whole question, and begins a new line in one that is not."""
    keys = KeyBindings()

    @keys.add("enter")
    def enter(event: KeyPressEvent) -> None:  # pyright: ignore[reportUnusedFunction]
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif is_whole(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return keys


def _line(error: EverspringError) -> str:
    """An error in one line: without the picture that DuckDB draws of where it is."""
    return " ".join(str(error).partition("\n\nLINE ")[0].split())


def _private(file: Path) -> Path:
    """A file that only its owner can read, made if need be."""
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    file.chmod(0o600)
    return file
