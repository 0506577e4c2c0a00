"""The templates of tasks as unified diffs, for whoever wants to see everything."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Any, Iterable, Mapping

import yaml

from ..template import MANIFEST
from .differences import is_template, place_of, task_of
from .model import Template
from .preview import UNKNOWN, Preview, mapping, text

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_UNKNOWN_TEXT = "known only during the update\n"


def templates(preview: Preview) -> tuple[Template, ...]:
    """The templates that differ; a new one is all additions."""
    found = []
    for step in preview.steps:
        before, after = _manifest(step.old), _manifest(step.new)
        if not is_template(step) or before == after:
            continue
        namespace, app = place_of(step)
        lines = tuple(_lines(before, after))
        found.append(Template(namespace, app, task_of(step), lines))
    return tuple(sorted(found, key=lambda one: (one.namespace or "", one.app, one.task)))


def _lines(before: str, after: str) -> Iterable[str]:
    old, new = (_yaml(text).splitlines() for text in (before, after))
    for nth, line in enumerate(unified_diff(old, new, lineterm="", n=2)):
        if nth >= 2:  # after the two lines with names of files
            yield line


def _manifest(inputs: Mapping[str, Any] | None) -> str:
    data = (inputs or {}).get("data")
    found = mapping(data).get(MANIFEST)
    return _UNKNOWN_TEXT if UNKNOWN in (data, found) else text(found)


def _yaml(manifest: str) -> str:
    """A template of a schedule is JSON of one field a line: as YAML it reads as those of tasks do."""
    if not manifest.startswith("{"):
        return manifest
    try:
        return str(yaml.dump(json.loads(manifest), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000))
    except (ValueError, yaml.YAMLError):
        return manifest
