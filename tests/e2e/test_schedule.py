"""Scheduled tasks on the real cluster.

Most of it needs no waiting for a minute to pass: a test makes the Job that the CronJob controller would
make for a scheduled time, from the same template and with the same annotation.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .conftest import CHECKOUT, Stack, eventually, kill_group, kubectl, objects, run

SCHEDULE = "kf.dev/schedule"
AT = "kf.dev/scheduled-at"
SINCE = "kf.dev/times-since"
HEAD = (
    "from kf_tasks import TaskSchedule\n"
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', submitter_image=f'{R}/python:3')\n"
)
POD_LOGS = "/var/lib/kf-sandbox/podlogs"  # where the sandbox's kubelet has what /var/log/containers points to
READER = {
    "apiVersion": "apps/v1", "kind": "DaemonSet",
    "spec": {
        "selector": {"matchLabels": {"app": "reader"}},
        "template": {
            "metadata": {"labels": {"app": "reader"}},
            "spec": {
                "containers": [{"name": "reader", "image": "REGISTRY/busybox:1", "command": ["sleep", "600"],
                                "volumeMounts": [{"name": "log", "mountPath": "/var/log", "readOnly": True},
                                                 {"name": "pods", "mountPath": POD_LOGS, "readOnly": True}]}],
                "volumes": [{"name": "log", "hostPath": {"path": "/var/log"}},
                            {"name": "pods", "hostPath": {"path": POD_LOGS}}],
            },
        },
    },
}  # fmt: skip


def schedules(stack: Stack, body: str) -> Stack:
    return stack.write(f"{HEAD}app = App('shop', space=space, image=f'{{R}}/busybox:1', keep=3)\n{body}")


def cron_job(stack: Stack, task: str) -> dict[str, Any]:
    return objects("cronjobs", stack.namespace, f"{SCHEDULE}={task}")[0]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def start(
    stack: Stack,
    task: str,
    when: datetime,
    owner: dict[str, Any] | None = None,
    beside: dict[str, Any] | None = None,
    deadline: int | None = None,
) -> str:
    """What the CronJob controller does at a scheduled time; `owner` is the CronJob as it knows it.

    `beside` is a container that an admission webhook would put into the pod, `deadline` another one of the Job.
    """
    owner = owner or cron_job(stack, task)
    name = f"{owner['metadata']['name']}-{int(when.timestamp())}"  # of the second: tests do not wait for a minute
    template = owner["spec"]["jobTemplate"]
    marks = {"batch.kubernetes.io/cronjob-scheduled-timestamp": when.isoformat()}
    metadata = {**template["metadata"], "name": name, "namespace": stack.namespace, "annotations": marks}
    reference = {"apiVersion": "batch/v1", "kind": "CronJob", "name": owner["metadata"]["name"],
                 "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}  # fmt: skip
    if deadline:
        template["spec"]["activeDeadlineSeconds"] = deadline
    if beside:
        template["spec"]["template"]["spec"]["containers"].append(beside)
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {**metadata, "ownerReferences": [reference]},
           "spec": template["spec"]}  # fmt: skip
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(job), text=True, check=True)
    return name


def job_log(stack: Stack, job: str) -> str:
    return run(["kubectl", "logs", "-n", stack.namespace, "-l", f"batch.kubernetes.io/job-name={job}"]).text


def ended(stack: Stack, job: str, seconds: float = 90) -> str:
    """Waits for a Job; returns Complete or Failed."""

    def state() -> str:
        found = json.loads(kubectl("get", "job", job, "-n", stack.namespace, "-o", "json"))
        conditions = found.get("status", {}).get("conditions") or []
        return next((it["type"] for it in conditions if it["type"] in ("Complete", "Failed")), "")

    return str(eventually(state, seconds, f"the end of {job}; {job_log(stack, job)}"))


def unfinished(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [it for it in runs if "completionTime" not in it.get("status", {})]


def of(stack: Stack, task: str) -> list[dict[str, Any]]:
    return [it for it in stack.runs() if it["metadata"]["labels"].get(SCHEDULE) == task]


def started(stack: Stack, task: str) -> dict[str, Any]:
    """The run of a schedule, once its command prints."""
    eventually(lambda: any("ready" in stack.kf("logs", "shop", "--task", "--recent").text for _ in of(stack, task)), 60)
    return unfinished(of(stack, task))[0]


def submitters(stack: Stack, job: str) -> list[str]:
    pods = objects("pods", stack.namespace, f"batch.kubernetes.io/job-name={job}")
    return [pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] == "Running"]


def reader(stack: Stack) -> None:
    """A reader of logs as clusters have them: a DaemonSet on the node's folder."""
    body = json.loads(json.dumps(READER).replace("REGISTRY", stack.env["SANDBOX_REGISTRY"]))
    body["metadata"] = {"name": "reader", "namespace": stack.namespace}
    subprocess.run(["kubectl", "create", "-f", "-"], input=json.dumps(body), text=True, check=True)


