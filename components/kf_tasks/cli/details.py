"""Everything about one run, as plain data and as rows for people, from its PipelineRun, TaskRun and pods."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core import marks
from ..core.api import Object
from ..core.log.reader import harmless
from ..core.run import outcome, pipelinerun
from ..core.run.command import DOLLAR, carried
from ..core.run.outcome import Outcome
from .table import span

PENDING = "Pending"


def details(run: dict[str, Any], task_run: Object | None, pods: Sequence[Object]) -> dict[str, Any]:
    """The run for programs; what is not known (yet) is null."""
    metadata, status = run["metadata"], run.get("status") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    pod = pods[-1] if pods else None
    ended = outcome.known(run, task_run, pod) if outcome.has_ended(run) else _under_way(run, task_run, pod)
    step = pipelinerun.step_of(run)
    return {
        "name": metadata["name"],
        "app": labels.get(marks.NAME, ""),
        "displayName": labels.get(marks.TASK, ""),
        "id": marks.number(labels, marks.TASK_ID),
        "space": metadata["namespace"],
        "stack": labels.get(marks.STACK, ""),
        "state": ended.state,
        "reason": ended.reason,
        "outcome": ended.sentence,
        "exitCode": ended.exit_code,
        "created": metadata["creationTimestamp"],
        "started": status.get("startTime"),
        "finished": ended.finished_at,
        "duration": ended.duration,
        "startedBy": annotations.get(marks.STARTED_BY),
        "cancelledBy": annotations.get(marks.CANCELLED_BY),
        "recorded": marks.RECORDED in annotations,
        "archived": annotations.get(marks.ARCHIVED),
        "image": step["image"],
        "command": [carried(text) for text in [*step.get("command", []), *step.get("args", [])]],
        "resources": step.get("computeResources", {}),
        "timeout": run["spec"].get("timeouts", {}).get("pipeline"),
        "env": sorted(entry["name"] for entry in step.get("env", []) if entry["name"] != DOLLAR),
        "results": ended.results,
        "pods": [
            {
                "name": one["metadata"]["name"],
                "phase": (one.get("status") or {}).get("phase", ""),
                "waiting": "" if outcome.started(one) else outcome.waiting(one),
            }
            for one in pods
        ],
    }


def rows(found: Mapping[str, Any], now: str | None) -> list[tuple[str, str]]:
    """The run for people: what there is to say, each on one line; `now` is the cluster's time."""
    said = [
        *_identity(found),
        ("Duration", span(found["started"], found["finished"] or now)),
        ("Started by", found["startedBy"]),
        ("Cancelled by", found["cancelledBy"]),
        ("Recorded", "yes, in the state of its stack" if found["recorded"] else "no"),
        ("Archived", found["archived"]),
        ("Image", found["image"]),
        ("Command", shlex.join(found["command"])),
        *_amounts(found["resources"]),
        ("Timeout", "none" if found["timeout"] == "0s" else found["timeout"]),
        ("Variables", ", ".join(found["env"])),
        *((f"Result {name}", text) for name, text in found["results"].items()),
        *(("Pod", _pod(pod)) for pod in found["pods"]),
    ]
    if not found["pods"]:
        said.append(
            (
                "Pod",
                "none" if found["finished"] is None else "gone" if found["archived"] else "gone, and its log with it",
            )
        )
    return _shown(said)


def stored_rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the archive tells of a run, for people."""
    said = [
        *_identity(found),
        ("Duration", span(found["started"], found["finished"])),
        ("Started by", found["startedBy"]),
        ("Log", found["log"] or f"none: {found['missing']}"),
        ("Lines", f"{found['lines']}{'' if found['whole'] or not found['log'] else ', what there was of it'}"),
        ("Digest", found["archived"]),
    ]
    return _shown(said)


def _identity(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is said of a run wherever it is read from: what it is, how it ended, and when."""
    return [
        ("Name", found["name"]),
        ("App", found["app"]),
        ("Task", found["displayName"]),
        ("ID", str(found["id"] or "")),
        ("Space", found["space"]),
        ("Stack", found["stack"]),
        ("State", found["state"]),
        ("Reason", found["reason"]),
        ("Outcome", found["outcome"]),
        ("Exit code", "" if found["exitCode"] is None else str(found["exitCode"])),
        ("Created", found["created"]),
        ("Started", found["started"]),
        ("Finished", found["finished"]),
    ]


def _shown(said: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What there is to say, each on one line and harmless to a terminal."""
    return [(title, harmless(text.replace("\n", "\\n"))) for title, text in said if text]


def _under_way(run: Object, task_run: Object | None, pod: Object | None) -> Outcome:
    reason = outcome.condition(run).get("reason", "")
    if pod and outcome.started(pod):
        return Outcome(outcome.RUNNING, reason, "is being cancelled" if run["spec"].get("status") else "runs")
    trouble = outcome.waiting(pod, task_run)
    return Outcome(PENDING, reason, f"has not started: {trouble}" if trouble else "has not started")


def _amounts(resources: Mapping[str, Any]) -> list[tuple[str, str]]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    titles = {"cpu": "CPU", "memory": "Memory", "ephemeral-storage": "Disk"}
    found = []
    for name, title in titles.items():
        amount, limit = requests.get(name, ""), limits.get(name, "")
        found.append((title, amount if limit in ("", amount) else f"{amount} (at most {limit})".strip()))
    return found


def _pod(pod: Mapping[str, str]) -> str:
    return f"{pod['name']} ({pod['phase']}{': ' if pod['waiting'] else ''}{pod['waiting']})"
