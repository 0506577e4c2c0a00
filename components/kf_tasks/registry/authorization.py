"""What a registry wants of whoever asks: user and password, or the token of a server that it trusts.

https://distribution.github.io/distribution/spec/auth/token/, for identity tokens …/spec/auth/oauth/.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ..errors import ConfigurationError
from .credentials import IDENTITY_TOKEN, authorities

Credentials = tuple[str, str] | None
Headers = dict[str, str]
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Challenge:
    """A registry's `WWW-Authenticate`: for the scheme `bearer` `realm` is the address of the token server."""

    scheme: str
    realm: str
    service: str

    @classmethod
    def of(cls, header: str) -> Challenge:
        """From the header's text."""
        found = dict(_PARAMETER.findall(header))
        return cls(header.partition(" ")[0].lower(), found.get("realm", ""), found.get("service", ""))

    def question(
        self, repository: str, writes: bool, credentials: Credentials
    ) -> tuple[str, str, bytes | None, Headers]:
        """The request for a token for one repository: method, address, body and headers."""
        actions = "pull,push" if writes or credentials else "pull"
        wanted = {"service": self.service, "scope": f"repository:{repository}:{actions}"}
        if credentials and credentials[0] == IDENTITY_TOKEN:
            wanted |= {"grant_type": "refresh_token", "client_id": "kf", "refresh_token": credentials[1]}
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            return "POST", self.realm, urlencode(wanted).encode(), form
        return "GET", f"{self.realm}?{urlencode(wanted)}", None, basic(credentials)


def basic(credentials: Credentials) -> Headers:
    """The header of user and password, none without them."""
    if not credentials:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(":".join(credentials).encode()).decode()}


def bearer(answer: bytes) -> Headers | None:
    """The header of the token in a token server's answer, None if there is none in it."""
    try:
        token: Any = json.loads(answer)
        return {"Authorization": f"Bearer {token.get('token') or token['access_token']}"}
    except (ValueError, LookupError, AttributeError):
        return None


def trust(host: str) -> ssl.SSLContext:
    """The authorities of this machine, and those that docker and podman are told of for one registry."""
    context = ssl.create_default_context()
    for path in authorities(host):
        try:
            context.load_verify_locations(path)
        except OSError as error:  # also ssl.SSLError
            raise ConfigurationError(f"registry {host}: {path} holds no certificates ({error}): repair it") from None
    return context