def what_was_read(stack: Stack) -> str:
    """The node's log files of this namespace, as the reader finds them."""
    script = f"cat /var/log/containers/*_{stack.namespace}_step-task-*.log"
    return run(["kubectl", "exec", "-n", stack.namespace, "daemonset/reader", "--", "sh", "-c", script]).text


def test_every_minute_without_an_update(stack: Stack) -> None:
    """Two minutes of real time for what only the CronJob controller can show."""
    schedules(
        stack,
        "TaskSchedule('tick', app=app, command='echo tick of $KF', env={'KF': 'mine'}, schedule='* * * * *')\n"
        "other = App('other', space=space, image=f'{R}/busybox:1')\n"
        "TaskSchedule('slow', app=other, command='sleep 70', schedule='* * * * *', concurrency_policy='Forbid')\n",
    ).up().ok()
    reader(stack)
    for _ in range(2):
        stack.kf("run-task", "shop", "--command", "true").ok()
    seen: dict[str, dict[str, Any]] = {}
    most = 0
    deadline = time.monotonic() + 400
    while len(done := [it for it in seen.values() if "completionTime" in it.get("status", {})]) < 2:
        assert time.monotonic() < deadline, seen
        seen |= {it["metadata"]["name"]: it for it in of(stack, "tick")}
        most = max(most, len(unfinished(stack.runs("other"))))
        time.sleep(2)
    assert most == 1, "a task that takes longer than its interval never runs twice at once"
    times = [it["metadata"]["annotations"][AT] for it in done]
    since = cron_job(stack, "tick")["metadata"]["creationTimestamp"]  # a minute may begin before `up` has ended
    assert len(set(times)) == len(times) and min(times) >= since, "no time from before there was a schedule"
    for it in done:
        labels = it["metadata"]["labels"]
        assert labels["kf.dev/task"] == "tick" and labels["app.kubernetes.io/name"] == "shop"
        assert labels["kf.dev/stack"] == "e2e.dev" and labels["kf.dev/task-id"].isdigit()
    eventually(lambda: len(stack.runs()) == 3, 30, "the App keeps three, though no update ran")
    assert stack.kf("logs", "shop", "--task", "--recent").ok().text.count("tick of mine") == len(of(stack, "tick"))
    assert what_was_read(stack).count("tick of mine") >= 2
    assert len(stack.runs("other")) <= 2
    shown = stack.kf("job-history", "tick").ok().text
    assert "Succeeded" in shown
    stack.destroy().ok()
    assert stack.runs() == [] and stack.runs("other") == []


