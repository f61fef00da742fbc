"""Tracking: one MLflow run for each run of a method, whether a version came of it or not.

MLflow is begun before the version is published and ended after, so that the version knows its MLflow run and the run
its snapshot. A tracking server that cannot be reached costs a warning, never a row.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from catalog.publish import Run
from catalog.store import Version
from infra.mlflow_server import making_store
from infra.settings import Settings
from quality.gate import Check

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

EXPERIMENT = "everspring"


def begin(run: Run, metrics: Mapping[str, float], checks: Sequence[Check], settings: Settings) -> tuple[str, str]:
    """Log a run that has made its rows; returns the id of its MLflow run, or nothing and a warning."""
    from mlflow.entities import Metric, Param, RunTag

    given = {"rows_in": run.rows_in, "made": run.made, "kept": run.kept, "rejected": run.rejected}
    spent = {
        "dropped": run.dropped,
        "calls": run.calls,
        "calls_reused": run.reused,
        "calls_failed": run.failed,
        "prompt_tokens": run.prompt_tokens,
        "completion_tokens": run.completion_tokens,
        "calls_unmetered": run.unmetered,
        "calls_unpriced": run.unpriced,
        **({} if run.cost is None else {"cost": run.cost}),
    }
    gates = {f"check.{_name(check.expectation)}": float(check.passed) for check in checks}
    figures = {**given, **spent, **metrics, **gates}
    # Where versions differ in none of their settings, what they were made from is what tells them apart.
    params = {**json.loads(run.settings), "inputs": ", ".join(run.inputs), "models": ", ".join(run.models)}
    now = int(run.started_at.timestamp() * 1000)
    tags = {
        "everspring.table": run.table_name,
        "everspring.stage": run.stage,
        "everspring.run_id": run.run_id,
        "everspring.fingerprint": run.fingerprint,
        "everspring.code_revision": run.code_revision,
        "everspring.models": ", ".join(run.models),
        "everspring.stopped": run.stopped,
        "prefect.flow_run_id": run.flow_run,
    }
    try:
        client = _client(settings)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        experiment_id = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
        begun = client.create_run(experiment_id, start_time=now, run_name=run.table_name).info.run_id
        client.log_batch(
            begun,
            metrics=[Metric(name, float(value), now, 0) for name, value in figures.items()],
            params=[Param(name, str(value)[:6000]) for name, value in params.items()],
            tags=[RunTag(name, value) for name, value in tags.items() if value],
        )
        client.log_inputs(begun, [_dataset(reference) for reference in run.inputs])
    except Exception as error:  # noqa: BLE001 - MLflow lets through what its store raises; no row may be lost for it
        return "", f"not tracked in MLflow ({str(error).splitlines()[0]})"
    return begun, ""


def end(run: Run, version: Version | None, settings: Settings) -> None:
    """Close the MLflow run: finished with its version and snapshot, or failed."""
    if not run.mlflow_run:
        return
    try:
        client = _client(settings)
        client.log_metric(run.mlflow_run, "seconds", run.seconds)
        if version:
            client.set_tag(run.mlflow_run, "everspring.version", str(version.ref))
            client.set_tag(run.mlflow_run, "everspring.snapshot", str(version.snapshot))
            client.update_run(run.mlflow_run, name=str(version.ref))
        client.set_terminated(run.mlflow_run, "FINISHED" if version else "FAILED")
    except Exception as error:  # noqa: BLE001 - as above; the version is published
        logging.getLogger("everspring").warning("%s: MLflow run not closed (%s)", run.table_name, error)


def _client(settings: Settings) -> "MlflowClient":
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # As it comes, MLflow waits for a server that is gone for minutes, at each of a dozen calls.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from mlflow.tracking import MlflowClient

    if settings.mlflow:
        return MlflowClient(settings.mlflow)
    with making_store(settings):
        client = MlflowClient(settings.tracking_uri)
        client.search_experiments(max_results=1)  # the store is made at its first use
        return client


def _dataset(reference: str) -> Any:
    """A table's version as an MLflow dataset: its name and where it is, not its rows."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    table, _, version = reference.partition("@")
    source = json.dumps({"table": table, "version": int(version)})
    dataset = Dataset(name=table, digest=f"v{version}", source_type="everspring", source=source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "input")])


def _name(expectation: str) -> str:
    """The expectation as MLflow lets a metric be called."""
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in expectation).strip("_")
