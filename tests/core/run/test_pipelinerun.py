"""The PipelineRun that a task becomes, written out in full."""

from __future__ import annotations

import copy
import json
from typing import Any

from kf_tasks.core.run import system
from kf_tasks.core.run.environment import Value, merge
from kf_tasks.core.run.pipelinerun import (
    Resources,
    TaskSpec,
    instantiate,
    override,
    render,
    secret_volumes,
    secrets_of,
    step_of,
)

SPEC: dict[str, Any] = {
    "namespace": "shop-dev",
    "app": "shop",
    "task": "migrate",
    "stack": "kf-tasks.dev",
    "image": "registry/shop@sha256:1111",
    "argv": ["/bin/sh", "-c", "echo $(params.x) $$"],
    "env": merge([
        ("App", {"ZONE": Value("north"), "PRICE": Value("5$")}),
        ("Task", {"TOKEN": Value(secret="kf-shop.migrate.env", key="TOKEN")}),
    ]),
    "resources": Resources(memory="512Mi", disk="1Gi", cpu="100m"),
}  # fmt: skip

GOLDEN: dict[str, Any] = {
    "apiVersion": "tekton.dev/v1",
    "kind": "PipelineRun",
    "metadata": {
        "namespace": "shop-dev",
        "labels": {
            "app.kubernetes.io/name": "shop",
            "app.kubernetes.io/component": "task",
            "app.kubernetes.io/managed-by": "kf",
            "kf.dev/task": "migrate",
            "kf.dev/stack": "kf-tasks.dev",
        },
    },
    "spec": {
        "pipelineSpec": {
            "tasks": [
                {
                    "name": "task",
                    "taskSpec": {
                        "steps": [
                            {
                                "name": "task",
                                "image": "registry/shop@sha256:1111",
                                "command": ["/bin/sh"],
                                "args": ["-c", "echo $(KF_DOLLAR)(params.x) $$$$"],
                                "env": [
                                    {"name": "KF_DOLLAR", "value": "$"},
                                    {"name": "PRICE", "value": "5$$"},
                                    {
                                        "name": "TOKEN",
                                        "valueFrom": {"secretKeyRef": {"name": "kf-shop.migrate.env", "key": "TOKEN"}},
                                    },
                                    {"name": "ZONE", "value": "north"},
                                ],
                                "computeResources": {
                                    "requests": {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
                                    "limits": {"memory": "512Mi", "ephemeral-storage": "1Gi"},
                                },
                                "securityContext": {
                                    "allowPrivilegeEscalation": False,
                                    "capabilities": {"drop": ["ALL"]},
                                    "runAsNonRoot": True,
                                },
                            }
                        ]
                    },
                    "timeout": "0s",
                }
            ]
        },
        "taskRunTemplate": {
            "serviceAccountName": "default",
            "podTemplate": {
                "enableServiceLinks": False,
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 1000,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            },
        },
        "timeouts": {"pipeline": "1h0m0s"},
    },
}

GOLDEN_POD: dict[str, Any] = GOLDEN["spec"]["taskRunTemplate"]["podTemplate"]


def spec(**changes: Any) -> TaskSpec:
    return TaskSpec(**{**SPEC, **changes})


def names(manifest: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in step_of(manifest).get("env", [])]


def test_the_whole_rendering() -> None:
    assert render(spec()) == GOLDEN


def test_what_is_not_asked_for_is_not_written() -> None:
    step = step_of(render(spec(argv=["true"], env=[])))
    assert "env" not in step
    assert "args" not in step


def test_the_dollar_comes_first_and_only_where_it_is_needed() -> None:
    assert names(render(spec(argv=["true"]))) == ["PRICE", "TOKEN", "ZONE"]
    by_value = merge([("App", {"A": Value("$(params.x)")})])
    assert names(render(spec(argv=["true"], env=by_value))) == ["KF_DOLLAR", "A"]
    assert names(render(spec(argv=["$(context.taskRun.name)"], env=[]))) == ["KF_DOLLAR"]


def test_everything_that_can_be_asked_for() -> None:
    manifest = render(
        spec(
            timeout="0s",
            retries=2,
            results=["schema"],
            labels={"team": "a", "kf.dev/task": "of another"},
            annotations={"note": "b"},
            node_selector={"disk": "ssd"},
            security_context={"runAsUser": 0, "runAsNonRoot": False},
            service_account="kf-shop",
            resources=Resources("64Mi", "16Mi", "1", "2"),
        )
    )
    task = manifest["spec"]["pipelineSpec"]["tasks"][0]
    template = manifest["spec"]["taskRunTemplate"]
    assert task["retries"] == 2
    assert task["taskSpec"]["results"] == [{"name": "schema", "type": "string"}]
    assert step_of(manifest)["env"][-1] == {"name": "KF_RESULTS", "value": "/tekton/results"}
    assert manifest["spec"]["timeouts"] == {"pipeline": "0s"}
    assert manifest["metadata"]["labels"] == {**GOLDEN["metadata"]["labels"], "team": "a"}
    assert manifest["metadata"]["annotations"] == {"note": "b"}
    assert template["serviceAccountName"] == "kf-shop"
    assert template["podTemplate"]["nodeSelector"] == {"disk": "ssd"}
    assert template["podTemplate"]["securityContext"] == GOLDEN_POD["securityContext"], (
        "Tekton's containers stay confined"
    )
    assert step_of(manifest)["securityContext"]["runAsUser"] == 0
    assert step_of(manifest)["securityContext"]["runAsNonRoot"] is False
    assert step_of(manifest)["computeResources"]["limits"] == {
        "memory": "64Mi",
        "ephemeral-storage": "16Mi",
        "cpu": "2",
    }


def test_volumes_and_the_rest_of_the_pod_template() -> None:
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "shop-data"}}
    mount = {"name": "data", "mountPath": "/data", "subPath": "a"}
    manifest = render(spec(volumes=[data], volume_mounts=[mount], pod_template={"priorityClassName": "high"}))
    task = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]
    assert (task["volumes"], step_of(manifest)["volumeMounts"]) == ([data], [mount])
    assert manifest["spec"]["taskRunTemplate"]["podTemplate"] == {**GOLDEN_POD, "priorityClassName": "high"}


