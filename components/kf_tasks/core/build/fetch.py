"""Fetches a source from its registry into a folder of the pod that builds it: the archive, checked and unpacked.

The text of this file is the command of a build's first step, in a stock image with Python 3.9 or newer. It
always ends well: what went wrong is written down for the step that builds, so that a build has one log and one end.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import re
import shutil
import sys
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Dict, Optional

SECONDS = 60
DOCKER_HUB = "https://index.docker.io/v1/"


class Counted:
    """A stream that is hashed while it is read."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.total = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        data: bytes = self.stream.read(size)
        self.total.update(data)
        return data


def fetch(registry: str, repository: str, digest: str, folder: Path, config: str) -> None:
    """Unpacks the blob `digest` into `folder`; `config` is a docker configuration with credentials, or empty."""
    with open_blob(f"{registry}/v2/{repository}/blobs/{digest}", repository, basic(registry, config)) as answer:
        source = Counted(answer)
        unpack(source, folder)
        while source.read(1 << 20):
            pass
    if f"sha256:{source.total.hexdigest()}" != digest:
        raise ValueError(f"what came is not {digest}: the registry or the way to it damages data")


def open_blob(url: str, repository: str, credentials: Optional[str]) -> Any:
    """The answer with the blob, after a login where the registry wants one."""
    try:
        return ask(url)
    except urllib.error.HTTPError as refused:
        challenge = refused.headers.get("WWW-Authenticate", "")
        if refused.code != 401 or not challenge:
            raise
    if challenge.lower().startswith("basic"):
        return ask(url, credentials)
    found = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    if credentials and url.startswith("https:") and not found["realm"].startswith("https:"):
        raise ValueError(f"tokens are given at {found['realm']}, which has no TLS: no password is sent there")
    query = urllib.parse.urlencode({"service": found.get("service", ""), "scope": f"repository:{repository}:pull"})
    with ask(f"{found['realm']}?{query}", credentials) as answer:
        token = json.load(answer)
    return ask(url, f"Bearer {token.get('token') or token.get('access_token')}")


def ask(url: str, authorization: Optional[str] = None) -> Any:
    """A request; a storage that the registry sends us on to is not told the credentials."""
    request = urllib.request.Request(url)
    if authorization:
        request.add_unredirected_header("Authorization", authorization)
    return urllib.request.urlopen(request, timeout=SECONDS)


def basic(registry: str, config: str) -> Optional[str]:
    """The credentials for a registry in a docker configuration, as a header."""
    if not config:
        return None
    host = registry.partition("://")[2]
    names = [host, f"https://{host}", f"http://{host}", *([DOCKER_HUB] if host.endswith("docker.io") else [])]
    auths: Dict[str, Dict[str, str]] = json.loads(Path(config).read_text()).get("auths") or {}
    entry = next((auths[name] for name in names if auths.get(name)), {})
    pair = f"{entry['username']}:{entry.get('password', '')}".encode() if entry.get("username") else b""
    text = base64.b64encode(pair).decode() or entry.get("auth")
    return f"Basic {text}" if text else None


def unpack(source: Any, folder: Path) -> None:
    """Writes the files and links of a tar file, which are the only things that a source's archive has."""
    with tarfile.open(fileobj=source, mode="r|", bufsize=1 << 20) as archive:
        for member in archive:
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            if member.issym():
                path.symlink_to(member.linkname)
            else:
                with path.open("wb") as file:
                    shutil.copyfileobj(archive.extractfile(member), file, 1 << 20)  # type: ignore[arg-type]
                path.chmod(member.mode)
            archive.members = []  # type: ignore[attr-defined]  # or 100,000 of them stay in memory


def main(registry: str, repository: str, digest: str, place: str, config: str) -> None:
    """Does it and writes down how it went: `log` and `status` (an exit code) in `place`."""
    os.umask(0o022)
    said, code = "", 0
    try:
        fetch(registry, repository, digest, Path(place), config)
    except (OSError, ValueError, LookupError, tarfile.TarError, http.client.HTTPException) as error:
        said, code = f"the source cannot be fetched from {registry}/{repository}: {error}\n", 1
    Path(place, "log").write_text(said)
    Path(place, "status").write_text(str(code))


if __name__ == "__main__":
    main(*sys.argv[1:])
