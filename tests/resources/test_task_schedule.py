"""What a TaskSchedule registers, and what its preview says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pulumi
import pytest
import yaml
from kf_tasks import App, Space, Task, TaskSchedule
from kf_tasks.core.schedule import cronjob
from kf_tasks.core.state import CalendarInputs, Which
from kf_tasks.provider import calendar
from kf_tasks.resources import pod_code

from .test_components import OURS, Registered, run, template

OF_APP = {**OURS, "app.kubernetes.io/name": "shop"}
LEAD = "kf:index:TaskSchedule$kubernetes:"
CRON_JOB = f"{LEAD}batch/v1:CronJob::shop-nightly"
NOON = int(datetime(2026, 11, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")).timestamp())


def scheduled(name: str = "nightly", app: dict[str, Any] | None = None, **more: Any) -> Registered:
    def program() -> None:
        space = Space("shop-dev", submitter_image="registry/python:3")
        TaskSchedule(name, app=App("shop", space=space, image="i", command="x", keep=7, **(app or {})), **more)

    return run(program)


def pod_of(found: Registered) -> dict[str, Any]:
    made: dict[str, Any] = found[CRON_JOB]["spec"]["jobTemplate"]["spec"]["template"]
    return made


def test_what_a_schedule_registers() -> None:
    found = scheduled(schedule="0 3 * * *", time_zone="Europe/Berlin", starting_deadline="10m")
    assert [urn for urn in found.names() if "TaskSchedule" in urn or "submitter" in urn] == [
        "kf:index:Space$kubernetes:core/v1:ConfigMap::kf.shop-dev.submitter",
        "kf:index:Space$kubernetes:core/v1:ConfigMap::kf.shop-dev.submitter.owner",
        f"{LEAD}batch/v1:CronJob::shop-nightly",
        f"{LEAD}core/v1:ConfigMap::shop-nightly",
        f"{LEAD}core/v1:ServiceAccount::shop-nightly",
        f"{LEAD}rbac.authorization.k8s.io/v1:Role::shop-nightly",
        f"{LEAD}rbac.authorization.k8s.io/v1:RoleBinding::shop-nightly",
        "kf:index:TaskSchedule$pulumi-python:dynamic/kf:Calendar::shop-nightly",
        "kf:index:TaskSchedule::shop-nightly",
    ]
    spec = found[CRON_JOB]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 3 * * *", "Europe/Berlin", False)
    assert (spec["concurrencyPolicy"], spec["startingDeadlineSeconds"]) == ("Allow", 600)
    labels = found[CRON_JOB]["metadata"]["labels"]
    assert labels == {**OF_APP, "kf.dev/task": "nightly", "kf.dev/schedule": "nightly"}


def test_the_template_is_json_for_the_submitter_and_yaml_for_everybody_else() -> None:
    odd = "echo \x7f\x85\u2028\ufeff ü😀 $(params.x)"
    found = scheduled(command=odd)
    urn = f"{LEAD}core/v1:ConfigMap::shop-nightly"
    text = found[urn]["data"]["pipelinerun.yaml"]
    assert json.loads(text) == yaml.safe_load(text) == template(found, urn)
    labels = template(found, urn)["metadata"]["labels"]
    assert (labels["kf.dev/task"], labels["kf.dev/schedule"]) == ("nightly", "nightly")
    settings = json.loads(found[urn]["data"]["settings.json"])
    name = found[CRON_JOB]["metadata"]["name"]
    assert {key: settings[key] for key in ("app", "task", "keep", "policy", "catch_up", "cron_job")} == {
        "app": "shop", "task": "nightly", "keep": 7, "policy": "Allow", "catch_up": False, "cron_job": name,
    }  # fmt: skip


@pytest.mark.parametrize("policy", ["Always", "Forbid", "Replace"])
def test_policies_are_the_submitters_work(policy: str) -> None:
    """Which counts runs: a Job that cannot start or end keeps no other time from running."""
    found = scheduled(schedule="@daily", concurrency_policy=policy)
    assert found[CRON_JOB]["spec"]["concurrencyPolicy"] == "Allow"
    said = found[CRON_JOB]["metadata"]["annotations"]["kf.dev/concurrency-policy"]
    assert said == ("Allow" if policy == "Always" else policy)


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [({}, 3600 + 600 + 600), ({"timeout": "3h", "start_timeout": "1m"}, 3 * 3600 + 60 + 600),
     ({"timeout": "0"}, 86400 + 600 + 600), ({"timeout": "0", "start_timeout": "0"}, 86400 + 600)],
)  # fmt: skip
def test_no_job_waits_for_ever(settings: dict[str, Any], seconds: int) -> None:
    spec = scheduled(schedule="@daily", **settings)[CRON_JOB]["spec"]["jobTemplate"]["spec"]
    assert spec["activeDeadlineSeconds"] == seconds


def test_meshes_are_asked_for_no_sidecar() -> None:
    metadata = pod_of(scheduled(schedule="@daily"))["metadata"]
    assert metadata["labels"]["sidecar.istio.io/inject"] == "false"
    wanted = {
        "sidecar.istio.io/inject": "false",
        "linkerd.io/inject": "disabled",
        "vault.hashicorp.com/agent-inject": "false",
    }
    assert wanted.items() <= metadata["annotations"].items()


def test_a_job_without_a_schedule_is_suspended() -> None:
    spec = scheduled()[CRON_JOB]["spec"]
    assert (spec["schedule"], spec["suspend"]) == ("0 0 30 2 *", True)


def test_the_submitter_is_confined_and_carries_no_label_of_the_app() -> None:
    pod = pod_of(scheduled(schedule="@daily"))
    ours = {name: value for name, value in pod["metadata"]["labels"].items() if "inject" not in name}
    assert ours == {
        "app.kubernetes.io/managed-by": "kf", "app.kubernetes.io/component": "submitter", "kf.dev/schedule": "nightly",
    }  # fmt: skip
    [container] = pod["spec"]["containers"]
    assert container["image"] == "registry/python:3"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_it_goes_where_the_apps_pods_go() -> None:
    app = {"node_selector": {"pool": "batch"}, "tolerations": [{"key": "batch", "operator": "Exists"}],
           "image_pull_secrets": ["pull"]}  # fmt: skip
    found = scheduled(schedule="@daily", app=app)
    assert pod_of(found)["spec"]["nodeSelector"] == {"pool": "batch"}
    assert pod_of(found)["spec"]["tolerations"] == [{"key": "batch", "operator": "Exists"}]
    account = found[f"{LEAD}core/v1:ServiceAccount::shop-nightly"]
    assert account["imagePullSecrets"] == [{"name": "pull"}]


def test_the_code_that_is_mounted_is_there() -> None:
    found = scheduled(schedule="@daily")
    data = found["kf:index:Space$kubernetes:core/v1:ConfigMap::kf.shop-dev.submitter"]["data"]
    [volume] = [it for it in pod_of(found)["spec"]["volumes"] if it["name"] == "code"]
    assert {item["key"] for item in volume["configMap"]["items"]} == set(data)
    assert {"kf_tasks.submitter.submitter.py", "kf_tasks.core.naming.py"} <= set(data)
    assert sum(map(len, data.values())) < 500_000


def test_other_code_is_another_config_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the CronJob of before names is changed: a Job that it makes during an update starts its task."""
    of_code = "kf:index:Space$kubernetes:core/v1:ConfigMap::kf.shop-dev.submitter"
    before = scheduled(schedule="@daily")
    path = "kf_tasks/core/naming.py"
    assert path in pod_code.sources()
    others = {**pod_code.sources(), path: pod_code.sources()[path] + "# another comment\n"}
    monkeypatch.setattr(pod_code, "sources", lambda: others)
    after = scheduled(schedule="@daily")
    names = [found[of_code]["metadata"]["name"] for found in (before, after)]
    assert names[0] != names[1]
    for found, name in zip((before, after), names, strict=True):
        [volume] = [it for it in pod_of(found)["spec"]["volumes"] if it["name"] == "code"]
        assert volume["configMap"]["name"] == name
        assert {item["key"] for item in volume["configMap"]["items"]} == set(found[of_code]["data"])


