"""However many tasks, runs and namespaces there are: a silent cluster is asked once, and a run is looked at once."""

from __future__ import annotations

import json
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.cluster.connection import Connection
from kf_tasks.cluster.transport import Transport
from kf_tasks.core import definition, marks
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import Unreachable
from kf_tasks.provider.preview import Preview
from kf_tasks.provider.survey import Survey

from .adapters import Runs
from .previews import Seen
from .test_lifecycle import DEFINITION, NEWS

LOOKED: Counter[str] = Counter()  # how often a label of a run was read


class Labels(dict[str, str]):
    """Those of a run, which count whoever reads them."""

    def get(self, name: str, default: Any = None) -> Any:
        LOOKED["reads"] += 1
        return super().get(name, default)


def test_silent_cluster_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Transport.request.__kwdefaults__ or {}, "read_seconds", 1)  # it is 20
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kubeconfig = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{silent.getsockname()[1]}"}}],
            "users": [{"name": "c", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }  # fmt: skip
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(kubeconfig))
        connection = Connection(str(path))
        preview = Preview()
        for namespace in ("one", "two", "one", "three"):
            assert isinstance(preview.survey(connection, namespace).unasked, Unreachable)
        silent.settimeout(0)
        silent.accept()[0].close()
        try:
            silent.accept()
        except BlockingIOError:
            return
    raise AssertionError("the cluster was asked again")


@pytest.mark.usefixtures("adapter")
@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("changed", [True, False])
def test_the_checks_of_many_tasks_look_at_each_run_but_a_few_times(preview: bool, changed: bool) -> None:
    reads = [_reads(tasks, preview, changed) / tasks for tasks in (20, 200)]
    assert reads[1] <= reads[0] <= 200


def _reads(tasks: int, preview: bool, changed: bool) -> int:
    """How many labels of runs are read for the checks of so many tasks, which have five runs each."""
    LOOKED.clear()
    found = []
    for task in range(tasks):
        for nth in range(5):
            labels = Labels(
                {
                    marks.NAME: "shop", marks.TASK: f"t{task}", marks.STACK: "shop.dev", marks.TASK_ID: str(nth + 1),
                    marks.KEY: definition.key(DEFINITION) if nth == 4 else f"{nth:016}", marks.ATTEMPT: "1",
                }
            )  # fmt: skip
            created = f"2026-01-01T00:0{nth}:00Z"
            found.append(
                RunSummary(f"t{task}-{nth}", f"u{task}-{nth}", created, True, labels, {marks.RECORDED: "true"})
            )
    room = Runs(Seen(Survey(cluster="one", runs=found)))
    given = {**NEWS, "__preview": preview, "keep": 5000}
    key = definition.key(DEFINITION)
    for task in range(tasks):
        news = {**given, "task": f"t{task}", "definition": {**DEFINITION, "argv": ["other"]} if changed else DEFINITION}
        assert not room.check({**given, "task": f"t{task}", "key": key, "nth": 0}, news).failures
    return LOOKED["reads"]
