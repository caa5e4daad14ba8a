"""Says what scratch memory the accepted plans of `fmha` declare for sequences of one length, as trace lines."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

SIZES = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2, "i32": 4}


def declared(plan: dict, axes: dict[str, int]) -> int:
    """Bytes of all buffers. Their shapes are numbers and names of axes; anything else is more than this script reads."""
    total = 0
    for buffer in plan.get("workspace", []):
        size = SIZES[buffer["dtype"]]
        for term in buffer["shape"]:
            size *= term if isinstance(term, int) else axes[term]
        total += size
    return total


def main() -> None:
    length = int(sys.argv[1])
    for variant in sys.argv[2:]:
        plan = tomllib.loads(Path(f"generated/fmha/{variant}/cpp/plan.toml").read_text())
        fields = {
            "variant": variant,
            "n": length,
            "bytes": declared(plan, {"N": length}),
            "row_bytes": 4 * length,
            "matrix_bytes": 4 * length * length,
        }
        print("__SPAK_TRACE__ " + json.dumps({"case": "TraceItem.Scratch", "fields": fields}, sort_keys=True))


if __name__ == "__main__":
    main()