def test_the_name_of_the_cron_job_leaves_room() -> None:
    for name in ("nightly", "n" * 60):
        found = scheduled(name, schedule="@daily")
        made = found[f"{LEAD}batch/v1:CronJob::shop-{name}"]["metadata"]["name"]
        assert made.startswith("shop-n") and len(made) <= cronjob.NAME_LIMIT


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"schedule": "0 0 30 2 *"}, "schedule of job 'nightly' of app 'shop': '0 0 30 2 *' never comes: correct it"),
        ({"schedule": "* * * *"}, "schedule of job 'nightly' of app 'shop': '* * * *' has 4 fields"),
        (
            {"schedule": "CRON_TZ=Europe/Berlin 0 3 * * *"},
            "schedule of job 'nightly' of app 'shop': Kubernetes takes no time zone within a schedule "
            "('CRON_TZ=Europe/Berlin 0 3 * * *'): write schedule='0 3 * * *' and time_zone='Europe/Berlin'",
        ),
        ({"time_zone": "Mars"}, "time_zone of job 'nightly' of app 'shop': time zone 'Mars' is unknown"),
        (
            {"concurrency_policy": "never"},
            "concurrency_policy is the text 'never': give one of 'Allow', 'Forbid', 'Replace', 'Always'",
        ),
        ({"starting_deadline": "9s"}, "give it at least '10s'"),
        ({"retries": -1}, "write a whole number from 0 upwards"),
    ],
)
def test_what_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        scheduled(**settings)
    assert said in str(error.value)


