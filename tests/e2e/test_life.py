"""Retry, cancel, interrupt, results, and pods that vanish: every end of a task provoked for real."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from .conftest import Stack, eventually, kubectl
from .test_lifecycle import error_of

Message = Callable[[str, str], None]


def test_retries_follow_every_attempt(stack: Stack) -> None:
    text = stack.task("command='echo attempt; exit 5', retries=1").up().failed().text
    assert "exit code 5" in error_of(text) and "attempt 2 begins" in text
    assert text.split("Diagnostics:")[1].count("    attempt\n") >= 2, "the log of both attempts"
    assert len(stack.runs()) == 1 and len(stack.pods()) == 2


def test_results_of_a_task_that_fails(stack: Stack) -> None:
    write = "printf 42 > $KF_RESULTS/schema; printf v1 > $KF_RESULTS/version"
    stack.task(
        f"command='{write}', results=['schema', 'version', 'unwritten']",
        after=f"fails = Task('fails', app=app, command='{write}; exit 2', results=['schema'], must_succeed=False)\n"
        "pulumi.export('failed', [fails.results, fails.exit_code])\n",
    ).up().ok()
    out = stack.outputs()
    assert out["results"] == {"schema": "42", "version": "v1"}
    assert out["failed"] == [{"schema": "42"}, 2]


def test_results_that_are_too_large(stack: Stack, message: Message) -> None:
    error = error_of(
        stack.task("command='head -c 9000 /dev/zero | tr \"\\\\0\" x > $KF_RESULTS/big', results=['big']")
        .up()
        .failed()
        .text
    )
    assert "its results are too large" in error
    message("results are too large", error)


def test_terminated_cancels_and_holds_back(stack: Stack) -> None:
    slow = "command='echo begun; sleep 300', wait=False"
    stack.task(slow).up().ok()
    eventually(lambda: [p for p in stack.pods() if p["status"]["phase"] == "Running"])
    name = stack.runs()[0]["metadata"]["name"]
    shown = stack.task(f"{slow}, terminated=True").preview().ok().text
    assert f"will cancel {name}: terminated is set" in shown
    stack.up().ok()
    out = stack.outputs()
    assert (out["state"], out["log"]) == ("Cancelled", "begun\n")
    assert "terminated" in stack.runs()[0]["metadata"]["annotations"]["kf.dev/cancelled-by"]
    stack.task("command='echo other', terminated=True").up().ok()
    assert len(stack.runs()) == 1, "a new one is held back"
    shown = stack.task("command='echo other'").preview().ok().text
    assert "will run: " in shown
    stack.up().ok()
    assert len(stack.runs()) == 2 and stack.outputs()["log"] == "other\n"
    stack.task("command='echo other', terminated=True").up().ok()
    assert stack.outputs()["log"] == "other\n", "a finished one is left alone"


def test_terminated_from_the_beginning(stack: Stack) -> None:
    stack.task("terminated=True, command='echo hello'").up().ok()
    assert stack.runs() == [] and stack.outputs()["state"] == "Held"
    stack.task("command='echo hello'").up().ok()
    assert stack.outputs()["log"] == "hello\n"


def test_cancelled_from_outside_keeps_the_log(stack: Stack, message: Message) -> None:
    trap = 'trap "echo stopping; exit 0" TERM; echo begun; while true; do sleep 0.2; done'
    process = stack.task(f"command='{trap}'").start()
    assert process.stdout
    begun = next(line for line in process.stdout if "begun" in line)
    stack.kf("terminate-task", "shop", "1").ok()
    rest = begun + process.stdout.read()
    assert process.wait() != 0
    error = error_of(rest)
    assert "was cancelled by kf terminate-task" in error and "    stopping" in error
    error = error.replace(f"by {os.environ.get('USER', 'root')}", "by USER")
    without = re.sub(r"\n *Terminated(?=\n)", "", error)  # what a shell says of its child, if it has one at that moment
    message("a task is cancelled", without)


def test_interrupted_update_says_that_the_task_goes_on(stack: Stack, message: Message) -> None:
    process = stack.task("command='echo begun; until [ -e /tmp/go ]; do sleep 0.2; done; echo done'").start()
    assert process.stdout
    begun = next(line for line in process.stdout if "begun" in line)
    os.kill(process.pid, signal.SIGINT)
    rest = begun + process.stdout.read()
    assert process.wait() != 0
    message("an update is interrupted", error_of(rest))
    pod = stack.pods()[0]["metadata"]["name"]
    kubectl("exec", "-n", stack.namespace, pod, "-c", "step-task", "--", "touch", "/tmp/go")
    stack.up().ok()
    assert len(stack.runs()) == 1 and stack.outputs()["log"] == "begun\ndone\n"


def test_ended_by_a_signal(stack: Stack, message: Message) -> None:
    error = error_of(stack.task("command='kill -9 $$'").up().failed().text)
    assert "failed: exit code 255, or ended by a signal" in error
    message("a task is ended by a signal", error)
    error = error_of(stack.task("command='sh -c \"kill -9 \\\\$\\\\$\"; exit $?'").up().failed().text)
    assert "ended by SIGKILL, exit code 137" in error


def test_what_goes_on_in_the_background_does_not_hold_a_task_up(stack: Stack) -> None:
    begun = time.monotonic()
    stack.task("command='sleep 300 & echo done'").up().ok()
    assert time.monotonic() - begun < 240, "it does not wait for what sleeps"
    out = stack.outputs()
    assert (out["state"], out["exit_code"], out["log"]) == ("Succeeded", 0, "done\n")


def test_pod_deleted_while_its_task_runs(stack: Stack, message: Message) -> None:
    process = stack.task("command='echo begun; sleep 300'").start()
    assert process.stdout
    begun = next(line for line in process.stdout if "begun" in line)
    kubectl("delete", "pod", "-n", stack.namespace, stack.pods()[0]["metadata"]["name"], "--wait=false")
    rest = begun + process.stdout.read()
    assert process.wait() != 0
    assert "its pod was deleted while it ran" in error_of(rest)
    message("a pod is deleted", error_of(rest).replace(", which Tekton has not noticed", ""))  # seen on a busy machine


@pytest.mark.parametrize("once", [False, True])
def test_pod_that_is_evicted_from_its_node(stack: Stack, once: bool) -> None:
    slowly = 'trap "sleep 4; exit 1" TERM; ' if once else ""  # it is seen to go before it has ended
    process = stack.task(f"command='{slowly}echo begun; sleep 300 & wait', at_most_once={once}").start()
    assert process.stdout
    begun = next(line for line in process.stdout if "begun" in line)
    [pod] = stack.pods()
    where = {"name": pod["metadata"]["name"], "namespace": stack.namespace}
    eviction = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": where})
    path = f"/api/v1/namespaces/{stack.namespace}/pods/{where['name']}/eviction"
    subprocess.run(["kubectl", "create", "--raw", path, "-f", "-"], input=eviction, text=True, check=True)
    error = error_of(begun + process.stdout.read())
    assert process.wait() != 0
    assert f"its pod was evicted while it ran, as when node {pod['spec']['nodeName']} is drained" in error
    by = stack.runs()[0]["metadata"]["annotations"].get("kf.dev/cancelled-by")
    assert by == ("at_most_once" if once else None)


def test_pod_that_vanishes_is_started_again_in_the_same_run(stack: Stack) -> None:
    process = stack.task("command='echo begun; sleep 8; echo done'").start()
    assert process.stdout
    text = next(line for line in process.stdout if "begun" in line)
    kubectl("delete", "pod", "-n", stack.namespace, stack.pods()[0]["metadata"]["name"], "--force", "--grace-period=0")
    text += process.stdout.read()
    assert process.wait() == 0, text
    assert "its pod is gone, and Tekton starts the command again in a new one" in text
    assert stack.outputs()["log"] == "begun\nbegun\ndone\n", "both beginnings, in order"
    assert len(stack.runs()) == 1


def test_at_most_once_ends_a_run_whose_pod_was_replaced(stack: Stack, message: Message) -> None:
    process = stack.task("command='echo begun; sleep 60', at_most_once=True").start()
    assert process.stdout
    text = next(line for line in process.stdout if "begun" in line)
    kubectl("delete", "pod", "-n", stack.namespace, stack.pods()[0]["metadata"]["name"], "--force", "--grace-period=0")
    text += process.stdout.read()
    assert process.wait() != 0
    error = error_of(text)
    assert "its pod was replaced while it ran, and at_most_once forbids a second start" in error
    message("a pod is replaced under at_most_once", error)


def test_run_refused_by_a_quota(stack: Stack) -> None:
    stack.task("command='true'").up().ok()
    kubectl("create", "quota", "none", "-n", stack.namespace, "--hard=count/pipelineruns.tekton.dev=1")
    time.sleep(1)
    error = error_of(stack.task("command='echo more'").up().failed().text)
    assert "exceeded quota" in error and "task 'migrate' of app 'shop'" in error


def test_task_waits_for_what_it_depends_on(stack: Stack) -> None:
    stack.write(
        "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
        "first = Task('first', app=app, command='sleep 2; echo first')\n"
        "second = Task('second', app=app, command='echo second', opts=ResourceOptions(depends_on=[first]))\n"
        "third = Task('third', app=app, command=second.log.apply(lambda text: ['echo', text.strip() + ' third']))\n"
        "pulumi.export('third', third.log)\n"
    ).up().ok()
    ended = {run["metadata"]["labels"]["kf.dev/task"]: run["status"] for run in stack.runs()}
    assert ended["first"]["completionTime"] <= ended["second"]["startTime"]
    assert stack.outputs()["third"] == "second third\n"


def test_ids_are_unique_and_counted(stack: Stack) -> None:
    stack.write(
        "app = App('shop', space=space, image=f'{R}/busybox:1', memory='16M')\n"
        "words = [Task(f't{n}', app=app, command=f'echo word{n}') for n in range(20)]\n"
        "pulumi.export('words', Output.all(*[task.log for task in words]))\n"
    ).up().ok()
    assert stack.outputs()["words"] == [f"word{n}\n" for n in range(20)], "short logs are kept whole"
    assert sorted(int(run["metadata"]["labels"]["kf.dev/task-id"]) for run in stack.runs()) == list(range(1, 21))


def test_one_task_fails_and_the_update_goes_on(stack: Stack) -> None:
    body = (
        "app = App('shop', space=space, image=f'{R}/busybox:1', keep=2)\n"
        "for name, code in {'good': 0, 'bad': %d, 'fine': 0}.items():\n"
        "    Task(name, app=app, command=f'echo {name}; exit {code}')\n"
    )
    text = stack.write(body % 1).up("--continue-on-error").failed().text
    errors = {line.strip() for line in text.split("Diagnostics:")[1].splitlines() if "error: " in line}
    assert len(errors) == 2 and "error: update failed" in errors, errors
    assert "task 'bad' of app 'shop' failed: exit code 1" in text
    stack.write(body % 0).up().ok()
    stack.up("--expect-no-changes").ok()
    kept = [
        (run["metadata"]["labels"]["kf.dev/task"], run["status"]["conditions"][0]["status"]) for run in stack.runs()
    ]
    assert kept[-1] == ("bad", "True") and ("bad", "False") in kept, "the newest and the last failure stay"
    assert len(kept) == 2 + (kept[-2] != ("bad", "False")), "which may be among the newest two, or a third"