def test_what_the_submitter_promises(stack: Stack) -> None:
    """Forbid, Replace, a killed pod, a deleted Job, a time missed while suspended, and the rights of its account."""
    waits = "echo ready; trap 'echo told to end; exit 1' TERM; sleep 300 & wait"
    body = (
        "TaskSchedule('forbid', app=app, command='echo ready; sleep 15', schedule='0 3 * * *', "
        "concurrency_policy='Forbid')\n"
        f"TaskSchedule('replace', app=app, command={waits!r}, schedule='0 3 * * *', concurrency_policy='Replace')\n"
        "TaskSchedule('fails', app=app, command='echo no; exit 7', schedule='0 3 * * *')\n"
        "TaskSchedule('unscheduled', app=app, command='echo by hand')\n"
    )
    schedules(stack, body)
    program = stack.folder / "__main__.py"
    text = program.read_text().replace("Space(NS, ", "Space(NS, pod_security='restricted', ")
    program.write_text(text.replace(", keep=3", ""))
    stack.up().ok()
    assert cron_job(stack, "unscheduled")["spec"]["suspend"] is True
    soon = now().replace(second=0) + timedelta(minutes=2)

    # The pod of a scheduled time is killed: the next one follows the same run.
    first = start(stack, "forbid", soon)
    [pod] = eventually(lambda: of(stack, "forbid") and submitters(stack, first))
    kubectl("delete", "pod", pod, "-n", stack.namespace, "--force", "--grace-period=0")
    # Forbid: another time comes meanwhile.
    second = start(stack, "forbid", soon + timedelta(minutes=1))
    # Replace: two times, and a failure beside them.
    third = start(stack, "replace", soon)
    failing = start(stack, "fails", soon)
    assert ended(stack, second) == "Complete"
    assert "nothing is started" in job_log(stack, second) and "Forbid" in job_log(stack, second)
    old = started(stack, "replace")["metadata"]["name"]
    fourth = start(stack, "replace", soon + timedelta(minutes=1))
    assert ended(stack, third) == "Failed"
    assert f"replaced by {of(stack, 'replace')[-1]['metadata']['name']}" in job_log(stack, third)
    said = job_log(stack, fourth)
    assert f"run {old} is cancelled" in said and "ready" in said and "told to end" in said, said
    kept = stack.kf("logs", "--task", "--run", old, "--recent").ok().text.splitlines()
    assert [line.partition(" ")[2] for line in kept] == ["ready", "told to end"], "its log is found where it was copied"
    assert ended(stack, failing) == "Failed"
    assert "exit code 7" in job_log(stack, failing)
    assert ended(stack, first) == "Complete"
    assert len(of(stack, "forbid")) == 1 and "the API server" not in job_log(stack, first)

    # Its Job is deleted: the run goes with it, and not before.
    [run_] = eventually(lambda: unfinished(of(stack, "replace")))
    kubectl("delete", "job", fourth, "-n", stack.namespace, "--wait=false")
    by = eventually(lambda: of(stack, "replace")[-1]["metadata"]["annotations"].get("kf.dev/cancelled-by"), 60)
    assert run_["metadata"]["name"] == of(stack, "replace")[-1]["metadata"]["name"] and "Job was deleted" in by

    # A time that went by before the schedule was resumed.
    missed = start(stack, "fails", now().replace(second=0) - timedelta(minutes=30))
    assert ended(stack, missed) == "Complete" and "went by before" in job_log(stack, missed)
    assert len(of(stack, "fails")) == 1
    _check_rights(stack)
    _check_commands(stack)


def _check_rights(stack: Stack) -> None:
    account = f"system:serviceaccount:{stack.namespace}:kf-shop.fails"

    def may(verb: str, what: str, *more: str) -> bool:
        return run(["kubectl", "auth", "can-i", verb, what, "-n", stack.namespace, "--as", account, *more]).code == 0

    assert (
        may("create", "pipelineruns") and may("get", "configmaps/kf-shop") and may("get", "pods", "--subresource=log")
    )
    for verb in ("create", "update", "delete", "list"):
        for what in ("secrets", "configmaps", "serviceaccounts", "roles", "cronjobs", "jobs", "deployments"):
            assert not may(verb, what), (verb, what)
    for verb, what in (("get", "secrets"), ("create", "pods"), ("create", "pods/exec"), ("get", "configmaps/kf-other"),
                       ("patch", "configmaps/kf.submitter"), ("get", "cronjobs/other"), ("patch", "jobs"),
                       ("update", "pipelineruns"), ("delete", "taskruns")):  # fmt: skip
        assert not may(verb, what), (verb, what)
    assert not may("list", "pipelineruns", "-n", "default") and not may("get", "nodes")


