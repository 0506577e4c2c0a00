"""HTTP to one API server: pooled connections, credentials that are loaded again, and every refusal as an error.

The official client's typed API costs half a second of import and nine times the memory, its dynamic one a third more
time for each request, and what finds its clusters as long to import as all the rest of a command: none is used.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3

from ..core import api, moments
from ..errors import ClusterError, Denied, Unreachable, of_status
from .connection import Connection
from .pool import Pool

CONNECT_SECONDS, READ_SECONDS = 5, 20
_LOADING = threading.Lock()  # plugins share a terminal, and what they remember
T = TypeVar("T")


class Transport:
    """HTTP requests to one cluster; credentials are loaded again once when they are refused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._pool = self._connect()
        self.host = self._pool.host

    def _connect(self) -> Pool:
        with _LOADING:
            return Pool(self._connection.access())

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
        headers = urllib3.HTTPHeaderDict({"Accept": accept, "Accept-Encoding": "gzip", "Content-Type": content_type})
        data = None if body is None else json.dumps(body).encode()
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        for last in (False, True):
            used = self._pool
            try:
                answer = used.connections.urlopen(
                    method, used.prefix + url, data, headers | used.headers,
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
                if self._pool is used:
                    self._pool = self._connect()
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
