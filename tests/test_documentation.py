"""What README.md and docs/ say is done here as it stands there: every command, every question, every program.

Of a fenced block, the first word says the language, what follows how it is done:

- `bash`: commands that succeed, one after the other, in one folder; `bash exits N`: that end with the exit code N.
- `text` after it: lines that it has printed, in this order.
- `sql`: a question to the lake. `python`: a program. `json FILE`, `toml FILE`: a file that is there from then on.

What is not of this machine stands for what is: an endpoint for one that is scripted, an address for a server here.
"""

import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from moto_store import bucket_of, s3_server  # noqa: F401 - a fixture
from postgres import database_of, postgres_server  # noqa: F401 - a fixture
from scripted import ScriptedServer

from catalog.store import Lake
from infra.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a shell is given before the first command: what would leave this machine, or change it, is only looked at.
BEFORE = f"""
set -euo pipefail
REPOSITORY={ROOT}
git() {{ test "$1" = clone && ln -sfn {ROOT} everspring; }}
make() {{ command make --dry-run --directory {ROOT} "$@" > /dev/null || exit 2; }}
pip() {{ for name in "$@"; do case $name in install) ;; *) python -c "import importlib.metadata as m, re, sys; \
m.version(re.split('[[]', sys.argv[1])[0])" "$name";; esac; done; }}
"""


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    place: str
    section: str
    language: str
    how: str
    text: str
    printed: tuple[str, ...] = ()


def blocks(file: Path) -> list[Block]:
    text = file.read_text("utf-8")
    found = [
        Block(
            place=f"{file.name}:{text[: match.start()].count(chr(10)) + 1}",
            section=["", *re.findall(r"^## (.+)$", text[: match.start()], re.MULTILINE)][-1],
            language=match[1] or "",
            how=match[2].strip(),
            text=match[3],
        )
        for match in BLOCK.finditer(text)
    ]
    ends = [match.end() for match in BLOCK.finditer(text)]
    starts = [match.start() for match in BLOCK.finditer(text)]
    out = list[Block]()
    for place, block in enumerate(found):
        following = found[place + 1] if place + 1 < len(found) else None
        next_to = following and not text[ends[place] : starts[place + 1]].strip()
        printed = following.text.splitlines() if following and next_to and following.language == "text" else []
        out.append(replace(block, printed=tuple(filter(None, printed))))
    return out


