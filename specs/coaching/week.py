"""One week of a training diary as a trace line."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path


def main() -> int:
    number = int(sys.argv[2])
    with Path(sys.argv[1]).open(newline="") as file:
        rows = {int(row["week"]): row for row in csv.DictReader(file)}
    if number not in rows:
        print(f"the diary has no week {number}", file=sys.stderr)
        return 1
    row = rows[number]
    fields = {
        "week": number,
        "km": float(row["km"]),
        "hard_km": float(row["hard_km"]),
        "sleep_hours": float(row["sleep_hours"]),
        "note": row["note"],
        "last": number == max(rows),
    }
    print("__SPAK_TRACE__ " + json.dumps({"case": "TraceItem.Week", "fields": fields}, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
