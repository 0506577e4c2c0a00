"""Where an API server is and how it is asked: what all the ways to find one come to."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import Unreachable

Pem = str | bytes | None  # the path of a file, or what it would hold


@dataclass(frozen=True)
class Access:
    """An API server, how it proves itself, and how whoever asks does.

    `authorization` is the header's value, `impersonation` the headers that say for whom it is asked. Without an
    `authority` the system's are trusted. `server_name` is that of the certificate where it is not the host's. `proxy`
    is None where the environment's counts.
    """

    host: str
    authorization: str | None = field(default=None, repr=False)
    authority: Pem = None
    certificate: Pem = None
    key: Pem = field(default=None, repr=False)
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None
    impersonation: tuple[tuple[str, str], ...] = ()


def unusable(said: str) -> Unreachable:
    """The error for a cluster that nobody can ask, whatever it answers."""
    return Unreachable(f"no usable cluster configuration: {said}")
