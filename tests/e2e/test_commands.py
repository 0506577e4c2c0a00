"""The commands of the README, in a copy of the checkout."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

import pytest

from . import once
from .conftest import CHECKOUT, Stack, run


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A clone with the virtual environment of this checkout."""
    folder = tmp_path / "clone"
    run(["git", "clone", "--quiet", str(CHECKOUT), str(folder)]).ok()
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    (folder / ".venv/.ready").touch()
    return folder


def test_up_runs_the_main_job_and_destroy_removes_it(copy: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    space = f"hello-{uuid.uuid4().hex[:6]}"  # the stack dev may be in use on this machine
    settings = (copy / "Pulumi.dev.yaml").read_text().replace("hello-dev", space)
    (copy / f"Pulumi.{space}.yaml").write_text(settings)
    stack = f"STACK={space}"
    first = run(["make", "up", stack], copy, env).ok().text
    for part in ("kf:index:Task (hello-greet)", "Hello from the stack dev", "number 3 of 3", "Outputs:"):
        assert part in first
    changed = run(["git", "status", "--short"], copy).text.split()
    assert changed == ["??", f"Pulumi.{space}.yaml"] and (copy / changed[1]).read_text() == settings
    again = run(["make", "up", stack], copy, env).ok().text
    assert "will run" not in again and "number 3 of 3" not in again
    shown = run(["make", "preview", stack], copy, env).ok().text
    assert "unchanged" in shown and "will run" not in shown
    run(["make", "destroy", stack], copy, env).ok()
    assert "NotFound" in run(["kubectl", "get", "namespace", space]).failed().text


def test_up_on_the_current_cluster(copy: Path, stack: Stack) -> None:
    space = stack.namespace
    (copy / f"Pulumi.{space}.yaml").write_text((copy / "Pulumi.dev.yaml").read_text().replace("hello-dev", space))
    env = {**stack.env, "PULUMI_CONFIG_PASSPHRASE": ""}
    arguments = ["CLUSTER=current", f"STACK={space}"]
    text = run(["make", "up", *arguments], copy, env).ok().text
    assert "number 3 of 3" in text
    run(["make", "destroy", *arguments], copy, env).ok()
    without = {**env, "PATH": "/usr/bin:/bin"}
    text = run(["make", "preview", *arguments], copy, without).failed().text
    assert "CLUSTER=current needs pulumi on PATH" in text


def test_env_gives_a_working_shell(copy: Path) -> None:
    script = 'eval "$(make -s env)"; pulumi version; kubectl version --client; kf --help; echo "$SANDBOX_REGISTRY"'
    text = run(["bash", "-ec", script], copy, {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}).ok().text
    assert "v3." in text and "terminate-task" in text and text.strip().endswith(os.environ["SANDBOX_REGISTRY"])


def test_the_shop_in_two_stacks(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(CHECKOUT / "examples/shop", folder)
    project = (folder / "Pulumi.yaml").read_text().replace("../../.venv", str(once.virtualenv()))
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "state").mkdir()
    env = {**stack.env, "PULUMI_BACKEND_URL": f"file://{folder}/state", "PULUMI_CONFIG_PASSPHRASE": ""}
    up = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", "--stack"]
    for name in ("dev", "prod"):
        run(["pulumi", "stack", "init", name], folder, env).ok()
    run(
        ["pulumi", "config", "set", "--secret", "report-token", "a-token-of-production", "--stack", "prod"], folder, env
    ).ok()
    try:
        for name in ("dev", "prod"):
            text = run([*up, name], folder, env).ok().text
            assert "shop-migrate" in text and "a-token-of-production" not in text
        memory = {
            name: run(["kubectl", "get", "pods", "-n", f"shop-{name}", "-o", "jsonpath={..containers..limits.memory}"])
            .ok()
            .text
            for name in ("dev", "prod")
        }
        assert set(memory["dev"].split()) == {"64Mi"} and set(memory["prod"].split()) == {"256Mi"}
    finally:
        for name in ("dev", "prod"):
            run(["pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", name], folder, env)
