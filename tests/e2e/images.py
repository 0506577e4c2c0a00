"""An image with a real PostgreSQL, and with a Python that speaks to it, packed from Debian's files."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from sandbox import images, registry, roots
from sandbox.layers import SEARCH, Root

NAME = "tests/postgres:1"
PROGRAMS = ("initdb", "postgres", "psql", "pg_isready")
DRIVER = ("pg8000", "scramp", "asn1crypto", "python-dateutil", "six")  # with what it needs


@pytest.fixture(scope="session")
def postgres_image() -> str:
    """The image's name in the sandbox's registry."""
    address = os.environ["SANDBOX_REGISTRY"]
    folder = _programs()
    settings = {"Cmd": ["/bin/sh"], "Env": [f"PATH={folder}:{SEARCH}", "PYTHONPATH=/opt/python"]}
    with tempfile.TemporaryDirectory() as place:
        images.write({NAME: images.Recipe(lambda: _root(folder), settings)}, Path(place))
        image = images.read(Path(place))[NAME]
        registry.push(address, [image])
    return image.at(address)  # by its digest: a node keeps what it has once pulled under a tag


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", *command], env=quiet, check=True, stdout=subprocess.DEVNULL)
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent


def _root(folder: Path) -> Root:
    root = roots.python()
    version = folder.parent.name
    programs = [folder / name for name in PROGRAMS]
    modules = [folder.parent / "lib" / f"{name}.so" for name in ("plpgsql", "dict_snowball")]
    shared = [it for it in Path(f"/usr/share/postgresql/{version}").rglob("*") if it.is_file()]
    zones = [Path("/usr/share/zoneinfo/UTC").resolve(), Path("/usr/share/zoneinfo/Etc/UTC").resolve()]
    for path in [*programs, *modules, *shared, *zones, *roots.libraries([*programs, *modules])]:
        root.files[roots.inside(path)] = path
    for name in DRIVER:
        for entry in importlib.metadata.files(name) or []:
            if entry.parts[0] != ".." and "__pycache__" not in entry.parts:
                root.files[f"opt/python/{entry}"] = Path(str(entry.locate()))
    root.texts["etc/passwd"] += "app:x:1000:1000:app:/tmp:/bin/sh\n"
    return root