def _check_commands(stack: Stack) -> None:
    def row(job: str) -> str:
        return next(line for line in stack.kf("jobs").ok().text.splitlines() if line.startswith(job))

    assert re.search(r"^forbid +shop +0 3 \* \* \* +Etc/UTC +False .* 03:00 UTC +Forbid", row("forbid")), row("forbid")
    assert re.search(r"^unscheduled +shop +True +Allow", row("unscheduled")), row("unscheduled")
    assert "unscheduled" not in stack.kf("job-schedules").ok().text

    done = stack.kf("run-job", "unscheduled", "--command", "echo $EXTRA", "--env", "EXTRA=with-more", "--wait").ok()
    assert "with-more" in done.text
    assert "Succeeded" in stack.kf("job-history", "shop/unscheduled").ok().text
    [by_hand] = of(stack, "unscheduled")
    assert by_hand["metadata"]["annotations"]["kf.dev/started-by"].startswith("kf run-job by ")
    assert "its jobs are shop/fails, shop/forbid" in stack.kf("run-job", "unknown").failed().text
    assert "remove its TaskSchedule" in stack.kf("delete-job", "forbid").failed().text

    text = stack.kf("delete-job-schedule", "forbid").ok().text
    assert (
        "is suspended" in text and "A plain `pulumi up` does not see this; `pulumi up --refresh` sets it back" in text
    )
    assert "Job is already suspended." in stack.kf("delete-job-schedule", "forbid").failed().text
    assert "next: " in stack.kf("schedule-job", "unscheduled", "*/5 4 * * *").ok().text
    # What runs is not touched by an update that changes its definition.
    running = start(stack, "forbid", now().replace(second=0) + timedelta(minutes=9))
    [before] = eventually(lambda: unfinished(of(stack, "forbid")))
    program = stack.folder / "__main__.py"
    program.write_text(program.read_text().replace("sleep 15", "sleep 14"))
    shown = stack.preview("--diff").ok().text
    assert "in the cluster it is suspended: pulumi up --refresh sets it back" in shown
    stack.up().ok()
    assert cron_job(stack, "forbid")["spec"]["suspend"] is True
    assert ended(stack, running) == "Complete"
    [after] = [it for it in of(stack, "forbid") if it["metadata"]["uid"] == before["metadata"]["uid"]]
    assert after["spec"] == before["spec"] and after["status"]["conditions"][0]["status"] == "True"
    shown = stack.preview("--refresh").ok().text
    assert re.search(r"~ +kubernetes:batch/v1:CronJob +shop-forbid +update", shown), shown
    stack.up("--refresh").ok()
    assert cron_job(stack, "forbid")["spec"]["suspend"] is False
    assert cron_job(stack, "unscheduled")["spec"]["suspend"] is True


def test_the_preview_of_a_schedule(stack: Stack) -> None:
    nightly = "TaskSchedule('nightly', app=app, command='echo', schedule='30 2 * * *', time_zone='Europe/Berlin')\n"
    shown = schedules(stack, nightly).preview().ok().text
    assert re.search(r"next times: \w+ \d+ \w+ \d+ 02:30 CES?T, .*, .*\n", shown), shown
    assert re.search(r"02:30 does not exist on \d+ Mar \d+: no run", shown)
    assert re.search(r"02:30 comes twice on \d+ Oct \d+: two runs", shown)
    assert "the App keeps 3 tasks; of this schedule alone that is the last 3 days" in shown
    stack.up().ok()
    assert "next times" not in stack.preview("--expect-no-changes").ok().text
    shown = schedules(stack, nightly.replace("30 2", "0 4")).preview().ok().text
    assert re.search(r"next times: .* 04:00 .*\n", shown), shown
    assert re.search(r"next times without this update: .* 02:30 ", shown) and "does not exist" not in shown
    wrong = "TaskSchedule('nightly', app=app, command='echo', schedule='CRON_TZ=Europe/Berlin 0 3 * * *')\n"
    text = schedules(stack, wrong).preview().failed().text
    assert "'nightly' of app 'shop'" in text and "Traceback" not in text, text
    assert "write schedule='0 3 * * *' and time_zone='Europe/Berlin'" in text


