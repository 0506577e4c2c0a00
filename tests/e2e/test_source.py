"""From a folder to a finished task: uploaded, built in the cluster, run; once for each change, never without one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .conftest import CHECKOUT, RUNS, Stack, changes, objects

EXAMPLE = CHECKOUT / "examples/source"
PROGRAM = (
    "from components import Source\n"
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', registry={registry}, builder_image=f'{{R}}/buildah:1')\n"
    "app = App('shop', space=space, source=Source('app', memory='256M', disk='1G'))\n"
    "task = Task('look', app=app, command='cat /word')\n"
)
SANDBOX = "f'http://{R}'"


def declare(stack: Stack, dockerfile: str, registry: str = SANDBOX) -> Stack:
    folder = stack.folder / "app"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(dockerfile.replace("BUSYBOX", f"{os.environ['SANDBOX_REGISTRY']}/busybox:1"))
    return stack.write(PROGRAM.format(registry=registry))


def test_the_example_runs_once_for_each_change_of_its_folder(stacks: Callable[..., Stack], tmp_path: Path) -> None:
    stack = stacks("example", project="source")
    shutil.copy(EXAMPLE / "__main__.py", stack.folder)
    shutil.copytree(EXAMPLE / "app", stack.folder / "app")
    stack.pulumi("config", "set", "space", stack.namespace).ok()
    first = stack.preview().ok().text
    assert "will build: first build" in first and "may run: image is known only during the update" in first
    assert "Hello from a folder" in stack.up().ok().text
    image = stack.outputs()["image"]
    assert "@sha256:" in image

    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(stack.folder / "app", elsewhere)
    (elsewhere / "greeting.txt").chmod(0o600)
    os.utime(elsewhere / "greet.py", (1, 1))
    (elsewhere / ".git").mkdir()
    (elsewhere / "empty").mkdir()
    stack.pulumi("config", "set", "folder", str(elsewhere)).ok()
    unchanged = stack.up().ok().text
    assert "build" not in unchanged.split("Diagnostics")[-1] and stack.outputs()["image"] == image

    (elsewhere / "greeting.txt").write_text("Hello again")
    (elsewhere / "new.txt").write_text("new")
    assert "will build: source changed: ~greeting.txt, +new.txt" in stack.preview().ok().text
    again = stack.up().ok().text
    assert "run: image changed" in again and stack.outputs()["greeting"] == "Hello again"
    assert "14 unchanged" in changes(stack.up().ok())

    builds = objects(RUNS, stack.namespace, "app.kubernetes.io/component=build")
    assert len(builds) == 2 and len(stack.runs("greeter")) == 2
    for listed in (stack.kf("tasks"), stack.kf("tasks", "greeter")):
        assert "greet" in listed.ok().text and "build" not in listed.text
    ids = [run["metadata"]["labels"]["kf.dev/task-id"] for run in stack.runs("greeter")]
    assert ids == ["1", "2"]
    stack.destroy().ok()
    assert not objects(RUNS, stack.namespace)


def test_a_build_that_fails_is_told_recorded_nowhere_and_tried_again(stack: Stack) -> None:
    declare(stack, "FROM BUSYBOX\nRUN echo before; echo reason >&2; exit 7\n")
    failed = stack.up().failed().text
    assert "build of app 'shop' failed: exit code" in failed and "the next update tries it again" in failed
    assert "reason" in failed.split("last lines of its log")[1]
    assert "build: step build failed with exit code" in failed
    assert not [
        r for r in stack.state()["deployment"]["resources"] if r["urn"].endswith("::shop.build") and "Run" in r["type"]
    ]
    assert "will build: the last attempt failed: run shop-build-image-" in stack.preview().ok().text
    assert not stack.runs()
    declare(stack, "# a note that stays here\nFROM BUSYBOX\nRUN echo repaired > /word && chown 12 /word\nUSER 1000\n")
    assert "repaired" in stack.up().ok().text
    state = json.dumps(stack.state())
    assert '"files": {"Dockerfile": "' in state and "a note that stays here" not in state
    run = objects(RUNS, stack.namespace, "app.kubernetes.io/component=build")[-1]
    step = run["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert step["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SETUID", "SETGID", "SETFCAP"]}


def test_a_registry_that_is_down_or_a_folder_that_cannot_be_built_is_one_clear_error(stack: Stack) -> None:
    declare(stack, "FROM BUSYBOX\n", registry="'http://127.0.0.1:9'")
    down = stack.up().failed().text
    assert (
        "build of app 'shop' cannot be started: source "
        f"'{stack.folder}/app' could not be uploaded: registry 127.0.0.1:9 does not answer"
    ) in down
    assert "Traceback" not in down and not objects(RUNS, stack.namespace)
    (stack.folder / "app/.kfignore").write_text("Docker*\n")
    assert "has no files, or all of them are ignored" in stack.preview().failed().text
    (stack.folder / "app/other").write_text("")
    assert "source 'app' has no Dockerfile, or ignores it" in stack.preview().failed().text
