"""A kubeconfig means what it means to the official client, and where that errs what it means to kubectl."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.cli.target import Target
from kf_tasks.cluster import connection, credentials, exec_plugin
from kf_tasks.cluster.access import Access, Pem
from kf_tasks.cluster.connection import Connection
from kf_tasks.cluster.kubeconfig import Entry, Kubeconfig
from kf_tasks.errors import ClusterError, Unreachable
from kubernetes import client, config

Object = dict[str, Any]
NAMES = st.sampled_from(["c", "kind-shop", "arn:aws:eks:eu-1:12:cluster/shop.dev", "admin@dev", "ü ü"])
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
FILES = {f"pki/{name}.pem": f"-----BEGIN {name}-----\n".encode() for name in ("ca", "one", "two")}
FILES["token"] = b"from-a-file\n"


def data(content: bytes) -> str:
    return base64.b64encode(content).decode()


def optional(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    names = {name.replace("_", "-"): value for name, value in values.items()}
    return st.fixed_dictionaries({}, optional=names)


def either(key: str) -> st.SearchStrategy[Object]:
    """A file, its content, both, or none of it."""
    pems = st.sampled_from([name for name in FILES if name.endswith(".pem")])
    return st.fixed_dictionaries({}, optional={key: pems, f"{key}-data": st.binary(min_size=1).map(data)})


def jwt(claims: Object) -> str:
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims, 1)
    )


def plugin(status: Object, version: str = "v1") -> Object:
    api = f"client.authentication.k8s.io/{version}"
    answer = json.dumps({"apiVersion": api, "kind": "ExecCredential", "status": status})
    return {
        "apiVersion": api, "command": "sh", "args": ["-c", 'printf %s "$ANSWER"'],
        "env": [{"name": "ANSWER", "value": answer}], "interactiveMode": "Never",
    }  # fmt: skip


CLUSTERS = st.tuples(
    st.fixed_dictionaries({
        "server": st.sampled_from(["https://a.example:6443", "https://a.example/k8s/c-1/", "http://b.example", "c:80"]),
    }),
    either("certificate-authority"),
    optional(
        insecure_skip_tls_verify=st.booleans(), tls_server_name=TEXT,
        proxy_url=st.sampled_from(["http://proxy.example:3128", "socks5://proxy.example:1080"]),
    ),
).map(lambda parts: parts[0] | parts[1] | parts[2])  # fmt: skip
STATUSES = st.one_of(
    st.fixed_dictionaries({"token": TEXT}, optional={"expirationTimestamp": st.just("2020-01-01T00:00:00Z")}),
    st.fixed_dictionaries({"clientCertificateData": TEXT, "clientKeyData": TEXT}),
)
USERS = st.tuples(
    either("client-certificate"),
    either("client-key"),
    st.one_of(
        st.just({}),
        st.fixed_dictionaries({"token": TEXT}, optional={"tokenFile": st.just("token")}),
        st.fixed_dictionaries({"tokenFile": st.just("token")}),
        st.fixed_dictionaries({"username": TEXT, "password": TEXT}),
        st.fixed_dictionaries({"username": TEXT, "password": TEXT, "token": TEXT}),
        st.builds(plugin, STATUSES, st.sampled_from(["v1", "v1beta1"])).map(lambda found: {"exec": found}),
        st.sampled_from(["gcp", "oidc", "azure"]).map(
            lambda name: {
                "auth-provider": {"name": name, "config": {"access-token": "gcp", "id-token": jwt({"exp": 2**33})}},
                "token": "other",
            }
        ),
    ),
).map(lambda parts: parts[0] | parts[1] | parts[2])


@st.composite
def documents(draw: st.DrawFn) -> list[Object]:
    """One to three files that share names; one of them chooses a context."""
    made: list[Object] = []
    for _ in range(draw(st.integers(1, 3))):
        document: Object = {"apiVersion": "v1", "kind": "Config"}
        for kind, values in (("cluster", CLUSTERS), ("user", USERS)):
            found = draw(st.dictionaries(NAMES, values, max_size=3))
            document[f"{kind}s"] = [{"name": name, kind: value} for name, value in found.items()]
        made.append(document)
    clusters = [each["name"] for document in made for each in document["clusters"]]
    for document in made:
        names = draw(st.lists(NAMES, unique=True, max_size=3)) if clusters else []
        contexts = [
            {"cluster": draw(st.sampled_from(clusters)), "user": draw(NAMES), "namespace": f"of-{number}"}
            for number, _ in enumerate(names)
        ]
        document["contexts"] = [{"name": name, "context": context} for name, context in zip(names, contexts)]
    draw(st.sampled_from(made))["current-context"] = draw(NAMES)
    return made


def official(path: str, context: str | None, cluster: str | None) -> tuple[Any, ...]:
    """What the official client makes of it."""
    content = config.kube_config.KubeConfigMerger(path).config.value
    if cluster:
        for entry in content["contexts"]:
            if entry["name"] == (context or content["current-context"]):
                entry.value["context"]["cluster"] = cluster
    target = client.Configuration()
    with tempfile.TemporaryDirectory() as folder:
        config.load_kube_config_from_dict(content, context, client_configuration=target, temp_file_path=folder)
        target.refresh_api_key_hook = None
        header = target.get_api_key_with_prefix("BearerToken")
        found = [file and Path(file).read_bytes() for file in (target.ssl_ca_cert, target.cert_file, target.key_file)]
    if target.host.startswith("http://"):  # where they mean nothing the official client keeps a plugin's
        found = [None] * 3
    return (target.host, header and header.strip(), *found, target.verify_ssl, target.tls_server_name, target.proxy)


def ours(path: str, context: str | None, cluster: str | None) -> tuple[Any, ...]:
    def content(of: Pem) -> bytes | None:
        return Path(of).read_bytes() if isinstance(of, str) else of

    found: Access = Connection(path, context, cluster).access()
    pems = [content(pem) for pem in (found.authority, found.certificate, found.key)]
    return (found.host, found.authorization, *pems, found.verify, found.server_name, found.proxy)


@pytest.fixture(autouse=True)
def _without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@settings(max_examples=100, deadline=None)
@given(
    made=documents(),
    context=st.none() | NAMES,
    cluster=st.none() | NAMES,
    write=st.sampled_from([json.dumps, yaml.safe_dump]),
)
def test_it_means_what_it_means_to_the_official_client(
    made: list[Object], context: str | None, cluster: str | None, write: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, pem in FILES.items():
            Path(folder, name).parent.mkdir(exist_ok=True)
            Path(folder, name).write_bytes(pem)
        paths = [Path(folder, f"config-{number}") for number in range(len(made))]
        for path, document in zip(paths, made):
            path.write_text(write(document))
        given = ":".join([*map(str, paths), "", f"{folder}/no-such"])
        try:
            expected = official(given, context, cluster)
        except (config.ConfigException, KeyError):
            with pytest.raises(Unreachable, match="no usable cluster configuration: .*the kubeconfig"):
                ours(given, context, cluster)
            return
        assert ours(given, context, cluster) == expected
        if len(made) == 1 and not any(name in json.dumps(made) for name in FILES):
            assert ours(write(made[0]) + "\n", context, cluster) == expected


def document(name: str, **more: Any) -> Object:
    return {
        "clusters": [{"name": "c", "cluster": {"server": f"https://{name}.example", "certificate-authority": "ca"}}],
        "users": [{"name": name, "user": {"client-certificate": "../crt", "client-key": "key", "tokenFile": "token"}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": name, "namespace": f"of-{name}"}}],
        **more,
    }


def files(folder: Path, **content: Mapping[str, Any] | str | None) -> str:
    """The value of KUBECONFIG: a file in a folder of its own for each, with what it names beside it."""
    for name, text in content.items():
        (folder / name).mkdir()
        for beside in ("ca", "key", "token", "../crt"):
            (folder / name / beside).write_text(f"{beside} of {name}")
        if text is not None:
            (folder / name / "config").write_text(text if isinstance(text, str) else json.dumps(text))
    return ":".join(str(folder / name / "config") for name in content)


def test_of_several_files_the_first_that_says_something_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = {"current-context": "b"}
    path = files(
        tmp_path, none=None, empty="", a=document("a", **{"current-context": ""}), b=document("b", **current),
        c=document("c", **{"current-context": "c"}),
    )  # fmt: skip
    monkeypatch.setenv("KUBECONFIG", path)
    found = Connection().access()
    assert found.host == "https://a.example" and found.authorization == "Bearer token of b"
    assert found.authority == str(tmp_path / "a/ca")  # each from where it is written
    assert (found.certificate, found.key) == (str(tmp_path / "crt"), str(tmp_path / "b/key"))
    assert Connection(context="c").access().key == str(tmp_path / "c/key")
    assert Target().name() == "of-b" and Target(context="c").name() == "of-c" and Target().context_name() == "b"
    assert Target(kubeconfig=str(tmp_path / "c/config")).name() == "of-c"
    with pytest.raises(Unreachable, match="has no context 'd'"):
        Connection(context="d").access()


def test_no_files_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    for value in ("", None, "~no-such-user/x", str(tmp_path / "x.y"), f":{tmp_path / 'empty'}:"):
        (tmp_path / "empty").write_text("\n")
        monkeypatch.setenv("KUBECONFIG", value or "")
        with pytest.raises(Unreachable, match="does not exist or is empty" if value else "no kubeconfig is given"):
            Connection().access()
        assert Target().context_name() is None
        with pytest.raises(ClusterError, match="no space is targeted"):
            Target(context="c").name()
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube/config").write_text(json.dumps(document("a")))
    monkeypatch.setenv("KUBECONFIG", "")
    assert Target(context="a").name() == "of-a"
    with pytest.raises(Unreachable, match="chooses no context"):
        Connection().access()


@pytest.mark.parametrize("content", ["- a\n- b\n", "'", "contexts: 3\n", "contexts: [{context: {}}]\n", "\x00"])
def test_a_broken_file_is_an_error_of_every_command(content: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(content)
    for ask in (Connection(str(tmp_path / "config")).access, Target(kubeconfig=str(tmp_path / "config")).name):
        with pytest.raises(Unreachable, match=r"no usable cluster configuration: .*kubeconfig") as error:
            ask()
        assert ("is no YAML" in str(error.value)) == (f"{tmp_path / 'config'} is no YAML" in str(error.value))
    with pytest.raises(Unreachable, match="directory"):
        Connection(str(tmp_path)).access()


@pytest.mark.parametrize(("host", "shown"), [("10.0.0.1", "10.0.0.1"), ("fd00::1", "[fd00::1]")])
def test_a_pod_asks_by_its_account(host: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr(connection, "_ACCOUNT", tmp_path)
    with pytest.raises(Unreachable, match="this pod has no ServiceAccount"):
        Connection().access()
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "ca.crt").write_text("ca")
    found = Connection().access()
    assert (found.host, found.authorization) == (f"https://{shown}:1", "Bearer t")
    assert found.authority == str(tmp_path / "ca.crt") and found.verify


def test_a_former_provider_that_fails_says_so() -> None:
    former = {"name": "oidc", "config": {"id-token": jwt({"exp": 1})}}
    users = [{"name": "a", "user": {"auth-provider": former}}]
    content = json.dumps(document("a", users=users, **{"current-context": "a"}))
    with pytest.raises(Unreachable, match="the auth-provider oidc gives no token .*; log in again") as error:
        Connection(content).access()
    assert jwt({"exp": 1}) not in str(error.value)


def test_what_is_shown_of_an_object_has_no_secret() -> None:
    found = {"user": {"token": "very-secret", "client-key-data": data(b"very-secret")}}
    config = Kubeconfig({}, {}, {"a": Entry(found["user"])}, "a")
    its = credentials.of(config.users["a"], Entry({}))
    shown = repr([config, its, Access("https://h", its.authorization, key=its.key), exec_plugin.Given("very-secret")])
    assert its.authorization == "Bearer very-secret" and "very-secret" not in shown
