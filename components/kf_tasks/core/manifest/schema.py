"""The format of a manifest as a JSON Schema, for editors.

`manifest.schema.json` beside this module is what it says; `python -m kf_tasks.core.manifest.schema` prints it.

It says what a slip is before anything runs. Unknown keys are allowed, as in the report, and `((name))` may
stand in place of a number, a switch or an amount.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping

from . import ignored_keys
from .fields import INSERTED
from .model import SPELLINGS, File

_FOREIGN: Mapping[str, Mapping[str, str]] = {
    "Application": ignored_keys.APPLICATION,
    "Process": ignored_keys.PROCESS,
    "Docker": ignored_keys.DOCKER,
}


def schema() -> Dict[str, Any]:
    """The schema, with the keys that have no effect on tasks, and both spellings of the keys that have two."""
    made = File.model_json_schema()
    for name, definition in made["$defs"].items():
        properties = definition["properties"]
        for key, other in SPELLINGS.items():
            if key in properties:
                properties[other] = properties[key]
        for key, why in _FOREIGN.get(name, {}).items():
            properties.setdefault(key, {"description": f"Has no effect on tasks: {why}."})
        definition["properties"] = {key: _allow_null(properties[key], name, key) for key in sorted(properties)}
    services = made["$defs"]["Application"]["properties"]["services"]["anyOf"][0]
    services["items"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Service"}]}
    made["properties"]["version"] = {"const": 1}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "manifest.yml with tasks",
        "type": "object",
        "definitions": made["$defs"],
        "properties": made["properties"],
        "required": ["applications"],
    }


def text() -> str:
    """The content of manifest.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False).replace("#/$defs/", "#/definitions/") + "\n"


def _allow_null(given: Dict[str, Any], model: str, key: str) -> Dict[str, Any]:
    """A key without a value is a key that is not there, unless it is the name of something."""
    kept = {name: given[name] for name in ("description", "default") if given.get(name) is not None}
    rest = {name: value for name, value in given.items() if name not in ("description", "default", "title")}
    if not rest or "const" in rest or key in ("name", "type") or (model, key) == ("Docker", "image"):
        return {**kept, **rest}
    choices = rest["anyOf"] if list(rest) == ["anyOf"] else [rest]
    if any(choice.get("type") in ("array", "object") or "$ref" in choice for choice in choices):
        choices = [*choices, {"type": "string", "pattern": f"^{INSERTED}$"}]
    if {"type": "null"} not in choices:
        choices = [*choices, {"type": "null"}]
    return {**kept, "anyOf": choices}


if __name__ == "__main__":
    print(text(), end="")
