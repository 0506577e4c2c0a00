"""The code of a schedule's pod: the submitter and what it imports, in a ConfigMap named by its content.

A CronJob names the keys of this ConfigMap one by one. If the ConfigMap were changed in place, a Job that the
older CronJob makes in the middle of an update would wait for keys that are gone, and under `Forbid` nothing
would start after it. So other code is another ConfigMap. The old one stays for pods that start late or again,
until a Calendar finds that nothing names it any more; one ConfigMap owns them all, and they go with it.
"""

from __future__ import annotations

import ast
import functools
import weakref
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import marks, naming
from ..core.schedule.code import CODE
from .space import Space
from .template import labels

PACKAGE = "kf_tasks"
START = "submitter/__main__.py"
_made: weakref.WeakKeyDictionary[Space, kubernetes.core.v1.ConfigMap] = weakref.WeakKeyDictionary()


@functools.cache
def sources() -> dict[str, str]:
    """The submitter and every module it needs, by path below the folder that Python looks in."""
    here = Path(__file__).parents[1]
    found: dict[str, str] = {}
    todo = [START]
    while todo:
        path = todo.pop()
        if f"{PACKAGE}/{path}" in found:
            continue
        text = (here / path).read_text("utf-8")
        found[f"{PACKAGE}/{path}"] = text
        folders = path.split("/")[:-1]
        for depth in range(len(folders) + 1):  # a package is a package by its __init__.py, whatever that says
            found.setdefault("/".join([PACKAGE, *folders[:depth], "__init__.py"]), "")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            base = folders[: len(folders) - node.level + 1]
            module = "/".join([*base, *(node.module.split(".") if node.module else [])])
            names = [f"{module}.py", *(f"{module}/{alias.name}.py".lstrip("/") for alias in node.names)]
            todo += [name for name in names if (here / name).is_file()]
    return found


def files() -> dict[str, str]:
    """The key of each file in the ConfigMap, by its path."""
    return {path: path.replace("/", ".") for path in sources()}


def config_map_name(space: Space) -> str:
    """The name in the cluster: other code has another."""
    return f"{_name(space)}.{naming.digest(sources())}"


def config_map_of(space: Space) -> kubernetes.core.v1.ConfigMap:
    """The code in the namespace, made with the first schedule in a Space."""
    if space not in _made:
        keys, name = files(), _name(space)
        child = pulumi.ResourceOptions(parent=space, provider=space.provider, depends_on=space.resources)
        metadata = {"name": name, "namespace": space.namespace, "labels": labels()}
        owner = kubernetes.core.v1.ConfigMap(f"{name}.owner", metadata=metadata, opts=child)
        # In a preview of one that is to be made the id alone says that nothing of it is known yet.
        uid: pulumi.Output[Any] = owner.id.apply(lambda _: owner.metadata.apply(lambda found: found.uid))
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}
        _made[space] = kubernetes.core.v1.ConfigMap(
            name,
            metadata={
                **metadata,
                "name": config_map_name(space),
                "labels": {**labels(), marks.COMPONENT: CODE},
                "owner_references": [reference],
            },
            data={keys[path]: text for path, text in sources().items()},
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(retain_on_delete=True)),
        )
    return _made[space]


def _name(space: Space) -> str:
    return f"kf.{space.name}.submitter"
