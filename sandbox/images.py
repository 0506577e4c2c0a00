"""The images of the sandbox: packed once into the cache, pushed to each new registry."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import cache, layers, roots, tools
from sandbox.cache import Cache
from sandbox.layers import Root
from sandbox.steps import Steps, run

SHELL = f"tekton/shell:v{tools.TEKTON}"
SOURCES = ("layers.py", "roots.py", "images.py")


@dataclass(frozen=True)
class Recipe:
    """An image's files, and how it starts."""

    root: Callable[[], Root]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Image:
    """A packed image: its name in the registry, its manifest, and where its blobs lie."""

    name: str
    manifest: bytes
    blobs: tuple[Path, ...]

    @property
    def digest(self) -> str:
        return layers.digest(self.manifest)

    @property
    def repository(self) -> str:
        return self.name.rpartition(":")[0]

    def at(self, registry: str) -> str:
        """The name by which a pod pulls exactly this content."""
        return f"{registry}/{self.repository}@{self.digest}"


def recipes(tekton: Path, buildpacks: Path, buildah: Path) -> dict[str, Recipe]:
    """Every image by the name under which it is pushed."""
    found = [f"PATH={layers.SEARCH}"]
    known = {
        "busybox:1": Recipe(roots.busybox, {"Cmd": ["/bin/sh"], "Env": found}),
        "python:3": Recipe(roots.python, {"Cmd": ["python3"], "Env": found}),
        "buildah:1.45": Recipe(lambda: roots.buildah(buildah / "bin/buildah"), {"Cmd": ["/bin/sh"], "Env": found}),
        "pause:1": Recipe(roots.pause, {"Entrypoint": ["/bin/busybox", "sleep", "2147483647"], "Env": found}),
    }
    app = {"User": "1000:1000", "Env": found}
    known["buildpacks/run:1"] = Recipe(roots.runner, app)
    builder = {"Env": [*found, "CNB_USER_ID=1000", "CNB_GROUP_ID=1000"]}
    known["buildpacks/builder:1"] = Recipe(lambda: roots.builder(buildpacks / "bin"), {**app, **builder})
    user = {"User": "65532:65532", "Env": found}
    known[SHELL] = Recipe(roots.busybox, user)
    for name in tools.TEKTON_COMMANDS:
        binary = tekton / "bin" / name
        settings = {"Entrypoint": [f"/ko-app/{name}"], **user}
        known[f"tekton/{name}:v{tools.TEKTON}"] = Recipe(command_root(binary), settings)
    return known


def command_root(binary: Path) -> Callable[[], Root]:
    return lambda: roots.command(binary)


def key(tekton: Path, buildpacks: Path, buildah: Path) -> str:
    """Our sources, the entries of what is built, and the versions of the Debian packages."""
    here = Path(__file__).parent
    packages = ["bash", "busybox-static", "libc6", "netavark", *roots.python_packages()]
    versions = run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages])
    sources = [path.read_bytes() for path in (*(here / name for name in SOURCES), *roots.buildpack())]
    return cache.key([*sources, tekton.name, buildpacks.name, buildah.name, versions, layers.architecture()])


def build(store: Cache, tekton: Path, buildpacks: Path, buildah: Path, steps: Steps) -> dict[str, Image]:
    """The images, packed if the cache lacks them."""
    built = (tekton, buildpacks, buildah)
    image_key = key(*built)
    if not store.entry("images", image_key).is_dir():
        steps.say("packing images")
        with store.lock("build", steps):
            store.fill("images", image_key, lambda folder: write(recipes(*built), folder))
        steps.say("images packed")
    return read(store.entry("images", image_key))


def write(known: Mapping[str, Recipe], folder: Path) -> None:
    names: dict[str, str] = {}
    for name, recipe in known.items():
        manifest, blobs = layers.pack(recipe.root(), recipe.settings)
        blobs[layers.digest(manifest)] = manifest
        for digest, data in blobs.items():
            (folder / digest.partition(":")[2]).write_bytes(data)
        names[name] = layers.digest(manifest)
    (folder / "index.json").write_text(json.dumps(names, indent=1))


def read(folder: Path) -> dict[str, Image]:
    def blob(digest: str) -> Path:
        return folder / digest.partition(":")[2]

    images: dict[str, Image] = {}
    for name, digest in json.loads((folder / "index.json").read_text()).items():
        manifest = blob(digest).read_bytes()
        content = json.loads(manifest)
        parts = [content["config"], *content["layers"]]
        images[name] = Image(name, manifest, tuple(blob(part["digest"]) for part in parts))
    return images
