"""Speaks to an image registry: sources go up as artifacts, tags are resolved to digests.

The OCI distribution protocol is a handful of requests. A client of our own sends an archive while it
is read, so nothing is kept in memory or on disk, and says what went wrong in words for the person at the terminal.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from ..errors import RegistryError, RegistrySilent
from .authorization import Challenge, Credentials, basic, bearer, trust
from .credentials import credentials

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_READABLE = ", ".join((MANIFEST, INDEX, _DOCKER, _DOCKER_LIST))
_CHANGED = "the source changed while it was sent: repeat when nothing writes there"
_SHALLOW = "; for a registry with names of two parts only, such as Docker Hub, Space(image_name='{app}')"
_UNKNOWN = "NAME_UNKNOWN"  # https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
CONNECT_SECONDS, READ_SECONDS = 5, 60


@dataclass(frozen=True)
class Address:
    """A registry and the repositories below it that are ours: `https://registry.example.com/team`."""

    scheme: str
    host: str
    prefix: str

    @classmethod
    def of(cls, text: str) -> Address:
        """From `host/prefix`; `http://` before it says that it speaks plain HTTP."""
        scheme, found, rest = text.partition("://")
        scheme, rest = (scheme, rest) if found else ("https", text)
        host, _, prefix = rest.strip("/").partition("/")
        return cls(scheme, "registry-1.docker.io" if host == "docker.io" else host, prefix)

    def repository(self, name: str) -> str:
        """A repository's name within the registry."""
        return f"{self.prefix}/{name}" if self.prefix else name


