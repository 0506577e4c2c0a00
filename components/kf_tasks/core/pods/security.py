"""How a task's container is confined, and what an App gives up of it.

By default pods satisfy the `restricted` Pod Security level
(https://kubernetes.io/docs/concepts/security/pod-security-standards/). Fields that exist for a pod
only go to the pod, all others to the task's own container too: the containers that Tekton adds stay
confined whatever the App says.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..errors import InvalidInput

LEVELS = ("privileged", "baseline", "restricted")
ENFORCE = "pod-security.kubernetes.io/enforce"
POD: Dict[str, Any] = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
STEP: Dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
}
_POD_ONLY = ("fsGroup", "fsGroupChangePolicy", "supplementalGroups", "supplementalGroupsPolicy", "sysctls",
             "seLinuxChangePolicy")  # fmt: skip
_CONTAINER_ONLY = ("allowPrivilegeEscalation", "capabilities", "privileged", "procMount", "readOnlyRootFilesystem")
_BOTH = ("runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile", "seLinuxOptions", "appArmorProfile",
         "windowsOptions")  # fmt: skip

_CONTAINERS = re.compile(r"containers? ((?:\"[^\"]+\"(?:, )?)+)")
_QUOTED = re.compile(r"\"([^\"]+)\"")

Context = Mapping[str, Any]


def check(owner: str, context: Optional[Context]) -> None:
    """Refuses fields that neither a pod's nor a container's security context has."""
    known = (*_POD_ONLY, *_CONTAINER_ONLY, *_BOTH)
    for name in context or {}:
        if name not in known:
            raise InvalidInput(f"{owner}: security_context: {name!r} is unknown: use {', '.join(sorted(known))}")
    if (context or {}).get("privileged") and (context or {}).get("allowPrivilegeEscalation") is False:
        raise InvalidInput(f"{owner}: security_context: a privileged container may escalate: leave one of them out")


def contexts(context: Optional[Context]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """The security contexts of the pod and of the task's container."""
    given = dict(context or {})
    # Tekton's own containers must not run as root, which they refuse: root is the task's container alone.
    root = given.get("runAsUser") == 0 or given.get("runAsNonRoot") is False
    of_pod = {name: value for name, value in given.items() if name in _POD_ONLY or (name in _BOTH and not root)}
    of_step = {name: value for name, value in given.items() if name in _CONTAINER_ONLY or name in _BOTH}
    if given.get("runAsUser") == 0:
        of_step.setdefault("runAsNonRoot", False)
    base = {**STEP, **({"allowPrivilegeEscalation": True} if given.get("privileged") else {})}
    return {**POD, **of_pod}, {**base, **of_step}


def opts_out(
    context: Optional[Context], pod_spec: Mapping[str, Any], volumes: Sequence[Mapping[str, Any]]
) -> List[str]:
    """What of an App's settings the `restricted` level does not allow, as `field=value`."""
    pod, step = contexts(context)
    found = []
    if step.get("runAsUser") == 0 or step.get("runAsNonRoot") is False:
        found.append("runs as root" if step.get("runAsUser") == 0 else "runAsNonRoot=False")
    if step.get("privileged"):
        found.append("privileged")
    elif step.get("allowPrivilegeEscalation") is not False:
        found.append("allowPrivilegeEscalation")
    capabilities = step.get("capabilities") or {}
    added = [name for name in capabilities.get("add") or () if name != "NET_BIND_SERVICE"]
    if added:
        found.append(f"capabilities {', '.join(added)}")
    if "ALL" not in (capabilities.get("drop") or ()):
        found.append("capabilities not dropped")
    for profile in {str((place.get("seccompProfile") or {}).get("type")) for place in (pod, {**pod, **step})}:
        if profile not in ("RuntimeDefault", "Localhost"):
            found.append(f"seccompProfile {profile}")
    if step.get("procMount") not in (None, "Default"):
        found.append(f"procMount {step['procMount']}")
    if pod_spec.get("hostNetwork"):
        found.append("hostNetwork")
    found += [f"hostPath volume {volume['name']!r}" for volume in volumes if "hostPath" in volume]
    return found


def advice(sentence: str, container: str) -> str:
    """What to do when a pod was refused for its Pod Security level or its user; empty for other sentences."""
    if "image has non-numeric user" in sentence or "image will run as root" in sentence:
        return "name the number of a user: Source(builder_user=…), or runAsUser in the App's security_context"
    if "violates PodSecurity" not in sentence:
        return ""
    names = {name for listed in _CONTAINERS.findall(sentence) for name in _QUOTED.findall(listed)}
    if names - {container}:
        return (
            'Tekton\'s own containers are not confined in this cluster: set set-security-context: "true" in the '
            "ConfigMap feature-flags of Tekton's namespace"
        )
    return "take what is named out of the App's security_context, or use a Space whose namespace allows it"


def check_level(level: object, owner: str) -> str:
    """Returns a Pod Security level, else raises InvalidInput."""
    if level not in LEVELS:
        raise InvalidInput(f"{owner}: pod_security={level!r} is no level: use one of {', '.join(map(repr, LEVELS))}")
    return str(level)
