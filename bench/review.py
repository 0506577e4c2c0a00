"""What a review of 200 tasks in 20 Apps takes beyond its preview: all documents from the events of a preview."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

from .measure import CHECKOUT, Table, median, run

TITLE = "Review of 200 tasks in 20 Apps"
APPS, TASKS, REPEATS = 20, 10, 5
RECORDED = CHECKOUT / "tests" / "core" / "review" / "recorded" / "dev.events"
TASK = "schema"  # of the recorded App: it runs again, and its template differs


def measure() -> Table:
    """Medians of `kf review --from`, with each document and with all of them."""
    table = Table(TITLE, ("documents", "seconds"), f"From saved events, Python's start included; medians of {REPEATS}.")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "events").write_text(events())
        command = [str(CHECKOUT / "kf"), "review", "--from", str(folder / "events")]
        forms = {name: [f"--{name}", str(folder / name)] for name in ("markdown", "html", "json")}
        chosen = {"text alone": [], **forms, "all": [word for words in forms.values() for word in words]}
        for name, words in chosen.items():
            table.rows.append((name, f"{median(partial(run, [*command, *words]), REPEATS):.2f}"))
    return table


def events() -> str:
    """The recorded preview with its App made twenty, and each of them given ten tasks that run."""
    lines = RECORDED.read_text("utf-8").splitlines()
    found = [line for line in lines if '"shop' not in line and "::shop" not in line]
    of_app = [line for line in lines if line not in found]
    for app in range(APPS):
        for line in of_app:
            copies = [f"task-{task}" for task in range(TASKS)] if TASK in line else [TASK]
            found += [line.replace("shop", f"shop-{app}").replace(TASK, copy) for copy in copies]
    assert len([line for line in found if '"_starts":"will"' in line and json.loads(line)]) >= APPS * TASKS
    return "".join(f"{line}\n" for line in found)
