"""The credentials that `docker login`, `podman login` and their helpers have left on this machine."""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError

IDENTITY_TOKEN = "<token>"  # a user of this name stands for an identity token, as helpers say it
CERTIFICATES = (Path("/etc/docker/certs.d"), Path("/etc/containers/certs.d"))
_DOCKER_HUB = "https://index.docker.io/v1/"
_HELPER_SECONDS = 20


def credentials(host: str) -> tuple[str, str] | None:
    """User and password for a registry, None if there are none for it."""
    return next((found for path in _files() if (found := _in(path, host))), None)


def from_json(text: str, host: str) -> tuple[str, str] | None:
    """The same from the content of a file, such as that of a Secret of type kubernetes.io/dockerconfigjson."""
    return _of(json.loads(text).get("auths") or {}, host)


def authorities(host: str) -> list[Path]:
    """The certificates of authorities that this machine trusts for one registry."""
    found: list[Path] = []
    for folder in CERTIFICATES:
        found += sorted((folder / host).glob("*.crt"))
    return found


def _files() -> list[Path]:
    home = Path(os.environ.get("HOME") or "/root")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    given = os.environ.get("REGISTRY_AUTH_FILE")
    docker = os.environ.get("DOCKER_CONFIG")
    return [
        *([Path(given)] if given else []),
        (Path(docker) if docker else home / ".docker") / "config.json",
        *([Path(runtime) / "containers/auth.json"] if runtime else []),
    ]


def _in(path: Path, host: str) -> tuple[str, str] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except ValueError:
        raise ConfigurationError(f"{path} is no JSON: repair it, or docker login {host} anew") from None
    helper = (content.get("credHelpers") or {}).get(host) or content.get("credsStore")
    return _of(content.get("auths") or {}, host) or (_ask(helper, host) if helper else None)


def _of(auths: dict[str, Any], host: str) -> tuple[str, str] | None:
    names = (host, f"https://{host}", f"http://{host}", *([_DOCKER_HUB] if host.endswith("docker.io") else []))
    entry: dict[str, str] = next((auths[name] for name in names if auths.get(name)), {})
    if entry.get("identitytoken"):
        return IDENTITY_TOKEN, entry["identitytoken"]
    if entry.get("username"):
        return entry["username"], entry.get("password") or ""
    try:
        user, _, password = base64.b64decode(entry.get("auth") or "").decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if user else None


def _ask(helper: str, host: str) -> tuple[str, str] | None:
    """A credential helper's answer (https://github.com/docker/docker-credential-helpers)."""
    asked = _DOCKER_HUB if host.endswith("docker.io") else host
    command = [f"docker-credential-{helper}", "get"]
    try:
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=_HELPER_SECONDS, check=True)
        answer = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return answer.get("Username") or "", answer.get("Secret") or ""
