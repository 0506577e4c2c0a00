"""Every input that a program registers, as a golden file: what a state holds changes only where somebody decides so.

An input that is spelled, ordered or left out in another way shows up in the preview of every user.
`KF_GOLDEN=write pytest tests/test_registered.py` writes the file anew, for a change that is meant.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
from kf_tasks import App, Binding, Postgres, SecurityGroup, ServiceInstance, Source, Space, Task, TaskSchedule

from .resources.test_components import run

GOLDEN = Path(__file__).with_name("registered.golden.json")


def shop(folder: Path, building: bool) -> None:
    """A program that uses every component, and of each argument what is not its default.

    With `building` an App from source too, whose image is unknown in a preview.
    """
    space = Space(
        "shop-dev",
        env={"ZONE": "north", "TOKEN": pulumi.Output.secret("space-secret")},
        memory="256M",
        disk="512M",
        cpu="50m",
        timeout="20m",
        keep=50,
        keep_failed=7,
        max_age="30d",
        min_history="2d",
        node_selector={"pool": "batch"},
        labels={"team": "shop"},
        annotations={"contact": "shop"},
        security_groups=[SecurityGroup("out", egress=[{"destination": "10.0.0.0/8", "ports": "5432"}])],
        quota={"memory": "8G", "pods": 50},
        limit_range={"default": {"memory": "64M", "cpu": 1}},
        pod_security="baseline",
        registry="registry.example.com/team",
        registry_secret="registry",
        submitter_image="registry.example.com/python:3",
        log_archive="s3://logs/shop",
    )
    db = ServiceInstance(
        "shop-db", space=space, credentials=Postgres(uri=pulumi.Output.secret("postgres://u:password@h:5432/d"))
    )
    mail = ServiceInstance(
        "post",
        space=space,
        credentials={"host": "mail", "password": pulumi.Output.secret("mail-secret")},
        label="smtp",
        tags=["mail"],
        plan="small",
        requires=["host"],
    )
    app = App(
        "shop",
        space=space,
        image="registry.example.com/shop@sha256:" + "1" * 64,
        command="./manage.py runserver",
        env={"MODE": "full", "KEY": pulumi.Output.secret("app-secret")},
        services=[db, Binding(mail, binding_name="letters", parameters={"from": "shop"})],
        memory="512M",
        cpu_limit="1",
        keep=100,
        pinned=["shop-migrate-1a2b3c4d-1"],
        security_context={"runAsUser": 1234},
        volumes=[{"name": "files", "persistentVolumeClaim": {"claimName": "shop-files"}}],
        volume_mounts=[{"name": "files", "mountPath": "/files"}],
        tolerations=[{"key": "batch", "operator": "Exists"}],
        priority_class="batch",
    )
    migrate = Task(
        "migrate",
        app=app,
        command="./manage.py migrate",
        env={"STEP": "1", "PASSWORD": pulumi.Output.secret("task-secret")},
        timeout="30m",
        start_timeout="5m",
        retries=1,
        results=["schema"],
        triggers=["2"],
        log="tail",
    )
    Task("mails", app=app, command=["./mail", "--all"], when="always", wait=False, must_succeed=False, memory="64M")
    Task("held", app=app, command="./held", terminated=True, at_most_once=True)
    TaskSchedule(
        "nightly",
        app=app,
        command="./report",
        schedule="0 4 * * mon-fri",
        time_zone="Europe/Berlin",
        concurrency_policy="Forbid",
        starting_deadline="2h",
        catch_up=True,
        env={"NIGHT": "yes"},
        opts=pulumi.ResourceOptions(depends_on=[migrate]),
    )
    TaskSchedule("by-hand", app=app, command="./report")
    if not building:
        return
    (folder / "Dockerfile").write_text("FROM scratch\n")
    built = App("built", space=space, source=Source(str(folder), build_args={"VERSION": "1"}), command="run")
    Task("first", app=built)


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_what_a_program_registers(preview: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    found = run(lambda: shop(tmp_path, building=preview), preview)
    seen = json.loads(json.dumps({urn: stable(inputs, tmp_path) for urn, inputs in found.inputs.items()}, default=str))
    kind = "preview" if preview else "up"
    golden = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("KF_GOLDEN") == "write":
        GOLDEN.write_text(json.dumps({**golden, kind: seen}, indent=1, sort_keys=True) + "\n", "utf-8")
    else:
        assert seen == golden[kind]


def stable(inputs: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Without what another folder, another checkout or another version of the pod's code makes different."""
    data = inputs.get("data")
    if isinstance(data, dict) and any(key.endswith("submitter.py") for key in data):
        return {"keys": "the submitter's code"}
    written = re.sub(r"(<[\w.]+) object at 0x\w+>", r"\1>", json.dumps(inputs, default=str))
    written = re.sub(r"(\.submitter)\.[0-9a-f]{16}", r"\1.DIGEST", written)
    written = re.sub(r'"items": \[\{[^\]]*kf_tasks[^\]]*\]', '"items": "of the code"', written)
    text: dict[str, Any] = json.loads(written.replace(str(folder), "FOLDER"))
    found: dict[str, Any] = without(text, ("__provider",))
    return found


def without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {name: without(item, names) for name, item in value.items() if name not in names}
    return [without(item, names) for item in value] if isinstance(value, list) else value
