"""Stacks whose programs are in other languages, and what their hosts need: our plugin and a schema of Kubernetes."""

from __future__ import annotations

import ast
import json
import os
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

from kf_tasks.plugin.names import camel

from sandbox.cache import place

from .conftest import CHECKOUT, OUTPUTS, Stack

KUBERNETES = "4.25.0"
MUTABLE = ("enableSecretMutable", "enableConfigMapMutable")
NOT_BUILT = "the language hosts and what programs import are not built: make extras builds them"


def host(language: str) -> bool:
    """Whether the engine finds the host of a language beside it."""
    engine = shutil.which("pulumi")
    return bool(engine) and Path(str(engine)).resolve().with_name(f"pulumi-language-{language}").exists()


def plugin(folder: Path) -> Path:
    """`plugin/` as it is after its installation, which here is the checkout's own environment."""
    made = folder / "plugin"
    shutil.copytree(CHECKOUT / "plugin", made, ignore=shutil.ignore_patterns("venv"))
    (made / "venv").symlink_to(CHECKOUT / ".venv")
    return made


class InYaml(Stack):
    """A stack whose program is in YAML."""

    def resources(self, **more: Any) -> InYaml:
        """The program: `more` resources beside a Space and an App `shop`, and all that Task `migrate` gives."""
        space = {"type": "kf:Space", "properties": {"memory": "32M", "disk": "64M", "cpu": "10m"}}
        known = {self.namespace: space, **more}
        program = {
            "name": self.project, "runtime": "yaml", "packages": {"kf": str(self.plugin)}, "resources": known,
            "outputs": {name: f"${{migrate.{camel(name)}}}" for name in OUTPUTS} if "migrate" in more else {},
        }  # fmt: skip
        (self.folder / "Pulumi.yaml").write_text(json.dumps(program, indent=2))
        return self

    def app(self, **properties: Any) -> dict[str, Any]:
        """The common App."""
        image = f"{os.environ['SANDBOX_REGISTRY']}/busybox:1"
        return {"type": "kf:App", "properties": {"space": f"${{{self.namespace}}}", "image": image, **properties}}

    def task(self, arguments: str = "command='echo hello'", app: str = "", after: str = "") -> InYaml:
        """As that of a Python program, whose `arguments` are spelt as YAML spells them."""
        assert not after
        task = {"type": "kf:Task", "properties": {"app": "${shop}", **literals(arguments)}}
        return self.resources(shop=self.app(**literals(app)), migrate=task)

    @cached_property
    def plugin(self) -> Path:
        """Where its plugin is."""
        return plugin(self.folder)


def literals(arguments: str) -> dict[str, Any]:
    """What a call in Python is given by name, all of it literal, as a program in another language spells it."""
    call = ast.parse(f"f({arguments})", mode="eval").body
    assert isinstance(call, ast.Call)
    return {camel(str(one.arg)): ast.literal_eval(one.value) for one in call.keywords}


def home(folder: Path) -> Path:
    """A PULUMI_HOME whose Kubernetes provider has a schema of the two kinds that the examples use, and of itself.

    That of the sandbox has none: it is as large as all the rest of the provider.
    """
    made = folder / "home"
    name = f"resource-kubernetes-v{KUBERNETES}"
    for file in (Path(os.environ["PULUMI_HOME"]) / "plugins" / name).iterdir():
        place(file, made / "plugins" / name / file.name)
    any_map = {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}}

    def kind(version: str, name: str) -> dict[str, object]:
        constants = {"apiVersion": {"type": "string", "const": version}, "kind": {"type": "string", "const": name}}
        properties = {**constants, "metadata": any_map, "spec": any_map}
        return {"properties": properties, "inputProperties": properties}

    schema = {
        "name": "kubernetes", "version": KUBERNETES, "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        "provider": {
            "inputProperties": {
                "kubeconfig": {"type": "string"}, **{name: {"type": "boolean"} for name in MUTABLE},
            }
        },
        "resources": {
            "kubernetes:apps/v1:Deployment": kind("apps/v1", "Deployment"),
            "kubernetes:core/v1:Namespace": kind("v1", "Namespace"),
        },
    }  # fmt: skip
    (made / "plugins" / f"schema-kubernetes-{KUBERNETES}-.json").write_text(json.dumps(schema))
    return made


def of_example(stack: Stack, example: str) -> Stack:
    """A stack with the program of an example in another language, its plugin beside it."""
    folder = stack.folder
    own = shutil.ignore_patterns("node_modules", "sdks")  # of somebody who has tried the example
    shutil.copytree(CHECKOUT / "examples" / example, folder, ignore=own, dirs_exist_ok=True)
    program = (folder / "Pulumi.yaml").read_text().replace("../../plugin", str(plugin(folder)))
    (folder / "Pulumi.yaml").write_text(program)
    stack.env |= {"PULUMI_HOME": str(home(folder)), "PULUMI_STACK": stack.name}  # a home knows which is chosen
    stack.pulumi("config", "set", "image", f"{os.environ['SANDBOX_REGISTRY']}/busybox:1").ok()
    return stack


__all__ = ["NOT_BUILT", "InYaml", "host", "of_example"]
