"""What people who deploy need to be allowed in a Space's namespace, and what of it they lack.

The same rules as `rbac/role.yaml`, for whoever wants to know before something fails. Rules of one's own are asked for
in one request (SelfSubjectRulesReview), whose answer may be incomplete where authorization is not RBAC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, List, Mapping, Tuple

_ALL = ("get", "list", "watch", "create", "patch", "delete")


@dataclass(frozen=True)
class Rule:
    """Verbs on resources of an API group; `needed_for` is empty for what everything needs."""

    group: str
    resources: Tuple[str, ...]
    verbs: Tuple[str, ...]
    needed_for: str = ""


RULES = (
    Rule("", ("namespaces",), ("get",)),
    Rule("tekton.dev", ("pipelineruns",), _ALL),
    Rule("tekton.dev", ("taskruns",), ("get", "list", "watch", "patch")),
    Rule("", ("pods",), ("list", "watch", "delete")),
    Rule("", ("pods/log",), ("get",)),
    Rule("", ("configmaps", "secrets", "serviceaccounts"), _ALL),
    Rule("networking.k8s.io", ("networkpolicies",), _ALL, "security_groups"),
    Rule("", ("resourcequotas", "limitranges"), _ALL, "quota and limit_range"),
    Rule("batch", ("cronjobs",), _ALL, "a TaskSchedule"),
    Rule("batch", ("jobs",), ("get", "list"), "a TaskSchedule"),
    Rule("", ("events",), ("list",), "a TaskSchedule"),
    Rule("rbac.authorization.k8s.io", ("roles", "rolebindings"), _ALL, "a TaskSchedule"),
)


def lacking(granted: Iterable[Mapping[str, Any]], rules: Iterable[Rule] = RULES) -> List[Tuple[str, str]]:
    """Each right that is not `granted` (`resourceRules` of a review), as `create pipelineruns`, and what needs it."""
    known = [rule for rule in granted if not rule.get("resourceNames")]
    found = []
    for rule in rules:
        for resource in rule.resources:
            verbs = [verb for verb in rule.verbs if not any(_grants(one, rule.group, resource, verb) for one in known)]
            if verbs:
                found.append((f"{','.join(verbs)} {resource}", rule.needed_for))
    return found


def _grants(rule: Mapping[str, Any], group: str, resource: str, verb: str) -> bool:
    wanted = (("apiGroups", group), ("resources", resource), ("verbs", verb))
    return all({"*", value} & set(rule.get(name) or ()) for name, value in wanted)
