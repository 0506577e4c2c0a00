"""What may go wrong beside a task and must not hurt it, tell a lie or show a secret: for real."""

from __future__ import annotations

import json
import subprocess
import time

from .conftest import RUNS, Stack, eventually, kill_group, kubectl
from .test_lifecycle import error_of


def test_terminated_cancels_the_run_of_an_update_that_was_killed(stack: Stack) -> None:
    stack.task("command='echo one'").up().ok()
    process = stack.task("command='echo two; sleep 300'").start()
    assert process.stdout
    assert next(line for line in process.stdout if " started" in line)
    kill_group(process)
    subprocess.run(["pkill", "-9", "-f", str(stack.folder)], check=False)
    stack.pulumi("cancel", "--yes").ok()
    name = stack.runs()[-1]["metadata"]["name"]
    held = stack.task("command='echo two; sleep 300', terminated=True")
    assert f"will cancel {name}: terminated is set" in held.preview().ok().text
    text = held.up().ok().text
    assert text.split("Diagnostics:")[1].count(f"run {name} is cancelled") == 1
    ended = eventually(lambda: [c for c in stack.runs()[-1]["status"]["conditions"] if c["status"] == "False"])
    assert ended[0]["reason"] == "Cancelled" and stack.outputs()["log"] == "one\n"


def test_secret_that_comes_after_its_task(stack: Stack) -> None:
    volume = "volumes=[{'name': 's', 'secret': {'secretName': 'later'}}]"
    mount = "volume_mounts=[{'name': 's', 'mountPath': '/s'}]"
    script = "command='cat /s/pw; echo; sed s/late/$(printf \"\\\\033[31m\")late/ /s/pw; echo end'"
    process = stack.task(script, f"{volume}, {mount}").start()
    assert process.stdout
    text = next(line for line in process.stdout if " started" in line)
    time.sleep(2)  # a run and a Secret of the same second would tell nothing
    kubectl("create", "secret", "generic", "later", "-n", stack.namespace, "--from-literal=pw=my-late-password")
    text += process.stdout.read()
    assert process.wait() == 0, text
    assert "late-password" not in text and "password" not in json.dumps(stack.state())
    assert stack.outputs()["log"] == "[secret]\n[secret]end\n"
    kubectl("delete", "secret", "later", "-n", stack.namespace)
    shown = stack.kf("logs", "shop", "--task", "--recent").ok().text
    assert "[secret]end" in shown and "password" not in shown, "what was made late is known later, too"


def test_names_at_the_limit(stack: Stack) -> None:
    app, task = "a" * 57 + "-" + "b" * 5, "t" * 63
    program = (
        "app = App({app!r}, space=space, image=f'{{R}}/busybox:1')\nTask({task!r}, app=app, command={command!r})\n"
    )
    stack.write(program.format(app=app, task=task, command="true")).up().ok()
    stack.write(program.format(app=app, task=task, command="exit 0")).preview().ok()
    [run] = stack.runs(app)
    assert len(run["metadata"]["name"]) <= 58 and run["metadata"]["labels"]["kf.dev/task"] == task


def test_app_that_moves_to_another_space(stack: Stack) -> None:
    program = (
        "spaces = [Space(f'{{NS}}{{end}}', memory='32M', disk='64M', cpu='10m') for end in ('', '-b')]\n"
        "app = App('shop', space=spaces[{number}], image=f'{{R}}/busybox:1', keep=1)\n"
        "task = Task('migrate', app=app, command='sleep 2; echo hello', wait={wait})\n"
        "pulumi.export('state', task.state)\n"
    )
    try:
        stack.write(program.format(number=0, wait=False)).up().ok()
        eventually(lambda: stack.runs()[0].get("status", {}).get("completionTime"))
        assert "delete 1 of" not in stack.preview().ok().text, "a record that is completed is no new run"
        stack.up().ok()
        assert stack.outputs()["state"] == "Succeeded"
        shown = stack.write(program.format(number=1, wait=True)).preview().ok().text
        again = "pulumi up --replace '**:Run::shop-migrate'"
        line = f"nothing runs in namespace '{stack.namespace}-b' by itself: the record is of namespace "
        assert f"{line}'{stack.namespace}'. To run it here: {again}" in shown
        stack.up().ok()
        assert "hello" in stack.up("--replace", "**:Run::shop-migrate").ok().text
        assert kubectl("get", RUNS, "-n", f"{stack.namespace}-b", "-o", "name").count("shop-migrate-") == 1
    finally:
        kubectl("delete", "namespace", f"{stack.namespace}-b", "--ignore-not-found", "--wait=false")


def test_run_that_is_deleted_while_it_is_followed(stack: Stack) -> None:
    process = stack.task("command='echo begun; sleep 200'").start()
    assert process.stdout
    text = next(line for line in process.stdout if line.endswith(" begun\n"))
    kubectl("delete", RUNS, "-n", stack.namespace, "--all", "--wait=false")
    text += process.stdout.read()
    assert process.wait() != 0
    error = error_of(text)
    assert "task 'migrate' of app 'shop': run shop-migrate-" in error and "was deleted before its end" in error
