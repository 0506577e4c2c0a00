"""What the PipelineRun of a task says, as names and texts that can be compared: one amount of memory, not four hunks.

Known places have a name that people use; everything else keeps its path, so that nothing is missed.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping

from ..marks import NAME
from ..run.sources import Source, stored_layers

ENVIRONMENT, RESOURCES, SECURITY, OTHER = "environment", "resources", "security", "other"
_STEP = "pipelineSpec.tasks[task].taskSpec.steps[task]."
_NAMES = {
    f"{_STEP}computeResources.limits.memory": (RESOURCES, "memory"),
    f"{_STEP}computeResources.limits.ephemeral-storage": (RESOURCES, "disk"),
    f"{_STEP}computeResources.requests.cpu": (RESOURCES, "cpu"),
    f"{_STEP}computeResources.limits.cpu": (RESOURCES, "cpu limit"),
    "timeouts.pipeline": (RESOURCES, "timeout"),
    "pipelineSpec.tasks[task].retries": (RESOURCES, "retries"),
    f"{_STEP}image": (OTHER, "image"),
    "taskRunTemplate.serviceAccountName": (SECURITY, "service account"),
    "taskRunTemplate.podTemplate.automountServiceAccountToken": (SECURITY, "token of the service account mounted"),
}
_EQUAL = (  # a request that is always its limit
    f"{_STEP}computeResources.requests.memory",
    f"{_STEP}computeResources.requests.ephemeral-storage",
)
_ARGV = ("command", "args")
_DERIVED = ("MEMORY_LIMIT", "MEMORY_LIMIT_IN_MB", "DISK_LIMIT")  # they follow the amounts
_APPLICATION = "VCAP_APPLICATION"
_LIMITS = "limits"
_LIKE_DATA = re.compile(r'(null|true|false|-?[0-9.]+|\{\}|\[\]|NaN|-?Infinity|".*)\Z', re.DOTALL)


@dataclass(frozen=True)
class Variable:
    """A variable of a task: its text, None for a secret one, and the layer that decides, such as `App`.

    `source`: of a secret one the Secret and its key.
    """

    text: str | None
    layer: str = ""
    source: str = ""


@dataclass(frozen=True)
class Facts:
    """The facts of one task by kind and name, and its variables.

    `stored`: the layers whose variables are read from an object of ours, and are not seen by their names.
    """

    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    stored: tuple[str, ...] = ()


def facts(manifest: Any, layers: Mapping[str, Any]) -> Facts | None:
    """The facts of a PipelineRun; None where it is none, or only the update knows it."""
    try:
        step = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
        env = step.get("env") or []
        variables = {str(one["name"]): _variable(one, layers) for one in env if one["name"] not in _DERIVED}
        given = [Source.of(one) for one in step.get("envFrom") or []]
        own = str(((manifest.get("metadata") or {}).get("labels") or {}).get(NAME))
        whole = [_whole(one) for one in given if not stored_layers([one], own)]
        argv = [str(word) for part in _ARGV for word in step.get(part) or []]
    except (LookupError, TypeError, AttributeError):
        return None
    values = {(OTHER, "command"): shlex.join(argv)} if argv else {}
    if whole:
        values[ENVIRONMENT, "env_from"] = ", ".join(whole)
    for path, text in _leaves(manifest["spec"], ""):
        if path in _EQUAL or path.startswith((f"{_STEP}env[", f"{_STEP}envFrom", f"{_STEP}command", f"{_STEP}args")):
            continue
        kind, name = _named(path)
        twice = sum(1 for _, other in values if other == name or other.startswith(f"{name} #"))
        values[kind, f"{name} #{twice + 1}" if twice else name] = text
    return Facts(values, variables, tuple(stored_layers(given, own)))


def _named(path: str) -> tuple[str, str]:
    if path in _NAMES:
        return _NAMES[path]
    short = path.removeprefix(_STEP).removeprefix("taskRunTemplate.podTemplate.")
    if "securityContext." in short:
        pod = "" if path.startswith(_STEP) else " of the pod"
        return SECURITY, f"{short.rpartition('securityContext.')[2]}{pod}"
    return OTHER, short


def _whole(source: Source) -> str:
    return f"{source} (optional)" if source.optional else str(source)


def _variable(found: Mapping[str, Any], layers: Mapping[str, Any]) -> Variable:
    layer = next((str(one) for one in layers.get(found["name"]) or ()), "")
    source = found.get("valueFrom")
    if source is None:
        text = str(found.get("value") or "")
        return Variable(_without_limits(text) if found["name"] == _APPLICATION else text, layer)
    if "secretKeyRef" in source:
        reference = source["secretKeyRef"]
        return Variable(None, layer, f"{reference['key']} of the Secret {reference['name']}")
    return Variable(json.dumps(source, sort_keys=True), layer)


def _without_limits(text: str) -> str:
    try:
        found = json.loads(text)
        found.pop(_LIMITS, None)
    except (ValueError, AttributeError):
        return text
    return json.dumps(found, sort_keys=True)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every leaf with its path; an item of a list is known by its name, so that a new one moves no other."""
    if isinstance(value, dict) and value:
        for name in value:
            key = f'["{name}"]' if "." in str(name) or not name else f".{name}" if path else str(name)
            yield from _leaves(value[name], f"{path}{key}")
    elif isinstance(value, list) and value:
        for nth, item in enumerate(value):
            name = item.get("name", nth) if isinstance(item, dict) else nth
            yield from _leaves(item, f"{path}[{name}]")
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    """A leaf as people write it; a text that reads like a number stays in quotes, for it is none."""
    if isinstance(value, str) and not _LIKE_DATA.match(value):
        return value
    return json.dumps(value, ensure_ascii=False)
