"""The plugin on the real engine: a shop in YAML from its first update to its end, and a stack between two languages."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Callable

import pytest

from ..processes import plugins_of
from .conftest import Stack, eventually, kubectl
from .languages import NOT_BUILT, host, of_example, plugin

SECRET = "password-for-trying-out"
ONE_TASK = """
name: e2e
runtime: yaml
packages: {kf: PLUGIN}
resources:
  NS: {type: "kf:Space", properties: {memory: 32M, disk: 64M, cpu: 10m, env: {TOKEN: {"fn::secret": hidden-well}}}}
  shop: {type: "kf:App", properties: {space: "${NS}", image: "R/busybox:1"}}
  migrate: {type: "kf:Task", properties: {app: "${shop}", command: echo once}}
outputs: {run: "${migrate.run}"}
"""
THE_SAME = (
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', env={'TOKEN': Output.secret('hidden-well')})\n"
    "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
    "pulumi.export('run', Task('migrate', app=app, command='echo once').run)\n"
)


def edit(stack: Stack, before: str, after: str) -> None:
    program = stack.folder / "Pulumi.yaml"
    text = program.read_text()
    assert before in text
    program.write_text(text.replace(before, after))


@pytest.mark.skipif(not host("yaml"), reason=NOT_BUILT)
def test_a_shop_in_yaml_from_its_first_update_to_its_end(stacks: Callable[..., Stack]) -> None:
    name = uuid.uuid4().hex[:8]
    stack = of_example(stacks(name=name, project="shop", namespace=f"shop-{name}"), "yaml")
    first = stack.up().ok().text
    assert f"migrating {name} to schema v7" in first and "will run: first run" in first and "next times:" in first
    assert stack.outputs()["schema"] == "v7"
    assert SECRET not in json.dumps(stack.state()) and SECRET not in first
    stack.up("--expect-no-changes").ok()

    edit(stack, "default: v7", "default: v8")
    edit(stack, "; echo done", "; exit 3")
    assert "will run: command changed" in stack.preview().ok().text
    failed = stack.up().failed().text
    assert "task 'migrate' of app 'shop' failed: exit code 3" in failed and "kf logs shop" in failed
    server = json.loads(kubectl("get", "deployment", "server", "-n", stack.namespace, "-o", "json"))
    assert server["spec"]["template"]["metadata"]["labels"]["schema"] == "v7", "a failed migration deploys nothing"

    edit(stack, "; exit 3", "; sleep 5; echo done")
    process = stack.start()
    eventually(lambda: len(stack.runs()) == 3, what="the third run has begun")
    own = plugins_of(stack.folder / "plugin")
    assert own, "the plugin is a process of its own"
    for one in own:
        os.kill(one, signal.SIGKILL)
    assert process.wait(60) != 0
    adopted = stack.up().ok().text
    assert "adopts run shop-migrate-" in adopted and stack.outputs()["schema"] == "v8"
    assert len(stack.runs()) == 3, "what had begun was not begun again"
    stack.destroy().ok()


@pytest.mark.skipif(not host("yaml"), reason=NOT_BUILT)
def test_a_stack_moves_from_python_to_the_plugin_and_back(stack: Stack) -> None:
    """By aliases: three records are written anew, nothing runs, nothing is made and nothing deleted."""
    stack.write(THE_SAME).up().ok()
    own, program = stack.outputs()["run"], stack.folder / "Pulumi.yaml"
    python = program.read_text()
    there = ONE_TASK.replace("NS", stack.namespace).replace("R/", f"{os.environ['SANDBOX_REGISTRY']}/")
    for text in (there.replace("PLUGIN", str(plugin(stack.folder))), python):
        program.write_text(text)
        told = stack.up().ok().text
        assert "2 updated" in told and not [it for it in ("created", "deleted", "replaced", "will run") if it in told]
        assert stack.outputs()["run"] == own and "hidden-well" not in json.dumps(stack.state())
    stack.up("--expect-no-changes").ok()
    assert len(stack.runs()) == 1
