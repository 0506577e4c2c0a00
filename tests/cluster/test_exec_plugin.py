"""Plugins that give credentials: what they are told, what they may answer, and when they are asked again."""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.cluster.client import Cluster
from kf_tasks.cluster.connection import Connection
from kf_tasks.errors import Unreachable

from ..registries import certificate
from .test_connection import Server

V1 = "client.authentication.k8s.io/v1"


def answer(version: str = V1, **status: str) -> str:
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})


def kubeconfig(
    folder: Path, script: str, server: str = "https://c.example", *, cluster: Any = None, **more: Any
) -> str:
    """The path of a kubeconfig whose user has the plugin `./bin/plugin`, beside it."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/plugin").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin/plugin").chmod(0o700)
    content = {
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "c", "user": {"exec": {"apiVersion": V1, "command": "./bin/plugin", **more}}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    (folder / "config").write_text(json.dumps(content))
    return str(folder / "config")


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("mode", [{}, {"interactiveMode": "IfAvailable"}, {"interactiveMode": "Never"}])
def test_what_a_plugin_is_told(
    tmp_path: Path, terminal: bool, mode: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"isatty": lambda _: terminal})())
    monkeypatch.setenv("OWN", "kept")
    (tmp_path / "ca").write_text("the authority")
    (tmp_path / "input").write_text("typed\n")
    script = (
        f"""echo "$KUBERNETES_EXEC_INFO" > told; echo "$OWN $MORE $1 $2 $(cat)" > rest; echo '{answer(token="t")}'"""
    )
    cluster = {
        "certificate-authority": "ca", "tls-server-name": "s", "insecure-skip-tls-verify": False,
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}},
                       {"name": "other"}],
    }  # fmt: skip
    env, args = [{"name": "MORE", "value": "added"}, {"name": "KUBERNETES_EXEC_INFO", "value": "x"}], ["one two", 3]
    path = kubeconfig(tmp_path, script, cluster=cluster, provideClusterInfo=True, env=env, args=args, **mode)
    before = os.dup(0)
    try:
        os.dup2(os.open(tmp_path / "input", os.O_RDONLY), 0)
        assert Connection(path).access().authorization == "Bearer t"
    finally:
        os.dup2(before, 0)
    asks = terminal and mode.get("interactiveMode") != "Never"
    assert json.loads((tmp_path / "told").read_text()) == {
        "apiVersion": V1, "kind": "ExecCredential", "spec": {
            "interactive": asks,
            "cluster": {
                "server": "https://c.example", "tls-server-name": "s", "config": {"audience": "a"},
                "certificate-authority-data": base64.b64encode(b"the authority").decode(),
            },
        },
    }  # fmt: skip
    assert (tmp_path / "rest").read_text() == f"kept added one two 3 {'typed' if asks else ''}\n"


@pytest.mark.parametrize(
    ("script", "more", "said"),
    [
        (
            "echo >&2 'session  expired: aws sso login'; exit 7",
            {},
            "plugin of the .* ended with 7: session expired: aws",
        ),
        ("exit 3", {}, "plugin of the kubeconfig ended with 3"),
        ("head -c 9000 /dev/zero | tr '\\0' y >&2; exit 1", {}, "ended with 1: y{500}$"),
        ("kill -9 $$", {}, "ended with -9"),
        ("", {}, "does not answer with an ExecCredential"),
        ("printf '\\377'", {}, "does not answer with an ExecCredential"),
        ("echo '[1]'", {}, "does not answer with an ExecCredential"),
        ("""echo '{"kind": "ExecCredential", "apiVersion": "v1", "status": null}'""", {}, "does not answer with an"),
        (f"echo '{answer()}'", {}, "gives neither a token nor a certificate"),
        (f"echo '{answer(token='')}'", {}, "gives neither a token nor a certificate"),
        (f"echo '{answer(clientCertificateData='c')}'", {}, "gives a certificate without its key"),
        (f"echo '{answer(token='t', clientKeyData='k')}'", {}, "or a key without its certificate"),
        (f"echo '{answer('client.authentication.k8s.io/v1beta1', token='t')}'", {}, "/v1beta1 ExecCredential, where"),
        ("", {"interactiveMode": "Always"}, "asks at a terminal, and there is none"),
        ("", {"command": "no-such-plugin", "installHint": "Install\n it."}, "No such file or directory.: Install it."),
        ("", {"command": "./config"}, "the exec plugin ./config of the kubeconfig cannot be run .Permission denied.$"),
        ("", {"command": ""}, "has no command or no apiVersion"),
        ("", {"apiVersion": None}, "has no command or no apiVersion"),
        ("", {"env": [{"name": "A"}]}, "not built as one"),
    ],
)
def test_a_plugin_that_gives_nothing(
    script: str, more: dict[str, Any], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Unreachable, match=said) as error:
        Connection(kubeconfig(tmp_path, script, **more)).access()
    assert str(error.value).startswith("no usable cluster configuration: ") and "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_it_is_asked_again_when_its_token_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    token = answer(token="'$(cat count | wc -c)'", expirationTimestamp="2020-01-01T00:00:00Z")
    with Server(200, 200, 401, 200) as server:
        cluster = Cluster.of(Connection(kubeconfig(tmp_path, f"printf x >> count; echo '{token}'", server.url)))
        for _ in range(3):
            cluster.namespace("shop")
    assert [token for _, _, token in server.asked] == [f"Bearer {n}" for n in (1, 1, 1, 2)]


def test_a_certificate_of_a_plugin_is_shown_and_left_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    (left := tmp_path / "left").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(left))
    pki = {name: certificate(tmp_path, name) for name in ("server", "client")}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki["client"]))
    context.load_cert_chain(pki["server"], pki["server"].with_suffix(".key"))
    context.verify_mode = ssl.CERT_REQUIRED
    pair = {"clientCertificateData": pki["client"], "clientKeyData": pki["client"].with_suffix(".key")}
    (tmp_path / "answer").write_text(answer(token="t", **{key: path.read_text() for key, path in pair.items()}))
    with Server(200, tls=context) as server:
        trusted = {"certificate-authority": pki["server"].name}
        path = kubeconfig(tmp_path, "cat answer", server.url, cluster=trusted)
        assert Cluster.of(Connection(path)).namespace("shop")
        (tmp_path / "answer").write_text(answer(token="t"))
        with pytest.raises(Unreachable):
            Cluster.of(Connection(path, context="c")).namespace("shop")
    assert server.asked == [("GET", "/api/v1/namespaces/shop", "Bearer t")] and not list(left.iterdir())
