"""Through which proxy an API server is asked, whose name its certificate has, and how long silence is borne."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import urllib3
from kf_tasks.cluster.access import Access
from kf_tasks.cluster.pool import Pool
from kf_tasks.errors import Unreachable

from ..registries import certificate
from .test_connection import Server


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def proxy_of(pool: Pool) -> str | None:
    return pool.connections.proxy and pool.connections.proxy.url


@pytest.mark.parametrize(
    ("host", "no_proxy", "direct"),
    [
        ("https://api.shop.example:6443", "", False),
        ("https://api.shop.example:6443", "*", True),
        ("https://api.shop.example:6443", " , .Shop.example", True),
        ("https://api.shop.example:6443", "shop.example", True),
        ("https://api.shop.example:6443", "*.shop.example", True),
        ("https://API.shop.example:6443/k8s", "api.shop.example:6443", True),
        ("https://api.shop.example:6443", "api.shop.example:443,op.example,example.com", False),
        ("https://10.1.2.3:6443", "10.0.0.0/8", True),
        ("https://10.1.2.3:6443", "10.1.2.3", True),
        ("https://10.1.2.3:6443", "10.2.0.0/16,fd00::/8,10.1.2.3/x", False),
        ("https://[fd00::1]:6443", "fd00::/8", True),
        ("https://127.0.0.1:6443", "", True),
        ("https://[::1]:6443", "", True),
        ("https://localhost:6443", "", True),
    ],
)
def test_the_proxy_of_the_environment(host: str, no_proxy: str, direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_of(Pool(Access(host))) == (None if direct else "http://proxy.example:3128")
    assert proxy_of(Pool(Access(host, proxy="http://own.example:1"))) == "http://own.example:1"  # as with kubectl


def test_the_proxy_of_the_environment_is_that_of_the_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://secure.example")
    assert proxy_of(Pool(Access("http://a.example"))) is None
    monkeypatch.setenv("all_proxy", "http://all.example")
    assert proxy_of(Pool(Access("http://a.example"))) == "http://all.example:80"
    assert proxy_of(Pool(Access("https://a.example"))) == "http://secure.example:80"


def test_a_proxy_that_wants_a_password_gets_it() -> None:
    pool = Pool(Access("https://a.example", proxy="http://me%40home:p%3Aw@proxy.example:1"))
    assert pool.connections.proxy_headers == urllib3.util.make_headers(proxy_basic_auth="me@home:p:w")


@pytest.mark.filterwarnings("ignore:SOCKS support")
@pytest.mark.parametrize("proxy", ["ftp://me:secret@proxy.example", "https://[", "socks9://me:secret@proxy.example"])
def test_a_proxy_of_another_kind(proxy: str) -> None:
    with pytest.raises(Unreachable, match="no usable cluster configuration") as error:
        Pool(Access("https://a.example", proxy=proxy))
    assert "secret" not in str(error.value)


def test_a_certificate_of_another_name(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "server", "127.0.0.1")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pem, pem.with_suffix(".key"))
    with Server(200, tls=tls) as server:
        elsewhere = server.url.replace("127.0.0.1", "localhost")
        for authority in (str(pem), "# von Müller\n".encode() + pem.read_bytes() * 2):
            named = Access(elsewhere, authority=authority, server_name="127.0.0.1")
            assert Pool(named).connections.request("GET", "/").status == 200
            with pytest.raises(urllib3.exceptions.HTTPError, match="CERTIFICATE_VERIFY_FAILED"):
                Pool(Access(elsewhere, authority=authority)).connections.request("GET", "/", retries=False)
            unverified = Access(elsewhere, authority=authority, verify=False)
            with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
                assert Pool(unverified).connections.request("GET", "/").status == 200


def test_silence_is_noticed() -> None:
    with Server(200) as server:
        connection: Any = Pool(Access(server.url)).connections._get_conn()
        connection.connect()
        assert connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.close()
