"""A task as a Tekton PipelineRun: one embedded task, one step, one container.

Everything is written out (command, timeouts, canonical amounts), because what is left open is
filled in by the cluster: a missing command makes Tekton ask the registry, a missing timeout ends
the task after an hour, another spelling of a quantity is a difference in every preview.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .. import quantities
from ..api import Object
from ..marks import ATTEMPT, AWAITED, COMPONENT, FOLLOWED, KEY, MANAGED_BY, NAME, STACK, STARTED_BY, TASK, TASK_ID
from ..naming import label_value
from ..pods import security
from . import system
from .command import carry, dollar_variable, needs_dollar
from .environment import Value, Variable, rendered
from .sources import SECRET, Source
from .step import CONTAINER as CONTAINER
from .step import STEP
from .step import step_of as step_of

_WRITTEN = ("kf.dev/", "tekton.dev/", "kubectl.kubernetes.io/")  # annotations of what became of a run
RESULTS_FOLDER = "/tekton/results"
EVERY = "*"  # in place of a key


@dataclass(frozen=True)
class Resources:
    """Canonical quantities; memory and disk are request and limit, cpu is a request, cpu_limit a limit."""

    memory: str
    disk: str
    cpu: str
    cpu_limit: Optional[str] = None

    @classmethod
    def over(
        cls, inherited: Resources, owner: str, *, memory: object = None, disk: object = None, cpu: object = None,
        cpu_limit: object = None,
    ) -> Resources:  # fmt: skip
        """The amounts of `owner`: what it says, and `inherited` where it says nothing; an inherited limit follows."""
        own_cpu = inherited.cpu if cpu is None else quantities.cpu(cpu, f"{owner}: cpu")
        limit = inherited.cpu_limit if cpu is None or inherited.cpu_limit is None else own_cpu
        return cls(
            memory=inherited.memory if memory is None else quantities.size(memory, f"{owner}: memory"),
            disk=inherited.disk if disk is None else quantities.disk(disk, f"{owner}: disk"),
            cpu=own_cpu,
            cpu_limit=limit if cpu_limit is None else quantities.cpu(cpu_limit, f"{owner}: cpu_limit"),
        )

    def render(self) -> Dict[str, Dict[str, str]]:
        """The `computeResources` of a step."""
        requests = {"cpu": self.cpu, "memory": self.memory, "ephemeral-storage": self.disk}
        limits = {"memory": self.memory, "ephemeral-storage": self.disk}
        return {"requests": requests, "limits": {**limits, **({"cpu": self.cpu_limit} if self.cpu_limit else {})}}


@dataclass(frozen=True)
class TaskSpec:
    """All that a task's pod is made from; `timeout` is canonical (`1h0m0s`, none is `0s`)."""

    namespace: str
    app: str
    task: str
    stack: str
    image: str
    argv: Sequence[str]
    env: Sequence[Variable]
    resources: Resources
    env_from: Sequence[Source] = ()
    timeout: str = "1h0m0s"
    retries: int = 0
    service_account: str = "default"
    results: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)
    security_context: Optional[Mapping[str, Any]] = None
    volumes: Sequence[Mapping[str, Any]] = ()
    volume_mounts: Sequence[Mapping[str, Any]] = ()
    pod_template: Mapping[str, Any] = field(default_factory=dict)


def render(spec: TaskSpec) -> Object:
    """The PipelineRun of a task without what differs from run to run (name, key, id, attempt)."""
    env = rendered(spec.env, carry)
    pod_context, step_context = security.contexts(spec.security_context)
    if spec.results:
        env.append({"name": "KF_RESULTS", "value": RESULTS_FOLDER})
    argv = [carry(text) for text in spec.argv]
    carried = [*argv, *(str(entry.get("value", "")) for entry in env)]
    step: Object = {
        "name": STEP,
        "image": spec.image,
        "command": argv[:1],
        **({"args": argv[1:]} if argv[1:] else {}),
        **(
            {"env": [*([dollar_variable()] if needs_dollar(carried) else []), *env]}
            if env or needs_dollar(carried)
            else {}
        ),
        **({"envFrom": [source.render() for source in spec.env_from]} if spec.env_from else {}),
        "computeResources": spec.resources.render(),
        "securityContext": step_context,
        **({"volumeMounts": [dict(mount) for mount in spec.volume_mounts]} if spec.volume_mounts else {}),
    }
    task_spec: Object = {"steps": [step]}
    if spec.volumes:
        task_spec["volumes"] = [dict(volume) for volume in spec.volumes]
    if spec.results:
        task_spec["results"] = [{"name": name, "type": "string"} for name in spec.results]
    task: Object = {"name": STEP, "taskSpec": task_spec, "timeout": "0s"}
    if spec.retries:
        task["retries"] = spec.retries
    pod: Object = {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "securityContext": pod_context,
        **({"nodeSelector": dict(spec.node_selector)} if spec.node_selector else {}),
        **spec.pod_template,
    }
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {
            "namespace": spec.namespace,
            "labels": {**spec.labels, **_labels(spec)},
            **({"annotations": dict(spec.annotations)} if spec.annotations else {}),
        },
        "spec": {
            "pipelineSpec": {"tasks": [task]},
            "taskRunTemplate": {"serviceAccountName": spec.service_account, "podTemplate": pod},
            "timeouts": {"pipeline": spec.timeout},
        },
    }


