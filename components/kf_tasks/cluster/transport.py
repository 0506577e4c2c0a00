"""HTTP to one API server: pooled connections, credentials that are loaded again, and every refusal as an error.

The official client's typed API costs half a second of import and nine times the memory, and its dynamic one a third
more time for each request, so only its connections are used.
"""

from __future__ import annotations

import functools
import json
import ssl
import tempfile
import threading
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
from kubernetes import client
from kubernetes.client.rest import RESTClientObject
from urllib3.util import parse_url

from ..core import api, moments
from ..errors import ClusterError, Denied, Unreachable, of_status
from .connection import Connection

CONNECT_SECONDS, READ_SECONDS = 5, 20
_LOADING = threading.Lock()  # the official client remembers the files that it has written, for the whole process
T = TypeVar("T")


class Transport:
    """HTTP requests to one cluster; credentials are loaded again once when they are refused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._access = self._connect()
        self.host = self._access.host

    def _connect(self) -> _Access:
        # What is written for OpenSSL is gone as soon as it has read it: a process that is killed leaves no key behind.
        with _LOADING, tempfile.TemporaryDirectory(prefix="kf-") as folder:
            configuration = self._connection.configure(folder)
            try:
                return _Access(configuration, _identity(configuration, folder))
            except ssl.SSLError as error:
                said = f"certificates and key for {configuration.host} cannot be read ({error})"
                raise Unreachable(f"no usable cluster configuration: {said}") from None
            except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
                raise Unreachable(f"no usable cluster configuration: {error}") from None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        accept: str = api.JSON,
        content_type: str = api.JSON,
        body: object = None,
        read_seconds: float | None = READ_SECONDS,
    ) -> urllib3.BaseHTTPResponse:
        """The raw answer; every other status than 2xx raises the matching ClusterError."""
        given = urlencode(list(query))
        url = f"{path}?{given}" if given else path
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "Content-Type": content_type}
        data = None if body is None else json.dumps(body).encode()
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        for last in (False, True):
            used = self._access
            try:
                answer = used.pool.urlopen(
                    method, used.prefix + url, data, {**headers, **used.headers},
                    timeout=timeout, redirect=False, assert_same_host=False, preload_content=False,
                )  # fmt: skip
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise Unreachable(f"the cluster at {self.host} does not answer: {_short(error)}") from None
            except ValueError:  # its text holds the header, and so the token
                said = "the credentials for it hold characters that no HTTP header may have"
                raise Unreachable(f"the cluster at {self.host} cannot be asked: {said}") from None
            if 200 <= answer.status < 300:
                return answer
            if answer.status != 401 or last:
                raise _translate(answer, f"{method} {path}", self.host)
            answer.drain_conn()
            with self._lock:
                if self._access is used:
                    self._access = self._connect()
        raise AssertionError("unreachable: the second attempt returns or raises")

    def json(self, method: str, path: str, **options: Any) -> Any:
        """The decoded answer."""
        return self.decoded(self.read(method, path, **options))

    def decoded(self, answer: urllib3.BaseHTTPResponse, into: type[T] | Any = Any) -> T | Any:
        """What an answer says, as `into`; a page of a proxy or of another server is none of Kubernetes."""
        try:
            return msgspec.json.decode(answer.data, type=into)
        except msgspec.MsgspecError:
            raise Unreachable(f"{self.host} does not answer as a Kubernetes API server does: it sent no JSON") from None

    def read(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        """An answer whose body has been read; a connection that breaks meanwhile is Unreachable."""
        answer = self.request(method, path, **options)
        try:
            answer.data  # noqa: B018 - reads the body and returns the connection to the pool
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"the cluster at {self.host} broke off its answer: {_short(error)}") from None
        return answer


@functools.cache
def transport(connection: Connection) -> Transport:
    """One pooled transport for each connection and process."""
    return Transport(connection)


def server_time(answer: urllib3.BaseHTTPResponse) -> str | None:
    """When the server answered, by its own clock, in the form of a creationTimestamp."""
    return moments.of_header(answer.headers.get("Date"))


class _Access:
    """Connections to a cluster, and the headers that say who asks."""

    def __init__(self, configuration: client.Configuration, identity: ssl.SSLContext | None) -> None:
        self.host = str(configuration.host)
        manager = RESTClientObject(configuration).pool_manager
        if identity:
            manager.connection_pool_kw.update(ssl_context=identity, cert_file=None, key_file=None, ca_certs=None)
        self.pool: urllib3.HTTPConnectionPool = manager.connection_from_url(self.host)
        # Many clusters may be behind one host, each with a path; a proxy that is no tunnel needs all of the address.
        in_full = manager.proxy and self.pool.scheme == "http"
        self.prefix = (self.host if in_full else parse_url(self.host).path or "").rstrip("/")
        token = configuration.auth_settings().get("BearerToken")
        self.headers = {"User-Agent": "kf-tasks"}
        if token and token["value"]:
            self.headers[token["key"]] = token["value"]


def _identity(configuration: client.Configuration, folder: str) -> ssl.SSLContext | None:
    """The keys and certificates in `folder`, read; None if there are none: files of the user are left to urllib3."""
    files = (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
    if not any(str(file or "").startswith(folder) for file in files):
        return None
    verify = ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE
    context = urllib3.util.create_urllib3_context(cert_reqs=verify)
    if configuration.ssl_ca_cert:
        context.load_verify_locations(configuration.ssl_ca_cert)
    else:
        context.load_default_certs()
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _translate(answer: urllib3.BaseHTTPResponse, what: str, host: str) -> ClusterError:
    message = answer.reason or f"HTTP {answer.status}"
    try:
        message = msgspec.json.decode(answer.data).get("message") or message
    except (msgspec.DecodeError, AttributeError, urllib3.exceptions.HTTPError, OSError):
        pass  # no answer of an API server, or none of it came
    kind = of_status(answer.status)
    if kind is Unreachable:
        return kind(f"the cluster at {host} cannot answer now ({what}: {message})", answer.status)
    if kind is Denied:
        return kind(f"the cluster at {host} refused the credentials or the permission: {message}", answer.status)
    return kind(str(message), answer.status)


def _short(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, BaseException) else error
    text = str(inner).split(": ", 1)[-1] if ">: " in str(inner) else str(inner)
    return text.strip().rstrip(".") or type(inner).__name__
