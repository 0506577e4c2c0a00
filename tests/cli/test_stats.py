"""`kf stats`: what the runs of each task tell together."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import moments
from kf_tasks.core.run.statistics import by_task, percentile
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.log.archive import Archive

from .test_commands import FakeCluster, call, run
from .test_logs import archive, three  # noqa: F401 - a fixture


def taking(number: int, seconds: int, succeeded: str = "True", task: str = "migrate", **more: Any) -> RunSummary:
    made = run(number, succeeded, **more)
    begun = moments.epoch(made.created)
    return dataclasses.replace(
        made,
        labels={**made.labels, "kf.dev/task": task},
        started_at=made.created,
        finished_at=moments.of_epoch(begun + seconds),
    )


RUNS = [
    taking(1, 10),
    taking(2, 20),
    taking(3, 1, "False", reason="Failed"),
    taking(4, 40),
    taking(5, 600, "False", reason="PipelineRunTimeout"),
    taking(6, 80),
    run(7, "Unknown", reason="Running", started_at="2026-01-01T00:07:00Z"),
    taking(8, 5, task="report"),
]


def test_a_table_with_bars() -> None:
    head, *rows = call(FakeCluster(RUNS), "stats", "shop").stdout.splitlines()
    assert head.split() == [
        "App",
        "Task",
        "Runs",
        "Succeeded",
        "Failed",
        "Running",
        "Median",
        "P95",
        "Last",
        "Durations",
    ]
    assert rows[0].split() == ["shop", "migrate", "7", "4", "2", "1", "20s", "1m20s", "Running", "▂▃!▅!█"]
    assert rows[1].split() == ["shop", "report", "1", "1", "0", "0", "5s", "5s", "Succeeded", "█"]
    wide = call(FakeCluster(RUNS), "stats", "-o", "wide").stdout.splitlines()[1].split()
    assert wide[-5:] == ["1", "0", "1m20s", "2026-01-01T00:01:00Z", "▂▃!▅!█"]


def test_for_programs() -> None:
    assert call(FakeCluster(RUNS), "stats", "-o", "name").stdout == "shop/migrate\nshop/report\n"
    found = json.loads(call(FakeCluster(RUNS), "stats", "-o", "json").stdout)[0]
    assert found == {
        "app": "shop", "task": "migrate", "runs": 7, "succeeded": 4, "failed": 2, "timedOut": 1, "cancelled": 0,
        "running": 1, "median": 20.0, "p95": 80.0, "longest": 80.0, "lastState": "Running",
        "since": "2026-01-01T00:01:00Z",
    }  # fmt: skip


def test_since_and_nothing() -> None:
    cluster = FakeCluster(RUNS)
    assert json.loads(call(cluster, "stats", "--since", "55m", "-o", "json").stdout)[0]["runs"] == 3
    assert call(cluster, "stats", "shop", "--since", "2030-01-01T00:00:00Z").stdout == (
        "No tasks of app 'shop' in space 'dev' since 2030-01-01T00:00:00Z.\n"
    )
    assert call(FakeCluster(), "stats").stdout == "No tasks in space 'dev'.\n"
    assert call(FakeCluster(), "stats", "shp").stderr.startswith("kf: app 'shp' not found in space 'dev'")
    only_failed = call(FakeCluster([taking(1, 1, "False", reason="Failed")]), "stats").stdout.splitlines()[1]
    assert only_failed.split() == ["shop", "migrate", "1", "0", "1", "0", "Failed", "!"]


def test_with_the_archive(archive: Archive) -> None:  # noqa: F811
    found = json.loads(call(three(), "stats", "shop", "--archived", "-o", "json").stdout)
    assert [(each["task"], each["runs"], each["failed"]) for each in found] == [("migrate", 1, 0), ("report", 2, 2)]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_one_of_the_values_and_exceeds_that_share(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert found is not None and sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)
    assert percentile([], percent) is None


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["True", "False", "Unknown"])), max_size=40))
def test_a_bar_for_each_of_the_newest_that_ended(taken: list[tuple[int, str]]) -> None:
    runs = [taking(number % 10, seconds, succeeded) for number, (seconds, succeeded) in enumerate(taken)]
    ended = [succeeded for _, succeeded in taken if succeeded != "Unknown"][-20:]
    [spark] = [found.spark for found in by_task(runs)] or [""]
    assert [bar == "!" for bar in spark] == [succeeded == "False" for succeeded in ended]