@dataclass
class Reader:
    """Somebody who does what a page says, in a folder."""

    folder: Path
    instead: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def read(self, page: Path, *, anew: bool = True) -> None:
        """Do all that a page says; `anew`: what a section sets holds to its end."""
        before, section = dict(self.environment), ""
        for block in blocks(page):
            if anew and block.section != section:
                self.environment, section = dict(before), block.section
            getattr(self, f"_{block.language}", self._nothing)(block)
        if anew:
            self.environment = before

    def _nothing(self, block: Block) -> None:
        assert block.language in {"", "text", "console", "toml", "json"}, f"{block.place}: {block.language}"

    def _meant(self, text: str) -> str:
        for said, stands_for in self.instead.items():
            text = text.replace(said, stands_for)
        return text

    def _bash(self, block: Block) -> None:
        wanted = int(block.how.removeprefix("exits ")) if block.how else 0
        state = self.folder / ".state"
        done = subprocess.run(
            ["bash", "-c", f"{BEFORE}\n{self._meant(block.text)}\npwd > {state}; env -0 >> {state}"],
            cwd=self.folder,
            env={**_plain(), **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == wanted, f"{block.place}: exit code {done.returncode}\n{block.text}\n{done.stdout}"
        assert "Traceback" not in done.stdout, done.stdout
        if wanted == 0:
            _, _, left = state.read_text().partition("\n")
            self.environment = dict(each.split("=", 1) for each in left.split("\0") if "=" in each)
        place = 0
        for line in block.printed:
            place = done.stdout.find(line, place)
            assert place >= 0, f"{block.place}: {line!r} was not printed\n{done.stdout}"

    def _sql(self, block: Block) -> None:
        lake = Lake(load_settings(home=self.folder / ".everspring"))
        for question in block.text.strip().split(";\n"):
            assert lake.query(question).width, block.place

    def _python(self, block: Block) -> None:
        done = subprocess.run(
            [sys.executable, "-c", block.text],
            cwd=self.folder,
            env={**_plain(), **self.environment, "HF_HOME": str(self.folder / "hf"), "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{block.place}\n{done.stdout}"

    def _json(self, block: Block) -> None:
        assert [json.loads(line) for line in block.text.splitlines()]
        (self.folder / block.how).write_text(block.text)

    def _toml(self, block: Block) -> None:
        given = tomllib.loads(block.text)
        assert given.keys() <= Settings.model_fields.keys(), block.place
        assert Settings.model_validate({"base_url": "", **given}), block.place
        if block.how:
            (self.folder / block.how).write_text(block.text)


def _plain() -> dict[str, str]:
    """This environment, without anything of ours, and with `everspring` on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVERSPRING", "OPENAI", "AWS"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}", "COLUMNS": "160"}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody who has done the tutorial."""
    good = runpy.run_path(str(ROOT / "tests/tasks/alignment/test_ultrafeedback.py"))["good"]
    folder = tmp_path_factory.mktemp("reader")
    with ScriptedServer(good, models=("my-model",), batch_delay=None) as server:
        here = {
            "http://localhost:8000/v1": server.url,
            "cd everspring": ":",
            "source .venv/bin/activate": ":",
        }
        made = Reader(folder, here)
        made.read(ROOT / "docs" / "tutorial.md", anew=False)
        yield made


pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docs"), pytest.mark.timeout(600)]
PAGES = ("README.md", "docs/sql.md", "docs/exports.md", "docs/endpoints.md", "docs/troubleshooting.md")


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_is_so(reader: Reader, page: str) -> None:
    reader.read(ROOT / page)


@pytest.mark.long
@pytest.mark.postgres
def test_what_is_said_of_operations_is_so(reader: Reader, request: pytest.FixtureRequest) -> None:
    bucket = bucket_of(request.getfixturevalue("s3_server"))
    reader.instead |= {
        "postgresql://worker:password@db.example/everspring": database_of(request.getfixturevalue("postgres_server")),
        "s3://bucket/lake/": f"s3://{bucket.name}/lake/",
        "https://s3.example": bucket.endpoint,
        "S3_KEY_ID=key": f"S3_KEY_ID={bucket.key_id}",
        "S3_SECRET=secret": f"S3_SECRET={bucket.secret}",
    }
    reader.read(ROOT / "docs" / "operations.md")


def test_no_page_is_left_out() -> None:
    read = {*PAGES, "docs/tutorial.md", "docs/operations.md"}
    others = {"docs/methods.md", "docs/tables.md", "docs/settings.md"}  # see test_every_method.py, make lint, and below
    assert {str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")} | {"README.md"} == read | others


def test_every_setting_is_documented_and_every_documented_one_is_there() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    told = set[str]()
    for cell in re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE):
        first, *others = re.findall(r"`(\w+)`", cell)
        told |= {first, *(f"EVERSPRING{name}" if name.startswith("_") else name for name in others)}
    names = {
        name: _names(its.validation_alias) or {f"EVERSPRING_{name.upper()}"}
        for name, its in Settings.model_fields.items()
    }
    assert [name for name, its in names.items() if not told & its] == []
    known = {name for its in names.values() for name in its}
    assert {name for name in told if name.startswith("EVERSPRING_")} <= known


def _names(alias: Any) -> set[Any]:
    return set(getattr(alias, "choices", [alias] if alias else []))


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
    for name, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
        there = (page.parent / name if name else page).read_text()
        titles = re.findall(r"^#+ (.+)$", there, re.MULTILINE)
        headings = [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
        assert anchor in headings, f"{page.name}: {name}#{anchor}"
