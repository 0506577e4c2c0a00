"""What a Space and an App say about the pods of their tasks: placement, volumes, security.

Texts and maps are Kubernetes' own, so that its documentation holds. What Tekton's pod template
does not have (tektoncd/pipeline pkg/apis/pipeline/pod/template.go) is refused with a way out,
because a setting that is silently dropped is found out in production.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ..errors import InvalidInput
from . import metadata, security

MAPS = ("labels", "annotations", "node_selector", "pod_spec")
LISTS = ("tolerations", "volumes", "volume_mounts", "image_pull_secrets")

_SOURCES = (
    "persistentVolumeClaim", "configMap", "secret", "emptyDir", "projected", "downwardAPI", "csi", "ephemeral",
    "nfs", "hostPath",
)  # fmt: skip
_MOUNT = ("name", "mountPath", "subPath", "readOnly", "subPathExpr", "mountPropagation", "recursiveReadOnly")
_TOLERATION = ("key", "operator", "value", "effect", "tolerationSeconds")
_TEMPLATE = (
    "dnsPolicy", "dnsConfig", "schedulerName", "hostAliases", "hostNetwork", "hostUsers", "topologySpreadConstraints",
)  # fmt: skip
_ARGUMENTS = {
    "nodeSelector": "node_selector", "tolerations": "tolerations", "affinity": "affinity", "volumes": "volumes",
    "priorityClassName": "priority_class", "runtimeClassName": "runtime_class", "securityContext": "security_context",
    "imagePullSecrets": "image_pull_secrets", "serviceAccountName": "service_account",
    "automountServiceAccountToken": "automount_service_account_token",
}  # fmt: skip
_INSTEAD = {
    "terminationGracePeriodSeconds": "a task that is cancelled is ended by Tekton: let the command react to SIGTERM",
    "shareProcessNamespace": "a task has one container: start what belongs together from its command",
    "initContainers": "do the preparation in the command, or in a Task that this one depends on",
    "containers": "a task has one container: describe it with the arguments of App and Task",
    "ports": "nothing reaches a task from outside: run a Deployment beside the App for what listens",
    "livenessProbe": "use timeout=… on the Task for one that hangs",
    "readinessProbe": "a task serves nobody: leave it out",
    "startupProbe": "use start_timeout=… on the Task",
    "activeDeadlineSeconds": "use timeout=… on the Task",
    "restartPolicy": "use retries=… on the Task",
    "enableServiceLinks": "it is off: use the DNS names of Services",
    "priority": "use priority_class=…",
    "hostPID": "Tekton has no such field: run such work as a Job of your own",
    "hostIPC": "Tekton has no such field: run such work as a Job of your own",
}


@dataclass(frozen=True)
class PodSettings:
    """What a Space or an App says about pods; None and empty are what was not said."""

    labels: Optional[Mapping[str, str]] = None
    annotations: Optional[Mapping[str, str]] = None
    node_selector: Optional[Mapping[str, str]] = None
    pod_spec: Optional[Mapping[str, Any]] = None
    tolerations: Optional[Sequence[Mapping[str, Any]]] = None
    volumes: Optional[Sequence[Mapping[str, Any]]] = None
    volume_mounts: Optional[Sequence[Mapping[str, Any]]] = None
    image_pull_secrets: Optional[Sequence[str]] = None
    affinity: Optional[Mapping[str, Any]] = None
    priority_class: Optional[str] = None
    runtime_class: Optional[str] = None
    security_context: Optional[Mapping[str, Any]] = None

    def checked(self, owner: str) -> PodSettings:
        """Itself if Tekton can carry it; else InvalidInput that says what to do."""
        for name in self.pod_spec or {}:
            _check_field(owner, name)
        wrong = [(f"labels: {name!r}", metadata.wrong_label(str(name)) or metadata.wrong_value(str(value)))
                 for name, value in (self.labels or {}).items()]  # fmt: skip
        wrong += [(f"annotations: {name!r}", metadata.wrong_name(str(name))) for name in self.annotations or ()]
        for what, said in wrong:
            if said:
                raise InvalidInput(f"{owner}: {what}: {said}")
        for number, toleration in enumerate(self.tolerations or ()):
            _known(f"{owner}: tolerations[{number}]", toleration, _TOLERATION)
        volumes = [_volume(owner, volume) for volume in self.volumes or ()]
        for name in volumes:
            if volumes.count(name) > 1:
                raise InvalidInput(f"{owner}: two volumes have the name {name!r}: rename one")
        paths = [_mount(owner, mount) for mount in self.volume_mounts or ()]
        for path in paths:
            if paths.count(path) > 1:
                raise InvalidInput(f"{owner}: two volume_mounts have the mountPath {path!r}: change one")
        security.check(owner, self.security_context)
        return self

    def over(self, space: PodSettings) -> PodSettings:
        """The settings of an App on top of its Space's: maps by key, lists by name, all else as a whole."""
        found: Dict[str, Any] = {}
        for name, own in vars(self).items():
            below = getattr(space, name)
            if name in MAPS:
                found[name] = {**(below or {}), **(own or {})}
            elif name in LISTS:
                taken = [_identity(name, item) for item in own or ()]
                found[name] = [*(item for item in below or () if _identity(name, item) not in taken), *(own or ())]
            else:
                found[name] = own if own is not None else below
        return PodSettings(**found)

    def check_mounts(self, owner: str) -> None:
        """Refuses a mount whose volume neither the App nor its Space has."""
        names = [volume["name"] for volume in self.volumes or ()]
        for mount in self.volume_mounts or ():
            if mount["name"] not in names:
                there = ", ".join(names) or "none"
                raise InvalidInput(
                    f"{owner}: volume_mounts: there is no volume {mount['name']!r} (there are: {there}): add it to "
                    "volumes"
                )

    @property
    def given_up(self) -> List[str]:
        """What of it the `restricted` Pod Security level does not allow, as `field=value`."""
        return security.opts_out(self.security_context, self.pod_spec or {}, self.volumes or ())

    @property
    def template(self) -> Dict[str, Any]:
        """The fields of Tekton's pod template beyond security and node selector."""
        fields = {
            **(self.pod_spec or {}),
            "tolerations": list(self.tolerations or ()),
            "affinity": self.affinity,
            "priorityClassName": self.priority_class,
            "runtimeClassName": self.runtime_class,
            "imagePullSecrets": [{"name": name} for name in self.image_pull_secrets or ()],
        }
        return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _identity(setting: str, item: Any) -> Any:
    """What an App's own item takes the place of: volumes go by name, mounts by path, others are what they are."""
    if not setting.startswith("volume") or not isinstance(item, Mapping):
        return item
    return item.get("mountPath" if setting == "volume_mounts" else "name")


