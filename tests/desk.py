"""A desk: the product as its user runs it, the command line in one process and a scripted endpoint in another."""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripted import ScriptedServer

from catalog.store import Lake
from infra.settings import load_settings
from tasks.method import find_method

ROOT = Path(__file__).parents[1]


@dataclass
class Desk:
    """A home folder, a scripted endpoint (without an address: none) that logs what it answers, and a shell."""

    home: Path
    url: str = ""
    log: Path = Path("nothing")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("EVERSPRING", "OPENAI", "AWS"))
        }
        endpoint = {"OPENAI_BASE_URL": self.url} if self.url else {}
        return subprocess.Popen(
            [sys.executable, "-m", "flows", *arguments],
            cwd=ROOT,
            env={**clean, "EVERSPRING_HOME": str(self.home), **endpoint, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0, **environment: str) -> str:
        process = self.start(*arguments, **environment)
        said, _ = process.communicate(timeout=500)
        assert process.returncode == code, said
        assert "Traceback" not in said
        return said

    def answered(self) -> list[str]:
        """Every request that the endpoint has answered, as text."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.dumps(json.loads(line)["body"], sort_keys=True) for line in lines if line.endswith("}")]

    @property
    def lake(self) -> Lake:
        return Lake(load_settings(home=self.home))

    def rows(self) -> dict[str, list[str]]:
        """The record ids of every table."""
        lake = self.lake
        return {
            table: sorted(lake.ids(version)) for table, version in {v.ref.table: v for v in lake.versions()}.items()
        }


@contextmanager
def strong_desk_in(folder: Path, method_id: str) -> Generator[Desk]:
    """A desk whose endpoint answers as a strong model would answer a method: as the method's test says."""
    method = find_method(method_id)
    file = ROOT / "tests" / "tasks" / method.stage / f"test_{method.id}.py"
    with ScriptedServer(runpy.run_path(str(file))["good"]) as server:
        yield Desk(folder / "home", server.url)


@contextmanager
def desk_in(folder: Path, delay: float) -> Generator[Desk]:
    """A desk whose endpoint answers after so many seconds."""
    log = folder / "answered.jsonl"
    server = subprocess.Popen(
        [sys.executable, ROOT / "tests/scripted.py", "--log", log, "--delay", str(delay)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    try:
        yield Desk(folder / "home", server.stdout.readline().strip(), log)
    finally:
        server.communicate(timeout=20)
