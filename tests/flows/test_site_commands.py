"""The commands of the site, as their user gives them."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from infra.errors import Refusal

ROOT = Path(__file__).parents[2]


def test_build_says_where_the_site_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSPRING_HOME", str(tmp_path / "home"))
    said = CliRunner().invoke(app, ["site", "build"], env={"COLUMNS": "200"})
    assert said.exit_code == 0
    assert (tmp_path / "home/site/index.html").as_uri() in said.stdout


def test_build_refuses_a_folder_of_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSPRING_HOME", str(tmp_path / "home"))
    said = CliRunner().invoke(app, ["site", "build", "--out", str(ROOT / "tests")])
    assert isinstance(said.exception, Refusal)
    assert "holds something else" in str(said.exception)


def test_serve_gives_the_site_on_loopback_until_it_is_interrupted(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "flows", "site", "serve"],
        cwd=ROOT,
        env={**os.environ, "EVERSPRING_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        process.stdout.readline()
        address = process.stdout.readline().split()[0]
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=10) as page:
            assert b"There is no table yet" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
