"""The package as users have it: from the wheel in an environment of their own, and in a checkout without make."""

from __future__ import annotations

import os
import subprocess
import uuid
from pathlib import Path

from ..package import project
from ..package.conftest import dist as dist
from ..package.conftest import wheel as wheel
from .conftest import CHECKOUT, Stack, changes, run

FLAGS = ("--yes", "--skip-preview", "--non-interactive", "--color", "never")


def test_a_project_elsewhere_with_two_stacks(stack: Stack, wheel: Path, tmp_path: Path) -> None:
    folder = project.write(tmp_path / "elsewhere")
    kf = str(project.install(wheel, folder / "venv").with_name("kf"))
    (folder / "state").mkdir()
    registry, name = os.environ["SANDBOX_REGISTRY"], f"elsewhere-{uuid.uuid4().hex[:6]}"
    env = {**stack.env, "PULUMI_BACKEND_URL": f"file://{folder}/state"}
    env = {name: value for name, value in env.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    settings = {"image": f"{registry}/busybox:1", "submitter-image": f"{registry}/python:3"}
    try:
        for each in ("dev", "prod"):
            run(["pulumi", "stack", "init", each], folder, env).ok()
            for key, value in {**settings, "space": f"{name}-{each}"}.items():
                run(["pulumi", "config", "set", key, value, "--stack", each], folder, env).ok()
            first = run(["pulumi", "up", *FLAGS, "--stack", each], folder, env).ok()
            assert "shop-migrate" in first.text and "migrated" in first.text
            again = run(["pulumi", "up", *FLAGS, "--expect-no-changes", "--stack", each], folder, env).ok()
            assert "will run" not in again.text
            listed = run([kf, "tasks", "shop", "--space", f"{name}-{each}"], folder, env).ok().text.splitlines()
            assert len(listed) == 2 and "migrate" in listed[1] and "Succeeded" in listed[1]
            log = run([kf, "logs", "shop", "--task", "--recent", "--space", f"{name}-{each}"], folder, env).ok()
            assert log.text == "migrate/1 migrated\n"
            assert "nightly" in run([kf, "jobs", "--space", f"{name}-{each}"], folder, env).ok().text
    finally:
        for each in ("dev", "prod"):
            run(["pulumi", "destroy", *FLAGS, "--stack", each], folder, env)


def test_a_checkout_without_make(stack: Stack, tmp_path: Path) -> None:
    """`pulumi install` and `pulumi up`, as the engine tells people to do it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    files = subprocess.run(["git", "archive", "HEAD"], cwd=CHECKOUT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "x"], cwd=folder, input=files, check=True)
    (folder / "state").mkdir()
    env = {**stack.env, "PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_CONFIG_PASSPHRASE": ""}
    env["PULUMI_STACK"] = "try"
    env["PIP_CONSTRAINT"] = str(folder / "sandbox/constraints.txt")  # the plugins that the sandbox has
    run(["pulumi", "stack", "init", "try"], folder, env).ok()
    for key, value in {"kf:space": stack.namespace, "kf:vars.greeting": "Hello from a checkout"}.items():
        run(["pulumi", "config", "set", "--path", key, value], folder, env).ok()
    try:
        run(["pulumi", "install"], folder, env, timeout=600).ok()
        first = run(["pulumi", "up", *FLAGS], folder, env).ok()
        assert "Hello from a checkout" in first.text and "created" in changes(first)
        listed = run([str(folder / "kf"), "tasks", "--space", stack.namespace], folder, env).ok().text
        assert "Succeeded" in listed
    finally:
        run(["pulumi", "destroy", *FLAGS], folder, env)
