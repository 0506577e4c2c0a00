"""When a task runs again: the key of its definition, and the words for what changed in it.

The definition is what the task does: image, argv, its own variables (of secret ones the names) and
its triggers. Whatever else changes (resources, timeout, labels, the App's variables, secret values)
changes the next run, not whether there is one.
"""

from __future__ import annotations

import shlex
from os.path import commonprefix
from typing import Any, Dict, List, Mapping

from .build import spec
from .log.reader import harmless
from .naming import digest

CHANGE, TRIGGER, ALWAYS = "change", "trigger", "always"
WHEN = (CHANGE, TRIGGER, ALWAYS)
PARTS = {"image": "image", "argv": "command", "env": "env", "secret_env": "secret env", "triggers": "triggers"}
_LONGEST, _CONTEXT = 100, 20

Definition = Mapping[str, Any]


def key(definition: Definition, when: str = CHANGE, nth: int = 0) -> str:
    """The digest that decides about a new run; `nth` counts the updates where every one of them runs the task."""
    if when == spec.BUILD:
        return digest(definition[spec.BUILD])
    if when == TRIGGER:
        return digest({"triggers": definition["triggers"]})
    parts = {part: definition[part] for part in PARTS}
    return digest({**parts, "nth": nth} if when == ALWAYS else parts)


def deciding(when: str) -> List[str]:
    """The parts of a definition that the key is made from."""
    if when == spec.BUILD:
        return [spec.BUILD]
    return ["triggers"] if when == TRIGGER else list(PARTS)


def explain(old: Definition, new: Definition, when: str = CHANGE) -> str:
    """What changed, for the preview's line: `image changed: shop@sha256:1a2b -> @sha256:3c4d; env changed: +A, ~B`."""
    if when == spec.BUILD:
        return spec.explain(old, new)
    changes = []
    for part in deciding(when):
        before, after = old.get(part), new.get(part)
        if before != after:
            changes.append(f"{PARTS[part]} changed: {_describe(part, before, after)}")
    return harmless("; ".join(changes))


def _describe(part: str, before: Any, after: Any) -> str:
    if part == "image":
        return _images(str(before), str(after))
    if part == "argv":
        return _texts(shlex.join(before or []), shlex.join(after or []))
    if part == "env":
        return _keys(before or {}, after or {})
    if part == "secret_env":
        return _keys(dict.fromkeys(before or []), dict.fromkeys(after or []))
    return _texts(str(_whole(before)), str(_whole(after)))


def _images(before: str, after: str) -> str:
    (old, _, old_digest), (new, _, new_digest) = before.partition("@"), after.partition("@")
    old_short, new_short = (f"@{text[:19]}" if text else "" for text in (old_digest, new_digest))
    same_name = old == new and old_digest and new_digest
    return f"{old}{old_short} -> {'' if same_name else new}{new_short}"


def _keys(before: Dict[str, Any], after: Dict[str, Any]) -> str:
    marks = [f"+{name}" for name in sorted(after.keys() - before.keys())]
    marks += [f"-{name}" for name in sorted(before.keys() - after.keys())]
    marks += [f"~{name}" for name in sorted(before.keys() & after.keys()) if before[name] != after[name]]
    return ", ".join(marks)


def _texts(before: str, after: str) -> str:
    """Both texts on one line; of long ones the part where they begin to differ."""
    before, after = (text.replace("\n", "\\n").replace("\r", "\\r") for text in (before, after))
    start = 0
    if max(len(before), len(after)) > _LONGEST:
        start = max(len(commonprefix([before, after])) - _CONTEXT, 0)  # noqa: RUF071 - of texts, not of paths
    return f"{_cut(before, start)} -> {_cut(after, start)}"


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _whole(value: Any) -> Any:
    """`value` with whole numbers as people write them: Pulumi hands every number over as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {name: _whole(item) for name, item in value.items()} if isinstance(value, dict) else value
