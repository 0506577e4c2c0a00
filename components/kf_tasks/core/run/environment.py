"""The environment of a task, layer over layer, and where each value comes from.

Lowest to highest: Space < App < Task < bindings < system. A higher layer wins, and the merged
result still tells what it hides, so that a reviewer can see why a task runs with the value it has.
`LANG` and `DATABASE_URL` are defaults of the platform: whoever sets them keeps their own.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import InvalidInput

BINDINGS, SYSTEM = "bindings", "system"
RESERVED = ("VCAP_", "VMC", "KF_")
YIELDING = ("LANG", "DATABASE_URL")
LARGEST = 131_072  # Linux: MAX_ARG_STRLEN, name, `=` and the closing NUL included
_KINDS = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
_EXPANSION = re.compile(r"\$(?:\$|\(([^)]*)\))")


@dataclass(frozen=True)
class Value:
    """A variable's value: plain text, the key of a Secret or ConfigMap in the run's namespace, or a field of the pod.

    An `optional` key may be missing, then the variable is not set. An `existing` object is not ours: what is in it
    nobody here knows. In text that `expands` the kubelet replaces `$(NAME)`; every other text reaches the process as
    it is.
    """

    text: Optional[str] = None
    secret: Optional[str] = None
    config: Optional[str] = None
    key: Optional[str] = None
    existing: bool = False
    optional: bool = False
    pod_field: Optional[str] = None
    expands: bool = False

    def render(self, name: str, carry: Callable[[str], str]) -> Dict[str, object]:
        """The variable as an entry of a container's `env`."""
        if self.pod_field is not None:
            return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": self.pod_field}}}
        if self.key is None:
            return {"name": name, "value": (self.text or "") if self.expands else carry(self.text or "")}
        optional = {"optional": True} if self.optional else {}
        of = "configMapKeyRef" if self.secret is None else "secretKeyRef"
        return {"name": name, "valueFrom": {of: {"name": self.secret or self.config, "key": self.key, **optional}}}


@dataclass(frozen=True)
class Variable:
    """A variable of the merged environment: its value, its layer, and the layers it hides."""

    name: str
    value: Value
    layer: str
    shadows: Tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Shown:
    """A variable as a person reads it: the process's text, or what stands for it.

    `layer` is where it comes from, `origin` the key of a Secret or ConfigMap that holds it (`Secret shop, token`).
    """

    name: str
    text: str
    layer: str
    shadows: Tuple[str, ...] = ()
    secret: bool = False
    origin: str = ""


def merge(layers: Sequence[Tuple[str, Mapping[str, Value]]]) -> List[Variable]:
    """The variables of all `layers` (name and content, lowest first), sorted by name; the last one wins."""
    merged: Dict[str, Variable] = {}
    for layer, values in layers:
        for name, value in values.items():
            below = merged.get(name)
            if below and name in YIELDING and layer in (BINDINGS, SYSTEM):
                merged[name] = replace(below, shadows=(*below.shadows, layer))
                continue
            shadows = (*below.shadows, below.layer) if below else ()
            merged[name] = Variable(name, value, layer, shadows)
    return [merged[name] for name in sorted(merged)]


def rendered(variables: Sequence[Variable], carry: Callable[[str], str]) -> List[Dict[str, object]]:
    """The `env` of a container; what refers to other variables stands after them, or the kubelet leaves it as it is."""
    ordered = sorted(variables, key=lambda variable: (variable.value.expands, variable.name))
    return [variable.value.render(variable.name, carry) for variable in ordered]


def origins(variables: Sequence[Variable]) -> Dict[str, List[str]]:
    """Layer and hidden layers of each variable, as a template keeps them for `kf env`."""
    return {variable.name: [variable.layer, *variable.shadows] for variable in variables}


def effective(
    entries: Sequence[Mapping[str, Any]],
    layers: Mapping[str, Sequence[str]],
    value: Callable[[str, str, str], Optional[str]],
    below: Sequence[Shown] = (),
) -> List[Shown]:
    """What a process sees of a container's `env`, and of what stands `below` it, sorted by name.

    Texts are expanded as the kubelet does it, a field of the pod is shown as `<field>`. `value` gives what stands for
    a key of a "Secret" or "ConfigMap" (kind, name, key), None if it is missing.
    """
    seen: Dict[str, Shown] = {}
    for shown in below:
        seen[shown.name] = _over(seen, shown)
    for entry in entries:
        name, source = entry["name"], entry.get("valueFrom") or {}
        layer, *shadows = layers.get(name) or [SYSTEM]
        refers = next((it for it in _KINDS if it in source), None)
        if refers:
            kind, ref = _KINDS[refers], source[refers]
            found = value(kind, ref["name"], ref["key"])
            if found is None and ref.get("optional"):
                continue
            text = found if found is not None else f"<missing: key {ref['key']} of {kind} {ref['name']}>"
            shown = Shown(name, text, layer, tuple(shadows), kind == "Secret", origin(kind, ref["name"], ref["key"]))
        else:
            text = f"<{source['fieldRef']['fieldPath']}>" if "fieldRef" in source else _expand(entry["value"], seen)
            shown = Shown(name, text, layer, tuple(shadows))
        seen[name] = _over(seen, shown)
    return [seen[name] for name in sorted(seen)]


def origin(kind: str, name: str, key: str) -> str:
    """Where a value is kept, as people read it."""
    return f"{kind} {name}, {key}"


def short_digest(value: str) -> str:
    """What stands for a secret value: equal values have equal ones."""
    return f"sha256:{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def check_reserved(owner: str, name: str) -> None:
    """Refuses names that the platform sets itself (Cloud Foundry's rule for `VCAP_*` and `VMC*`)."""
    if name.upper().startswith(RESERVED):
        raise InvalidInput(f"{owner}: {name} is set by the platform and cannot be overridden: choose another name")


def check_value(owner: str, name: str, text: str) -> None:
    """Refuses what no process can be given: Linux starts none with a variable above 131,072 bytes, or with a NUL."""
    if "\0" in text:
        raise InvalidInput(f"{owner}: env {name} holds a NUL byte, which no variable can: encode it, or use a volume")
    size = size_of(name, text)
    if size > LARGEST:
        raise InvalidInput(
            f"{owner}: env {name} has {size:,} bytes, Linux allows {LARGEST:,} for a variable: "
            "pass it as a file, in a Secret or ConfigMap that is mounted with volumes=…"
        )


def size_of(name: str, text: str) -> int:
    """The bytes that a variable takes: `name=text` and a NUL."""
    return len(f"{name}={text}".encode("utf-8", "surrogatepass")) + 1


def _over(seen: Mapping[str, Shown], shown: Shown) -> Shown:
    """A variable with what it hides of those that were seen before."""
    hidden = seen.get(shown.name)
    layers = [*hidden.shadows, hidden.layer, *shown.shadows] if hidden else shown.shadows
    return replace(shown, shadows=tuple(dict.fromkeys(it for it in layers if it != shown.layer)))


def _expand(text: str, known: Mapping[str, Shown]) -> str:
    """The kubelet's expansion: `$$` is `$`, `$(NAME)` a variable that stands before; others stay."""

    def value(found: "re.Match[str]") -> str:
        if found[1] is None:
            return "$"
        return known[found[1]].text if found[1] in known else found[0]

    return _EXPANSION.sub(value, text)
