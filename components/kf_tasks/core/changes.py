"""What else changes about a task, beside what decides about a run: amounts, limits of time, variables of other layers.

A reviewer reads it in one line each, with plain values; secrets are told by name. The template's ConfigMap shows the
same as YAML, which nobody can tell from what runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from . import difference, quantities
from .api import Object
from .definition import PARTS, TRIGGER, changed_lines, deciding, describe
from .pods.metadata import is_ours
from .run import bindings, environment, pipelinerun
from .run.command import carried
from .run.environment import BINDINGS, SYSTEM, Shown
from .run.sources import stored_layers
from .state import CalendarInputs, RunInputs

TASK = "Task"
_ZERO = re.compile("(?<=[hm])0[ms]")
_INPUTS = ("when", "wait", "must_succeed", "at_most_once")


@dataclass(frozen=True)
class Change:
    """One change in words.

    `layer` is what a variable's value comes from, empty for all else; `common` is what may be that of a whole App.
    `lines` are those of a command that differ, where they are more than one line tells.
    """

    text: str
    layer: str = ""
    common: bool = False
    lines: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.text} ({self.layer})" if self.layer else self.text

    @property
    def shared(self) -> bool:
        """Whether other tasks of the App have it, too."""
        return self.common or self.layer not in ("", TASK)


def of_schedule(inputs: CalendarInputs) -> RunInputs:
    """A schedule as a task of which only its times decide when it runs; its manifest is known."""
    step = pipelinerun.step_of(inputs.manifest)
    argv = [carried(text) for text in (*step["command"], *(step.get("args") or ()))]
    return RunInputs(
        inputs.which,
        inputs.urn,
        definition={"image": step["image"], "argv": argv},
        manifest=inputs.manifest,
        layers=inputs.layers,
        digests=inputs.digests,
        when=TRIGGER,
    )


def changes(before: RunInputs, after: RunInputs) -> List[Change]:
    """What differs between two declarations of a task, but for what decides about a run; both manifests are known."""
    old, new = _inputs(before), _inputs(after)
    if before.manifest != after.manifest:
        old, new = {**_settings(before.manifest), **old}, {**_settings(after.manifest), **new}
    found = [
        Change(f"{name} {difference.texts(old.get(name) or 'none', new.get(name) or 'none')}")
        for name in dict.fromkeys([*new, *old])
        if old.get(name) != new.get(name)
    ]
    decides = deciding(after.when)
    for part in ("image", "argv"):
        was, now = before.definition.get(part), after.definition.get(part)
        if part not in decides and was != now:
            lines = changed_lines(before.definition, after.definition) if part == "argv" else ()
            found.append(Change(f"{PARTS[part]} {describe(part, was, now)}", lines=lines))
    if before.manifest != after.manifest:
        own = {*_own(before), *_own(after)} if "env" in decides else set()
        found += _volumes(before.manifest, after.manifest)
        found += _sources(before, after, own) + _variables(before, after, own)
    return found + _secrets(before, after)


def _inputs(inputs: RunInputs) -> Dict[str, str]:
    """What a Run says beside its manifest, as texts by the names of the arguments."""
    patience = _span(quantities.duration(f"{inputs.start_timeout}s", "start_timeout"))
    return _texts({"start_timeout": patience, **{name: getattr(inputs, name) for name in _INPUTS}})


def _settings(manifest: Object) -> Dict[str, str]:
    """What a manifest says beside command, image and variables, as texts by the names of the arguments."""
    spec = manifest["spec"]
    [task] = spec["pipelineSpec"]["tasks"]
    step, metadata = pipelinerun.step_of(manifest), manifest["metadata"]
    amounts = step["computeResources"]
    template = spec["taskRunTemplate"]
    found: Dict[str, Any] = {
        "memory": amounts["limits"].get("memory"),
        "disk": amounts["limits"].get("ephemeral-storage"),
        "cpu": amounts["requests"].get("cpu"),
        "cpu_limit": amounts["limits"].get("cpu"),
        "timeout": _span(spec["timeouts"]["pipeline"]),
        "retries": task.get("retries"),
        "results": ", ".join(one["name"] for one in task["taskSpec"].get("results") or []),
        "service_account": template.get("serviceAccountName"),
        "security context": {"pod": template["podTemplate"].get("securityContext"), "step": step["securityContext"]},
    }
    plain = ("securityContext", "nodeSelector")
    found.update({name: value for name, value in template["podTemplate"].items() if name not in plain})
    for kind, values in (
        ("label", metadata.get("labels")), ("annotation", metadata.get("annotations")),
        ("node_selector", template["podTemplate"].get("nodeSelector")),
    ):  # fmt: skip
        given = {name: value for name, value in (values or {}).items() if not is_ours(name)}
        found.update({f"{kind} {name}": value for name, value in given.items()})
    return _texts(found)


def _volumes(before: Object, after: Object) -> List[Change]:
    """The volumes and mounts, each by its name, which are those of all tasks of an App."""
    found = []
    for what, key, of, head in (("volume", "name", _given_volumes, _source), ("mount", "mountPath", _mounts, _mounted)):
        old, new = ({str(one[key]): one for one in of(manifest)} for manifest in (before, after))
        for name in dict.fromkeys([*new, *old]):
            both = [one.get(name) for one in (old, new)]
            if both[0] != both[1]:
                was, now = (head(one) if one else "none" for one in both)
                if was == now:
                    was, now = (difference.text(one) for one in both)
                found.append(Change(f"{what} {name} {difference.texts(was, now)}", common=True))
    return found


def _given_volumes(manifest: Object) -> List[Object]:
    [task] = manifest["spec"]["pipelineSpec"]["tasks"]
    return list(task["taskSpec"].get("volumes") or [])


def _mounts(manifest: Object) -> List[Object]:
    return list(pipelinerun.step_of(manifest).get("volumeMounts") or [])


def _source(volume: Object) -> str:
    """What a volume is of, and its name there: `configMap settings`."""
    sources = {kind: source for kind, source in volume.items() if kind != "name"}
    names = [str(source[key]) for source in sources.values() if isinstance(source, dict)
             for key in ("name", "secretName", "claimName") if key in source]  # fmt: skip
    return " ".join([*sources, *names])


def _mounted(mount: Object) -> str:
    return " ".join(str(mount[key]) for key in ("name", "subPath") if mount.get(key))


def _texts(found: Dict[str, Any]) -> Dict[str, str]:
    return {name: difference.text(value) for name, value in found.items() if value not in (None, "")}


def _span(text: str) -> str:
    """A span of time as people write it: `1h`, not `1h0m0s`."""
    return "" if text == "0s" else _ZERO.sub("", text)


def _own(inputs: RunInputs) -> List[str]:
    """The names of a task's own variables."""
    return [*(inputs.definition.get("env") or {}), *(inputs.definition.get("secret_env") or [])]


