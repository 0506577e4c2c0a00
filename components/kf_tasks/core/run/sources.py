"""Whole Secrets and ConfigMaps as variables of a task (`env_from`), and what their place among the layers is.

Kubernetes knows two places: in a container every `env` stands above every `envFrom`. Here a layer's `env_from` stands
below the `env` of the same layer and above all of the layers under it. So what a lower layer sets goes into `envFrom`
too, as the objects that hold it, as soon as a higher layer has an `env_from`. A single key of an existing object has
no such form: it stays in `env`, above.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import InvalidInput
from .environment import Shown, Value, origin

SECRET, CONFIG_MAP = "Secret", "ConfigMap"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KEY = re.compile(r"(?!\.\.?$)(?!\.\.)[-._a-zA-Z0-9]{1,253}")
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FIELDS = {SECRET: "secretRef", CONFIG_MAP: "configMapRef"}


@dataclass(frozen=True)
class Source:
    """A Secret or ConfigMap whose every key is a variable, `prefix` before it; an `optional` one may be missing."""

    kind: str
    name: str
    prefix: str = ""
    optional: bool = False

    def render(self) -> Dict[str, Any]:
        """As an entry of a container's `envFrom`."""
        optional = {"optional": True} if self.optional else {}
        prefix = {"prefix": self.prefix} if self.prefix else {}
        return {**prefix, _FIELDS[self.kind]: {"name": self.name, **optional}}

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Source:
        """From an entry of a container's `envFrom`."""
        kind = SECRET if _FIELDS[SECRET] in entry else CONFIG_MAP
        found = entry[_FIELDS[kind]]
        return cls(kind, found["name"], entry.get("prefix") or "", bool(found.get("optional")))

    def __str__(self) -> str:
        return f"{self.prefix}* of {self.kind} {self.name}"


@dataclass(frozen=True)
class Layer:
    """What one layer says: `values` by name, `sources` below them, and in `stored` the objects that hold `values`."""

    name: str
    values: Mapping[str, Value]
    sources: Sequence[Source] = ()
    stored: Sequence[Source] = field(default=())


def arrange(layers: Sequence[Layer]) -> Tuple[List[Tuple[str, Source]], List[Tuple[str, Mapping[str, Value]]]]:
    """Layers, lowest first, as a container has them: its `envFrom` with the layer of each, and those of its `env`."""
    top = max((nth for nth, layer in enumerate(layers) if layer.sources), default=0)
    below: List[Tuple[str, Source]] = []
    above: List[Tuple[str, Mapping[str, Value]]] = []
    for nth, layer in enumerate(layers):
        below += [(layer.name, source) for source in [*layer.sources, *(layer.stored if nth < top else ())]]
        values = {name: value for name, value in layer.values.items() if nth >= top or value.existing}
        above.append((layer.name, values))
    return below, above


def shown(
    given: Sequence[Tuple[str, Source]], content: Callable[[str, str], Optional[Mapping[str, str]]]
) -> List[Shown]:
    """The variables of sources, each with its layer, in their order.

    `content` gives what stands for the values of a "Secret" or "ConfigMap" (kind, name), None if it does not exist.
    """
    found: List[Shown] = []
    for layer, source in given:
        values = content(source.kind, source.name)
        secret = source.kind == SECRET
        if values is None and not source.optional:
            text = f"<missing: {source.kind} {source.name}>"
            found.append(Shown(f"{source.prefix}*", text, layer, secret=secret))
        for key, text in sorted((values or {}).items()):
            stands = origin(source.kind, source.name, key)
            found.append(Shown(f"{source.prefix}{key}", text, layer, secret=secret, origin=stands))
    return found


def stored_layers(given: Sequence[Source], app: str) -> List[str]:
    """The layers whose own variables are read from objects of ours among `given`, and not from `env`."""
    ends = (".env", ".env.plain")
    names = [it.name for it in given if not it.prefix and it.name.endswith(ends)]
    found = {"App" for name in names if name in [f"kf-{app}{end}" for end in ends]}
    return sorted(found | {"Space" for name in names if name.startswith("kf.")})


def check_object(owner: str, kind: str, name: object) -> str:
    """Returns `name` if a Secret or ConfigMap can have it, else raises InvalidInput."""
    if not isinstance(name, str) or len(name) > 253 or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{owner}: no {kind} can be called {name!r}: give the name of one in the namespace of the Space, "
            "of lower-case letters, digits, '-' and '.'"
        )
    return name


def check_key(owner: str, kind: str, key: object) -> str:
    """Returns `key` if it can be one of a Secret or ConfigMap, else raises InvalidInput."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidInput(f"{owner}: no {kind} can have a key {key!r}: use letters, digits, '-', '_' and '.'")
    return key


def check_prefix(owner: str, prefix: object) -> str:
    """Returns `prefix` if names of variables can begin with it, else raises InvalidInput."""
    if prefix != "" and (not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix)):
        raise InvalidInput(
            f"{owner}: no variable's name can begin with prefix {prefix!r}: use letters, digits and '_', not beginning "
            "with a digit"
        )
    return str(prefix)
