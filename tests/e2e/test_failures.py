"""What can go wrong with a task's pod, and what the person at the terminal reads of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from .conftest import Stack, eventually, kubectl
from .test_lifecycle import error_of

Message = Callable[[str, str], None]


def _fails(stack: Stack) -> str:
    """The error of an update, which comes well before any limit of its task."""
    begun = time.monotonic()
    text = stack.up().failed().text
    assert time.monotonic() - begun < 240, text
    return error_of(text)


def test_image_that_cannot_be_pulled(stack: Stack, message: Message) -> None:
    stack.write("app = App('shop', space=space, image=f'{R}/nothing:1')\nTask('migrate', app=app, command='true')")
    error = _fails(stack)
    assert "/nothing:1 cannot be pulled: " in error and "not found" in error
    message("an image cannot be pulled", _until(error, "cannot be pulled"))


def test_command_that_does_not_exist(stack: Stack, message: Message) -> None:
    error = _fails(stack.task("command=['no-such-program']"))
    assert "no-such-program" in error and "exit code" in error
    shell = "app = App('shop', space=space, image=f'{R}/python:3', entrypoint=['/no/shell'])\n"
    stack.write(shell + "Task('migrate', app=app, command='true')")
    assert "/no/shell" in _fails(stack)
    assert stack.runs()[-1]["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["command"] == ["/no/shell"]


def test_missing_secret_is_named_and_nothing_runs_when_it_appears(stack: Stack, message: Message) -> None:
    stack.task("command='echo ran'", "env={'PASSWORD': Output.secret('correct horse')}").up().ok()
    kubectl("delete", "secret", "-n", stack.namespace, "kf-shop.env")
    stack.task("command='echo ran again'", "env={'PASSWORD': Output.secret('correct horse')}")
    error = _fails(stack)
    assert 'secret "kf-shop.env" not found' in error
    message("a secret is missing", error)
    kubectl("create", "secret", "generic", "-n", stack.namespace, "kf-shop.env", "--from-literal=PASSWORD=x")
    time.sleep(12)
    assert len(stack.pods()) == 1, "the pod that waited for the Secret is gone"


def test_pod_that_cannot_be_scheduled(stack: Stack, message: Message) -> None:
    stack.task("command='echo hi', start_timeout='40s', cpu='900'")
    process = stack.start()
    assert process.stdout
    shown = next(line for line in process.stdout if "Insufficient cpu" in line)
    assert "could not start" not in shown and "kf:index:Task shop-migrate" in shown, "said while it waits"
    rest = process.stdout.read()
    assert process.wait() != 0
    error = error_of(rest)
    assert "could not start within 40 s: not scheduled" in error and "Insufficient cpu" in error
    message("a pod cannot be scheduled", error)
    eventually(lambda: not stack.pods(), 40, "the pod is deleted")
    condition = stack.runs()[0]["status"]["conditions"][0]
    assert condition["reason"] == "Cancelled"


def test_pod_that_a_quota_does_not_admit(stack: Stack) -> None:
    stack.write("App('shop', space=space, image=f'{R}/busybox:1')").up().ok()
    kubectl("create", "quota", "none", "--hard=count/pods=0", "-n", stack.namespace)
    shown = stack.task("command='echo hi', start_timeout='30s'").up().failed().text
    quota = "exceeded quota: none, requested: count/pods=1, used: count/pods=0, limited: count/pods=0"
    assert f"waits: its pod cannot be made: {quota}" in shown
    assert f"could not start within 30 s: its pod cannot be made: {quota}" in error_of(shown)
    kubectl("delete", "quota", "none", "-n", stack.namespace)
    stack.task("command='echo hi'").up().ok()


def test_more_memory_than_its_limit(stack: Stack, message: Message) -> None:
    eat = "command=['python3', '-c', 'x = bytearray(200 * 1024 * 1024); print(len(x))'], memory='64M'"
    stack.write(f"app = App('shop', space=space, image=f'{{R}}/python:3')\nTask('migrate', app=app, {eat})")
    error = _fails(stack)
    assert "ran out of memory (its limit is 64Mi)" in error
    message("a task runs out of memory", error)


def test_a_process_of_it_runs_out_of_memory_and_it_does_not_mind(stack: Stack) -> None:
    """Under exit code 0 the kubelet says OOMKilled all the same, and Tekton 1.15 fails the step for it.

    With the second version of control groups the kubelet has the whole container killed instead.
    """
    eat = "python3 -c 'x = bytearray(200 * 1024 * 1024)'; echo survived; exit 0"
    app = "app = App('shop', space=space, image=f'{R}/python:3')\n"
    error = _fails(stack.write(f"{app}Task('migrate', app=app, command={eat!r}, memory='64M')"))
    said = "ran out of memory (its limit is 64Mi)"
    assert (
        f"exit code 0, but a process of it {said}: Tekton calls it failed" if "survived" in error else said
    ) in error


def test_more_disk_than_its_limit_is_evicted(stack: Stack, message: Message) -> None:
    fill = "command='head -c 80000000 /dev/zero > /tmp/full; sleep 120', disk='48M'"
    error = _fails(stack.task(fill))
    assert "was evicted: " in error and "ephemeral" in error
    message("a task fills its disk", _until(error, "was evicted"))


def test_limits_are_the_apps_with_the_tasks_on_top(stack: Stack) -> None:
    stack.write(
        "app = App('shop', space=space, image=f'{R}/busybox:1', memory='64M', disk='32M', cpu='20m', cpu_limit='1',"
        " env={'A': 'app', 'B': 'app'})\n"
        "Task('plain', app=app, command='echo $A $B')\n"
        "Task('own', app=app, command='echo $A $B', memory='128MB', disk='0.5G', cpu=0.25, env={'B': 'task'})\n"
    ).up().ok()
    found = {}
    for pod in stack.pods():
        [container] = pod["spec"]["containers"]
        assert container["name"] == "step-task" and container["image"].endswith("/busybox:1")
        env = {entry["name"]: entry.get("value") for entry in container["env"]}
        found[pod["metadata"]["labels"]["kf.dev/task"]] = (container["resources"], env["A"], env["B"])
    plain = {"cpu": "20m", "memory": "64Mi", "ephemeral-storage": "32Mi"}
    own = {"cpu": "250m", "memory": "128Mi", "ephemeral-storage": "512Mi"}
    assert found["plain"] == ({"requests": plain, "limits": {**plain, "cpu": "1"}}, "app", "app")
    assert found["own"][0]["requests"] == own and found["own"][1:] == ("app", "task")
    assert {**own, "cpu": found["own"][0]["limits"]["cpu"]} == found["own"][0]["limits"]


def test_timeout(stack: Stack, message: Message) -> None:
    error = _fails(stack.task("command='echo start; sleep 100', timeout='20s'"))
    assert "timed out after 20s" in error and "    start" in error
    message("a task takes too long", error)


def _until(text: str, part: str) -> str:
    """The message without the container runtime's own words, which name addresses and versions."""
    lines = text.splitlines()
    return "\n".join([lines[0].split(part)[0] + part, *lines[1:]])
