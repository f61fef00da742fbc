"""A real PostgreSQL server for tests: started on a free loopback port, gone after the session."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

USER, PASSWORD = "everspring", "s3cret:pass/word"
_QUOTED = "s3cret%3Apass%2Fword"


def _program(name: str) -> str | None:
    """PostgreSQL's program, wherever the distribution puts it: the newest version's."""
    there = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda file: int(file.parts[4]))
    return shutil.which(name) or (str(there[-1]) if there else None)


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server, up to the host: `postgresql://user:password@127.0.0.1:port`."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if not initdb or not pg_ctl:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    # The server refuses to run as root, and its user must own the folder: pytest's own are closed to others.
    as_user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="everspring-postgres-"))
    data, secret = folder / "data", folder / "secret"
    secret.write_text(PASSWORD)
    if as_user:
        owner = pwd.getpwnam("postgres")
        for path in (folder, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*command: str) -> None:
        # Not captured by pipes: the server would keep them open.
        with (folder / "output").open("a") as output:
            done = subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=False, **as_user)
        assert done.returncode == 0, (folder / "output").read_text()

    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = [pg_ctl, "--pgdata", str(data), "--wait"]
    try:
        run(
            initdb,
            "--pgdata",
            str(data),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
            "--no-sync",
            "-E",
            "UTF8",
        )
        run(*control, "--log", str(folder / "log"), "--options", options, "start")
        try:
            yield f"postgresql://{USER}:{_QUOTED}@127.0.0.1:{port}"
        finally:
            run(*control, "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server for the whole session."""
    with serving() as server:
        yield server


def database_of(server: str) -> str:
    """The address of an empty database."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


@pytest.fixture
def postgres_database(postgres_server: str) -> str:
    """The address of an empty database of the test's own."""
    return database_of(postgres_server)
