"""A real PostgreSQL server for tests: started on a free loopback port, gone after the session."""

import os
import pwd
import shutil
import signal
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


class Postgres:
    """A server of its own on a free loopback port, from a folder of its own; it can be killed, and started again."""

    def __init__(self) -> None:
        self._control, initdb = _program("pg_ctl"), _program("initdb")
        if not self._control or not initdb:
            pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
        # The server refuses to run as root, and its user must own the folder: pytest's own are closed to others.
        root = os.getuid() == 0
        self._as_user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if root else {}
        self.folder = Path(tempfile.mkdtemp(prefix="everspring-postgres-"))
        self.data, secret = self.folder / "data", self.folder / "secret"
        secret.write_text(PASSWORD)
        if root:
            owner = pwd.getpwnam("postgres")
            for path in (self.folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        named = ("--pgdata", str(self.data), "-U", USER, f"--pwfile={secret}")
        self._run(initdb, *named, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8")

    @property
    def url(self) -> str:
        """Its address, up to the host: `postgresql://user:password@127.0.0.1:port`."""
        return f"postgresql://{USER}:{_QUOTED}@127.0.0.1:{self.port}"

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._pg_ctl("--log", str(self.folder / "log"), "--options", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._pg_ctl("--mode", mode, "stop")

    def kill(self) -> None:
        """End the postmaster at once; what served its connections ends by itself, soon."""
        os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _pg_ctl(self, *arguments: str) -> None:
        assert self._control
        self._run(self._control, "--pgdata", str(self.data), "--wait", *arguments)

    def _run(self, *command: str) -> None:
        # Not captured by pipes: the server would keep them open.
        with (self.folder / "output").open("a") as output:
            done = subprocess.run(command, cwd=self.folder, stdout=output, stderr=output, check=False, **self._as_user)
        assert done.returncode == 0, (self.folder / "output").read_text()


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server, up to the host; a test that kills its server has one of its own."""
    server = Postgres()
    try:
        server.start()
        try:
            yield server.url
        finally:
            server.stop()
    finally:
        server.remove()


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
