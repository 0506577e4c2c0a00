"""From a folder to a finished task without a Dockerfile: buildpacks make the image, its launcher starts what runs."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path
from typing import Any

from .. import registries
from .conftest import CHECKOUT, RUNS, Stack, objects
from .test_source import this_machine

PROGRAM = (
    "from kf_tasks import Source, TaskSchedule\n"
    "space = Space(NS, memory='64M', disk='64M', cpu='10m', registry=f'http://{{R}}/apps', "
    "submitter_image=f'{{R}}/python:3', pod_security='restricted')\n"
    "built = dict(builder=f'{{R}}/buildpacks/builder:1', run_image=f'{{R}}/buildpacks/run:1')\n"
    "more = dict(memory='256M', disk='1G')\n"
    "app = App('shop', space=space, source=Source('app', **built, **more, {source}), {app})\n"
    "{tasks}"
)


def declare(stack: Stack, tasks: str, source: str = "", app: str = "", **files: str) -> Stack:
    """The program, and in its folder `files` beside those that are there."""
    folder = stack.folder / "app"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755 if name == "start" else 0o644)
    return stack.write(PROGRAM.format(tasks=tasks, source=source, app=app))


START = '#!/usr/bin/python3\nimport os, sys\nprint("started", os.environ["GREETING"], sys.argv[1:], os.getcwd())\n'
WEB = "web = Task('web', app=app)\n"


def builds(stack: Stack) -> list[dict[str, Any]]:
    return objects(RUNS, stack.namespace, "app.kubernetes.io/component=build")


def test_a_folder_without_a_dockerfile_becomes_an_image_whose_processes_are_tasks(stack: Stack) -> None:
    tasks = WEB + (
        "more = Task('more', app=app, args=['a b', '$HOME'])\n"
        "text = Task('text', app=app, command='echo \"text $GREETING\" && test -n \"$BASH_VERSION\"')\n"
        "argv = Task('argv', app=app, command=['sh', '-c', 'echo \"argv $GREETING $(pwd)\"'])\n"
        "job = TaskSchedule('nightly', app=app, command='echo \"job $GREETING\"')\n"
        "pulumi.export('types', app.process_types)\n"
    )
    declare(stack, tasks, start=START, other="x")
    shown = stack.preview().ok().text
    assert "will build: first build" in shown and "may run: image and command are known only" in shown
    done = stack.up().ok().text
    assert "started from the buildpack [] /app" in done
    assert "started from the buildpack ['a b', '$HOME'] /app" in done
    assert "text from the buildpack" in done and "argv from the buildpack /app" in done
    assert stack.outputs()["types"] == ["web"]

    unchanged = stack.up().ok().text
    assert "will build" not in unchanged and "will run" not in unchanged and "created" not in unchanged
    said = stack.kf("run-task", "shop", "-c", 'echo "by hand $GREETING"', "--wait").ok().text
    assert "by hand from the buildpack" in said
    assert "job from the buildpack" in stack.kf("run-job", "nightly", "--wait").ok().text

    declare(stack, tasks, start=START, other="x", source="build_args={'BP_GREETING': 'a $(new) \"one\"'}")
    shown = stack.preview().ok().text
    assert "will build: build_env changed: {} → {'BP_GREETING': 'a $(new) \"one\"'}" in shown
    assert 'started a $(new) "one" [] /app' in stack.up().ok().text
    assert len(builds(stack)) == 2 and len(stack.runs()) == 10
    assert "build" not in stack.kf("tasks", "shop").ok().text
    pods = objects("pods", stack.namespace, "app.kubernetes.io/name=shop.build")
    users = [container.get("securityContext", {}).get("runAsUser") for container in pods[0]["spec"]["containers"]]
    assert users == [1000, None] and pods[0]["spec"]["securityContext"]["runAsNonRoot"] is True


def test_a_build_that_fails_says_its_step_its_exit_code_and_its_last_lines(stack: Stack) -> None:
    undetected = declare(stack, WEB, other="x").up().failed().text
    assert "build of app 'shop' failed: exit code 20" in undetected
    assert "no program 'start' and no Procfile in this folder" in undetected.split("last lines of its log")[1]
    assert "build: step detect failed with exit code 20" in undetected
    broken = declare(stack, WEB, start=START, prepare="echo no compiler here; exit 7\n").up().failed().text
    assert "build of app 'shop' failed: exit code 51" in broken
    assert "no compiler here" in broken.split("last lines of its log")[1]
    assert "build: step build failed with exit code 51" in broken and not stack.runs()

    unknown = declare(stack, WEB, source="buildpacks=['kf/other']").up().failed().text
    assert "the builder has no buildpack kf/other" in unknown and "kf/plain@1.0.0" in unknown
    assert "build: step prepare failed with exit code 1" in unknown
    one = declare(stack, WEB, source="buildpacks=['kf/plain']", prepare="true\n").up().ok().text
    assert "started from the buildpack [] /app" in one


def test_an_image_without_a_default_process_needs_a_command(stack: Stack) -> None:
    missing = declare(stack, WEB, Procfile="worker: echo works\n").up().failed().text
    assert "Start command not found on App or Task (task 'web' of app 'shop')" in missing
    assert "its process types are worker: command=['/cnb/process/…'] names one" in missing
    named = declare(stack, "work = Task('work', app=app, command=['/cnb/process/worker'])\n").up().ok().text
    assert "works" in named and len(builds(stack)) == 1


def test_a_registry_that_wants_credentials_gets_those_of_the_secret_in_every_step(stack: Stack, tmp_path: Path) -> None:
    with registries.serve(tmp_path, this_machine(), locked=True) as address:
        token = base64.b64encode(f"{registries.USER}:{registries.PASSWORD}".encode()).decode()
        config = json.dumps({"auths": {address: {"auth": token}}})
        (tmp_path / "config.json").write_text(config)
        stack.env["DOCKER_CONFIG"] = str(tmp_path)  # of the machine that uploads: pods do not have it
        declare(stack, "pulumi.export('image', app.image)\n", start=START)
        program = (stack.folder / "__main__.py").read_text().replace("f'http://{R}/apps'", f"'http://{address}/apps'")
        (stack.folder / "__main__.py").write_text(program)
        refused = stack.up().failed().text
        assert (
            f"the source cannot be fetched from http://{address}/apps/{stack.namespace}/shop: HTTP Error 401" in refused
        )
        assert "build: step fetch failed with exit code 1" in refused

        secret = (
            "secret = k8s.core.v1.Secret('registry', metadata={'name': 'registry', 'namespace': NS}, "
            f"type='kubernetes.io/dockerconfigjson', string_data={{'.dockerconfigjson': {config!r}}}, "
            "opts=ResourceOptions(provider=space.provider, depends_on=space.resources))\napp ="
        )
        program = program.replace("memory='64M', ", "memory='64M', registry_secret='registry', ").replace(
            "app =", secret, 1
        )
        program = program.replace("), )\npulumi", "), opts=ResourceOptions(depends_on=[secret]))\npulumi")
        (stack.folder / "__main__.py").write_text(program)
        done = stack.up().ok().text
        assert stack.outputs()["image"].startswith(f"{address}/apps/{stack.namespace}/shop@sha256:")
        assert registries.PASSWORD not in done and token not in done


def test_an_application_of_a_manifest_is_built_by_its_buildpacks(stack: Stack) -> None:
    base = os.environ["SANDBOX_REGISTRY"]
    (stack.folder / "shop").mkdir()
    (stack.folder / "shop/Procfile").write_text("web: echo $GREETING: from a Procfile $OTHER\n")
    application = {
        "name": "shop", "task": True, "path": "shop", "builder": f"{base}/buildpacks/builder:1", "memory": "64M",
        "run-image": f"{base}/buildpacks/run:1", "buildpacks": ["kf/plain"], "tasks": [{"name": "look"}],
        "env": {"BP_GREETING": "for the build", "OTHER": "for tasks"},
    }  # fmt: skip
    (stack.folder / "manifest.yml").write_text(json.dumps({"applications": [application]}))
    shutil.copy(CHECKOUT / "__main__.py", stack.folder)
    stack.pulumi("config", "set", "kf:space", stack.namespace).ok()
    assert "for the build: from a Procfile for tasks" in stack.up().ok().text
    (build,) = builds(stack)
    assert "OTHER" not in json.dumps(build["spec"])
