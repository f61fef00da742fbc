"""MLflow's page over the home folder's runs, in a child process that ends with its parent."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from infra.errors import Failure
from infra.prefect_server import healthy
from infra.settings import Settings

START_SECONDS = 120.0


@contextmanager
def mlflow_server(settings: Settings, port: int) -> Generator[str]:
    """Serve MLflow's page for the length of the block; yields its address, or that of the server the settings name.

    Raises:
        Failure: where it does not come up.
    """
    if settings.mlflow.startswith(("http://", "https://")):
        yield settings.mlflow
        return
    address, log = f"http://127.0.0.1:{port}", settings.folder("mlflow") / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(  # noqa: S603 - our own interpreter and MLflow's module
            [
                *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
                *("--workers", "1", "--backend-store-uri", settings.tracking_uri),
                *("--default-artifact-root", str(settings.folder("mlflow", "artifacts"))),
            ],
            stdout=output,
            stderr=output,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not healthy(address):
            if server.poll() is not None or time.monotonic() > deadline:
                said = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or ["nothing"]
                raise Failure(f"MLflow: its page did not start (it said: {said[0]}); see {log}")
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)