def test_a_time_that_comes_in_the_middle_of_an_update_of_the_code(stack: Stack) -> None:
    """The other code is there, the CronJob is still the old one: the Job that it makes starts its task all the same."""
    body = (
        "slow = Task('slow', app=app, command='sleep 10', triggers=[{nth}])\n"
        "TaskSchedule('tick', app=app, command='echo tick', schedule='0 3 * * *', "
        "opts=ResourceOptions(depends_on=[slow]))\n"
    )
    schedules(stack, body.format(nth=1)).up().ok()
    old = cron_job(stack, "tick")
    before = codes(stack)
    stack.env["PYTHONPATH"] = str(another_version(stack))
    update = schedules(stack, body.format(nth=2)).start()
    try:
        eventually(lambda: codes(stack) > before, 120, "the other code")
        assert cron_job(stack, "tick")["spec"] == old["spec"], "the update has not come to the CronJob yet"
        job = start(stack, "tick", now().replace(second=0) + timedelta(minutes=2), old)
        text, _ = update.communicate(timeout=600)
    finally:
        if update.poll() is None:
            kill_group(update)
    assert update.returncode == 0, text
    assert ended(stack, job) == "Complete", job_log(stack, job)
    assert [it["status"]["conditions"][0]["status"] for it in of(stack, "tick")] == ["True"]
    assert cron_job(stack, "tick")["spec"]["jobTemplate"] != old["spec"]["jobTemplate"]
    # A pod of before that is started again, or late, finds its code too; a day later nobody needs that any more.
    late = start(stack, "tick", now().replace(second=0) + timedelta(minutes=3), old)
    assert ended(stack, late) == "Complete", job_log(stack, late)
    assert len(of(stack, "tick")) == 2 and codes(stack) > before
    stack.destroy().ok()
    eventually(lambda: not codes(stack), 60, "the code goes with what owns it")


def test_a_proxy_beside_the_submitter_keeps_nothing_from_running(stack: Stack) -> None:
    """As a mesh injects it: the pod ends, its run is recorded, and the next time runs under Forbid."""
    proxies = {"good": ("trap 'exit 0' TERM; sleep 600 & wait", "Complete"), "bad": ("sleep 600; true", "Failed")}
    stack.write(
        f"{HEAD}app = App('shop', space=space, image=f'{{R}}/busybox:1')\n"
        f"for name in {list(proxies)}:\n"
        "    TaskSchedule(name, app=app, command='echo report', schedule='0 4 1 1 *', concurrency_policy='Forbid')\n"
    ).up().ok()
    image = f"{stack.env['SANDBOX_REGISTRY']}/busybox:1"
    first = {}
    for name, (proxy, _) in proxies.items():
        beside = {"name": "proxy", "image": image, "command": ["sh", "-c", proxy]}
        first[name] = start(stack, name, now() + timedelta(minutes=2), beside=beside)
    for name in proxies:
        eventually(partial(lambda name: len(of(stack, name)) == 1 and not unfinished(of(stack, name)), name), 60)
    second = {name: start(stack, name, now() + timedelta(minutes=3)) for name in proxies}
    for name, (_, how) in proxies.items():
        assert ended(stack, second[name]) == "Complete"
        assert ended(stack, first[name], 120) == how, "a proxy that ends badly fails the Job, but starts no other pod"
        assert len(objects("pods", stack.namespace, f"batch.kubernetes.io/job-name={first[name]}")) <= 1
        assert [it["status"]["conditions"][0]["status"] for it in of(stack, name)] == ["True", "True"]


def test_a_job_that_comes_to_its_deadline(stack: Stack) -> None:
    """It is failed, its run goes on, and the next time knows of that run."""
    body = "TaskSchedule('long', app=app, command='sleep 60', schedule='0 4 1 1 *', concurrency_policy='Forbid')\n"
    schedules(stack, body).up().ok()
    first = start(stack, "long", now() + timedelta(minutes=2), deadline=25)
    assert ended(stack, first, 120) == "Failed"
    [under_way] = unfinished(of(stack, "long"))
    second = start(stack, "long", now() + timedelta(minutes=3))
    assert ended(stack, second) == "Complete"
    assert f"run {under_way['metadata']['name']} is under way" in job_log(stack, second)
    eventually(lambda: not unfinished(of(stack, "long")), 90)
    [done] = of(stack, "long")
    assert done["status"]["conditions"][0]["status"] == "True" and "Succeeded" in stack.kf("job-history", "long").text


