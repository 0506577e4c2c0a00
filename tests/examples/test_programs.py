"""Each example registers what it is about, on servers for trying out and on the user's own, and shows no password."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pytest

from sandbox.extras import EXTRAS

from ..resources import test_components

EXAMPLES = Path(__file__).parents[2] / "examples"
TASKS = {
    "backup": ["shop-backup", "shop-verify"],
    "download": ["prices-count", "prices-fetch"],
    "etl": ["etl-extract", "etl-load", "etl-transform"],
    "mail": ["shop-confirm-order"],
    "migration": ["shop-migrate"],
    "nightly": ["bookings-audit", "bookings-sum-up"],
}
OWN = {
    "database": {"uri": "postgresql://own:own-word-1@db/shop"},
    "store": {
        "uri": "https://s3",
        "bucket": "own",
        "region": "x",
        "access_key_id": "k",
        "secret_access_key": "own-word-2",
    },
    "smtp": {"uri": "smtp://own:own-word-3@mail:587"},
}
Program = Callable[..., test_components.Registered]
CONFIG = {"recipient": "jo@example.com", "order": "tea"}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """Runs an example, by its name and with its configuration."""
    monkeypatch.setenv("SANDBOX_REGISTRY", "registry:5000")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(test_components.Cluster, "new_resource", _answered)

    def run(name: str, **config: object) -> test_components.Registered:
        folder = shutil.copytree(EXAMPLES / name, tmp_path / name)
        given = {**CONFIG, **config}.items()
        pulumi.runtime.set_all_config(
            {f"shop:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in given}
        )
        monkeypatch.chdir(folder)
        sys.path.insert(0, str(folder))
        return test_components.run(lambda: runpy.run_path("__main__.py"))

    yield run
    pulumi.runtime.set_all_config({})
    sys.modules.pop("servers", None)


def _answered(
    cluster: test_components.Cluster, args: pulumi.runtime.MockResourceArgs
) -> tuple[str | None, dict[str, object]]:
    found = dict(args.inputs)
    if args.typ == "pulumi-python:dynamic/kf:Run":
        found["results"] = dict.fromkeys(("object", "revision", "rows", "total"), "1")
    if args.typ == "kubernetes:core/v1:ConfigMap" and "name" not in found["metadata"]:
        found["metadata"] = {**found["metadata"], "name": f"{args.name}-1a2b3c4d"}
    return f"{args.name}-id", found


@pytest.mark.parametrize("name", sorted(TASKS))
@pytest.mark.parametrize("own", [False, True])
def test_an_example_registers(name: str, own: bool, program: Program) -> None:
    found = program(name, **(OWN if own else {}))
    tasks = [urn for urn in found.names() if "$kf:index:Task" not in urn and "kf:index:Task" in urn.split("::")[0]]
    assert sorted({urn.split("::")[-1] for urn in tasks}) == TASKS[name]
    pods = [urn for urn in found.names() if "core/v1:Pod::" in urn]
    assert bool(pods) == (name == "download" or not own)
    readable = json.dumps({urn: found[urn] for urn in found.names() if ":Secret::" not in urn})
    assert "own-word" not in readable and "only-for-trying-out" not in readable


def test_the_images_are_those_that_the_sandbox_has() -> None:
    wanted = runpy.run_path(str(EXAMPLES / "servers.py"))["IMAGES"]
    assert {"busybox": "busybox:1", "python": "python:3", **{name: it.name for name, it in EXTRAS.items()}} == wanted


def test_a_download_of_ones_own_needs_its_digest(program: Program) -> None:
    with pytest.raises(pulumi.RunError, match="no digest: pulumi config set sha256 DIGEST"):
        program("download", url="https://example.com/prices.csv")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_without_a_registry_an_example_says_what_to_set(
    name: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANDBOX_REGISTRY")
    with pytest.raises(pulumi.RunError, match=r"no image: pulumi config set \w+-image IMAGE, or set SANDBOX_REGISTRY"):
        program(name)
