"""A disk that runs full: a clear error, a lake that still reads, and the same command goes on once there is room."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from parts import ROOT, environment_of
from scripted import StartServer, sensible
from world import LANES, PLAIN

SIZE = 48 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, left: int) -> Path:
    """Leave so many bytes free."""
    ballast = place / "ballast"
    there = os.statvfs(place)
    with ballast.open("wb") as file:
        file.write(b"\0" * max(0, there.f_bavail * there.f_frsize - left))
    return ballast


@pytest.mark.long
@pytest.mark.parametrize("left", [0, 600_000])
def test_a_full_disk_is_named_the_lake_reads_and_the_same_command_goes_on(
    small_disk: Path, scripted_server: StartServer, left: int
) -> None:
    server = scripted_server(sensible)
    environment = environment_of(**PLAIN, EVERSPRING_HOME=str(small_disk / "home"), OPENAI_BASE_URL=server.url)

    def everspring(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "flows", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    first = everspring("run", *LANES[0])
    assert first.returncode == 0, first.stderr
    ballast = fill(small_disk, left)
    full = everspring("run", *LANES[0], "--seed", "2")
    assert full.returncode == 1, full.stderr
    assert f"disk: that of {small_disk}" in full.stderr
    assert "free some, then give the same command again" in full.stderr
    assert "Traceback" not in full.stderr
    read = everspring("sql", "select count(*) as rows from alignment.ultrafeedback", "--format", "csv")
    assert read.stdout.split() == ["rows", "4"], read.stderr
    ballast.unlink()
    again = everspring("run", *LANES[0], "--seed", "2")
    assert again.returncode == 0, again.stderr
    verified = everspring("verify", "alignment.ultrafeedback")
    assert verified.returncode == 0, verified.stdout + verified.stderr