def instantiate(
    template: Object,
    *,
    name: str,
    key: str,
    task_id: int,
    attempt: int,
    started_by: str,
    followed: bool = False,
    awaited: bool = False,
) -> Object:
    """One run of a template.

    `followed` says that whoever starts it reads its log before it may be pruned, `awaited` that a state is to hold
    its record before that.
    """
    run = copy.deepcopy(template)
    run["metadata"]["name"] = name
    run["metadata"]["labels"].update({KEY: key, TASK_ID: str(task_id), ATTEMPT: str(attempt)})
    run["metadata"].setdefault("annotations", {})[STARTED_BY] = started_by
    if followed:
        run["metadata"]["annotations"][FOLLOWED] = "true"
    if awaited:
        run["metadata"]["annotations"][AWAITED] = "true"
    return run


def again(run: Object) -> Object:
    """The template of a run: it without what its start, its end and Tekton have made of it."""
    metadata, spec = run["metadata"], copy.deepcopy(run["spec"])
    spec.pop("status", None)  # it may have been cancelled
    labels = {name: text for name, text in (metadata.get("labels") or {}).items() if "tekton.dev/" not in name}
    annotations = metadata.get("annotations") or {}
    kept = {name: text for name, text in annotations.items() if not any(owner in name for owner in _WRITTEN)}
    return {
        "apiVersion": run["apiVersion"],
        "kind": run["kind"],
        "metadata": {
            "namespace": metadata["namespace"],
            "labels": {name: text for name, text in labels.items() if name not in (KEY, TASK_ID, ATTEMPT)},
            **({"annotations": kept} if kept else {}),
        },
        "spec": spec,
    }


def override(
    template: Object,
    *,
    task: Optional[str] = None,
    argv: Optional[Sequence[str]] = None,
    env: Optional[Mapping[str, Value]] = None,
    resources: Optional[Mapping[str, str]] = None,
) -> Object:
    """A template with another name, argv, further variables or other amounts (cpu, memory, ephemeral-storage)."""
    changed = copy.deepcopy(template)
    step = step_of(changed)
    if task is not None:
        changed["metadata"]["labels"][TASK] = label_value(task)
    if argv is not None:
        carried = [carry(text) for text in argv]
        step.update(command=carried[:1], args=carried[1:])
    own = [value.render(name, carry) for name, value in (env or {}).items()]
    kept: List[Object] = [entry for entry in step.get("env", []) if entry["name"] not in (env or {})]
    texts = [*step["command"], *step.get("args", []), *(str(entry.get("value", "")) for entry in [*kept, *own])]
    lead = [] if not needs_dollar(texts) or any(entry == dollar_variable() for entry in kept) else [dollar_variable()]
    step["env"] = [*lead, *kept, *own]
    for resource, amount in (resources or {}).items():
        step["computeResources"]["requests"][resource] = amount
        if resource in step["computeResources"]["limits"]:
            step["computeResources"]["limits"][resource] = amount
    _tell_amounts(step)
    return changed


def secrets_of(manifest: Object) -> List[Dict[str, str]]:
    """Name and key of every Secret that a run can read; all keys are "" of one that is mounted, EVERY as variables."""
    refs = [entry.get("valueFrom", {}).get("secretKeyRef") for entry in step_of(manifest).get("env", [])]
    whole = [source.name for source in sources_of(manifest) if source.kind == SECRET]
    mounted = [name for name, _ in secret_volumes(manifest).values()]
    return [{"name": ref["name"], "key": ref["key"]} for ref in refs if ref] + [
        {"name": name, "key": key} for key, names in (("", mounted), (EVERY, whole)) for name in dict.fromkeys(names)
    ]


def sources_of(manifest: Object) -> List[Source]:
    """The Secrets and ConfigMaps whose every key is a variable, the one that decides last."""
    return [Source.of(entry) for entry in step_of(manifest).get("envFrom") or ()]


def secret_volumes(manifest: Object) -> Dict[Tuple[str, int], Tuple[str, List[Dict[str, str]]]]:
    """The Secrets that are mounted, by volume and number of its source: name and chosen items (none: all keys)."""
    spec = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]
    found = {}
    for volume in spec.get("volumes", []):
        if "secret" in volume:
            found[volume["name"], 0] = (volume["secret"]["secretName"], volume["secret"].get("items") or [])
        for nth, source in enumerate((volume.get("projected") or {}).get("sources") or []):
            if "secret" in source:
                found[volume["name"], nth] = (source["secret"]["name"], source["secret"].get("items") or [])
    return found


def _tell_amounts(step: Object) -> None:
    """Lets the variables that tell a task its amounts tell those that it has."""
    limits = step["computeResources"]["limits"]
    texts = {entry["name"]: entry["value"] for entry in step["env"] if "value" in entry}
    told = system.with_amounts(texts, limits["memory"], limits["ephemeral-storage"])
    for entry in step["env"]:
        if entry["name"] in told:
            entry["value"] = told[entry["name"]]


def _labels(spec: TaskSpec) -> Dict[str, str]:
    return {
        NAME: spec.app,
        COMPONENT: "task",
        MANAGED_BY: "kf",
        TASK: label_value(spec.task),
        STACK: label_value(spec.stack),
    }
