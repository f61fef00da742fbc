"""Services: a supervisor keeps them running, and they end with it, however it dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.child import Child
from infra.services import end_services, kept, left_over, serving, state_file
from infra.settings import Settings, load_settings
from infra.web import free_port

ROOT = Path(__file__).parents[2]
SUPERVISOR = """
import socket, sys
from infra.child import Child
from infra.services import Service, Supervisor
from infra.settings import load_settings

settings, port = load_settings(home=sys.argv[1]), int(sys.argv[2])

def listens():
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

def start(*command):
    return Child(command, settings.folder("services") / "log")

page = Service("page", f"http://127.0.0.1:{port}", listens,
               lambda: start("http.server", str(port), "--bind", "127.0.0.1"))
job = Service("job", "", lambda: True, lambda: start("this"), after=["page"], job=True)
Supervisor(settings, [page, job], lambda standing: print(standing.name, standing.state, flush=True)).run()
"""
"""`http.server` is a service, and printing the Zen of Python a job."""


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.05)
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def supervised(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor in a process of its own, and the port at which its service listens."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(settings.home), str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        until(lambda: {its.name: its.state for its in kept(settings).standings} == {"page": "runs", "job": "done"})
        yield process, port
    finally:
        process.kill()
        process.communicate()
        until(lambda: not listens(port))


def page(settings: Settings) -> Any:
    return kept(settings).standings[0]


def test_a_child_ends_with_a_parent_that_is_killed_and_takes_its_own_children_with_it(tmp_path: Path) -> None:
    child = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    (tmp_path / "grown.py").write_text(f"{child}print(p.pid, flush=True); p.wait()\n")
    parent = (
        "import os, time\nfrom pathlib import Path\nfrom infra.child import Child\n"
        f"child = Child(['grown'], Path({str(tmp_path / 'log')!r}))\nprint(child.pid, flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
    )
    assert process.stdout
    pid = int(process.stdout.readline())
    grandchild = int(until(lambda: (tmp_path / "log").read_text().strip()))
    assert alive(pid)
    assert alive(grandchild)
    process.kill()
    process.wait()
    until(lambda: not alive(pid) and not alive(grandchild))


def test_a_child_that_is_told_to_end_has_its_grace(tmp_path: Path) -> None:
    (tmp_path / "polite.py").write_text(
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye', flush=True)))\n"
        "print('here', flush=True)\ntime.sleep(60)\n"
    )
    log = tmp_path / "log"
    child = Child(["polite"], log, {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}, grace=20)
    until(lambda: "here" in log.read_text())
    began = time.monotonic()
    child.end()
    assert child.last_words() == "bye"
    assert time.monotonic() - began < 15


def test_a_service_that_dies_is_started_again_at_its_address(
    settings: Settings, supervised: tuple[subprocess.Popen[str], int]
) -> None:
    _, port = supervised
    first = page(settings)
    assert first.pid
    assert first.since
    os.kill(first.pid, signal.SIGKILL)
    again = until(lambda: page(settings).state == "runs" and page(settings).pid != first.pid and page(settings))
    assert (again.restarts, again.address) == (1, first.address)
    assert listens(port)


def test_services_end_when_they_are_told_to(settings: Settings, supervised: tuple[subprocess.Popen[str], int]) -> None:
    process, port = supervised
    assert end_services(settings)
    assert process.wait(10) == 0
    assert not listens(port)
    assert kept(settings).pid is None
    assert not end_services(settings)


def test_services_end_with_a_supervisor_that_is_killed(
    settings: Settings, supervised: tuple[subprocess.Popen[str], int]
) -> None:
    process, port = supervised
    process.kill()
    process.wait()
    until(lambda: not left_over(settings) and not listens(port))
    assert kept(settings).standings == []
    assert not end_services(settings)


def test_a_home_has_one_supervisor(settings: Settings, supervised: tuple[subprocess.Popen[str], int]) -> None:
    other = subprocess.run(
        [sys.executable, "-c", SUPERVISOR, str(settings.home), str(free_port())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "are kept by another process" in other.stderr
    assert page(settings).state == "runs"


def test_an_id_that_is_another_programs_by_now_is_no_supervisor_and_is_left_alone(settings: Settings) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        standing = {"name": "page", "address": "http://127.0.0.1:1", "pid": bystander.pid, "began": "long ago"}
        state_file(settings).write_text(json.dumps({"pid": bystander.pid, "began": "long ago", "services": [standing]}))
        assert kept(settings).pid is None
        assert left_over(settings) == []
        assert serving(settings, "page") == ""
        assert not end_services(settings)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_state_that_was_cut_off_counts_as_none(settings: Settings) -> None:
    state_file(settings).write_text('{"pid": 1, "ser')
    assert kept(settings).pid is None


def test_where_a_port_is_taken_the_next_one_is_found() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = free_port(port)
        assert port < found < port + 20
