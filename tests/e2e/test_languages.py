"""The plugin on the real engine: a shop in YAML from its first update to its end, and a stack between two languages."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from ..processes import plugins_of
from .conftest import Stack, eventually, kubectl, objects
from .languages import MUTABLE, NOT_BUILT, InYaml, home, host, of_example, plugin
from .sdks import imports, with_sdk

SECRET = "password-for-trying-out"
TEMPLATES = "kf.dev/template"
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
# Of the whole program: of what it declares, and of what is in that.
TRANSFORM = """
pulumi.runtime.registerResourceTransform(({ type, props, opts }) => {
    if (type === "kf:index:Task") {
        return { props: { ...props, command: props.command.replace("; echo done", "; exit 3") }, opts };
    }
    const team = { metadata: { ...props.metadata, annotations: { team: "shop" } } };
    return type === "kubernetes:core/v1:ConfigMap" ? { props: { ...props, ...team }, opts } : undefined;
});
"""
THE_SAME = (
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', env={'TOKEN': Output.secret('hidden-well')})\n"
    "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
    "pulumi.export('run', Task('migrate', app=app, command='echo once').run)\n"
)


def edit(stack: Stack, before: str, after: str, file: str = "Pulumi.yaml") -> None:
    program = stack.folder / file
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


@pytest.mark.parametrize(
    ("example", "language", "program"),
    [
        pytest.param("typescript", "nodejs", "index.ts", id="typescript"),
        pytest.param("go", "go", "main.go", id="go"),
    ],
)
def test_a_shop_whose_program_has_an_sdk(
    stacks: Callable[..., Stack], example: str, language: str, program: str
) -> None:
    if not host(language) or not imports(language):
        pytest.skip(NOT_BUILT)
    name = uuid.uuid4().hex[:8]
    stack = with_sdk(of_example(stacks(name=name, project="shop", namespace=f"shop-{name}"), example), language)
    first = stack.up().ok().text
    assert f"migrating {name} to schema v7" in first and "will run: first run" in first and "next times:" in first
    assert stack.outputs()["schema"] == "v7" and stack.outputs()["run"].startswith("shop-migrate-")
    assert SECRET not in json.dumps(stack.state()) and SECRET not in first
    stack.env["PULUMI_NODEJS_TRANSPILE_ONLY"] = "true"  # the first update has checked the types
    stack.up("--expect-no-changes").ok()

    stack.pulumi("config", "set", "schema", "v8").ok()
    if language == "nodejs":
        edit(stack, "const config", f"{TRANSFORM}const config", program)
    else:
        edit(stack, "; echo done", "; exit 3", program)
    failed = stack.up().failed().text
    assert "will run: command changed" in failed and "task 'migrate' of app 'shop' failed: exit code 3" in failed
    if language == "nodejs":
        team = {one["metadata"]["annotations"]["team"] for one in objects("configmaps", stack.namespace, TEMPLATES)}
        assert team == {"shop"}, "transforms are asked for all that is in a component"
    server = json.loads(kubectl("get", "deployment", "server", "-n", stack.namespace, "-o", "json"))
    template = server["spec"]["template"]
    assert template["metadata"]["labels"]["schema"] == "v7", "a failed migration deploys nothing"
    assert {"STAGE", "TZ"} <= {one["name"] for one in template["spec"]["containers"][0]["env"]}
    stack.destroy().ok()


@pytest.mark.skipif(not host("yaml"), reason=NOT_BUILT)
def test_what_surrounds_a_program_is_the_same_in_yaml(stacks: Callable[..., Stack]) -> None:
    """Another stack's results, a cluster of the program's own, what is kept, options, Ctrl-C, and what stays secret."""
    first = stacks("first", project="first").write("pulumi.export('schema', 'v7')\n")
    first.up().ok()
    stack = stacks(kind=InYaml, env={"PULUMI_BACKEND_URL": first.env["PULUMI_BACKEND_URL"]})
    assert isinstance(stack, InYaml)
    stack.env["PULUMI_HOME"] = str(home(stack.folder))
    kubeconfig = {"fn::secret": {"fn::readFile": os.environ["KUBECONFIG"].split(os.pathsep)[0]}}
    there = {"kubeconfig": kubeconfig, **dict.fromkeys(MUTABLE, True)}
    space = {
        "type": "kf:Space", "properties": {"env": {"TOKEN": {"fn::secret": SECRET}}, "memory": "32M", "cpu": "10m"},
        "options": {"providers": ["${where}"]},
    }  # fmt: skip
    given = {
        "where": {"type": "pulumi:providers:kubernetes", "properties": there},
        "own": {"type": "pulumi:providers:kf"},  # a process besides, that is given an App which it has not made
        "read": {"type": "pulumi:pulumi:StackReference", "properties": {"name": "organization/first/dev"}},
        stack.namespace: space,
        "shop": stack.app(keep=1) | {"options": {"parent": f"${{{stack.namespace}}}", "retainOnDelete": True}},
    }

    def task(command: str, **options: Any) -> dict[str, Any]:
        schema = {"SCHEMA": '${read.outputs["schema"]}'}
        properties = {"app": "${shop}", "command": command, "env": schema}
        return {"type": "kf:Task", "properties": properties, "options": options}

    def tasks(command: str) -> Stack:
        after = task(command, parent="${shop}", dependsOn=["${other}"])
        return stack.resources(**given, other=task("echo $TOKEN", provider="${own}"), migrate=after)

    told = tasks("echo to $SCHEMA").up().ok().text
    [run] = stack.runs()
    own = run["metadata"]["name"]
    assert "to v7" in told and own == stack.outputs()["run"], "the newest one of two"
    assert "deleted 1 run of app 'shop': shop-other-" in told
    held = stack.state()["deployment"]["resources"]
    assert [one["retainOnDelete"] for one in held if one["type"] == "kf:index:History"] == [True]
    assert SECRET not in told + json.dumps(held)
    stack.up("--expect-no-changes").ok()

    foretold = tasks("echo waits; sleep 600").preview().ok().text
    assert f"may delete 1 of 2: {own} (last success until another one)" in foretold
    process = stack.start()
    eventually(lambda: len(stack.runs()) == 2, what="the run has begun")
    os.kill(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    assert process.returncode != 0 and "goes on without this update" in rest
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
