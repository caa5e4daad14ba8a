"""Cuts a service's log into lifetimes, from start to kill, and says of each what was counted as a trace line."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

REQUEST = re.compile(r" orders-\S+ +(?:GET|POST|PUT) \S+ (\d{3}) (\d+) ms")
HEAP = re.compile(r"heap (\d+) MB of (\d+) MB")


def report(number: int, lines: list[str]) -> None:
    requests = [(int(m[1]), int(m[2])) for line in lines if (m := REQUEST.search(line))]
    heap = [int(m[1]) for line in lines if (m := HEAP.search(line))]
    times = sorted(ms for _, ms in requests)
    fields = {
        "number": number,
        "requests": len(requests),
        "failed": sum(status >= 500 for status, _ in requests),
        "p95_ms": times[int(0.95 * (len(times) - 1))] if times else 0,
        "heap_grew_mb": heap[-1] - heap[0] if heap else 0,
        "killed": any("OOMKilled" in line for line in lines),
        "retransmissions": sum("retransmission" in line for line in lines),
    }
    print("__SPAK_TRACE__ " + json.dumps({"case": "TraceItem.Lifetime", "fields": fields}, sort_keys=True))


def main() -> None:
    lines = Path(sys.argv[1]).read_text().splitlines()
    begin, number = 0, 0
    for i, line in enumerate(lines):
        if "restarting container" in line:
            number += 1
            report(number, lines[begin : i + 1])
            begin = i + 1


if __name__ == "__main__":
    main()
