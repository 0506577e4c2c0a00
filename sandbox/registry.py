"""Pushes images with the registry's own protocol: a few HTTP requests, no client needed."""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.images import Image
from sandbox.layers import MANIFEST
from sandbox.steps import Failure


def answers(address: str) -> bool:
    """Whether a registry listens there."""
    try:
        return Client(address).ask("GET", "/v2/")[0] == http.client.OK
    except OSError:
        return False


def push(address: str, images: Iterable[Image]) -> int:
    """Pushes what is not there yet; returns the number of images pushed."""
    client = Client(address)
    pushed = 0
    for image in images:
        tag = image.name.rpartition(":")[2]
        reference = f"/v2/{image.repository}/manifests/{tag}"
        _, headers = client.ask("HEAD", reference, headers={"Accept": MANIFEST})
        if headers.get("docker-content-digest") == image.digest:
            continue
        for blob in image.blobs:
            upload(client, image.repository, blob)
        client.expect(201, "PUT", reference, image.manifest, {"Content-Type": MANIFEST})
        pushed += 1
    return pushed


def upload(client: Client, repository: str, blob: Path) -> None:
    digest = f"sha256:{blob.name}"
    if client.ask("HEAD", f"/v2/{repository}/blobs/{digest}")[0] == http.client.OK:
        return
    headers = client.expect(202, "POST", f"/v2/{repository}/blobs/uploads/")
    place = urlsplit(headers["location"])
    target = f"{place.path}?{place.query}&digest={digest}"
    body = {"Content-Type": "application/octet-stream"}
    client.expect(201, "PUT", target, blob.read_bytes(), body)


class Client:
    """One kept connection to a registry on this machine."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.connection = http.client.HTTPConnection(address, timeout=30)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str]]:
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def expect(
        self,
        wanted: int,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, str]:
        status, found = self.ask(method, path, body, headers)
        if status != wanted:
            raise Failure(f"the registry at {self.address} answered {status} to {method} {path}")
        return found
