"""Stacks whose programs are in other languages, and what their hosts need: our plugin and a schema of Kubernetes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from sandbox.cache import place

from .conftest import CHECKOUT, Stack

KUBERNETES = "4.25.0"
NOT_BUILT = "the language hosts are not built: make extras builds them"


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


def home(folder: Path) -> Path:
    """A PULUMI_HOME whose Kubernetes provider has a schema of the two kinds that the examples use.

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
        "name": "kubernetes", "version": KUBERNETES, "meta": {"moduleFormat": "(.*)(?:/[^/]*)"}, "provider": {},
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
    shutil.copytree(CHECKOUT / "examples" / example, folder, dirs_exist_ok=True)
    program = (folder / "Pulumi.yaml").read_text().replace("../../plugin", str(plugin(folder)))
    (folder / "Pulumi.yaml").write_text(program)
    stack.env |= {"PULUMI_HOME": str(home(folder)), "PULUMI_STACK": stack.name}  # a home knows which is chosen
    stack.pulumi("config", "set", "image", f"{os.environ['SANDBOX_REGISTRY']}/busybox:1").ok()
    return stack


__all__ = ["NOT_BUILT", "host", "of_example"]
