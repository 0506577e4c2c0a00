"""Security groups: which addresses the pods of an App, or of a whole Space, may talk to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core import naming
from ..core.errors import InvalidInput
from ..core.pods import network
from .arguments import of_record
from .inputs import FieldsList, computed, plain


@dataclass(frozen=True)
class SecurityGroup:
    """Rules for `security_groups=[…]` of a Space or an App; each becomes a NetworkPolicy.

    - `egress`, `ingress`: rules as Cloud Foundry writes them, `{"protocol": "tcp", "destination":
      "10.0.0.0/8", "ports": "443,8000-9000"}` (`source` for ingress), or with `app` and `namespace`
      in place of an address. None leaves that direction as it is, [] closes it.
    - `dns` (True): with egress rules, names can still be resolved (port 53).

    Selected are the pods of tasks and all that carry the labels of `app.labels`.
    """

    name: str
    egress: FieldsList | None = None
    ingress: FieldsList | None = None
    dns: bool = True

    def __post_init__(self) -> None:
        of_record(self, f"security group {self.name!r}" if isinstance(self.name, str) else "security group")


def policies(
    owner: str,
    groups: Sequence[SecurityGroup],
    prefix: str,
    selector: Mapping[str, str],
    metadata: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """The NetworkPolicies of `groups`, named `<prefix>.<group>`, for the pods that `selector` matches."""
    names = [naming.check_name("security group", group.name) for group in groups]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{owner}: two security groups have the name {name!r}: rename one")
    return [_policy(owner, group, f"{prefix}.{group.name}", selector, metadata, opts) for group in groups]


def _policy(
    owner: str,
    group: SecurityGroup,
    name: str,
    selector: Mapping[str, str],
    metadata: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    what = f"security group {group.name!r} of {owner}"
    rules = pulumi.Output.all(
        egress=plain(group.egress, f"egress of {what}"), ingress=plain(group.ingress, f"ingress of {what}")
    )
    spec = computed(rules, lambda given: network.policy(what, selector, given["egress"], given["ingress"], group.dns))
    return kubernetes.networking.v1.NetworkPolicy(name, metadata={**metadata, "name": name}, spec=spec, opts=opts)
