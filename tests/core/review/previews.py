"""Previews as the engine prints them, of one stack `orders/dev` and what a test says of it."""

from __future__ import annotations

import json
from typing import Any

from kf_tasks.core.review.assembly import review
from kf_tasks.core.review.model import Review
from kf_tasks.core.review.preview import read

AT = 1796025705  # 2026-11-30T08:01:45Z
RUN, HISTORY, CALENDAR = (f"pulumi-python:dynamic/kf:{kind}" for kind in ("Run", "History", "Calendar"))
PLACE = {"stack": "orders.dev", "namespace": "orders-dev", "app": "shop"}
ENV = [{"name": "MODE", "value": "rolling"}, {"name": "MEMORY_LIMIT", "value": "32M"}]


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::orders::{type_}::{name}"


def step(
    op: str, type_: str, name: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    states = {"old": old, "new": new}
    found = {key: None if inputs is None else {"inputs": inputs, **more} for key, inputs in states.items()}
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn(type_, name), "type": type_, **found}}}


def said(severity: str, text: str, where: str = "", **more: Any) -> dict[str, Any]:
    prefix = f"{severity}: " if severity in ("error", "warning") else ""
    return {"diagnosticEvent": {"urn": where, "severity": severity, "prefix": prefix, "message": f"{text}\n", **more}}


def manifest(memory: str = "32Mi", env: list[dict[str, Any]] = ENV, **spec: Any) -> dict[str, Any]:
    resources = {"limits": {"memory": memory}, "requests": {"cpu": "10m", "memory": memory}}
    one = {"name": "task", "image": "r/shop:1", "command": ["/bin/sh"], "args": ["-c", "true"]}
    steps = [{**one, "computeResources": resources, "env": env, **spec.pop("step", {})}]
    timeouts = {"pipeline": spec.pop("timeout", "1h0m0s")}
    return {"spec": {"pipelineSpec": {"tasks": [{"name": "task", "taskSpec": {"steps": steps}}]}, "timeouts": timeouts}}


def run(task: str = "schema", starts: str = "will", **more: Any) -> dict[str, Any]:
    definition = {"image": "r/shop:2", "argv": ["./migrate", "a b"], "env": {}, "secret_env": [], "triggers": []}
    decided = {"_starts": starts, "_because": "first run", "key": f"key-{task}", "_last": []}
    return {
        **PLACE,
        "task": task,
        "when": "change",
        "definition": definition,
        "manifest": manifest(),
        **decided,
        **more,
    }


def calendar(task: str = "report", schedule: str = "0 4 * * *", **more: Any) -> dict[str, Any]:
    times = {"schedule": schedule, "time_zone": "Europe/Berlin", "suspend": False, "_asked": "2026-11-30T08:01:45Z"}
    return {**PLACE, "task": task, "manifest": manifest(), **times, **more}


def history(**more: Any) -> dict[str, Any]:
    return {**PLACE, "keep": 3, "_expired": [], "_deletions": [], "_reach": "", **more}


def events(*found: dict[str, Any], ended: bool = True) -> str:
    every = [{"preludeEvent": {"config": {}}}, *found, *([{"summaryEvent": {}}] if ended else [])]
    lines = [json.dumps({"sequence": nth, "timestamp": AT, **event}) for nth, event in enumerate(every)]
    return "".join(f"{line}\n" for line in lines)


def digest(*found: dict[str, Any]) -> str:
    """The same as one digest, as `pulumi preview --json` prints it without streaming."""
    metadata = [event["resourcePreEvent"]["metadata"] for event in found if "resourcePreEvent" in event]
    steps = [{**one, "oldState": one.get("old"), "newState": one.get("new")} for one in metadata]
    lines = [event["diagnosticEvent"] for event in found if "diagnosticEvent" in event]
    lines = [{**line, "message": line.pop("prefix") + line["message"]} for line in map(dict, lines)]
    return json.dumps({"steps": steps, "diagnostics": lines, "changeSummary": {}}, indent=2)


def reviewed(*found: dict[str, Any], ended: bool = True) -> Review:
    return review(read(events(*found, ended=ended), "events"))