def test_only_a_change_of_the_times_drops_a_time(stack: Stack) -> None:
    """The cluster missed a time and makes up for it after an update: of a node selector, then of the suspension."""

    def program(nodes: dict[str, str], suspend: bool) -> Stack:
        return stack.write(
            f"{HEAD}app = App('shop', space=space, image=f'{{R}}/busybox:1', node_selector={nodes})\n"
            "TaskSchedule('report', app=app, command='echo report', schedule='0 4 1 1 *', starting_deadline='2h', "
            f"suspend={suspend})\n"
        )

    program({}, False).up().ok()
    made = cron_job(stack, "report")
    missed = now() + timedelta(seconds=1)
    time.sleep(3)
    nodes = {"kubernetes.io/os": "linux"}
    program(nodes, False).up().ok()
    found = cron_job(stack, "report")
    assert found["metadata"]["generation"] == made["metadata"]["generation"] + 1
    assert found["metadata"]["annotations"][SINCE] == made["metadata"]["annotations"][SINCE]
    assert made["metadata"]["annotations"][SINCE].endswith("Z 0 4 1 1 * Etc/UTC")
    job = start(stack, "report", missed)
    assert ended(stack, job) == "Complete" and len(of(stack, "report")) == 1, job_log(stack, job)

    stack.kf("delete-job-schedule", "report").ok()
    by_kf = cron_job(stack, "report")["metadata"]["annotations"][SINCE]
    assert by_kf.endswith("Z suspended 0 4 1 1 * Etc/UTC") and by_kf > found["metadata"]["annotations"][SINCE]
    assert "unchanged" in stack.preview("--expect-no-changes").ok().text
    missed = now()
    time.sleep(2)
    stack.up("--refresh").ok()
    resumed = cron_job(stack, "report")["metadata"]["annotations"][SINCE]
    assert resumed.endswith("Z 0 4 1 1 * Etc/UTC") and resumed > by_kf
    job = start(stack, "report", missed)
    assert ended(stack, job) == "Complete" and "went by before the schedule was changed" in job_log(stack, job)
    assert len(of(stack, "report")) == 1
    assert "unchanged" in stack.preview("--expect-no-changes").ok().text


def test_a_plan_of_another_schedule_is_what_happens(stack: Stack) -> None:
    """The CronJob's generation, which brings its change to the Calendar, is known in the preview."""
    stack.env["PULUMI_EXPERIMENTAL"] = "true"  # for --save-plan
    body = "TaskSchedule('report', app=app, command='echo report', schedule='{} 4 1 1 *')\n"
    schedules(stack, body.format(0)).up().ok()
    shown = schedules(stack, body.format(30)).preview("--save-plan", "plan.json").ok().text
    assert "Calendar shop-report update [diff: +_asked,_last,_next~generation,schedule]" in shown
    stack.up("--plan", "plan.json").ok()
    assert cron_job(stack, "report")["metadata"]["annotations"][SINCE].endswith("Z 30 4 1 1 * Etc/UTC")
    stack.preview("--expect-no-changes").ok()


def another_version(stack: Stack) -> Path:
    """A folder with the package as another version of it: one comment of the pod's code differs."""
    folder = stack.folder.parent / "another"
    shutil.copytree(CHECKOUT / "components" / "kf_tasks", folder / "kf_tasks")
    with (folder / "kf_tasks" / "core" / "naming.py").open("a") as file:
        file.write("# another version\n")
    return folder


def codes(stack: Stack) -> set[str]:
    """The names of the ConfigMaps with code for the pods of schedules."""
    return {it["metadata"]["name"] for it in objects("configmaps", stack.namespace, "app.kubernetes.io/component=code")}


@pytest.mark.soak
def test_a_schedule_that_does_not_run_is_told_of_and_runs_when_it_can(stack: Stack) -> None:
    """Its pods have an image that does not exist; Jobs that wait for it keep nothing from running afterwards."""
    body = (
        "TaskSchedule('tick', app=app, command='echo tick', schedule='* * * * *')\n"
        "TaskSchedule('tock', app=app, command='echo tock', schedule='* * * * *', concurrency_policy='Forbid')\n"
    )
    program = schedules(stack, body).folder / "__main__.py"
    right = program.read_text()
    program.write_text(right.replace("{R}/python:3", "{R}/nope:1"))
    stack.up().ok()
    missed = re.compile(r"job 't[io]ck' of app 'shop' has missed (its time of|\d+ times since) .*: (\w*ImagePull\w*): ")
    eventually(lambda: len(missed.findall(stack.kf("jobs").ok().text)) == 2, 200)
    assert len(missed.findall(stack.kf("job-history", "tock").ok().text)) == 1
    diagnostics = stack.preview().ok().text.split("Diagnostics:")[1]
    assert len(re.findall(r"warning: has missed .*ImagePull.*nope:1", diagnostics)) == 2
    program.write_text(right)
    stack.up().ok()
    for job in ("tick", "tock"):
        eventually(partial(of, stack, job), 120, f"a run of {job}, whatever waits")
    assert "has missed" not in stack.kf("jobs").ok().text and "has missed" not in stack.preview().ok().text


