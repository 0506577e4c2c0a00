"""Never two runs for one key: killed updates, updates at the same moment, and stacks that meet in a namespace."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from .conftest import Stack, eventually, kill_group, kubectl
from .test_lifecycle import error_of


def test_killed_update_is_adopted(stack: Stack) -> None:
    stack.task("command='echo begun; until [ -e /tmp/go ]; do sleep 0.2; done; echo done'")
    process = stack.start("--skip-preview")
    eventually(lambda: [p for p in stack.pods() if p["status"]["phase"] == "Running"], 60)
    kill_group(process)
    stack.pulumi("cancel", "--yes").ok()
    shown = stack.preview()
    name = stack.runs()[0]["metadata"]["name"]
    assert f"will run: adopts run {name}, which is still running" in shown.text
    again = stack.start()
    pod = stack.pods()[0]["metadata"]["name"]
    kubectl("exec", "-n", stack.namespace, pod, "-c", "step-task", "--", "touch", "/tmp/go")
    assert again.stdout
    text = again.stdout.read()
    assert again.wait() == 0, text
    assert f"run {name} adopted" in text
    assert len(stack.runs()) == 1
    assert stack.outputs()["log"] == "begun\ndone\n" and stack.outputs()["exit_code"] == 0
    stack.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates").ok()
    stack.up("--expect-no-changes").ok()


def test_two_updates_at_the_same_moment(stacks: Callable[..., Stack]) -> None:
    first = stacks("first")
    second = stacks("second", namespace=first.namespace)
    for one in (first, second):
        one.task("command='echo once; sleep 2'")
    processes = [one.start() for one in (first, second)]
    texts = [(process.communicate(timeout=600)[0], process.returncode) for process in processes]
    assert [code for _, code in texts] == [0, 0], texts
    assert len(first.runs()) == 1
    for one in (first, second):
        out = one.outputs()
        assert (out["log"], out["exit_code"], out["run"]) == ("once\n", 0, first.runs()[0]["metadata"]["name"])
    shutil.rmtree(second.folder)


def test_app_of_another_stack_is_refused(stacks: Callable[..., Stack], message: Callable[[str, str], None]) -> None:
    ours = stacks("ours")
    body = "space = Space('own', namespace=NS)\napp = App('shop', space=space, image=f'{R}/busybox:1')\n"
    kubectl("create", "namespace", ours.namespace)
    ours.write(body).up().ok()
    theirs = stacks("theirs", namespace=ours.namespace, name="prod")
    text = theirs.write(body + "Task('migrate', app=app, command='true')").preview().failed().text
    assert f"app 'shop' in namespace '{ours.namespace}' belongs to stack 'e2e.dev'" in text
    assert error_of(text)


def test_twelve_tasks_at_once(stack: Stack) -> None:
    body = (
        "app = App('shop', space=space, image=f'{R}/busybox:1', memory='16M', cpu='10m')\n"
        "for n in range(12):\n    Task(f't{n}', app=app, command='sleep 30')\n"
    )
    stack.write(body).up().ok()
    times = [_times(pod) for pod in stack.pods()]
    assert len(times) == 12
    assert max(begun for begun, _ in times) < min(ended for _, ended in times)


def test_two_apps_with_a_task_of_the_same_name(stack: Stack) -> None:
    stack.write(
        "for name in ('shop', 'office'):\n"
        "    app = App(name, space=space, image=f'{R}/busybox:1')\n"
        "    pulumi.export(name, Task('migrate', app=app, command=f'echo {name}').log)"
    ).up().ok()
    assert stack.outputs() == {"shop": "shop\n", "office": "office\n"}


def test_image_known_only_during_the_update(stack: Stack) -> None:
    body = (
        "import pulumi_kubernetes as k8s\n"
        "built = k8s.core.v1.ConfigMap('built', metadata={{'namespace': space.namespace, 'name': 'built'}},"
        " data={{'image': f'{{R}}/{image}', 'n': '{n}'}}, opts=ResourceOptions(provider=space.provider,"
        " replace_on_changes=['data'], delete_before_replace=True))\n"
        "app = App('shop', space=space, image=built.data['image'].apply(str) if {known} else built.id.apply("
        "lambda _: f'{{R}}/{image}'))\n"
        "migrate = Task('migrate', app=app, command='echo hi')\n"
        "pulumi.export('run', migrate.run)"
    )
    stack.write(body.format(image="busybox:1", n=1, known=False)).up().ok()
    shown = stack.write(body.format(image="busybox:1", n=2, known=False)).preview().ok().text
    assert "may run: image is known only during the update" in shown and "will run" not in shown
    stack.up().ok()
    assert len(stack.runs()) == 1, "the same image runs nothing"
    stack.env["PULUMI_EXPERIMENTAL"] = "true"  # saved plans are
    stack.write(body.format(image="python:3", n=3, known=False))
    shown = stack.preview("--save-plan", "plan.json").ok().text
    assert "may run: image is known only during the update" in shown
    stack.up("--plan", "plan.json").ok()
    assert len(stack.runs()) == 2, "a plan that says that it may run lets it run"


def _times(pod: dict[str, Any]) -> tuple[str, str]:
    [status] = pod["status"]["containerStatuses"]
    ended = status["state"]["terminated"]
    return ended["startedAt"], ended["finishedAt"]
