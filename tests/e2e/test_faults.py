"""An API server that is away, answers too late, refuses for a while, or takes the credentials back."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from . import test_schedule as schedule
from .conftest import Stack, eventually, kubectl, objects
from .proxy import Wire


def test_connection_cut_while_a_task_is_followed(stack: Stack) -> None:
    wire = Wire(stack.folder)
    stack.env["KUBECONFIG"] = str(wire.kubeconfig)
    process = stack.task("command='for n in $(seq 1 30); do echo line $n; sleep 0.5; done'").start()
    assert process.stdout
    text = next(line for line in process.stdout if "line 3" in line)
    wire.cut()
    time.sleep(8)
    wire.mend()
    text += process.stdout.read()
    assert process.wait() == 0, text
    assert stack.outputs()["log"] == "".join(f"line {n}\n" for n in range(1, 31)), "complete, no line twice"
    shown = [line for line in text.split("Diagnostics:")[1].splitlines() if line.strip().startswith("line ")]
    assert len(shown) == len(set(shown)) == 30


def test_lost_answers_never_make_a_second_run(stack: Stack) -> None:
    wire = Wire(stack.folder, seed=7)
    stack.env["KUBECONFIG"] = str(wire.kubeconfig)
    stack.task("command='echo 0'").up().ok()
    for number in range(1, 4):
        wire.answers = 0.7
        stack.task(f"command='echo {number}'").up()
        wire.answers = 1.0
        stack.up().ok()
        assert stack.outputs()["log"] == f"{number}\n"
        keys = Counter(run["metadata"]["labels"]["kf.dev/key"] for run in stack.runs())
        assert len(keys) == number + 1 and set(keys.values()) == {1}, f"update {number}: {keys}"


def test_too_many_requests_for_a_while(stack: Stack) -> None:
    user = _user(stack)
    process = stack.task("command='for n in $(seq 1 20); do echo line $n; sleep 0.5; done'").start()
    assert process.stdout
    text = next(line for line in process.stdout if "line 2" in line)
    storm = f"storm-{stack.namespace}"
    level = {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": 0,
            "lendablePercent": 0,
            "borrowingLimitPercent": 0,
            "limitResponse": {"type": "Reject"},
        },
    }
    rules = [
        {
            "subjects": [{"kind": "User", "user": {"name": user}}],
            "resourceRules": [
                {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
            ],
        }
    ]
    api = "flowcontrol.apiserver.k8s.io/v1"
    objects = [
        {"apiVersion": api, "kind": "PriorityLevelConfiguration", "metadata": {"name": storm}, "spec": level},
        {"apiVersion": api, "kind": "FlowSchema", "metadata": {"name": storm},
         "spec": {"priorityLevelConfiguration": {"name": storm}, "matchingPrecedence": 2, "rules": rules}},
    ]  # fmt: skip
    try:
        for one in objects:
            subprocess.run(["kubectl", "apply", "-f", "-"], input=json.dumps(one), text=True, check=True)
        time.sleep(6)
    finally:
        kubectl("delete", "flowschema,prioritylevelconfiguration", storm, "--ignore-not-found")
    text += process.stdout.read()
    assert process.wait() == 0, text
    assert stack.outputs()["log"] == "".join(f"line {n}\n" for n in range(1, 21))


def test_webhook_that_does_not_answer_for_a_while(stack: Stack) -> None:
    """As when Tekton is updated: its webhook is down, and nothing is admitted meanwhile."""
    stack.task("command='true'").up().ok()
    name = f"down-{stack.namespace}"
    rule = {"apiGroups": ["tekton.dev"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pipelineruns"]}
    stack.task("command='echo once; sleep 1'")
    try:
        _refuse(stack, name, [rule])
        eventually(lambda: "nobody" in stack.preview().text)
        process = stack.start()
        time.sleep(12)
        assert process.poll() is None and len(stack.runs()) == 1
    finally:
        kubectl("delete", "validatingwebhookconfiguration", name, "--ignore-not-found")
    assert process.stdout
    text = process.stdout.read()
    assert process.wait() == 0, text
    assert len(stack.runs()) == 2 and stack.outputs()["log"] == "once\n"


@pytest.mark.soak
def test_tekton_cannot_write_down_that_a_task_has_ended(stack: Stack) -> None:
    name = f"deaf-{stack.namespace}"
    rules = [
        {"apiGroups": ["tekton.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": [f"{one}/status"]}
        for one in ("taskruns", "pipelineruns")
    ]

    @contextmanager
    def deaf() -> Iterator[None]:
        try:
            _refuse(stack, name, rules)
            yield
        finally:
            kubectl("delete", "validatingwebhookconfiguration", name, "--ignore-not-found")

    _forgotten(stack, deaf())


@pytest.mark.soak
@pytest.mark.usefixtures("alone")
def test_tekton_is_away_when_a_task_ends(stack: Stack) -> None:
    @contextmanager
    def away() -> Iterator[None]:
        try:
            _tekton(0)
            yield
        finally:
            _tekton(1)

    _forgotten(stack, away())


WAITS = "echo begun; until [ -e /tmp/go ]; do sleep 1; done; "  # so that a task ends when Tekton hears nothing


def _forgotten(stack: Stack, outage: AbstractContextManager[None]) -> None:
    """Tekton hears of no end; who follows the tasks sees their pods, cancels the runs and believes the pods.

    That is an update, and the pod of a schedule. What nobody follows is marked and listed until Tekton hears again.
    """
    stack.write(
        "from kf_tasks import TaskSchedule\n"
        "space = Space(NS, memory='32M', disk='64M', cpu='10m', submitter_image=f'{R}/python:3')\n"
        "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
        f"TaskSchedule('nightly', app=app, command={WAITS + 'exit 3'!r}, schedule='0 3 1 1 *')\n"
        f"good = Task('good', app=app, command={WAITS + 'echo done'!r})\n"
        f"Task('bad', app=app, command={WAITS + 'exit 3'!r})\n"
        "pulumi.export('log', good.log)\n"
    )
    process = stack.start("--continue-on-error")
    assert process.stdout
    text = ""
    while text.count(" begun\n") < 2:
        text += process.stdout.readline()
        assert process.poll() is None, text
    eventually(lambda: objects("cronjobs", stack.namespace), 60, "the schedule is there")
    job = schedule.start(stack, "nightly", schedule.now())
    alone = stack.kf("run-task", "shop", "--name", "alone", "-c", WAITS, "-o", "name").ok().text.strip()

    def running() -> list[str]:
        pods = objects("pods", stack.namespace, "kf.dev/key")
        return [pod["metadata"]["name"] for pod in pods if pod["status"]["phase"] == "Running"]

    eventually(lambda: len(running()) == 4, 120, "all of them run")
    with outage:
        for pod in running():
            kubectl("exec", "-n", stack.namespace, pod, "-c", "step-task", "--", "touch", "/tmp/go")
        text += process.stdout.read()
        assert schedule.ended(stack, job, 240) == "Failed"
        told = schedule.job_log(stack, job)
        assert "Tekton does not end it: it is cancelled" in told and "exit code 3" in told
        lost = {one["name"]: one["outcome"] for one in _tasks(stack) if one["forgotten"]}
        assert alone in lost and not lost[alone], "the others are known to have ended by who followed them"
        checks = json.loads(stack.kf("doctor", "-o", "json").text)
        [found] = [one for one in checks if one["about"] == "runs"]
        assert found["found"].startswith(f"{alone}: its pod has ended")
        assert found["advice"] == f"kf terminate-task {alone} --space {stack.namespace}"
    assert process.wait() != 0 and "task 'bad' of app 'shop' failed: exit code 3" in text, text
    for task in ("good", "bad"):
        for said in ("its pod has ended", "Tekton does not end it: it is cancelled, and what its pod says counts"):
            assert re.search(rf"shop-{task}-\w+-1: {said}", text), text
    assert "task 'good' of app 'shop' failed" not in text and stack.outputs()["log"] == "begun\ndone\n"
    kubectl("annotate", "taskruns,pipelineruns", "--all", "-n", stack.namespace, "woken=1")  # it tries again by and by

    def states() -> dict[str, str]:
        return {one["displayName"]: one["state"] for one in _tasks(stack)}

    well = {"good": "Succeeded", "alone": "Succeeded", "bad": "Failed", "nightly": "Failed"}
    eventually(lambda: states() == well, 180, "Tekton goes on")
    assert len(stack.runs()) == 4, "nothing ran twice"


def _tasks(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.kf("tasks", "shop", "-o", "json").ok().text)
    return found


def _tekton(replicas: int) -> None:
    """Stops Tekton's controller, or starts it, and waits for that."""
    where = ["-n", "tekton-pipelines", "deployment/tekton-pipelines-controller"]
    kubectl("scale", *where, f"--replicas={replicas}")
    kubectl("wait", *where, f"--for=jsonpath={{.spec.replicas}}={replicas}", "--timeout=60s")
    pods = ["pods", "-n", "tekton-pipelines", "-l", "app.kubernetes.io/component=controller"]
    eventually(lambda: len(kubectl("get", *pods, "-o", "name").split()) == replicas, 120)
    if replicas:
        kubectl("rollout", "status", *where, "--timeout=120s")


