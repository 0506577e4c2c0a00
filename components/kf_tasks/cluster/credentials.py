"""How the user of a kubeconfig proves who it is: by a token, a password, a certificate, or what a plugin gives."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..core.api import Object
from . import exec_plugin
from .access import Pem, unusable
from .kubeconfig import Entry

_FORMER = ("gcp", "oidc")  # kubectl has forgotten them, the official client has not


@dataclass(frozen=True)
class Credentials:
    """The value of the `Authorization` header, and a certificate with its key; each may be missing."""

    authorization: str | None = field(default=None, repr=False)
    certificate: Pem = None
    key: Pem = field(default=None, repr=False)


def of(user: Entry, cluster: Entry) -> Credentials:
    """Those of a user for a cluster; raises Unreachable where a file is missing or a plugin gives none.

    In this order, as the official client does it: a former provider of tokens, a token (or its file), a plugin, a name
    with its password; and the certificate that comes with any of them.
    """
    value = user.value
    certificate, key = pem(user, "client-certificate"), pem(user, "client-key")
    bearer = _former(value.get("auth-provider") or {}) or _token(user)
    if bearer:
        return Credentials(f"Bearer {bearer}", certificate, key)
    if value.get("exec"):
        given = exec_plugin.ask(value["exec"], user.folder, lambda: _cluster_info(cluster))
        if given.certificate:
            certificate, key = given.certificate.encode(), given.key.encode()
        return Credentials(f"Bearer {given.token}" if given.token else None, certificate, key)
    if "username" in value and "password" in value:
        pair = f"{value['username']}:{value['password']}".encode()
        return Credentials(f"Basic {base64.b64encode(pair).decode()}", certificate, key)
    return Credentials(None, certificate, key)


def impersonation(user: Object) -> tuple[tuple[str, str], ...]:
    """The headers that make the API server take one user for another, as `as`, `as-groups` and the like ask for."""
    found = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
    found += [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
    for key, values in (user.get("as-user-extra") or {}).items():
        found += [(f"Impersonate-Extra-{quote(key, safe='')}", value) for value in values]
    return tuple((name, str(value)) for name, value in found if value)


def pem(entry: Entry, key: str) -> Pem:
    """What stands under `key` and `key-data`: content before a file; raises Unreachable where there is no such file."""
    data, file = entry.value.get(f"{key}-data"), entry.value.get(key)
    if data:
        return base64.b64decode(data)
    if not file:
        return None
    path = os.path.normpath(Path(entry.folder, file))
    if not Path(path).is_file():
        raise unusable(f"the kubeconfig names {path} as its {key}, which does not exist")
    return path


def _token(user: Entry) -> str:
    token, file = user.value.get("token"), user.value.get("tokenFile")
    if not token and file:
        token = Path(user.folder, file).read_text()
    return str(token or "").strip()


def _former(provider: Object) -> str:
    """The token of an `auth-provider` of before 2022, as the official client renews it; empty without one."""
    if provider.get("name") not in _FORMER:
        return ""
    from kubernetes import client, config

    content = {
        "current-context": "-",
        "contexts": [{"name": "-", "context": {"cluster": "-", "user": "-"}}],
        "clusters": [{"name": "-", "cluster": {"server": "http://-"}}],
        "users": [{"name": "-", "user": {"auth-provider": provider}}],
    }
    target = client.Configuration()
    try:
        config.load_kube_config_from_dict(content, client_configuration=target)
    except Exception as error:  # whatever Google's and OAuth's libraries raise
        said = f"the auth-provider {provider['name']} gives no token ({type(error).__name__}: {error})"
        raise unusable(f"{said}; log in again with its own tool") from None
    return str(target.api_key.get("BearerToken", "")).removeprefix("Bearer ").strip()


def _cluster_info(cluster: Entry) -> Object:
    """What a plugin that asks for it is told of the cluster, as kubectl does: content in place of files."""
    value = cluster.value
    names = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url", "disable-compression")
    info = {name: value[name] for name in names if value.get(name)}
    authority = pem(cluster, "certificate-authority")
    if authority:
        content = Path(authority).read_bytes() if isinstance(authority, str) else authority
        info["certificate-authority-data"] = base64.b64encode(content).decode()
    for extension in value.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info
