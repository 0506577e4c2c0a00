"""Sources on their way to a real registry: Debian's, started here with each of its moods."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.core.build import fetch
from kf_tasks.core.build.spec import Artifact
from kf_tasks.core.source import tree
from kf_tasks.errors import ConfigurationError, RegistryError, RegistrySilent
from kf_tasks.registry import credentials as docker_config
from kf_tasks.registry.client import Address, Registry

from ..registries import IDENTITY, PASSWORD, USER, serve, token_server

Start = Callable[..., Address]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def begin(**settings: Any) -> Address:
            scheme = "https" if settings.get("tls") else "http"
            return Address.of(f"{scheme}://{running.enter_context(serve(tmp_path, **settings))}/team")

        yield begin


def send(place: Address, folder: Path, credentials: tuple[str, str] | None = None) -> bool:
    found = tree.read(folder)
    artifact = Artifact(found.digest, found.size)
    return Registry(place, credentials).push(
        place.repository("space/shop"), artifact.tag, artifact.manifest, artifact.config, artifact.layer,
        lambda: tree.archive(folder),
    )  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a").write_text("1")
    return folder


def test_a_source_is_sent_once_and_is_what_was_hashed(start: Start, source: Path) -> None:
    place = start()
    assert send(place, source) and not send(place, source)
    (source / "a").write_text("2")
    assert send(place, source)
    found = tree.read(source)
    artifact = Artifact(found.digest, found.size)
    assert Registry(place).resolve("team/space/shop", artifact.tag) == artifact.digest
    assert f"sha256:{hashlib.sha256(artifact.manifest).hexdigest()}" == artifact.digest
    assert Registry(place).resolve("team/space/shop", "none") is None


def test_a_check_pushes_nothing_and_tries_the_credentials(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert Registry(start()).check("team/shop") is False
    locked = start(locked=True)
    assert Registry(locked, (USER, PASSWORD)).check("team/shop") is True
    with pytest.raises(RegistryError, match="refused the credentials"):
        Registry(locked, (USER, "wrong")).check("team/shop")
    with pytest.raises(RegistryError, match="wants credentials"):
        Registry(locked).check("team/shop")
    with pytest.raises(RegistrySilent, match="does not answer"):
        Registry(Address.of("http://127.0.0.1:9")).check("team/shop")
    assert not (tmp_path / "registry/docker/registry/v2/repositories").exists()


def test_a_check_asks_a_token_for_pushing(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with token_server(tmp_path, {"": [], USER: ["pull", "push"]}) as (realm, asked):
        place = start(realm=realm)
        assert Registry(place, (USER, PASSWORD)).check("team/shop") is True
        assert asked == ["repository:team/shop:pull,push"]
        with pytest.raises(RegistryError, match="refused the credentials"):
            Registry(place, (USER, "wrong")).check("team/shop")


def test_a_source_that_changes_between_decision_and_upload_is_not_sent(start: Start, source: Path) -> None:
    place, before = start(), tree.read(source)
    artifact = Artifact(before.digest, before.size)

    def push() -> None:
        Registry(place).push("x", "t", artifact.manifest, artifact.config, artifact.layer, lambda: tree.archive(source))

    for change in (
        lambda: (source / "a").write_text("2"),  # as long as before
        lambda: (source / "b").write_bytes(bytes(200_000)),
        lambda: (source / "b").write_text("a tar file is as long as before: it is filled up to a record"),
        lambda: [*map(Path.unlink, source.iterdir()), (source / "link").symlink_to("a")],
    ):
        change()
        with pytest.raises(RegistryError, match="the source changed while it was sent: repeat"):
            push()
    assert Registry(place).resolve("x", "t") is None


def test_a_registry_that_is_down(source: Path) -> None:
    with pytest.raises(RegistrySilent, match=r"registry 127.0.0.1:9 does not answer: .*refused.*: check"):
        send(Address.of("http://127.0.0.1:9"), source)


def test_a_registry_without_tls_that_is_asked_with_it(start: Start, source: Path) -> None:
    place = start()
    with pytest.raises(RegistrySilent, match="http:// before the address is for one without TLS"):
        send(Address.of(f"{place.host}/team"), source)


def test_a_registry_that_is_read_only(start: Start, source: Path) -> None:
    place = start(storage={"maintenance": {"readonly": {"enabled": True}}})
    with pytest.raises(RegistryError, match=r"is read-only \(.*405.*\): choose another with Space\(registry=…\)"):
        send(place, source)


def test_credentials_from_docker_login_wrong_ones_and_none(
    start: Start, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = start(locked=True)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with pytest.raises(RegistryError, match=f"wants credentials .*: docker login {place.host}"):
        send(place, source)
    with pytest.raises(RegistryError, match="refused the credentials"):
        send(place, source, ("kf", "wrong"))
    auths = {"auths": {place.host: {"auth": "a2Y6c2VjcmV0"}}}
    (tmp_path / "config.json").write_text(json.dumps(auths))
    assert send(place, source)
    assert not send(place, source, docker_config.from_json(json.dumps(auths), place.host))
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {place.host: "kf-test"}}))
    helper = tmp_path / "docker-credential-kf-test"
    helper.write_text('#!/bin/sh\necho \'{"Username": "kf", "Secret": "secret"}\'\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert not send(place, source)


def test_tokens_for_each_repository(
    start: Start, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with token_server(tmp_path, {"": ["pull"], USER: ["pull", "push"]}) as (realm, asked):
        place = start(realm=realm)
        with pytest.raises(RegistryError, match=r"wants credentials \(.*401 UNAUTHORIZED.*\): docker login"):
            send(place, source)
        with pytest.raises(RegistryError, match="refused the credentials .a token for team/space/shop"):
            send(place, source, (USER, "wrong"))
        login = (USER, PASSWORD)
        assert send(place, source, login) and not send(place, source, login)
        assert asked[-1] == "repository:team/space/shop:pull,push"

        found = tree.read(source)
        artifact = Artifact(found.digest, found.size)
        anybody = Registry(place)
        assert anybody.resolve("team/space/shop", artifact.tag) == artifact.digest
        assert anybody.resolve("team/space/other", "none") is None  # another token
        assert anybody.resolve("team/space/shop", artifact.tag) == artifact.digest
        assert asked[-2:] == ["repository:team/space/shop:pull", "repository:team/space/other:pull"]

        identity = {"auths": {place.host: {"auth": "a2Y6", "identitytoken": IDENTITY}}}
        (tmp_path / "config.json").write_text(json.dumps(identity))
        (source / "a").write_text("2")
        assert send(place, source)
    with token_server(tmp_path, {"": [], USER: ["pull"]}) as (realm, _asked):
        (source / "a").write_text("3")
        with pytest.raises(RegistryError, match="refused the credentials .*: docker login .*, or a right to push"):
            send(start(realm=realm), source, login)
    with pytest.raises(RegistrySilent, match="does not answer: .*refused"):
        send(start(realm=realm), source, login)


def test_many_repositories_at_once_have_their_own_tokens(start: Start, source: Path, tmp_path: Path) -> None:
    with token_server(tmp_path, {USER: ["pull", "push"]}) as (realm, _asked):
        client = Registry(start(realm=realm), (USER, PASSWORD))
        with ThreadPoolExecutor(8) as pool:
            names = [f"team/app{number}" for number in range(24)]
            assert list(pool.map(lambda name: client.resolve(name, "1"), names)) == [None] * 24


def test_a_certificate_of_an_authority_of_ones_own(
    start: Start, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = start(tls=True, locked=True)
    login = (USER, PASSWORD)
    advice = f"put its authority's into /etc/docker/certs.d/{place.host}/ca.crt, or name it with SSL_CERT_FILE"
    with pytest.raises(RegistryError, match=f"does not trust .*self-signed certificate.*: {advice}"):
        send(place, source, login)
    given = tmp_path / "certs.d" / place.host / "ca.crt"
    given.parent.mkdir(parents=True)
    monkeypatch.setattr(docker_config, "CERTIFICATES", (tmp_path / "certs.d",))
    given.write_text("no certificate")
    with pytest.raises(ConfigurationError, match=rf"{given} holds no certificates \(.*\): repair it"):
        send(place, source, login)
    shutil.copy(tmp_path / "server.crt", given)
    assert send(place, source, login)
    given.unlink()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.crt"))
    assert not send(place, source, login)
    with pytest.raises(RegistryError, match="refused it|cannot do it now"):
        send(Address.of(f"http://{place.host}/team"), source, login)


def test_the_first_step_of_a_build_fetches_what_was_sent(start: Start, source: Path, tmp_path: Path) -> None:
    (source / "run").write_text("#!/bin/sh\n")
    (source / "run").chmod(0o755)
    (source / "deep/er").mkdir(parents=True)
    (source / "deep/er" / ("long" * 40)).write_bytes(bytes(3_000_000))
    (source / "deep/link").symlink_to("../../elsewhere")
    digest = tree.read(source).digest
    config = tmp_path / "auth.json"

    def fetched(place: Address, digest: str = digest) -> str:
        shutil.rmtree(tmp_path / "there", ignore_errors=True)
        (tmp_path / "there").mkdir()
        given = [f"{place.scheme}://{place.host}", "team/space/shop", digest, str(tmp_path / "there"), str(config)]
        subprocess.run([sys.executable, "-c", Path(fetch.__file__).read_text(), *given], check=True)
        status = (tmp_path / "there/status").read_text()
        return f"{status} {(tmp_path / 'there/log').read_text()}"

    def equal() -> bool:
        there = tmp_path / "there/app"
        return tree.read(there).digest == digest and (there / "deep/link").readlink() == Path("../../elsewhere")

    with token_server(tmp_path, {"": [], USER: ["pull", "push"]}) as (realm, _asked):
        for settings in ({"locked": True}, {"realm": realm}):
            place = start(**settings)
            send(place, source, (USER, PASSWORD))
            config.write_text(json.dumps({"auths": {place.host: {"auth": "a2Y6c2VjcmV0"}}}))
            assert fetched(place) == "0 " and equal()
            assert "HTTP Error 404" in fetched(place, f"sha256:{'0' * 64}")
            config.write_text("{}")
            refused = fetched(place)
            assert refused.startswith("1 the source cannot be fetched from http://127.0.0.1:") and "401" in refused
        blob = next((tmp_path / "registry").rglob(f"{digest.partition(':')[2]}/data"))
        content = bytearray(blob.read_bytes())
        content[3_000] ^= 1
        blob.write_bytes(content)
        config.write_text(json.dumps({"auths": {place.host: {"username": USER, "password": PASSWORD}}}))
        assert "the registry or the way to it damages data" in fetched(place)
    assert "refused" in fetched(Address.of("http://127.0.0.1:9"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_registry_that_is_full(start: Start, source: Path, tmp_path: Path) -> None:
    disk = tmp_path / "registry"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=True)
    try:
        (source / "big").write_bytes(os.urandom(1_000_000))
        with pytest.raises(RegistrySilent, match=r"cannot do it now \(.*\): see its log and its free space"):
            send(start(), source)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
