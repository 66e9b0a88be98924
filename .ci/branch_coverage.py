"""Fails when a package's branch coverage is below the bar: `branch_coverage.py REPORT.json PERCENT PACKAGE…`."""

import json
import sys
from pathlib import Path
from typing import Any


def branch_percent(report: dict[str, Any], package: str) -> float:
    """Share of the branches under `package` that the tests took; 0 when nothing of it was measured."""
    summaries = [entry["summary"] for path, entry in report["files"].items() if Path(path).is_relative_to(package)]
    total = sum(summary["num_branches"] for summary in summaries)
    covered = sum(summary["covered_branches"] for summary in summaries)
    if not summaries:
        return 0.0
    return 100.0 * covered / total if total else 100.0


def main(report_path: str, bar: str, *packages: str) -> int:
    """Print one line per package; 1 when any is below the bar."""
    report = json.loads(Path(report_path).read_text(encoding="utf-8"))
    percents = {package: branch_percent(report, package) for package in packages}
    for package, percent in percents.items():
        verdict = "ok" if percent >= float(bar) else f"below {bar} %"
        print(f"{package}: {percent:.1f} % of branches, {verdict}")
    return int(any(percent < float(bar) for percent in percents.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
