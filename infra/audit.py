"""`python -m infra.audit`: known faults of what is installed, by pip-audit; only packages it could ask about count.

Exit code 0: none is known; 1: some are; 75: a package could not be asked about, such as where there is no network.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

_EDITABLE = "editable"


def main() -> int:
    """Ask, and say what was found."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--local",
        "--skip-editable",
        "--progress-spinner",
        "off",
        "-f",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    if not done.stdout.strip():
        last = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        print(f"audit: pip-audit could not ask its service (it said: {last[0][:300]}); run it where it can")
        return os.EX_TEMPFAIL
    return told(json.loads(done.stdout)["dependencies"])


def told(packages: list[Mapping[str, Any]]) -> int:
    """Say what is known of packages, and what of them is not; returns the exit code."""
    faults = [(package, fault) for package in packages for fault in package.get("vulns", ())]
    for package, fault in faults:
        fixed = ", ".join(fault["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {fault['id']}, mended in {fixed}")
    unknown = [package["name"] for package in packages if _EDITABLE not in package.get("skip_reason", _EDITABLE)]
    asked = sum("vulns" in package for package in packages)
    print(f"audit: {len(faults)} known faults in {asked} packages")
    if unknown:
        listed = ", ".join(unknown[:10]) + (", …" if len(unknown) > 10 else "")
        print(f"audit: {len(unknown)} packages could not be asked about ({listed}); run it where they can")
    return 1 if faults else os.EX_TEMPFAIL if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
