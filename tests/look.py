"""Pictures of the pages that `everspring up` serves, after two nights of runs: `python tests/look.py FOLDER`.

Somebody has to look at them: whether a page can be read is nothing that a test could say. Chromium takes them.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from desk import Desk, strong_desk_in

from infra.web import ask_prefect, free_port

SECONDS = 25
"""What a page may take to draw itself: both load their parts one after the other."""
NIGHTS = ("20260130", "20260131")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, strong_desk_in(Path(home), "wrap") as desk:
        prefect, mlflow = free_port(), free_port()
        began = time.monotonic()
        print(desk.run("up", "--detach", "--prefect-port", str(prefect), "--mlflow-port", str(mlflow)))
        print(f"up: {time.monotonic() - began:.1f} s")
        try:
            for night in NIGHTS:
                desk.run("run", "sft", "--method", "symbol_tuning", "--rows", "20", "--seed", night)
            run = _trigger(f"http://127.0.0.1:{prefect}/api")
            for name, address in _pages(desk, f"http://127.0.0.1:{prefect}", f"http://127.0.0.1:{mlflow}", run).items():
                _picture(address, given.folder / f"{name}.png")
        finally:
            desk.run("down")


def _trigger(api: str) -> str:
    """Trigger a flow run as Prefect's form does; returns its id once it has ended."""
    found = ask_prefect(api, "deployments/name/pretraining/weekly")
    asked = {"parameters": {"methods": ["wrap"], "rows": 5}}
    run = ask_prefect(api, f"deployments/{found['id']}/create_flow_run", asked)
    while run["state_type"] not in {"COMPLETED", "FAILED", "CRASHED"}:
        time.sleep(1)
        run = ask_prefect(api, f"flow_runs/{run['id']}")
    print(f"triggered: {run['name']}, {run['state_name']}")
    return run["id"]


def _pages(desk: Desk, prefect: str, mlflow: str, run: str) -> dict[str, str]:
    """The pages to look at, by name."""
    api = f"{prefect}/api"
    deployment = ask_prefect(api, "deployments/name/pretraining/weekly")["id"]
    artifacts: list[dict[str, Any]] = ask_prefect(api, "artifacts/filter", {"flow_runs": {"id": {"any_": [run]}}})
    by_key = {each["key"]: each["id"] for each in artifacts}
    versions = desk.lake.query("SELECT mlflow_run FROM catalog.runs WHERE method = 'symbol_tuning' ORDER BY version")
    runs = quote(json.dumps([row[0] for row in versions.rows()]))
    experiments = quote('["1"]')
    return {
        "prefect-runs": f"{prefect}/runs",
        "prefect-deployments": f"{prefect}/deployments",
        "prefect-form": f"{prefect}/deployments/deployment/{deployment}/run",
        "prefect-run": f"{prefect}/runs/flow-run/{run}",
        "prefect-results": f"{prefect}/artifacts/artifact/{by_key['results']}",
        "prefect-report": f"{prefect}/artifacts/artifact/{by_key['report-pretraining']}",
        "prefect-checks": f"{prefect}/artifacts/artifact/{by_key['checks-wrap']}",
        "prefect-limits": f"{prefect}/concurrency-limits",
        "prefect-automations": f"{prefect}/automations",
        "mlflow-runs": f"{mlflow}/#/experiments/1/runs",
        "mlflow-comparison": f"{mlflow}/#/compare-runs?runs={runs}&experiments={experiments}",
    }


def _picture(address: str, file: Path) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                *(program, "--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={profile}"),
                *(
                    "--window-size=1700,2400",
                    f"--virtual-time-budget={SECONDS * 1000}",
                    f"--screenshot={file}",
                    address,
                ),
            ],
            check=False,
            capture_output=True,
            timeout=180,
        )
    print(file if file.exists() else f"{file}: not taken")


if __name__ == "__main__":
    main()
