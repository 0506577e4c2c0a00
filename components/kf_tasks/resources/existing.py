"""Services whose credentials are in a Secret that others keep: how it is found, and what its keys are called.

A custom resource that makes such a Secret names it in its status, as servicebinding.io has it for provisioned services
(https://servicebinding.io/spec/core/1.1.0/#provisioned-service).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ..core.errors import InvalidInput
from ..core.run import sources
from .inputs import computed, plain
from .space import Space

WAIT = "pulumi.com/waitFor: jsonpath={.status.binding.name}"


@dataclass(frozen=True)
class Keys:
    """What is said of an existing Secret: its keys by the names that they get (None: all), and those `required`."""

    named: Mapping[str, str] | None
    required: Sequence[str]

    @property
    def may_have_uri(self) -> bool:
        """Whether a connection string may be among them."""
        return self.named is None or "uri" in self.named

    @property
    def uri(self) -> str:
        """The key of the connection string."""
        return (self.named or {}).get("uri", "uri")

    @property
    def items(self) -> list[dict[str, str]]:
        """The keys that must be there, each with the name of its file."""
        found = self.named if self.named is not None else {key: key for key in self.required}
        return [{"key": key, "path": name} for name, key in sorted(found.items())]


def check(
    owner: str, credentials: object, secret: object, resource: object, map: Mapping[str, str] | None,
    requires: Sequence[str],
) -> Keys | None:  # fmt: skip
    """What is said of the keys of an existing Secret, None without one; raises InvalidInput."""
    given = [name for name, it in (("credentials", credentials), ("secret", secret), ("resource", resource))
             if it is not None]  # fmt: skip
    if len(given) > 1:
        raise InvalidInput(f"{owner}: {' and '.join(given)} are given: its credentials are in one place, give one")
    if secret is None and resource is None:
        if map is not None:
            raise InvalidInput(f"{owner}: map names the keys of an existing Secret: give secret or resource, too")
        return None
    if isinstance(secret, str):
        sources.check_object(f"{owner}: secret", sources.SECRET, secret)
    if map is not None and not map:
        raise InvalidInput(f"{owner}: map is empty, so tasks would get no key: name some, or leave it out for all")
    for name, key in (map or {}).items():
        sources.check_key(f"{owner}: map", "binding", name)
        sources.check_key(f"{owner}: map[{name!r}]", sources.SECRET, key)
    for key in requires:
        sources.check_key(f"{owner}: requires", sources.SECRET, key)
        if map is not None and key not in map:
            raise InvalidInput(f"{owner}: requires names {key!r}, which is not in map: add it there")
    return Keys(map, list(requires))


def secret_of(
    component: pulumi.ComponentResource, owner: str, space: Space, secret: Any, resource: pulumi.CustomResource | None
) -> pulumi.Output[str] | None:
    """The name of the existing Secret of a service, None without one."""
    if secret is None and resource is None:
        return None
    if resource is not None:
        name = computed(Provisioned(component, space, resource).status, lambda status: _bound(owner, status))
    else:
        name = secret.metadata["name"] if isinstance(secret, kubernetes.core.v1.Secret) else secret
    known = plain(name, f"secret of {owner}")
    return computed(known, lambda found: sources.check_object(f"{owner}: secret", sources.SECRET, found))


class Provisioned(pulumi.CustomResource):
    """A custom resource as it is in the cluster, with its status, which Pulumi's own classes do not have."""

    status: pulumi.Output[Any]

    def __init__(self, component: pulumi.ComponentResource, space: Space, resource: pulumi.CustomResource) -> None:
        opts = pulumi.ResourceOptions(parent=component, provider=space.provider, id=resource.id, depends_on=[resource])
        super().__init__(resource.pulumi_resource_type, f"{component._name}-binding", {"status": None}, opts)


def _bound(owner: str, status: Any) -> str:
    binding = status.get("binding") if isinstance(status, Mapping) else None
    name = binding.get("name") if isinstance(binding, Mapping) else None
    if not isinstance(name, str) or not name:
        raise InvalidInput(
            f"{owner}: its resource has no .status.binding.name (yet): where its operator sets one, let Pulumi wait "
            f"for it with the annotation {WAIT!r}; else name its Secret with secret=…"
        )
    return name
