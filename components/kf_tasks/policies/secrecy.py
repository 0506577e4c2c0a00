"""Rules about secrets: long enough to be hidden in logs, and not written where everybody reads."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from ..core.log.masking import SHORTEST
from ..core.marks import MANAGED_BY, TEMPLATE
from ..core.template import MANIFEST, SETTINGS
from .inputs import Inputs, resources
from .rule import COUNT, TEXTS, Rule, Settings, Violations, is_one_of, setting

SECRET, CONFIG_MAP = "kubernetes:core/v1:Secret", "kubernetes:core/v1:ConfigMap"
Detector = Callable[[str, str], str]  # of the name and the value of a variable what kind of secret it is, or nothing
_TELLING = re.compile("pass|secret|token|key", re.IGNORECASE)
_OWN_LAYERS = {"app": ("Space", "App"), "task": ("Task",)}


def _short(args: Any, settings: Settings) -> Violations:
    for found in resources(args):
        if found.kind != SECRET or _labels(found).get(MANAGED_BY) != "kf":
            continue
        for name, value in _values(found):
            # Of a service's credentials many are no secrets: ports, names, hosts.
            meant = found.name.endswith(".env") or _TELLING.search(name)
            if meant and len(value) < settings["least"]:
                yield found.urn, f"secret {name} has fewer than {settings['least']} characters"


def plain_secrets(detect: Detector) -> Rule:
    """The rule about plain variables that look like secrets, to `detect`."""

    def check(args: Any, settings: Settings) -> Violations:
        for found in resources(args):
            for name, value in _variables(found):
                kind = "" if is_one_of(name, settings["ignore"]) else detect(name, value)
                if kind:
                    yield found.urn, f"variable {name} is plain and looks like a secret ({kind})"

    return Rule(
        "plain-secret",
        "What is secret is given as a secret.",
        "A plain variable stands in the template, in the PipelineRun and in the state, for all who may list them.",
        "give it as a secret (config.require_secret('…')), or name it in `ignore`",
        check,
        {"ignore": setting(TEXTS, [], "names of variables that are none, with * and ?")},
        severity="high",
    )


def _variables(found: Inputs) -> Iterator[tuple[str, str]]:
    """The plain variables that a template adds: an App's those of its Space and its own, a Task's its own."""
    own = _OWN_LAYERS.get(_labels(found).get(TEMPLATE, "")) if found.kind == CONFIG_MAP else None
    data = found["data"]
    if not own or not isinstance(data, dict) or not all(isinstance(data.get(it), str) for it in (MANIFEST, SETTINGS)):
        return
    layers = json.loads(data[SETTINGS]).get("layers") or {}
    manifest = yaml.safe_load(data[MANIFEST])
    for entry in manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0].get("env") or ():
        if (layers.get(entry["name"]) or [""])[0] in own and isinstance(entry.get("value"), str):
            yield entry["name"], entry["value"].replace("$$", "$")


def _labels(found: Inputs) -> dict[str, str]:
    metadata = found["metadata"]
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return labels if isinstance(labels, dict) else {}


def _values(found: Inputs) -> Iterator[tuple[str, str]]:
    """Of a Kubernetes Secret what is known and shown to policies."""
    plain, encoded = found["stringData"], found["data"]
    for name, value in (plain if isinstance(plain, dict) else {}).items():
        if isinstance(value, str):
            yield name, value
    for name, value in (encoded if isinstance(encoded, dict) else {}).items():
        if isinstance(value, str):
            yield name, base64.b64decode(value).decode("utf-8", "replace")


SHORT = Rule(
    "short-secret",
    "Secrets are not too short.",
    "What is shorter is guessed, and hiding it would hide half of every log.",
    "make it longer, or give it as a plain variable if it is none",
    _short,
    {"least": setting(COUNT, SHORTEST, "so many characters at least")},
    severity="high",
)
