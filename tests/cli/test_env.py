"""`kf env` on a cluster of plain data: values, layers, digests, and what cannot be told."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import yaml
from kf_tasks.core.run.environment import Value, merge, origins, short_digest
from kf_tasks.core.run.pipelinerun import Resources, TaskSpec, render
from kf_tasks.errors import Denied

from .test_commands import FakeCluster, call

MOUNT = {"name": "kf-binding-db", "mountPath": "/bindings/db"}
ENV = merge([
    ("Space", {"ZONE": Value("space"), "LINES": Value("a\nb"), "LONG": Value("x" * 200)}),
    ("Task", {"ZONE": Value("5$"), "TOKEN": Value(secret="kf-shop.env", key="TOKEN")}),
    ("system", {"CF_INSTANCE_IP": Value(pod_field="status.podIP")}),
])  # fmt: skip


def templates() -> dict[str, Any]:
    spec = TaskSpec(
        namespace="dev", app="shop", task="migrate", stack="s.dev", image="i", argv=["x"], env=ENV,
        resources=Resources("1Gi", "1Gi", "1"), volume_mounts=[MOUNT],
        volumes=[{"name": "kf-binding-db", "secret": {"secretName": "kf.db.service"}}],
    )  # fmt: skip
    data = {
        "pipelinerun.yaml": yaml.safe_dump(render(spec)),
        "settings.json": json.dumps({"layers": origins(ENV)}),
    }
    labels = {"kf.dev/template": "task", "kf.dev/task": "migrate", "app.kubernetes.io/name": "shop"}
    return {"metadata": {"labels": labels}, "data": data}


@dataclasses.dataclass
class WithTemplates(FakeCluster):
    """Also has templates and Secrets."""

    readable: bool = True

    def get(self, namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        if plural == "configmaps":
            known = {"kf-shop": templates(), "kf-shop.migrate": templates(), "kf-shop.odd": {**templates(), "data": {}}}
            return known.get(name)
        if not self.readable:
            raise Denied("secrets is forbidden")
        values = {"kf-shop.env": {"TOKEN": "word"}, "kf.db.service": {"uri": "pg://"}}.get(name, {})
        return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}

    def config_maps(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return [templates()]


def test_the_table() -> None:
    result = call(WithTemplates(), "env", "shop", "--task", "migrate")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "Name            Layer   Hides  From                       Value",
        "CF_INSTANCE_IP  system                                    <status.podIP>",
        "LINES           Space                                     a\\nb",
        f"LONG            Space                                     {'x' * 120}… (200 characters; -o wide shows all)",
        f"TOKEN           Task           Secret kf-shop.env, TOKEN  {short_digest('word')}",
        "ZONE            Task    Space                             5$",
        "",
        "File              Content",
        f"/bindings/db/uri  {short_digest('pg://')}",
    ]


def test_for_programs() -> None:
    found = json.loads(call(WithTemplates(), "env", "shop", "-o", "json").stdout)
    assert found["files"] == {"/bindings/db/uri": short_digest("pg://")}
    assert found["variables"][1] == {"name": "LINES", "value": "a\nb", "layer": "Space", "hides": [], "secret": False}


def test_the_other_forms() -> None:
    found = json.loads(call(WithTemplates(), "env", "shop", "-o", "json").stdout)
    assert yaml.safe_load(call(WithTemplates(), "env", "shop", "-o", "yaml").stdout) == found
    names = call(WithTemplates(), "env", "shop", "-o", "name").stdout.split()
    assert names == [each["name"] for each in found["variables"]]
    wide = call(WithTemplates(), "env", "shop", "-o", "wide").stdout
    assert "x" * 200 in wide and "shows all" not in wide


def test_without_the_right_to_read_secrets() -> None:
    result = call(WithTemplates(readable=False), "env", "shop")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("<secret that you may not read>") == 2
    assert "5$" in result.stdout


def test_what_there_is_when_a_name_is_wrong() -> None:
    wrong = {
        ("shp",): "kf: app 'shp' not found in space 'dev': its apps are shop; choose another space with --space",
        ("shop", "--task", "no"): "kf: task 'no' of app 'shop' not found in space 'dev': its tasks are migrate; name "
        "one with --task",
        ("shop", "--task", "odd"): "kf: app 'shop': ConfigMap dev/kf-shop.odd is not what Pulumi wrote: repeat pulumi "
        "up with --refresh",
    }
    for arguments, text in wrong.items():
        result = call(WithTemplates(), "env", *arguments)
        assert (result.exit_code, result.output) == (1, f"{text}\n")
