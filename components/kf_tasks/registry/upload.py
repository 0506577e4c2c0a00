"""Sends a source to the registry before its build starts; what is there already is not sent again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from ..cluster.client import Cluster
from ..core.build.repository import is_made_first
from ..core.build.spec import Upload, amount
from ..core.say import Say
from ..core.source import tree
from ..errors import ConfigurationError, Denied, Trouble, about
from .client import Address, registry
from .credentials import from_json
from .progress import uploading

_KEY = ".dockerconfigjson"


def send(cluster: Cluster, namespace: str, source: Upload, say: Say) -> None:
    """Puts the source of a build into its registry; raises if it is not the one that the build was decided for."""
    artifact, address, folder = source.artifact, Address.of(source.registry), Path(source.folder)
    with about(f"source {source.folder!r} could not be uploaded"):
        client = registry(address, _login(cluster, namespace, source.secret, address.host, say))
        sent = client.push(
            address.repository(source.repository), artifact.tag, artifact.manifest, artifact.config, artifact.layer,
            lambda: uploading(tree.archive(folder, source.ignore), artifact.size, say),
        )  # fmt: skip
    if sent:
        say(f"source uploaded: {amount(artifact.size)}")


def lacking(cluster: Callable[[], Cluster], namespace: str, source: Upload) -> str:
    """What a preview says where a repository has to be made before a build; empty if not, or if it cannot be asked."""
    address = Address.of(source.registry)
    if not is_made_first(address.host):
        return ""
    name = address.repository(source.repository)
    try:
        found = login(cluster(), namespace, source.secret, address.host) if source.secret else None
        if registry(address, found).has(name):
            return ""
    except Trouble:
        return ""
    return f"repository {address.host}/{name} does not exist yet; registries such as ECR want it made first"


def login(cluster: Cluster, namespace: str, secret: str, host: str) -> tuple[str, str] | None:
    """User and password for a registry in a Secret, None if it has none for this one."""
    data = (cluster.get(namespace, "secrets", secret) or {}).get("data") or {}
    if _KEY not in data:
        raise ConfigurationError(
            f"Secret {namespace}/{secret} does not exist or has no {_KEY}: make it of type "
            "kubernetes.io/dockerconfigjson, or name another with Space(registry_secret=…)"
        )
    try:
        return from_json(base64.b64decode(data[_KEY]).decode(), host)
    except (ValueError, AttributeError):
        raise ConfigurationError(
            f"Secret {namespace}/{secret}: {_KEY} is no docker configuration: make it anew"
        ) from None


def _login(cluster: Cluster, namespace: str, secret: str | None, host: str, say: Say) -> tuple[str, str] | None:
    """What the Space's Secret has; without it this machine's own login is looked for when the registry wants one."""
    if not secret:
        return None
    try:
        return login(cluster, namespace, secret, host)
    except Denied as error:
        say(f"registry_secret: {error}; the source is uploaded with what docker login left on this machine")
        return None
