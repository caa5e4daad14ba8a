"""`python tests/sim/defects [PAGE [KERNEL]]`: run the planted defects and print what is found; `--write` writes the document."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from spak.sim import report

from defects import drive, table, verdict
from defects.page import FIXED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", nargs="?", help=f"one of {', '.join(table.ORDER)}; all without")
    parser.add_argument("kernel", nargs="?", default="", help="part of a kernel's name: print its reports whole")
    parser.add_argument("--write", action="store_true", help="write docs/simulator-defects.md")
    options = parser.parse_args()
    pages = [one for one in table.pages() if options.page in (None, one.name.removesuffix(".cu"))]
    if not pages:
        parser.error(f"there is no page {options.page}")
    runs = drive.Driver(pages).run(options.kernel)
    problems = 0
    for exhibit in (one for each in pages for one in each.exhibits):
        for version in exhibit.versions():
            run = runs.get(exhibit.symbol(version))
            if run is None:
                continue
            form = next((one for one in exhibit.forms if one.name == version), None)
            wrong = verdict.missed(exhibit, form, run) if form else verdict.unclean(exhibit, run)
            problems += bool(wrong)
            if wrong:
                print(f"{exhibit.page}:{exhibit.line}: {run.symbol}: {wrong}")
            if options.kernel and run.findings:
                print(report.text(run.findings))
    right = sum(symbol.endswith(f"__{FIXED}") for symbol in runs)
    print(f"{len(runs) - right} defects, {right} right kernels, {problems} problems")
    if options.write:
        table.DOCUMENT.write_text(table.document(pages, runs))
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
