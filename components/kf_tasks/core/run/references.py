"""What a run needs of Secrets and ConfigMaps that others keep, and what is said of it before the run.

Ours are made by the update that needs them, and there is nothing to say of them. Keys are named, values never.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Collection, Dict, Iterator, List, Optional, Tuple

from ..api import Object
from . import pipelinerun
from .sources import CONFIG_MAP, SECRET

_OURS = re.compile(r"kf[.-].+\.(env|env\.plain|services|service)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAMED = 10
WAITS = "the run waits for it until start_timeout"
FAILS = "the run fails if it is not there when its pod starts"


@dataclass(frozen=True)
class Needed:
    """An existing Secret or ConfigMap that a run cannot start without, or whose every key is a variable.

    - `keys`: those that it must have. `optional`: it may be missing. `prefixes`: of the variables made of its keys.
    - `variables`: those of `keys` that variables need, and "" where they need the object. For what is mounted the
      kubelet waits; a run whose variables cannot be had fails as soon as Tekton sees it (pkg/pod/status.go).
    """

    kind: str
    name: str
    keys: Tuple[str, ...] = ()
    optional: bool = False
    prefixes: Tuple[str, ...] = ()
    variables: Tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def lines(self, found: Optional[Collection[str]]) -> List[str]:
        """What is to be said where its keys are those `found`, None where it does not exist."""
        if found is None:
            return [] if self.optional else [f"{self} does not exist yet: {self._then('')}"]
        missing = [key for key in self.keys if key not in found]
        there = ", ".join(sorted(found)[:NAMED]) or "none"
        return [f"key {key} of {self} does not exist yet (there are: {there}): {self._then(key)}" for key in missing]

    def _then(self, key: str) -> str:
        return FAILS if key in self.variables else WAITS

    def notes(self, found: Optional[Collection[str]]) -> List[str]:
        """What is to be known of its keys, whoever has them as variables."""
        odd = sorted({key for key in found or () for it in self.prefixes if not _VARIABLE.fullmatch(it + key)})
        names = ", ".join(odd[:NAMED])
        told = f"{self}: no shell takes {names} as a variable, and Kubernetes before 1.34 leaves such keys out"
        return [told] if odd else []


def needed(manifest: Object) -> List[Needed]:
    """The existing objects that a run refers to, by kind and name; each once. None of what is no run."""
    if "spec" not in manifest:
        return []
    keys: Dict[Tuple[str, str], List[str]] = {}
    must: Dict[Tuple[str, str], bool] = {}
    prefixes: Dict[Tuple[str, str], List[str]] = {}
    variables: Dict[Tuple[str, str], List[str]] = {}
    for kind, name, key, optional in _variables(manifest):
        variables.setdefault((kind, name), []).extend([] if optional else dict.fromkeys(["", key]))
    for kind, name, key, optional in [*_variables(manifest), *_files(manifest)]:
        keys.setdefault((kind, name), []).extend([key] if key and not optional else [])
        must[kind, name] = must.get((kind, name), False) or not optional
    for source in pipelinerun.sources_of(manifest):
        prefixes.setdefault((source.kind, source.name), []).append(source.prefix)
    return [
        Needed(
            *which,
            tuple(dict.fromkeys(keys[which])),
            not must[which],
            tuple(dict.fromkeys(prefixes.get(which, ()))),
            tuple(dict.fromkeys(variables.get(which, ()))),
        )
        for which in sorted(keys)
        if not _OURS.fullmatch(which[1])
    ]


def _variables(manifest: Object) -> Iterator[Tuple[str, str, str, bool]]:
    """Kind, name, key (empty: none in particular) of what its variables refer to, and whether that may be missing."""
    for entry in pipelinerun.step_of(manifest).get("env") or ():
        for field, kind in (("secretKeyRef", SECRET), ("configMapKeyRef", CONFIG_MAP)):
            ref = (entry.get("valueFrom") or {}).get(field)
            if ref:
                yield kind, ref["name"], ref["key"], bool(ref.get("optional"))
    for source in pipelinerun.sources_of(manifest):
        yield source.kind, source.name, "", source.optional


def _files(manifest: Object) -> Iterator[Tuple[str, str, str, bool]]:
    """The same of what is mounted."""
    for name, items in pipelinerun.secret_volumes(manifest).values():
        yield SECRET, name, "", False
        for item in items:
            yield SECRET, name, item["key"], False
