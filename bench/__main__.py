"""`make bench`: each measurement beside a peer in one run on the sandbox, medians into RESULTS.md."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from . import following, latency, preview, pruning, source, starting, updates
from .measure import Table

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    tables: list[Table] = []
    for module in (starting, latency, updates, preview, following, source, pruning):
        print(f"measuring: {module.TITLE}", flush=True)
        tables.append(module.measure())
        RESULTS.write_text(_page(tables))
        print(tables[-1].text(), flush=True)


def _page(tables: list[Table]) -> str:
    versions = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
        for command in (["pulumi", "version"], ["kubectl", "version", "--client"], ["python3", "--version"])
    ]
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    head = f"# Results\n\n{datetime.now(UTC):%Y-%m-%d}, {cores} cores, {platform.system()}; {', '.join(versions)}.\n"
    return (
        head
        + "Medians of five or more where a table does not say otherwise; load before the run is in each table.\n"
        + "".join(t.text() for t in tables)
    )


if __name__ == "__main__":
    main()
