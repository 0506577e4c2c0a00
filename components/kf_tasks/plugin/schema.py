"""The components as Pulumi's schema has them, from which the SDKs of all languages are made.

Nothing is written twice: types, defaults and what is required come from the constructors, descriptions from their
docstrings. `tests/plugin/schema.golden.json` shows every change.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import pulumi_kubernetes as kubernetes

from .. import __version__
from ..provider.adapter import PACKAGE, token
from ..resources.arguments import alternatives, hints_of, is_a
from .construct import KIND
from .names import COMPONENTS, Component, camel, init, outputs, parameters
from .spelling import described

Spec = dict[str, Any]
ANY: Spec = {"$ref": "pulumi.json#/Any"}
PRIMITIVES: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
APPROVED = "The file of an approval that the update is held to, relative to the project's folder."
# What only Python has: elsewhere a name, a text or a folder's path is given.
_PYTHONS_OWN = (type(None), kubernetes.core.v1.Namespace, kubernetes.core.v1.Secret, kubernetes.core.v1.ConfigMap)
_ABOUT_PYTHON = re.compile(r"\s*Raises pulumi\.RunError for bad input\.")


@functools.cache
def text() -> str:
    """The schema, as JSON."""
    return json.dumps(package(), indent=2, ensure_ascii=False) + "\n"


def package() -> Spec:
    """The schema of the whole package; the SDK for Python is `pulumi_kf`, so that it is never `kf_tasks`."""
    records: dict[str, Spec] = {}
    resources = {name: _component(of, records) for name, of in COMPONENTS.items()}
    approved = {"approved": {"type": "string", "description": APPROVED}}
    return {
        "name": PACKAGE,
        "displayName": "Kf Tasks",
        "version": __version__,
        "description": "Short-lived work beside an application on Kubernetes: Kf's Tasks as Tekton PipelineRuns",
        "keywords": ["kubernetes", "tekton", "tasks", "jobs", "cron"],
        "meta": {"supportPack": True},  # each SDK is a whole package, with a go.mod too, as `package add` makes it
        "language": {
            "nodejs": {"packageName": f"pulumi-{PACKAGE}", "respectSchemaVersion": True},
            "python": {
                "packageName": f"pulumi_{PACKAGE}",
                "respectSchemaVersion": True,
                "pyproject": {"enabled": True},
            },
            "go": {"respectSchemaVersion": True, "generateExtraInputTypes": True},
            "csharp": {"respectSchemaVersion": True},
        },
        "config": {"variables": approved},
        "provider": {"inputProperties": approved},
        "types": dict(sorted(records.items())),
        "resources": resources,
    }


def _component(of: Component, records: dict[str, Spec]) -> Spec:
    hints, known = hints_of(init(of)), outputs(of)
    given = parameters(of)
    properties = {camel(name): _property(of, name, hints[name], it.default, records) for name, it in given.items()}
    required = [camel(name) for name, it in given.items() if it.default is inspect.Parameter.empty]
    results = {name: get_args(hint)[0] for name, hint in known.items()}
    return {
        "isComponent": True,
        "description": _described(of, {*given, *known}),
        "inputProperties": properties,
        "requiredInputs": required,
        "properties": {camel(name): _bare(_spec(name, hint, records)) for name, hint in results.items()},
        "required": [camel(name) for name, hint in results.items() if type(None) not in get_args(hint)],
    }


def _record(of: Any, records: dict[str, Spec], one_of_many: bool) -> Spec:
    name = token(of.__name__, plugin=True)
    if name not in records:
        fields = dataclasses.fields(of)
        hints = hints_of(of)
        kind: Spec = {KIND: {"type": "string", "const": of.__name__}} if one_of_many else {}
        needed = [it for it in fields if it.default is it.default_factory is dataclasses.MISSING]
        records[name] = {
            "type": "object",
            "description": _described(of, {it.name for it in fields}),
            "properties": {
                **kind, **{camel(it.name): _property(of, it.name, hints[it.name], it.default, records) for it in fields}
            },
            "required": [*kind, *(camel(it.name) for it in needed)],
        }  # fmt: skip
    return {"$ref": f"#/types/{name}"}


def _property(of: Any, name: str, hint: Any, default: Any, records: dict[str, Spec]) -> Spec:
    found = _spec(name, hint, records)
    said = _bullet(of, name)
    described = {"description": said} if said else {}
    simple = found.get("type") in PRIMITIVES.values() and isinstance(default, (str, bool, int, float))
    return {**found, **described, **({"default": default} if simple else {})}


def _spec(name: str, hint: Any, records: dict[str, Spec]) -> Spec:
    """The type of an argument; what cannot be an Output is `plain`."""
    options, outputs_, _ = alternatives(hint)
    options = [one for one in options if one not in _PYTHONS_OWN and (get_origin(one) or one) is not os.PathLike]
    kinds: list[Any] = [one for one in options if dataclasses.is_dataclass(one)]
    found: list[Spec] = []
    for one in options:
        made = _one(name, one, records, len(kinds) > 1)
        if made not in found and not (get_origin(one) is Literal and {"type": "string"} in found):
            found.append(made)
    if ANY in found:
        return ANY
    plain = {} if outputs_ or any("#/resources/" in one.get("$ref", "") for one in found) else {"plain": True}
    if len(found) == 1:
        return found[0] if kinds else {**found[0], **plain}  # Go's SDK knows no record that is `plain`
    mapping = {one.__name__: f"#/types/{token(one.__name__, plugin=True)}" for one in kinds}
    several = {"discriminator": {"propertyName": KIND, "mapping": mapping}} if len(kinds) == len(found) else {}
    return {"oneOf": [{**one, **plain} for one in found], **several, **plain}


def _one(name: str, hint: Any, records: dict[str, Spec], one_of_many: bool) -> Spec:
    origin, inside = get_origin(hint) or hint, get_args(hint)
    if origin is Annotated:
        return _bare(_spec(name, inside[0], records))
    if origin in PRIMITIVES:
        return {"type": PRIMITIVES[origin]}
    if origin is Literal:
        return _enumeration(name, inside, records) if all(isinstance(it, str) for it in inside) else {"type": "integer"}
    if is_a(hint, Mapping):
        return {"type": "object", "additionalProperties": _spec(name, inside[1], records)}
    if is_a(hint, Sequence):
        return {"type": "array", "items": _spec(name, inside[0], records)}
    if dataclasses.is_dataclass(hint):
        return _record(hint, records, one_of_many)
    if hint in COMPONENTS.values():
        return {"$ref": f"#/resources/{token(hint.__name__, plugin=True)}"}
    return ANY


def _enumeration(name: str, values: Sequence[str], records: dict[str, Spec]) -> Spec:
    of = camel(f"_{name}")
    key = token(of[0].upper() + of[1:], plugin=True)
    records[key] = {"type": "string", "enum": [{"value": value} for value in values]}
    return {"$ref": f"#/types/{key}"}


def _bare(spec: Spec) -> Spec:
    return {name: it for name, it in spec.items() if name != "plain"}


def _described(of: Any, names: set[str]) -> str:
    """The docstring, with its names as the schema has them."""
    said = described(_ABOUT_PYTHON.sub("", inspect.getdoc(of) or "").strip())
    return re.sub(r"`(\w+)`", lambda found: f"`{camel(found[1])}`" if found[1] in names else found[0], said)


def _bullet(of: Any, name: str) -> str:
    """What the docstring says of one argument: the point that names it first."""
    fields = dataclasses.fields(of) if dataclasses.is_dataclass(of) else ()
    names = {it.name for it in fields} if fields else {*parameters(of)}
    points = re.split(r"\n+(?=- |\S)|\n\n", _described(of, names))
    for point in points:
        if point.startswith("- ") and f"`{camel(name)}`" in point:
            return re.sub(r"\s+", " ", point.removeprefix("- ")).strip()
    return ""
