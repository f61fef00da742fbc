"""A real S3 server for tests, moto's: started on a free loopback port, gone after the session."""

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.prefect_server import free_port

KEY_ID, SECRET = "everspring-key", "everspring/secret+of/the/store"


@dataclass(frozen=True)
class Bucket:
    """A bucket of the test's own, and the key to it."""

    endpoint: str
    name: str
    key_id: str = KEY_ID
    secret: str = SECRET

    @property
    def settings(self) -> dict[str, str]:
        """What `load_settings` is given for data in it."""
        return {
            "data": f"s3://{self.name}/lake",
            "s3_endpoint": self.endpoint,
            "s3_key_id": self.key_id,
            "s3_secret": self.secret,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process of its own."""
        return {f"EVERSPRING_{name.upper()}": value for name, value in self.settings.items()}

    def client(self, service: str = "s3") -> Any:
        """AWS's own client."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
        )

    def files(self) -> list[str]:
        """What lies in it."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]


def start_moto(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """A server that answers; whoever starts it ends it."""
    with (folder / "moto.log").open("ab") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output
        )
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=5).close()
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, (folder / "moto.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a server."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = start_moto(Path(folder), port)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
            server.wait()


def bucket_of(server: str) -> Bucket:
    """An empty bucket."""
    made = Bucket(server, f"test-{uuid.uuid4().hex[:12]}")
    made.client().create_bucket(Bucket=made.name)
    return made


@pytest.fixture
def bucket(s3_server: str) -> Bucket:
    """An empty bucket of the test's own."""
    return bucket_of(s3_server)
