"""Sources on their way to a real registry: Debian's, started here with each of its moods."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from components import docker_config
from components.core import tree
from components.core.build import Artifact
from components.registry import Place, Registry, RegistryError, RegistrySilent

from .registries import serve

Start = Callable[..., Place]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def begin(**settings: Any) -> Place:
            return Place.of(f"http://{running.enter_context(serve(tmp_path, **settings))}/team")

        yield begin


def send(place: Place, folder: Path, credentials: tuple[str, str] | None = None) -> bool:
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


def test_a_source_that_changes_between_decision_and_upload_is_not_sent(start: Start, source: Path) -> None:
    place, before = start(), tree.read(source)
    (source / "a").write_text("2")  # as long as before
    artifact = Artifact(before.digest, before.size)
    with pytest.raises(RegistryError, match="the source changed while it was sent: repeat"):
        Registry(place).push("x", "t", artifact.manifest, artifact.config, artifact.layer, lambda: tree.archive(source))
    assert Registry(place).resolve("x", "t") is None


def test_a_registry_that_is_down(source: Path) -> None:
    with pytest.raises(RegistrySilent, match=r"registry 127.0.0.1:9 does not answer: .*refused.*: check"):
        send(Place.of("http://127.0.0.1:9"), source)


def test_a_registry_without_tls_that_is_asked_with_it(start: Start, source: Path) -> None:
    place = start()
    with pytest.raises(RegistrySilent, match="http:// before the address is for one without TLS"):
        send(Place.of(f"{place.host}/team"), source)


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