class Registry:
    """One registry, with the credentials given or those of the machine's docker configuration."""

    def __init__(self, address: Address, credentials: Credentials = None) -> None:
        self._address = address
        self._credentials = credentials
        self._authorization: dict[str, dict[str, str]] = {}  # by repository: tokens are for one of them
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False,
            ssl_context=trust(address.host) if address.scheme == "https" else None,
        )  # fmt: skip

    # --- what callers ask

    def resolve(self, repository: str, reference: str) -> str | None:
        """The digest that a tag stands for, None if there is no such image."""
        answer = self._ask(repository, "HEAD", f"manifests/{reference}", headers={"Accept": _READABLE})
        if answer.status == 404:
            return None
        self._expect(answer, 200, f"image {repository}:{reference}")
        said = answer.headers.get("Docker-Content-Digest")
        if said:
            return said
        answer = self._ask(repository, "GET", f"manifests/{reference}", headers={"Accept": _READABLE})
        self._expect(answer, 200, f"image {repository}:{reference}")
        return digest_of(answer.data)

    def user(self, repository: str, digest: str) -> str:
        """The USER of an image, empty if it has none; of an index that of its first image for Linux."""
        try:
            found = self._json(repository, f"manifests/{digest}")
            if "manifests" in found:
                of_linux = (one for one in found["manifests"] if one.get("platform", {}).get("os") == "linux")
                found = self._json(repository, f"manifests/{next(of_linux)['digest']}")
            config = self._json(repository, f"blobs/{found['config']['digest']}")
            return str((config.get("config") or {}).get("User") or "")
        except (LookupError, TypeError, AttributeError, ValueError, StopIteration):
            raise RegistryError(f"registry {self._address.host} does not say what {repository}@{digest} is") from None

    def check(self, repository: str) -> bool:
        """Whether credentials were wanted and taken; raises RegistryError where they are not, or nobody answers.

        Nothing is changed: a token for pushing to the repository is asked for, and not used for that.
        """
        self._expect(self._ask(repository, "GET", ""), 200, f"the right to push {repository}")
        return bool(self._authorization.get(repository) and self._login())

    def has(self, repository: str) -> bool:
        """Whether there is a repository of that name; raises RegistryError for a registry that does not tell."""
        answer = self._ask(repository, "GET", "tags/list?n=1")
        if answer.status == 404 and _UNKNOWN in _message(answer):
            return False
        self._expect(answer, 200, f"tags of {repository}")
        return True

    def push(
        self, repository: str, tag: str, manifest: bytes, config: bytes, layer: dict[str, Any],
        content: Callable[[], Iterable[bytes]],
    ) -> bool:  # fmt: skip
        """Puts a one-layer artifact there unless it is there already; whether it was sent."""
        if self.resolve(repository, digest_of(manifest)):
            return False
        self._upload(repository, digest_of(config), len(config), lambda: [config])
        self._upload(repository, layer["digest"], layer["size"], content)
        answer = self._ask(repository, "PUT", f"manifests/{tag}", body=manifest, headers={"Content-Type": MANIFEST})
        self._expect(answer, 201, f"{repository}:{tag}")
        return True

    def _upload(self, repository: str, digest: str, size: int, content: Callable[[], Iterable[bytes]]) -> None:
        if self._ask(repository, "HEAD", f"blobs/{digest}").status == 200:
            return
        begun = self._ask(repository, "POST", "blobs/uploads/", headers={"Content-Length": "0"})
        self._expect(begun, 202, f"upload to {repository}")
        target = urljoin(f"{self._root}/", begun.headers["Location"])
        target += ("&" if "?" in target else "?") + urlencode({"digest": digest})
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        if _origin(target) == _origin(self._root):  # some registries have other hosts take the content, by a signed URL
            headers |= self._authorization.get(repository, {})
        done = self._send("PUT", target, _exactly(size, content()), headers)
        self._expect(done, 201, f"upload to {repository}")

    def _json(self, repository: str, path: str) -> Any:
        answer = self._ask(repository, "GET", path, headers={"Accept": _READABLE})
        if answer.status in (301, 302, 303, 307, 308):
            target = urljoin(f"{self._root}/", answer.headers["Location"])
            own = _origin(target) == _origin(self._root)
            answer = self._send("GET", target, None, self._authorization.get(repository, {}) if own else {})
        self._expect(answer, 200, f"{repository}/{path}")
        return json.loads(answer.data)

    # --- requests

    @property
    def _root(self) -> str:
        return f"{self._address.scheme}://{self._address.host}"

    def _ask(
        self, repository: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """An answer of a repository, with what it wants for it; without a path that of the API's root."""
        url, given = f"{self._root}/v2/{f'{repository}/{path}' if path else ''}", headers or {}
        answer = self._send(method, url, body, {**given, **self._authorization.get(repository, {})})
        challenge = answer.headers.get("WWW-Authenticate", "")
        if answer.status == 401 and challenge:
            writes = method not in ("GET", "HEAD") or not path
            allowed = self._authorize(Challenge.of(challenge), repository, writes)
            self._authorization[repository] = allowed
            answer = self._send(method, url, body, {**given, **allowed})
        return answer

    def _send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request(method, url, body=body, headers=headers)
        except urllib3.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise RegistrySilent(self._silence(error)) from None
            host = self._address.host
            raise RegistryError(
                f"registry {host} has a certificate that this machine does not trust ({_short(error)}): "
                f"put its authority's into /etc/docker/certs.d/{host}/ca.crt, or name it with SSL_CERT_FILE"
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise RegistrySilent(self._silence(error)) from None

    def _silence(self, error: Exception) -> str:
        plain = "(http:// before the address is for one without TLS) " if self._address.scheme == "https" else ""
        advice = f"check the Space's registry {plain}and repeat"
        return f"registry {self._address.host} does not answer: {_short(error)}: {advice}"

    def _authorize(self, challenge: Challenge, repository: str, writes: bool) -> dict[str, str]:
        if challenge.scheme == "basic":
            return basic(self._login())
        method, address, body, headers = challenge.question(repository, writes, self._login())
        address = urljoin(f"{self._root}/", address)
        if self._login() and self._address.scheme == "https" and not address.startswith("https://"):
            raise RegistryError(
                f"registry {self._address.host} gives tokens at {challenge.realm}, which has no TLS: no password is "
                "sent there, ask whoever runs it"
            )
        answer = self._send(method, address, body, headers)
        self._expect(answer, 200, f"a token for {repository}")
        found = bearer(answer.data)
        if found is None:
            raise RegistryError(f"registry {self._address.host}: {challenge.realm} gave no token for {repository}")
        return found

    def _login(self) -> Credentials:
        return self._credentials or credentials(self._address.host)

    def _expect(self, answer: urllib3.BaseHTTPResponse, wanted: int, what: str) -> None:
        if answer.status == wanted:
            return
        host, said = self._address.host, _message(answer)
        if answer.status in (401, 403):
            given = "refused the credentials" if self._login() else "wants credentials"
            advice = f"docker login {host}, or a right to push{_SHALLOW if what.count('/') > 1 else ''}"
            raise RegistryError(f"registry {host} {given} ({what}: {said}): {advice}")
        if answer.status == 405:
            raise RegistryError(f"registry {host} is read-only ({what}: {said}): choose another with Space(registry=…)")
        if answer.status == 404 and _UNKNOWN in said:
            advice = "make it first, or choose another with Space(image_name=…)"
            raise RegistryError(f"registry {host} does not have this repository ({what}: {said}): {advice}")
        if answer.status == 400 and "DIGEST" in said.upper():
            raise RegistryError(f"{what}: {_CHANGED}")
        if answer.status == 429 or answer.status >= 500:
            raise RegistrySilent(f"registry {host} cannot do it now ({what}: {said}): see its log and its free space")
        raise RegistryError(f"registry {host} refused it ({what}: {said})")


@functools.cache
def registry(address: Address, credentials: Credentials = None) -> Registry:
    """One client for each registry and process."""
    return Registry(address, credentials)


def digest_of(data: bytes) -> str:
    """The name of some content in a registry."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address: what is for one of them is not for another."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _exactly(size: int, content: Iterable[bytes]) -> Iterator[bytes]:
    """The content, if it is as long as was said: a registry would wait for the rest, or take more for a request."""
    left = size
    for chunk in content:
        left -= len(chunk)
        if left < 0:
            raise RegistryError(_CHANGED)
        yield chunk
    if left:
        raise RegistryError(_CHANGED)


def _message(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        first = json.loads(answer.data)["errors"][0]
        detail = first.get("detail")
        more = f", {json.dumps(detail)}" if detail else ""
        return f"{answer.status} {first.get('code', '')} {first.get('message', '')}{more}"[:300].strip()
    except (ValueError, LookupError, TypeError, AttributeError):
        return f"HTTP {answer.status}"


def _short(error: BaseException) -> str:
    text = str(error)
    return (text.split(">: ", 1)[-1] if ">: " in text else text).strip().rstrip(".") or type(error).__name__
