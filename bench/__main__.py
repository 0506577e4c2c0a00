"""`make bench`: each measurement beside a peer in one run on the sandbox, medians into RESULTS.md.

`python -m bench starting latency` makes these tables anew and leaves the others as they are.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from . import (
    apps,
    following,
    growth,
    latency,
    many,
    masking,
    plugin,
    preview,
    pruning,
    requests,
    review,
    source,
    starting,
    stored,
    updates,
)

RESULTS = Path(__file__).parent / "RESULTS.md"
MODULES = (
    starting,
    plugin,
    latency,
    requests,
    updates,
    many,
    preview,
    growth,
    apps,
    review,
    following,
    stored,
    masking,
    source,
    pruning,
)


def main() -> None:
    names = {module.__name__.rpartition(".")[2]: module for module in MODULES}
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *names], help="what to measure (default: all)")
    chosen = [names[name] for name in parser.parse_args().names] or list(MODULES)
    tables = _tables(RESULTS.read_text()) if RESULTS.exists() else {}
    for module in chosen:
        print(f"measuring: {module.TITLE}", flush=True)
        tables[module.TITLE] = module.measure().text()
        RESULTS.write_text(_page([tables[one.TITLE] for one in MODULES if one.TITLE in tables]))
        print(tables[module.TITLE], flush=True)


def _tables(page: str) -> dict[str, str]:
    """The tables of a page, by their titles."""
    return {text.partition("\n")[0]: f"\n## {text.rstrip()}\n" for text in page.split("\n## ")[1:]}


def _page(tables: list[str]) -> str:
    versions = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().splitlines()[0]
        for command in (["pulumi", "version"], ["kubectl", "version", "--client"], ["python3", "--version"])
    ]
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    head = f"# Results\n\n{datetime.now(UTC):%Y-%m-%d}, {cores} cores, {platform.system()}; {', '.join(versions)}.\n"
    said = "Medians of five or more where a table does not say otherwise; date and load are those before each run.\n"
    return head + said + "".join(tables)


if __name__ == "__main__":
    main()