def test_a_task_and_a_job_of_one_name() -> None:
    def program() -> None:
        app = App("shop", space=Space("dev"), image="i", command="x")
        Task("same", app=app)
        TaskSchedule("same", app=app)

    with pytest.raises(pulumi.RunError, match="job 'same' of app 'shop': the app has a task of this name: rename one"):
        run(program)


def said(olds: dict[str, Any], **news: Any) -> list[str]:
    which = Which("shop.dev", "shop", "shop", "nightly")
    given = CalendarInputs(which, "c", "30 2 * * *", "Europe/Berlin", False, 3, manifest={}, connection={}, urn="urn")
    return calendar.changed(replace(given, **olds) if olds else None, replace(given, **news), NOON)


def test_what_the_first_preview_says() -> None:
    assert said({}) == [
        "next times: Mon 2 Nov 2026 02:30 CET, Tue 3 Nov 2026 02:30 CET, Wed 4 Nov 2026 02:30 CET",
        "02:30 does not exist on 28 Mar 2027: no run",
        "02:30 comes twice on 31 Oct 2027: two runs",
        "retention: the App keeps 3 tasks; of this schedule alone that is the last 3 days",
    ]


def test_what_the_preview_of_a_change_says() -> None:
    assert said({"schedule": "0 4 * * *"}, schedule="0 */6 * * *")[:2] == [
        "next times: Sun 1 Nov 2026 18:00 CET, Mon 2 Nov 2026 00:00 CET, Mon 2 Nov 2026 06:00 CET",
        "next times without this update: Mon 2 Nov 2026 04:00 CET, Tue 3 Nov 2026 04:00 CET, Wed 4 Nov 2026 04:00 CET",
    ]
    assert said({"schedule": ""}, suspend=True) == [
        "next times: none while it is suspended",
        "next times without this update: none, only kf run-job starts it",
    ]
