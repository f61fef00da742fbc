"""The embedded model for other programs: a server of its own at a chosen address, for the length of a block."""

import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from infra.errors import Failure, Refusal
from infra.settings import Settings
from tasks.llm.embedded.process import start
from tasks.llm.embedded.weights import find_weights


@contextmanager
def serve_alone(settings: Settings, host: str, port: int) -> Generator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve the embedded model; yields its base URL and its process, which ends with the block or with this process.

    Args:
        settings: home folder, slots and context.
        host: the address to listen at.
        port: 0 for any free one.

    Raises:
        Refusal: where the address cannot be listened at, or the weights or llama.cpp are not installed.
        Failure: where the server does not start.
    """
    weights = find_weights()
    _check(host, port)
    log = settings.folder("embedded") / "alone.log"
    with log.open("wb") as output:
        child = start(
            settings,
            weights,
            "--host",
            host,
            "--port",
            str(port),
            stdin=subprocess.PIPE,  # its end, with this process, is the server's
            stdout=subprocess.PIPE,
            stderr=output,
        )
    assert child.stdout
    try:
        address = child.stdout.readline().decode().strip()
        if not address:
            raise Failure(
                f"embedded model: its server ended with status {child.wait()}, an answer was wanted; see {log}"
            )
        yield f"{address}/v1", child
    finally:
        child.kill()
        child.wait()


def _check(host: str, port: int) -> None:
    """Refuse an address that cannot be listened at: llama.cpp would only end."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except (OSError, OverflowError) as error:
            said = getattr(error, "strerror", None) or error
            raise Refusal(
                f"--port {port}: {host} cannot be listened at ({said}), a free port was wanted; name another one"
            ) from None
