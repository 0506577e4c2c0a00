"""Connections to one API server: how it is trusted, through which proxy, and what is tried again.

A request is over within half a minute of silence, and a stream whose other end has vanished ends by itself.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import urllib3
from urllib3.util import make_headers, parse_url

from .access import Access, Pem, unusable

POOL = 32
LONGEST_WAIT = 5  # seconds before a request is sent again, whatever the server asks for
_IDLE: int = getattr(socket, "TCP_KEEPIDLE", 0x10)  # TCP_KEEPALIVE of macOS
# As kubectl: asked after 30 s of silence whether somebody is there, each 15 s again, 9 times.
_KEEP_ALIVE = [
    *urllib3.connection.HTTPConnection.default_socket_options,
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, _IDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 9),
]


class _Retry(urllib3.Retry):
    """A `Retry-After` counts up to LONGEST_WAIT: a request is over within half a minute of silence.

    An API server that reads its store anew asks for a second each time, and takes twenty with many objects in it.
    """

    def get_retry_after(self, response: urllib3.BaseHTTPResponse) -> float | None:
        """The seconds that the server asks for, each time twice as many, within bounds."""
        asked = super().get_retry_after(response)
        return None if asked is None else min(asked * 2 ** (len(self.history) - 1), LONGEST_WAIT)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether to send it again: what is refused for want of room was not carried out, whatever it is.

        https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
        """
        return status_code == 429 or super().is_retry(method, status_code, has_retry_after)


class Pool:
    """The connections to an API server, the prefix of all its paths, and the headers that say who asks.

    Raises Unreachable where there can be no connection: certificates that are none, a proxy of an unknown kind.
    """

    def __init__(self, access: Access) -> None:
        self.host = access.host
        try:
            manager = _manager(access)
            self.connections: urllib3.HTTPConnectionPool = manager.connection_from_url(self.host)
        except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            raise unusable(str(error)) from None
        # Many clusters may be behind one host, each with a path; a proxy that is no tunnel needs all of the address.
        in_full = manager.proxy and self.connections.scheme == "http"
        self.prefix = (self.host if in_full else parse_url(self.host).path or "").rstrip("/")
        self.headers = urllib3.HTTPHeaderDict({"User-Agent": "kf-tasks"})
        if access.authorization:
            self.headers["authorization"] = access.authorization
        self.headers.extend(access.impersonation)


def _manager(access: Access) -> urllib3.PoolManager:
    retries = _Retry(
        total=6, connect=1, read=0, other=1, backoff_factor=0.2, backoff_max=LONGEST_WAIT, raise_on_status=False,
        status_forcelist=(429, 500, 502, 503, 504), allowed_methods={"GET", "DELETE"},
    )  # fmt: skip
    verify = ssl.CERT_REQUIRED if access.verify else ssl.CERT_NONE
    options = {"cert_reqs": verify, "retries": retries, "maxsize": POOL, "socket_options": _KEEP_ALIVE, **_tls(access)}
    if access.server_name:
        options["server_hostname"] = access.server_name
    proxy = access.proxy or _proxy(access.host, getproxies())
    if not proxy:
        return urllib3.PoolManager(**options)
    if proxy.lower().startswith("socks"):
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError:
            raise unusable(f"a proxy like {_plain(proxy)} needs PySocks: pip install pysocks") from None
        return SOCKSProxyManager(proxy, **options)
    auth = urlsplit(proxy)
    if auth.username:
        pair = f"{unquote(auth.username)}:{unquote(auth.password or '')}"
        options["proxy_headers"] = make_headers(proxy_basic_auth=pair)
    return urllib3.ProxyManager(proxy, **options)


def _tls(access: Access) -> Mapping[str, Any]:
    """How the server is trusted and who asks is known: files of the user are left to urllib3, which reads them anew."""
    files = {"ca_certs": access.authority, "cert_file": access.certificate, "key_file": access.key}
    if not any(isinstance(one, bytes) for one in files.values()):
        return files
    context = urllib3.util.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if access.verify else ssl.CERT_NONE)
    try:
        if isinstance(access.authority, bytes):
            context.load_verify_locations(cadata=access.authority.decode("ascii", "ignore"))
        elif access.authority:
            context.load_verify_locations(access.authority)
        else:
            context.load_default_certs()
        if access.certificate:
            _load_pair(context, access.certificate, access.key)
    except (ssl.SSLError, ValueError) as error:
        raise unusable(f"certificates and key for {access.host} cannot be read ({error})") from None
    return {"ssl_context": context}


def _load_pair(context: ssl.SSLContext, certificate: str | bytes, key: Pem) -> None:
    # OpenSSL reads files alone. They are gone as soon as it has: a process that is killed leaves no key behind.
    with tempfile.TemporaryDirectory(prefix="kf-") as folder:

        def file(name: str, content: Pem) -> str | None:
            if not isinstance(content, bytes):
                return content
            path = Path(folder, name)
            path.write_bytes(content)
            return str(path)

        context.load_cert_chain(file("certificate", certificate) or "", file("key", key))


def _proxy(host: str, environment: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for a host; as for kubectl none for this machine and those of NO_PROXY."""
    proxy = environment.get(urlsplit(host).scheme) or environment.get("all")
    return None if not proxy or _is_left_out(host, environment.get("no", "")) else proxy


def _is_left_out(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names a host: by name or domain, with or without its port, by address or network, or by `*`."""
    address = urlsplit(host)
    name, with_port = (address.hostname or "").lower(), address.netloc.rpartition("@")[2].lower()
    number = _number(name)
    if name == "localhost" or (number and number.is_loopback):
        return True
    for entry in (each.strip().lower() for each in no_proxy.split(",")):
        if number and entry and _holds(entry, number):
            return True
        domain = entry.lstrip("*.") if entry.startswith("*.") else entry.lstrip(".")
        if entry == "*" or (domain and any(one == domain or one.endswith(f".{domain}") for one in (name, with_port))):
            return True
    return False


def _number(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _plain(proxy: str) -> str:
    """A proxy's address without the password in it."""
    return f"{urlsplit(proxy).scheme}://{urlsplit(proxy).hostname}"
