"""When a task runs again: the key of its definition, and the words for what changed in it.

The definition is what the task does: image, argv, its own variables (of secret ones the names) and
its triggers. Whatever else changes (resources, timeout, labels, the App's variables, secret values)
changes the next run, not whether there is one.
"""

from __future__ import annotations

import shlex
from collections import Counter
from typing import Any, List, Mapping, Sequence, Tuple

from . import difference
from .build import spec
from .log.reader import harmless
from .naming import digest
from .run import environment
from .run.sources import CONFIG_MAP, SECRET

CHANGE, TRIGGER, ALWAYS = "change", "trigger", "always"
WHEN = (CHANGE, TRIGGER, ALWAYS)
PARTS = {"image": "image", "argv": "command", "env": "env", "secret_env": "secret env", "triggers": "triggers"}
SHELL = ["/bin/sh", "-c"]

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
    """What changed, in one line of the preview: `image changed: shop@sha256:1a2b → @sha256:3c4d; env changed: +A x`."""
    if when == spec.BUILD:
        return spec.explain(old, new)
    changes = []
    for part in deciding(when):
        before, after = old.get(part), new.get(part)
        if before != after:
            changes.append(f"{PARTS[part]} changed: {describe(part, before, after)}")
    return harmless("; ".join(changes))


def describe(part: str, before: Any, after: Any) -> str:
    """What changed in one part of a definition, in one line."""
    if part == "image":
        return _images(str(before), str(after))
    if part == "argv":
        return _commands(before or [], after or [])
    if part == "env":
        return ", ".join(difference.entries(_named(before or {}), _named(after or {})))
    if part == "secret_env":
        return ", ".join(difference.entries(dict.fromkeys(before or []), dict.fromkeys(after or []), values=False))
    return difference.texts(str(difference.whole(before)), str(difference.whole(after)))


def changed_lines(old: Definition, new: Definition) -> List[str]:
    """The lines of a command that differ, where they are more than the line that `explain` makes of them."""
    before, after = old.get("argv") or [], new.get("argv") or []
    return [] if before == after or _is_short(before, after) else difference.lines(*_lines(before, after))


def _named(env: Mapping[str, Any]) -> Mapping[str, Any]:
    """Variables with the keys that they refer to in words, as `kf env` has them."""
    return {name: _origin(it) if isinstance(it, Mapping) else it for name, it in env.items()}


def _origin(it: Mapping[str, Any]) -> str:
    return environment.origin(SECRET if "secret" in it else CONFIG_MAP, it.get("secret", it.get("config")), it["key"])


def _images(before: str, after: str) -> str:
    (old, _, old_digest), (new, _, new_digest) = before.partition("@"), after.partition("@")
    old_short, new_short = (f"@{text[:19]}" if text else "" for text in (old_digest, new_digest))
    same_name = old == new and old_digest and new_digest
    return f"{old}{old_short} → {'' if same_name else new}{new_short}"


def _commands(before: Sequence[str], after: Sequence[str]) -> str:
    if _is_short(before, after):
        return difference.texts(*_on_one_line(before, after))
    was, now = _lines(before, after)
    more, less = (sum((Counter(one) - Counter(other)).values()) for one, other in ((now, was), (was, now)))
    return f"-{less} +{more} lines"


def _is_short(before: Sequence[str], after: Sequence[str]) -> bool:
    both = _on_one_line(before, after)
    return not any("\n" in text.strip() or len(text) > difference.LONGEST for text in both)


def _on_one_line(before: Sequence[str], after: Sequence[str]) -> Tuple[str, str]:
    if before[:-1] == after[:-1] == SHELL:
        return before[-1], after[-1]
    return shlex.join(before), shlex.join(after)


def _lines(before: Sequence[str], after: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Both commands in lines: of a script its own, of a list an argument each."""
    if before[:-1] == after[:-1] and before and after:
        return before[-1].splitlines(), after[-1].splitlines()
    return [shlex.quote(text) for text in before], [shlex.quote(text) for text in after]