def _volume(owner: str, volume: Any) -> str:
    name = volume.get("name") if isinstance(volume, Mapping) else None
    if not isinstance(name, str):
        raise InvalidInput(
            f"{owner}: volumes: {volume!r} has no name: write it as Kubernetes does, "
            "such as {'name': 'data', 'persistentVolumeClaim': {'claimName': 'shop-data'}}"
        )
    if name.startswith(("kf-", "tekton-internal-")):
        raise InvalidInput(f"{owner}: volume {name!r}: names with this beginning are the platform's: rename it")
    _known(f"{owner}: volume {name!r}", volume, ("name", *_SOURCES))
    if len(volume) != 2:
        raise InvalidInput(f"{owner}: volume {name!r} needs exactly one source, such as 'persistentVolumeClaim'")
    return name


def _mount(owner: str, mount: Any) -> str:
    what = f"{owner}: volume_mounts"
    if not isinstance(mount, Mapping) or not all(isinstance(mount.get(key), str) for key in ("name", "mountPath")):
        raise InvalidInput(f"{what}: {mount!r} needs 'name' and 'mountPath', such as '/data'")
    _known(what, mount, _MOUNT)
    path: str = mount["mountPath"]
    if not path.startswith("/"):
        raise InvalidInput(f"{what}: mountPath {path!r} is not absolute: begin it with '/'")
    folder = f"{path.rstrip('/')}/"
    reserved = next((place for place in ("/tekton/", "/bindings/") if folder.startswith(place)), None)
    if reserved and folder != "/tekton/home/":
        raise InvalidInput(f"{what}: mountPath {path!r}: {reserved} is the platform's: mount it elsewhere")
    return path


def _check_field(owner: str, name: str) -> None:
    if name in _TEMPLATE:
        return
    if name in _ARGUMENTS:
        raise InvalidInput(f"{owner}: pod_spec: {name} has an argument of its own: use {_ARGUMENTS[name]}=…")
    if name in _INSTEAD:
        raise InvalidInput(f"{owner}: pod_spec: {name} cannot be carried by Tekton: {_INSTEAD[name]}")
    raise InvalidInput(
        f"{owner}: pod_spec: {name} cannot be carried by Tekton{_near(name, _TEMPLATE)}: "
        f"it has {', '.join(_TEMPLATE)}; leave the rest out"
    )


def _known(what: str, given: Any, allowed: Sequence[str]) -> None:
    if not isinstance(given, Mapping):
        raise InvalidInput(f"{what}: {given!r} is no map: write it as Kubernetes does")
    for name in given:
        if name not in allowed:
            raise InvalidInput(f"{what}: {name!r} is unknown{_near(name, allowed)}: use {', '.join(allowed)}")


def _near(name: str, allowed: Sequence[str]) -> str:
    close: List[str] = difflib.get_close_matches(name, allowed, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
