"""Rules about what tasks may do to the node, to Kubernetes and to the network."""

from __future__ import annotations

from typing import Any

from ..core.pods.security import opts_out
from .readers import apps, spaces
from .rule import Rule, Settings, Violations


def _confined(args: Any, _: Settings) -> Violations:
    for app in apps(args):
        given_up = opts_out(app.security_context, app.pod_spec, _named(app.volumes))
        if given_up:
            yield app.urn, f"{app} leaves the restricted Pod Security level ({', '.join(given_up)})"
    for space in spaces(args):
        given_up = opts_out(None, space.pod_spec, _named(space.volumes))
        if given_up:
            yield space.urn, f"{space} leaves the restricted Pod Security level ({', '.join(given_up)})"


def _named(volumes: Any) -> list[Any]:
    return [volume for volume in volumes if isinstance(volume, dict) and "name" in volume]


def _tokens(args: Any, _: Settings) -> Violations:
    for app in apps(args):
        if app.service_account_token:
            yield app.urn, f"{app} gives its tasks a token of Kubernetes"


def _networks(args: Any, _: Settings) -> Violations:
    covered = {space.name for space in spaces(args) if space.security_groups}
    for app in apps(args):
        if not app.security_groups and app.space not in covered:
            yield app.urn, f"{app} and its Space have no security group: its tasks may talk to every address"


RULES = (
    Rule(
        "confinement",
        "Tasks are confined: no root, no privileges, no capabilities, nothing of the node.",
        "Who leaves a container that runs as root, or that sees the node's files, is on the node.",
        "take that out of security_context, pod_spec or volumes",
        _confined,
        severity="high",
    ),
    Rule(
        "service-account-token",
        "Tasks have no token of Kubernetes.",
        "Whatever runs in the pod, a library that was tampered with too, has the rights of its service account.",
        "leave automount_service_account_token out, or disable this rule where a task does talk to Kubernetes",
        _tokens,
    ),
    Rule(
        "network-rules",
        "There is a security group for each App.",
        "Without one a task may send what it reads to anywhere.",
        "give the App or its Space security_groups=[SecurityGroup(…)]",
        _networks,
        whole=True,
        severity="low",
    ),
)
