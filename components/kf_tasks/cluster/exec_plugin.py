"""A plugin that gives credentials: a command that is run and answers with an `ExecCredential`.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins. What it gives is
kept for as long as the API server takes it: at a 401 credentials are loaded again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..core.api import Object
from .access import unusable

LONGEST_SAID = 500


@dataclass(frozen=True)
class Given:
    """A token, or a certificate with its key as PEM, or both; what is not given is empty."""

    token: str = field(default="", repr=False)
    certificate: str = ""
    key: str = field(default="", repr=False)


def ask(plugin: Object, folder: str, cluster: Callable[[], Object]) -> Given:
    """What the plugin of a user gives, run in the folder of its kubeconfig; raises Unreachable where that is nothing.

    At a terminal it may ask, unless `interactiveMode` is Never. `cluster` is told to one that wants it.
    """
    command, version = str(plugin.get("command") or ""), plugin.get("apiVersion")
    if not command or not version:
        raise unusable("the exec plugin of the kubeconfig has no command or no apiVersion")
    mode = plugin.get("interactiveMode")
    asks = mode != "Never" and bool(sys.stdin and sys.stdin.isatty())
    if mode == "Always" and not asks:
        raise unusable(f"the exec plugin {command} asks at a terminal, and there is none: log in with it first")
    spec: Object = {"interactive": asks}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = cluster()
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    env = {**os.environ, **{each["name"]: str(each["value"]) for each in plugin.get("env") or ()}}
    try:
        done = subprocess.run(
            [command, *map(str, plugin.get("args") or ())], cwd=folder or None, check=False,
            env={**env, "KUBERNETES_EXEC_INFO": json.dumps(info)}, stdout=subprocess.PIPE,
            stdin=None if asks else subprocess.DEVNULL, stderr=None if asks else subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        hint = " ".join(str(plugin.get("installHint") or "").split())
        said = f"the exec plugin {command} of the kubeconfig cannot be run ({error.strerror})"
        raise unusable(f"{said}: {hint}" if hint else said) from None
    if done.returncode:
        said = " ".join((done.stderr or b"").decode(errors="replace").split())[-LONGEST_SAID:]
        ended = f"the exec plugin {command} of the kubeconfig ended with {done.returncode}"
        raise unusable(f"{ended}: {said}" if said else ended)
    return _given(done.stdout, f"the exec plugin {command} of the kubeconfig", version)


def _given(answer: bytes, plugin: str, version: Any) -> Given:
    try:
        found = json.loads(answer)
        kind, its = found["kind"], found["apiVersion"]
        status = found["status"]
        given = Given(*(status.get(key) or "" for key in ("token", "clientCertificateData", "clientKeyData")))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise unusable(f"{plugin} does not answer with an ExecCredential that has a status") from None
    if kind != "ExecCredential" or its != version:
        raise unusable(f"{plugin} answers with {its} {kind}, where ExecCredential of {version} is asked for")
    if not given.token and not given.certificate:
        raise unusable(f"{plugin} gives neither a token nor a certificate")
    if bool(given.certificate) != bool(given.key):
        raise unusable(f"{plugin} gives a certificate without its key, or a key without its certificate")
    return given
