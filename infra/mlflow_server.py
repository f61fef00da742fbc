"""MLflow's page over the home folder's runs, in a child process that ends with its parent."""

from contextlib import AbstractContextManager

from infra.child import Child
from infra.making import making
from infra.settings import Settings
from infra.web import LOOPBACK

MLFLOW = "MLflow"
"""The service's name."""


def making_store(settings: Settings) -> AbstractContextManager[None]:
    """Let the block make, or open, the home folder's store."""
    # The experiment that it begins with says where the home folder keeps its artifacts.
    return making(settings.folder() / "mlflow.db", "mlflow", own=["experiments"])


def start_mlflow(settings: Settings, port: int, *, grace: float = 0.0) -> Child:
    """Start to serve MLflow's page on loopback."""
    command = [
        *("mlflow", "server", "--host", LOOPBACK, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", settings.tracking_uri),
        *("--default-artifact-root", str(settings.folder("mlflow", "artifacts"))),
    ]
    # What MLflow would do beside showing pages starts further processes.
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return Child(command, settings.folder("mlflow") / "server.log", quiet, grace=grace)
