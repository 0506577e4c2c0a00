"""Finds the cluster and speaks HTTP to it: the official client's credentials without its object layer.

Authentication (exec plugins, rotated tokens, in-cluster accounts, proxies) is what the official client
is good at. Its typed API costs half a second of import and nine times the memory, and its dynamic one
a third more time for each request, so only its connections are used. Never imported by the program
itself.
"""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.rest import RESTClientObject
from kubernetes.config.config_exception import ConfigException
from urllib3.util import parse_url

from ..errors import ClusterError, Conflict, Denied, NotFound, Refused, Unreachable

CONNECT_SECONDS, READ_SECONDS = 5, 20
POOL = 32
LONGEST_PATH = 255  # what is longer is content that lost its line ends, and not to be shown
T = TypeVar("T")
_KINDS: dict[int, type[ClusterError]] = {401: Denied, 403: Denied, 404: NotFound, 409: Conflict}


@dataclass(frozen=True)
class Connection:
    """Which cluster: a kubeconfig (path or content), a context and a cluster of it; all None is the ambient one."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> Connection:
        """The connection described by a resource's input."""
        given = settings or {}
        return cls(given.get("kubeconfig") or None, given.get("context") or None, given.get("cluster") or None)

    def configure(self) -> client.Configuration:
        """Addresses and credentials; raises Unreachable if there is no usable configuration."""
        target = client.Configuration()
        try:
            self._load(target)
        except (ConfigException, OSError) as error:
            raise Unreachable(f"no usable cluster configuration: {error}") from None
        except yaml.YAMLError as error:  # its own text quotes the line, which may be the one with the token
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise Unreachable(f"no usable cluster configuration: the kubeconfig is no YAML{where}") from None
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            said = f"the kubeconfig is not built as one ({type(error).__name__}: {error})"
            raise Unreachable(f"no usable cluster configuration: {said}") from None
        target.refresh_api_key_hook = None  # else an exec plugin runs on every request of a token's last minutes
        target.api_key = {name: value.strip() for name, value in target.api_key.items()}
        target.connection_pool_maxsize = POOL
        target.keep_alive = True  # else a log stream whose other end vanished is waited for without end
        target.retries = urllib3.Retry(
            total=6, connect=1, read=0, other=1, backoff_factor=0.2, backoff_max=5, raise_on_status=False,
            status_forcelist=(429, 500, 502, 503, 504), allowed_methods={"GET", "DELETE"},
        )  # fmt: skip
        return target

    def _load(self, target: client.Configuration) -> None:
        path = self.kubeconfig or os.environ.get("KUBECONFIG")
        if path is None and not Path(config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).expanduser().exists():
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(client_configuration=target)
                return
            raise ConfigException("no kubeconfig is given, KUBECONFIG is not set and ~/.kube/config does not exist")
        content = self._content(path)
        if self.cluster:
            wanted = self.context or content.get("current-context")
            for entry in content.get("contexts", []):
                if entry["name"] == wanted:
                    entry["context"]["cluster"] = self.cluster
        config.load_kube_config_from_dict(content, context=self.context, client_configuration=target)

    def _content(self, path: str | None) -> dict[str, Any]:
        if path and "\n" in path or path and path.lstrip().startswith("{"):
            parsed = yaml.safe_load(path)
            if not isinstance(parsed, dict):
                raise ConfigException("the kubeconfig is neither a file's path nor YAML")
            return parsed
        merged = config.kube_config.KubeConfigMerger(path or config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION).config
        if merged is None:
            shown = (
                repr(path) if path is None or len(path) <= LONGEST_PATH else f"of {len(path)} characters in one line"
            )
            raise ConfigException(f"kubeconfig {shown} does not exist or is empty")
        content: dict[str, Any] = merged.value
        return content


class Transport:
    """HTTP requests to one cluster; credentials are loaded again once when they are refused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._access = self._connect()
        self.host = self._access.host

    def _connect(self) -> _Access:
        configuration = self._connection.configure()
        try:
            return _Access(configuration)
        except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            raise Unreachable(f"no usable cluster configuration: {error}") from None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        accept: str = "application/json",
        content_type: str = "application/json",
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
    date = answer.headers.get("Date")
    return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%SZ") if date else None


class _Access:
    """Connections to a cluster, and the headers that say who asks."""

    def __init__(self, configuration: client.Configuration) -> None:
        self.host = str(configuration.host)
        manager = RESTClientObject(configuration).pool_manager
        self.pool: urllib3.HTTPConnectionPool = manager.connection_from_url(self.host)
        # Many clusters may be behind one host, each with a path; a proxy that is no tunnel needs all of the address.
        in_full = manager.proxy and self.pool.scheme == "http"
        self.prefix = (self.host if in_full else parse_url(self.host).path or "").rstrip("/")
        token = configuration.auth_settings().get("BearerToken")
        self.headers = {"User-Agent": "kf-tasks"}
        if token and token["value"]:
            self.headers[token["key"]] = token["value"]


def _translate(answer: urllib3.BaseHTTPResponse, what: str, host: str) -> ClusterError:
    message = answer.reason or f"HTTP {answer.status}"
    try:
        message = msgspec.json.decode(answer.data).get("message") or message
    except (msgspec.DecodeError, AttributeError, urllib3.exceptions.HTTPError, OSError):
        pass  # no answer of an API server, or none of it came
    temporary = answer.status < 400 or answer.status in (429, 500, 502, 503, 504)
    kind = _KINDS.get(answer.status, Unreachable if temporary else Refused)
    if kind is Refused or kind is NotFound or kind is Conflict:
        return kind(str(message))
    if kind is Denied:
        return kind(f"the cluster at {host} refused the credentials or the permission: {message}")
    return kind(f"the cluster at {host} cannot answer now ({what}: {message})")


def _short(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, BaseException) else error
    text = str(inner).split(": ", 1)[-1] if ">: " in str(inner) else str(inner)
    return text.strip().rstrip(".") or type(inner).__name__