def test_a_run_of_a_template() -> None:
    template = render(spec(annotations={"note": "b"}))
    before = copy.deepcopy(template)
    run = instantiate(template, name="shop-migrate-1", key="abc", task_id=7, attempt=2, started_by="jo", followed=True)
    assert template == before
    assert run["metadata"] == {
        "namespace": "shop-dev",
        "name": "shop-migrate-1",
        "labels": {
            **GOLDEN["metadata"]["labels"],
            "kf.dev/key": "abc",
            "kf.dev/task-id": "7",
            "kf.dev/attempt": "2",
        },
        "annotations": {"note": "b", "kf.dev/started-by": "jo", "kf.dev/followed": "true"},
    }
    assert run["spec"] == template["spec"]
    plain = instantiate(render(spec()), name="n", key="k", task_id=1, attempt=1, started_by="jo")
    assert plain["metadata"]["annotations"] == {"kf.dev/started-by": "jo"}


def test_overriding_changes_only_what_is_named() -> None:
    template = render(spec(resources=Resources("64Mi", "16Mi", "1", "2")))
    before = copy.deepcopy(template)
    changed = override(
        template,
        task="one-off",
        argv=["printf", "$5"],
        env={"TOKEN": Value("plain$"), "NEW": Value("$(params.y)")},
        resources={"memory": "1Gi", "cpu": "500m"},
    )
    assert template == before
    step = step_of(changed)
    assert changed["metadata"]["labels"]["kf.dev/task"] == "one-off"
    assert (step["command"], step["args"]) == (["printf"], ["$$5"])
    assert step["env"] == [
        {"name": "KF_DOLLAR", "value": "$"},
        {"name": "PRICE", "value": "5$$"},
        {"name": "ZONE", "value": "north"},
        {"name": "TOKEN", "value": "plain$$"},
        {"name": "NEW", "value": "$(KF_DOLLAR)(params.y)"},
    ]
    assert step["computeResources"] == {
        "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "16Mi"},
        "limits": {"memory": "1Gi", "ephemeral-storage": "16Mi", "cpu": "500m"},
    }
    assert override(template) == template


def test_overriding_adds_the_dollar_before_everything_else() -> None:
    template = render(spec(argv=["true"]))
    assert names(override(template, argv=["echo", "$(params.x)"])) == ["KF_DOLLAR", "PRICE", "TOKEN", "ZONE"]
    assert names(override(template, env={"A": Value("b")})) == ["PRICE", "TOKEN", "ZONE", "A"]
    bare = render(spec(argv=["true"], env=[]))
    assert names(override(bare, env={"A": Value("$(params.x)")})) == ["KF_DOLLAR", "A"]


def test_the_secrets_that_a_run_refers_to() -> None:
    assert secrets_of(render(spec())) == [{"name": "kf-shop.migrate.env", "key": "TOKEN"}]
    assert secrets_of(render(spec(env=[]))) == []
    volumes = [
        {"name": "a", "secret": {"secretName": "kf.db.service"}},
        {"name": "b", "projected": {"sources": [{"secret": {"name": "kf.db.service"}}, {"configMap": {"name": "c"}},
                                                {"secret": {"name": "more", "items": [{"key": "k", "path": "p"}]}}]}},
        {"name": "c", "emptyDir": {}},
    ]  # fmt: skip
    mounted = render(spec(env=[], volumes=volumes))
    assert secrets_of(mounted) == [{"name": "kf.db.service", "key": ""}, {"name": "more", "key": ""}]
    assert secret_volumes(mounted)["b", 2] == ("more", [{"key": "k", "path": "p"}])


def test_a_run_with_other_amounts_is_told_them() -> None:
    env = merge([("system", system.variables("s.dev", "shop-dev", "shop", "512Mi", "1Gi"))])
    changed = step_of(override(render(spec(env=env)), resources={"memory": "64Mi"}))["env"]
    texts = {entry["name"]: entry.get("value") for entry in changed}
    assert (texts["MEMORY_LIMIT"], texts["MEMORY_LIMIT_IN_MB"], texts["DISK_LIMIT"]) == ("64M", "64", "1024")
    assert json.loads(texts["VCAP_APPLICATION"])["limits"] == {"disk": 1024, "mem": 64}
