"""Everything about a run, from objects as the cluster has them."""

from __future__ import annotations

import copy
from typing import Any

from kf_tasks.cli.details import rows, stored_rows
from kf_tasks.cli.views import ListedView, LiveView, StoredView
from kf_tasks.core.log.stored import place_of, record_of
from kf_tasks.core.run.summary import RunSummary

from ..core.log.test_stored import ENDED, RUN

START, END = "2026-01-01T10:00:00Z", "2026-01-01T10:01:30Z"
WORDS = 'CreateContainerConfigError: secret "gone" not found'
STEP = {
    "name": "task", "image": "r/shop:1", "command": ["/bin/sh"], "args": ["-c", "echo $(KF_DOLLAR)(params.x) $$HOME"],
    "env": [
        {"name": "KF_DOLLAR", "value": "$"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "TOKEN"}}},
        {"name": "MODE", "value": "x"},
    ],
    "computeResources": {
        "requests": {"cpu": "100m", "memory": "64Mi", "ephemeral-storage": "1Gi"},
        "limits": {"cpu": "1", "memory": "64Mi", "ephemeral-storage": "1Gi"},
    },
}  # fmt: skip


def run(status: str, reason: str, **annotations: str) -> dict[str, Any]:
    return copy.deepcopy({
        "metadata": {
            "name": "shop-m-1", "namespace": "dev", "creationTimestamp": START,
            "labels": {
                "app.kubernetes.io/name": "shop", "kf.dev/task": "m", "kf.dev/task-id": "7", "kf.dev/stack": "p.s",
            },
            "annotations": {f"kf.dev/{name.replace('_', '-')}": text for name, text in annotations.items()},
        },
        "spec": {
            "pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": [STEP]}}]},
            "timeouts": {"pipeline": "1h0m0s"},
        },
        "status": {
            "startTime": START, **({"completionTime": END} if status != "Unknown" else {}),
            "conditions": [{"type": "Succeeded", "status": status, "reason": reason}],
        },
    })  # fmt: skip


def pod(state: dict[str, Any], phase: str) -> dict[str, Any]:
    status = {"phase": phase, "containerStatuses": [{"name": "step-task", "state": state}]}
    return {"metadata": {"name": "shop-m-1-task-pod"}, "status": status}


def task_run(reason: str, **status: Any) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": "Succeeded", "status": "False", "reason": reason}], **status}}


