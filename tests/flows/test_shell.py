"""`everspring sql` without a question: a real session at a pseudo-terminal; and a question from standard input."""

import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from catalog.publish import Findings, Run, publish
from catalog.records import PromptCompletion
from catalog.spool import Spool
from catalog.store import Lake
from flows.shell import FORMS, Names, SqlCompleter, is_whole
from infra.settings import load_settings

ROOT = Path(__file__).parents[2]
PROMPT = "everspring>"
FOREVER = "select count(*) from range(10000000000) a, range(1000) b where a.range % 7 = b.range % 5;"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one table, `sft.toy`."""
    home = tmp_path_factory.mktemp("home")
    run = Run(run_id="run-1", stage="sft", method="toy", table_name="sft.toy", fingerprint="f")
    with Spool(home / "spool" / "run-1", PromptCompletion) as spool:
        spool.add_rows([PromptCompletion(prompt="What is rain?", completion="Water that falls.")], {})
        publish(Lake(load_settings(home=home)), run, spool, Findings(), shape=PromptCompletion)
    return home


def environment(home: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("EVERSPRING", "OPENAI"))}
    return {**clean, "EVERSPRING_HOME": str(home), "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm", "COLUMNS": "120"}


class Session:
    """A shell at a terminal: `type` presses keys, `seen` waits for what it shows from then on."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "flows", "sql", *arguments]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment(home), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._shown = ""

    def type(self, keys: str) -> None:
        self._shown = ""
        os.write(self._master, keys.encode())

    def seen(self, text: str, *, then: str = "", seconds: float = 60) -> str:
        """Wait for a text, and another that stands anywhere after it; returns all that was shown."""
        wanted = re.compile(f"{re.escape(text)}.*{re.escape(then)}", re.DOTALL)
        deadline = time.monotonic() + seconds
        while not wanted.search(self._shown):
            assert time.monotonic() < deadline, self._shown
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready:
                self._shown += _ESCAPES.sub("", os.read(self._master, 65536).decode(errors="replace"))
        return self._shown

    def ask(self, question: str, answer: str) -> str:
        """Type a line, wait for the answer and the next prompt."""
        self.type(f"{question}\r")
        return self.seen(answer, then=PROMPT)

    def end(self) -> int:
        try:
            return self.process.wait(timeout=60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            os.close(self._master)


@contextmanager
def session(home: Path, *arguments: str) -> Iterator[Session]:
    """A shell that waits for its first question, and is ended after the block."""
    at = Session(home, *arguments)
    try:
        at.seen(PROMPT)
        yield at
    finally:
        if at.process.poll() is None:
            at.process.kill()
            at.process.wait()


def test_a_session_answers_completes_names_and_goes_on_after_errors(home: Path) -> None:
    with session(home) as at:
        at.type("select prompt\r")
        at.seen("...>")  # a question goes on until its semicolon
        at.type("from sft.t\t")
        at.seen("oy")
        at.ask(";", "What is rain?")
        error = at.ask("select nonsense from sft.toy;", "error: sql: Binder Error")
        assert "LINE 1" not in error
        at.ask(".format csv", "shown as csv")
        at.ask("select prompt, 41 + 1 as n from sft.toy;", "What is rain?,42")
        at.ask("drop table sft.toy;", "SELECT is wanted")
        at.type("\x04")
        assert at.end() == 0


def test_an_interrupt_lets_go_of_what_was_typed_or_asked(home: Path) -> None:
    with session(home) as at:
        at.type("this is let go")
        at.seen("let go")
        at.type("\x03")
        at.seen(PROMPT)
        at.type(f"{FOREVER}\r")
        time.sleep(3)
        os.killpg(at.process.pid, signal.SIGINT)
        at.seen("interrupted", then=PROMPT)
        at.ask("select 6 * 7 as answer;", "42")


def test_what_was_asked_is_kept_for_its_owner_and_comes_back_with_the_up_key(home: Path) -> None:
    with session(home) as at:
        at.ask("select 'asked' || ' before' as kept;", "asked before")
        at.type(".quit\r")
        assert at.end() == 0
    assert stat.S_IMODE((home / "sql_history").stat().st_mode) == 0o600
    with session(home) as at:
        at.type("\x1b[A\x1b[A")  # .quit, then the question before it
        at.seen("as kept;")
        at.ask("", "asked before")


def test_commands_list_tables_and_describe_one(home: Path) -> None:
    with session(home) as at:
        listed = at.ask(".tables", "sft.toy")
        assert "marts.sft" in listed
        assert "catalog.versions" in listed
        assert re.search(r"parents\s+VARCHAR\[\]", at.ask(".schema sft.toy", "VARCHAR[]"))
        at.ask(".schema sft.toi", "did you mean: sft.toy")
        at.ask(".help", "Ctrl-C")


def test_parquet_is_nothing_for_a_terminal(home: Path) -> None:
    at = Session(home, "--format", "parquet")
    at.seen("one of table, csv, json is wanted")
    assert at.end() == 2


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_a_question_comes_from_standard_input(home: Path, arguments: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "flows", "sql", *arguments, "-f", "csv"],
        cwd=ROOT,
        env=environment(home),
        input="select prompt\nfrom sft.toy;\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "prompt\nWhat is rain?\n"), ended.stderr


@pytest.mark.parametrize("given", [b"", b"select '\xff'", b"select \x00"])
def test_what_is_no_question_on_standard_input_is_refused_in_one_line(home: Path, given: bytes) -> None:
    command = [sys.executable, "-m", "flows", "sql"]
    ended = subprocess.run(command, cwd=ROOT, env=environment(home), input=given, capture_output=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(b"error: sql: ")
    assert b"Traceback" not in ended.stderr


@pytest.fixture(scope="module")
def completer(home: Path) -> SqlCompleter:
    return SqlCompleter(Names(Lake(load_settings(home=home))), {".schema": None, ".format": FORMS})


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("selec", "select"),
        ("SELEC", "SELECT"),
        ("from sf", "sft."),
        ("from sft.", "toy"),
        ("from to", "sft.toy"),
        ("from marts.pref", "preferences"),
        ("from catalog.ver", "versions"),
        ("from sft.toy where compl", "completion"),
        ("from sft.toy as t where t.compl", "completion"),
        ("from sft.toy t where t.compl", "completion"),
        ("from sft.toy where sft.toy.compl", "completion"),
        ("from sft.toy where toy.compl", "completion"),
        (".sch", ".schema"),
        (".schema sft.", "sft.toy"),
        (".format c", "csv"),
    ],
)
def test_a_word_is_completed_by_what_the_question_names(completer: SqlCompleter, typed: str, wanted: str) -> None:
    assert wanted in [found.text for found in completer.get_completions(Document(typed), CompleteEvent())]


def test_a_column_is_offered_where_its_table_is_named_later(completer: SqlCompleter) -> None:
    asked = Document("select compl from sft.toy", cursor_position=len("select compl"))
    assert next(completer.get_completions(asked, CompleteEvent())).text == "completion"


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("", True),
        (".help", True),
        ("select 1;", True),
        ("select 1; -- done", True),
        ("select ';';", True),
        ("select 1", False),
        ("select ';", False),
        ("select 'a;b", False),
        ("select 1 -- not yet;", False),
        ("select 1 /* not yet;", False),
        ('select "a;', False),
    ],
)
def test_a_question_ends_with_a_semicolon_that_is_its_own(typed: str, *, whole: bool) -> None:
    assert is_whole(typed) == whole