@pytest.mark.soak
def test_restarts_at_the_minute_make_one_run_for_each_time(stack: Stack) -> None:
    """API server and kubelet are gone just when a time comes; three minutes, three runs, each started once."""
    schedules(
        stack,
        "TaskSchedule('tick', app=app, command='echo tick; sleep 8', schedule='* * * * *')\n",
    ).up().ok()
    began = now()

    for part, stays_away in (("apiserver", 8), ("kubelet", 8), ("apiserver", 8)):
        _until_second(57 if part == "kubelet" else 2)  # a kubelet misses the minute, a server the middle of a start
        sandbox("stop", part)
        time.sleep(stays_away)
        sandbox("start", part)
        eventually(lambda: run(["kubectl", "get", "--raw", "/readyz"]).code == 0, 60)
    _until_second(50)
    run(["kubectl", "patch", "cronjob", cron_job(stack, "tick")["metadata"]["name"], "-n", stack.namespace, "-p",
         '{"spec": {"suspend": true}}']).ok()  # fmt: skip
    eventually(lambda: not unfinished(of(stack, "tick")), 60)
    jobs = objects("jobs", stack.namespace, f"{SCHEDULE}=tick")
    for job in jobs:
        print(job["metadata"]["name"], job["status"], job_log(stack, job["metadata"]["name"]))
    runs = of(stack, "tick")
    times = [it["metadata"]["annotations"][AT] for it in runs]
    assert len(times) == len(set(times)) == 3, (began, times)
    assert all(it["status"]["conditions"][0]["status"] == "True" for it in runs)
    logs = stack.kf("logs", "shop", "--task", "--recent", "-n", "0").ok().text
    assert logs.count("tick") == 2 * len(runs), logs  # `tick/<id> tick`, once for each run
    counted = {it["metadata"]["labels"]["kf.dev/task-id"] for it in runs}
    assert len(counted) == len(runs)


def sandbox(action: str, part: str) -> None:
    """Stops or starts one part of the cluster."""
    run([sys.executable, "-m", "sandbox", action, part], CHECKOUT).ok()


@pytest.mark.soak
def test_what_is_made_up_for_in_real_time(stack: Stack) -> None:
    """A time that goes by while it is suspended is left out, or made up for once; so is one of a cluster's outage."""
    schedules(
        stack,
        "often = {'app': app, 'command': 'echo', 'schedule': '* * * * *', 'starting_deadline': '5m'}\n"
        "TaskSchedule('plain', **often)\n"
        "TaskSchedule('caught', catch_up=True, **often)\n",
    ).up().ok()

    def times(job: str) -> list[str]:
        return [it["metadata"]["annotations"][AT] for it in of(stack, job)]

    _until_second(35)
    for job in ("plain", "caught"):
        stack.kf("delete-job-schedule", job).ok()
    _until_second(8)
    missed = now().replace(second=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    for job in ("plain", "caught"):
        stack.kf("schedule-job", job, "* * * * *").ok()
    eventually(lambda: missed in times("caught"), 45)
    job = f"{cron_job(stack, 'plain')['metadata']['name']}-{_minute(missed)}"
    assert ended(stack, job) == "Complete" and "went by before" in job_log(stack, job)
    assert missed not in times("plain")

    _until_second(52)
    sandbox("stop", "controller-manager")
    time.sleep(20)
    outage = now().replace(second=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    sandbox("start", "controller-manager")
    for each in ("plain", "caught"):
        eventually(partial(lambda job: times(job).count(outage) == 1, each), 60)
        assert len(times(each)) == len(set(times(each)))


def _minute(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) // 60


def _until_second(second: int) -> None:
    time.sleep((second - time.time()) % 60)
