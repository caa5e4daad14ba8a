"""Build and verify everything on this machine's GPU, and record what was found in `targets/<name>/results/`.

Run by `nox -s gpu`. It records verdicts and error figures, with the environment; it measures no times.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def main() -> int:
    """Exit status 0 if every kernel passed on the device."""
    from spak.model.base import canonical_json

    built = subprocess.run([sys.executable, "-m", "spak", "build"], cwd=ROOT, check=False)
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((ROOT / "build" / "evidence").glob("*/*/sm_*/verify.json")):
        evidence = json.loads(path.read_bytes())
        found.setdefault(evidence["target"], []).append(summary(evidence))
    for target, rows in found.items():
        out = ROOT / "targets" / target / "results" / "verification.json"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(canonical_json({"environment": environment(), "kernels": rows, "speed": "not measured"}))
        print(f"{out.relative_to(ROOT)}: {sum(r['verdict'] == 'passed' for r in rows)} of {len(rows)} kernels passed")
    if not found:
        print("no CUDA device that a target was built for is here: nothing was verified", file=sys.stderr)
    failed = [row for rows in found.values() for row in rows if row["verdict"] != "passed"]
    return 1 if built.returncode or failed or not found else 0


def summary(evidence: dict[str, Any]) -> dict[str, Any]:
    """What is worth keeping of one verification: verdict, counts, worst error, what was not checked."""
    checks = evidence["checks"]
    keys = ("unit", "variant", "verdict", "subject", "not_checked")
    return {
        **{key: evidence[key] for key in keys},
        "passed": sum(c["verdict"] == "passed" for c in checks),
        "failed": [c["name"] for c in checks if c["verdict"] == "failed"],
        "diagnostics": evidence["diagnostics"],
    }


def environment() -> dict[str, str]:
    """The machine, as its own tools name it."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    said = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    name, driver, memory = [*(part.strip() for part in said.split(",")), "", "", ""][:3]
    return {
        "gpu": name,
        "driver": driver,
        "memory": memory,
        "python": platform.python_version(),
        "system": platform.system(),
    }


if __name__ == "__main__":
    sys.exit(main())