LOCKED = pod({"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "gone" not found'}}, "Pending")
RUNS = pod({"running": {}}, "Running")
STOPPED = pod({"terminated": {"exitCode": 3, "reason": "Error"}}, "Failed")


def test_a_failed_run_for_programs() -> None:
    found = LiveView.of(
        run("False", "Failed", started_by="kf run-task by me", recorded="true"),
        task_run("Failed", results=[{"name": "rows", "value": "4\n"}]),
        [STOPPED],
    )
    assert found.plain() == {
        "name": "shop-m-1", "app": "shop", "displayName": "m", "id": 7, "space": "dev", "stack": "p.s",
        "state": "Failed", "reason": "Failed", "outcome": "exit code 3", "exitCode": 3,
        "created": START, "started": START, "finished": END, "duration": 90.0,
        "startedBy": "kf run-task by me", "cancelledBy": None, "recorded": True, "archived": None,
        "image": "r/shop:1", "command": ["/bin/sh", "-c", "echo $(params.x) $HOME"],
        "resources": STEP["computeResources"], "timeout": "1h0m0s", "env": ["MODE", "TOKEN"], "results": {"rows": "4"},
        "pods": [{"name": "shop-m-1-task-pod", "phase": "Failed", "waiting": ""}],
    }  # fmt: skip


def test_a_failed_run_for_people() -> None:
    found = LiveView.of(
        run("False", "Failed", started_by="kf run-task by me"),
        task_run("Failed", results=[{"name": "rows", "value": "4\n5"}]),
        [STOPPED],
    )
    assert rows(found, None) == [
        ("Name", "shop-m-1"), ("App", "shop"), ("Task", "m"), ("ID", "7"), ("Space", "dev"), ("Stack", "p.s"),
        ("State", "Failed"), ("Reason", "Failed"), ("Outcome", "exit code 3"), ("Exit code", "3"),
        ("Created", START), ("Started", START), ("Finished", END), ("Duration", "1m30s"),
        ("Started by", "kf run-task by me"), ("Recorded", "no"), ("Image", "r/shop:1"),
        ("Command", "/bin/sh -c 'echo $(params.x) $HOME'"),
        ("CPU", "100m (at most 1)"), ("Memory", "64Mi"), ("Disk", "1Gi"), ("Timeout", "1h0m0s"),
        ("Variables", "MODE, TOKEN"), ("Result rows", "4\\n5"), ("Pod", "shop-m-1-task-pod (Failed)"),
    ]  # fmt: skip


def told(*arguments: Any) -> tuple[str, str, str]:
    found = LiveView.of(*arguments)
    return found.state, found.outcome, dict(rows(found, END)).get("Pod", "")


def test_a_pod_that_waits_tells_why_in_the_kubelets_words() -> None:
    shown = f"shop-m-1-task-pod (Pending: {WORDS})"
    assert told(run("Unknown", "Running"), None, [LOCKED]) == ("Pending", f"has not started: {WORDS}", shown)
    assert told(run("False", "Failed"), None, [LOCKED]) == ("Failed", f"could not start: {WORDS}", shown)
    assert told(run("Unknown", "Started"), None, []) == ("Pending", "has not started", "none")


def test_what_its_follower_wrote_down_stays() -> None:
    known = f"could not start within 10 s: {WORDS}"
    gone = "gone, and its log with it"
    late = run("False", "Cancelled", outcome=known, cancelled_by="start_timeout")
    assert told(late, None, []) == ("Failed", known, gone)
    assert told(run("False", "Failed", outcome="exit code 4"), None, []) == ("Failed", "exit code 4", gone)
    ended = run("False", "Cancelled", outcome="was cancelled by me", cancelled_by="me")
    assert told(ended, None, []) == ("Cancelled", "was cancelled by me", gone)


def test_what_runs() -> None:
    running = run("Unknown", "Running")
    assert told(running, None, [RUNS]) == ("Running", "runs", "shop-m-1-task-pod (Running)")
    assert dict(rows(LiveView.of(running, None, [RUNS]), END))["Duration"] == "1m30s"
    running["spec"]["status"] = "CancelledRunFinally"
    assert told(running, None, [RUNS])[1] == "is being cancelled"


def test_nothing_of_a_task_reaches_the_terminal_as_a_command() -> None:
    found = LiveView.of(run("False", "Failed", outcome="\x1b[2Jgone"), None, [])
    assert dict(rows(found, None))["Outcome"] == "gone"


def test_a_stored_run_has_the_same_names_for_what_it_shares() -> None:
    found = StoredView.of(record_of(RUN, ENDED, digest="sha256:1", bytes=12, lines=2, whole=False), "file:///logs")
    live = LiveView.of(run("False", "Failed"), None, [STOPPED]).plain()
    shared = ["name", "app", "displayName", "id", "space", "stack", "state", "reason", "outcome", "exitCode", "created",
              "started", "finished", "startedBy", "archived"]  # fmt: skip
    assert [name for name in found.plain() if name in live] == shared
    assert found.plain().keys() - live.keys() == {"log", "bytes", "lines", "whole", "missing"}
    said = dict(stored_rows(found))
    assert said["Log"] == f"file:///logs/{place_of(RUN).log}" and said["Lines"] == "2, what there was of it"
    assert said["Digest"] == found.archived


def test_a_stored_run_without_a_log_says_why() -> None:
    found = StoredView.of(record_of(RUN, ENDED, missing="its command never started"), "file:///logs")
    assert (found.log, dict(stored_rows(found))["Log"]) == (None, "none: its command never started")


def test_a_listed_run_for_programs() -> None:
    listed = RunSummary.of_object({"metadata": {"name": "r", "uid": "u", "creationTimestamp": START}})
    assert ListedView.of(listed).plain() == {
        "name": "r", "app": "", "id": 0, "displayName": "", "stack": "", "created": START, "started": None,
        "finished": None, "duration": None, "state": "Pending", "succeeded": "Unknown", "reason": "", "outcome": "",
        "exitCode": None, "command": None, "attempt": 0, "startedBy": "", "pinned": False, "archived": None,
        "waiting": "", "forgotten": False,
    }  # fmt: skip
    whole = RunSummary.of_object(
        {
            **run("False", "Failed", outcome="ended by SIGKILL, exit code 137", archived="sha256:1"),
            "metadata": {
                **run("False", "Failed", outcome="ended by SIGKILL, exit code 137", archived="sha256:1")["metadata"],
                "uid": "u",
            },
        }
    )
    found = ListedView.of(whole, 1).plain()
    assert (found["exitCode"], found["duration"], found["stack"], found["archived"]) == (137, 90.0, "p.s", "sha256:1")
    assert found["command"] == ["/bin/sh", "-c", "echo $(params.x) $HOME"]