def _sources(before: RunInputs, after: RunInputs, told: Set[str]) -> List[Change]:
    """The `env_from` of all layers but for what is `told`, and for where the variables of layers are kept for it."""
    old, new = _given(before), _given(after)
    changed = [(f"gains {name}", name) for name in new if name not in old]
    changed += [(f"loses {name}", name) for name in old if name not in new]
    found = [Change(f"env_from {text}", common=True) for text, name in changed if name not in told]
    for name in old:
        if name in new and old[name] != new[name]:
            optional = difference.texts(difference.text(old[name]), difference.text(new[name]))
            found.append(Change(f"env_from {name}: optional {optional}", common=True))
    if not changed and [*old] != [*new]:
        found.append(Change("env_from has another order", common=True))
    return found


def _given(inputs: RunInputs) -> Dict[str, bool]:
    """Whole Secrets and ConfigMaps in words, in their order, and whether each may be missing."""
    given = pipelinerun.sources_of(inputs.manifest)
    return {str(one): one.optional for one in given if not stored_layers([one], inputs.app)}


def _variables(before: RunInputs, after: RunInputs, told: Set[str]) -> List[Change]:
    """The variables that have another value, but for those that are `told` and those of the platform, which follow."""
    old, new = _shown(before), _shown(after)
    found = []
    # Whose variables move below an env_from, or back, has them as before: there they are not seen by their names.
    moved = {*_stored(before)} ^ {*_stored(after)}
    for name in sorted(({*old} | {*new}) - told):
        was, now = old.get(name), new.get(name)
        layer = (now or was or _NONE).layer
        if layer in moved and not (was and now):
            continue
        if layer == SYSTEM or (was and now and (was.text, was.secret) == (now.text, now.secret)):
            continue
        found.append(Change(f"{name} {_values(was, now)}", layer))
    return found


def _secrets(before: RunInputs, after: RunInputs) -> List[Change]:
    """The secrets that have another value in the same place; where one of the values is not known nothing is said."""
    if before.digests == after.digests or not (before.digests and after.digests):
        return []
    old, new = _digests(before), _digests(after)
    return [Change(f"{name} changed", layer) for (name, layer, place), is_now in sorted(new.items())
            if old.get((name, layer, place), is_now) != is_now]  # fmt: skip


def _digests(inputs: RunInputs) -> Dict[Tuple[str, str, str], str]:
    """The digest of each secret that a task reads, by its name in words, its layer and its Secret."""
    known, layers = inputs.digests or {}, inputs.layers or {}
    variables: Dict[str, Tuple[str, str, str]] = {}
    for source in pipelinerun.sources_of(inputs.manifest):
        layer = next(iter(stored_layers([source], inputs.app)), "")
        variables.update({name: (layer, source.name, found) for name, found in known.get(source.name, {}).items()})
    for entry in pipelinerun.step_of(inputs.manifest).get("env") or []:
        name, of = entry["name"], entry.get("valueFrom", {}).get("secretKeyRef", {})
        is_now = known.get(of.get("name"), {}).get(of.get("key"))
        variables.pop(name, None)
        if is_now:
            variables[name] = (layers.get(name, ""), of["name"], is_now)
    found = {(name, layer, place): is_now for name, (layer, place, is_now) in variables.items()}
    for place, credentials in known.items():
        service = bindings.service_of(place)
        if service:
            found.update({(f"{key} of service {service}", BINDINGS, place): it for key, it in credentials.items()})
    return found


def _shown(inputs: RunInputs) -> Dict[str, Shown]:
    """The variables of a manifest as its process sees them; in place of a secret stands where it comes from."""
    env = pipelinerun.step_of(inputs.manifest).get("env") or []
    layers = {name: [layer] for name, layer in (inputs.layers or {}).items()}
    shown = environment.effective(env, layers, lambda _, name, key: f"{name}/{key}")
    return {one.name: replace(one, layer=one.layer if inputs.layers else "") for one in shown}


def _stored(inputs: RunInputs) -> List[str]:
    return stored_layers(pipelinerun.sources_of(inputs.manifest), inputs.app)


def _values(was: Optional[Shown], now: Optional[Shown]) -> str:
    if was and now and was.secret and now.secret:
        return "comes from another secret"
    old, new = ("a secret" if one and one.secret else one.text if one else "none" for one in (was, now))
    return difference.texts(old, new)


_NONE = Shown("", "", "")
