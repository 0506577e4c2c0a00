"""An image's name as people write it, taken apart as docker does."""

from __future__ import annotations

import re

from .client import Address

_HOST = re.compile(r"(localhost|[^/]*[.:][^/]*)/")


def parse(image: str, plain: Address | None) -> tuple[Address, str, str]:
    """Where an image is asked for: registry, repository and tag; `plain` is the Space's registry, if without TLS."""
    matched = _HOST.match(image)
    host, rest = (matched.group(1), image[matched.end() :]) if matched else ("docker.io", image)
    repository, _, tag = rest.partition(":")
    if host == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    scheme = "http" if plain and plain.scheme == "http" and plain.host == host else "https"
    return Address.of(f"{scheme}://{host}"), repository, tag or "latest"
