"""The code of a schedule's pod: the submitter and what it imports, in a ConfigMap named by its content.

A CronJob names the keys of this ConfigMap one by one. If the ConfigMap were changed in place, a Job that the
older CronJob makes in the middle of an update would wait for keys that are gone, and under `Forbid` nothing
would start after it. So other code is another ConfigMap, and the old one goes when nothing names it any more.
"""

from __future__ import annotations

import ast
import functools
import weakref
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import naming
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
        keys = files()
        _made[space] = kubernetes.core.v1.ConfigMap(
            _name(space),
            metadata={"name": config_map_name(space), "namespace": space.namespace, "labels": labels()},
            data={keys[path]: text for path, text in sources().items()},
            opts=pulumi.ResourceOptions(parent=space, provider=space.provider, depends_on=space.resources),
        )
    return _made[space]


def _name(space: Space) -> str:
    return f"kf.{space.name}.submitter"
