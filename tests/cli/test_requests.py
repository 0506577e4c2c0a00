"""Who looks on at a terminal asks the cluster once, and is told from then on, however long that is and how many run."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from typing import Any

import pytest
from kf_tasks.cli import watching
from kf_tasks.cli.following import Following, only
from kf_tasks.cli.log_choice import Choice
from kf_tasks.cli.log_form import Form
from kf_tasks.cli.log_printer import LogPrinter
from kf_tasks.cli.target import TargetSpace
from kf_tasks.cluster.client import Cluster
from kf_tasks.core import marks

from ..cluster.rest import NAMESPACE, Tekton

KINDS = ("pipelineruns", "taskruns", "pods")
WATCHES = {f"WATCH {kind}": 1 for kind in KINDS} | {f"LIST {kind}": 1 for kind in KINDS}  # that each begins from
LOOKS = 30


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks as often as it can, and waits for whoever tells of changes as long as that takes."""
    for name in ("cluster.listener.IDLE_SECONDS", "cli.watching.POLL_SECONDS", "cli.following.POLL_SECONDS"):
        monkeypatch.setattr(f"kf_tasks.{name}", 0.01)
    for name in ("cluster.watch.READY_SECONDS", "log.pump.END_SECONDS"):
        monkeypatch.setattr(f"kf_tasks.{name}", 60)


def space_of(server: Tekton) -> TargetSpace:
    return TargetSpace(Cluster(server), NAMESPACE)  # type: ignore[arg-type]


def start(server: Tekton, number: int, app: str = "shop") -> str:
    """A run that goes on."""
    name = f"{app}-t-{number}"
    labels = {marks.NAME: app, marks.TASK: "t", marks.KEY: f"k{number}", marks.TASK_ID: str(number)}
    server.put("pipelineruns", name, labels, spec={"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{}]}}]}})
    server.made(server.objects["pipelineruns", name])
    return name


@pytest.mark.parametrize("app", ["shop", None])
def test_a_table_that_goes_on_is_listed_once(app: str | None) -> None:
    server = Tekton()
    names = [start(server, number) for number in range(5)] + [start(server, 0, "other")]
    shown: Any = watching._looks(space_of(server), app, list)
    expected = 5 if app else 6
    for _ in range(LOOKS):
        runs, told, _ = next(shown)
        assert len(runs) == len(told) == expected
        for name in names:
            server.move(name)
    server.finish(names[0])
    late = start(server, 5)
    for runs, _, _ in itertools.islice(shown, 1000):
        by = {run.name: run.finished for run in runs}
        if by.get(late) is False and by[names[0]]:
            break
        time.sleep(0.01)
    assert by == {name: name == names[0] for name in (*names, late) if not app or name.startswith(app)}
    asked = server.count()
    assert asked - Counter(WATCHES) == Counter({"LIST pipelineruns": 1, "LIST pods": 2}), (
        "and once for a new run's pods"
    )


@pytest.mark.parametrize("chosen", ["one", "all"])
def test_logs_that_go_on_cost_nothing_more_the_longer_they_do(chosen: str, capsys: pytest.CaptureFixture[str]) -> None:
    server = Tekton()
    names = [start(server, number) for number in range(5 if chosen == "all" else 1)]
    space, choice = space_of(server), Choice(apps=("shop",))
    printer = LogPrinter(space, Form(lines=0))
    look = only(printer, names[0]) if chosen == "one" else lambda: choice.told(space)

    def goes_on() -> None:
        for _ in range(LOOKS):
            for name in names:
                server.move(name)
        for name in reversed(names):
            server.finish(name)

    threading.Timer(0.3, goes_on).start()
    Following(printer, look, set(), set()).follow(until=names[0])
    assert capsys.readouterr().out.count("hello") >= 1
    per_run = {"GET pipelineruns": 1, "LIST pods": 1, "LIST taskruns": 1, "LOG pods": 2}
    listed = {"LIST pipelineruns": 1} if chosen == "all" else {}
    allowed = (
        Counter(WATCHES) + Counter(listed) + Counter({what: count * len(names) for what, count in per_run.items()})
    )
    assert server.count() - allowed == Counter()