def test_token_taken_back_and_renewed(stack: Stack) -> None:
    _user(stack)
    secret = _token_secret(stack, "first")
    token_file = stack.folder / "token"
    token_file.write_text(_token(stack, secret))
    process = stack.task("command='for n in $(seq 1 30); do echo line $n; sleep 0.5; done'").start()
    assert process.stdout
    text = next(line for line in process.stdout if "line 2" in line)
    second = _token(stack, _token_secret(stack, "second"))
    kubectl("delete", "secret", "-n", "default", secret)
    token_file.write_text(second)
    text += process.stdout.read()
    assert process.wait() == 0, text
    assert stack.outputs()["log"] == "".join(f"line {n}\n" for n in range(1, 31))
    assert stack.up("--expect-no-changes").ok()


def _refuse(stack: Stack, name: str, rules: list[dict[str, list[str]]]) -> None:
    """Has a webhook called `name` admit what the rules say in the stack's namespace, at which nobody answers."""
    hook = {
        "name": "down.example.com", "rules": rules, "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": stack.namespace}}, "timeoutSeconds": 1,
        "clientConfig": {"service": {"name": "nobody", "namespace": stack.namespace}},
    }  # fmt: skip
    api = "admissionregistration.k8s.io/v1"
    down = {"apiVersion": api, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": [hook]}
    subprocess.run(["kubectl", "apply", "-f", "-"], input=json.dumps(down), text=True, check=True)


def _user(stack: Stack) -> str:
    """Lets the stack act as a service account of its own, with a token that is read from a file; returns its name."""
    name = stack.namespace
    kubectl("create", "serviceaccount", name, "-n", "default")
    kubectl("create", "clusterrolebinding", name, "--clusterrole=cluster-admin", f"--serviceaccount=default:{name}")
    (stack.folder / "token").write_text(kubectl("create", "token", name, "-n", "default").strip())
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    config["users"] = [{**user, "user": {"tokenFile": str(stack.folder / "token")}} for user in config["users"]]
    path = stack.folder / "user.json"
    path.write_text(json.dumps(config))
    stack.env["KUBECONFIG"] = str(path)
    return f"system:serviceaccount:default:{name}"


def _token_secret(stack: Stack, name: str) -> str:
    full = f"{stack.namespace}-{name}"
    secret = {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": full, "namespace": "default",
                     "annotations": {"kubernetes.io/service-account.name": stack.namespace}},
    }  # fmt: skip
    subprocess.run(["kubectl", "apply", "-f", "-"], input=json.dumps(secret), text=True, check=True)
    return full


def _token(stack: Stack, secret: str) -> str:
    import base64

    get = ("get", "secret", "-n", "default", secret, "-o", "jsonpath={.data.token}")
    return base64.b64decode(eventually(lambda: kubectl(*get))).decode()
