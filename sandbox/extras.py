"""The images of the examples' servers and of the clients in their tasks, apart from what a cluster needs.

Mailpit and the Versity S3 gateway are built of Go by `make extras`, which takes minutes; PostgreSQL and the clients
are packed from Debian's files and wheels in seconds, whenever somebody asks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox import images, layers, packages, roots, toolchain, tools
from sandbox.cache import Cache, key
from sandbox.images import Image, Recipe
from sandbox.layers import Root
from sandbox.places import CHECKOUT
from sandbox.steps import Failure, Steps, run
from sandbox.tools import Tool

REQUIREMENTS = CHECKOUT / "examples/clients/requirements.txt"
ENTRYPOINT = Path(__file__).parent / "postgres.sh"
DEBIAN = ("ca-certificates", "curl", "postgresql", "tzdata")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ZONES = (Path("/usr/share/zoneinfo/UTC"), Path("/usr/share/zoneinfo/Etc/UTC"))
USERS = "postgres:x:999:999:postgres:/tmp:/bin/sh\napp:x:1000:1000:app:/tmp:/bin/sh\n"
SOURCES = (*(Path(__file__).parent / name for name in (*images.SOURCES, "extras.py")), ENTRYPOINT)


@dataclass(frozen=True)
class Extra:
    """An image: the name under which it is pushed, and how it is packed from the folder of what was made for it."""

    name: str
    recipe: Callable[[Path], Recipe]
    tool: Tool | None = None


class Extras:
    """Builds, packs and finds the images in the cache."""

    def __init__(self, cache: Cache, environ: Mapping[str, str], steps: Steps) -> None:
        self.cache, self.environ, self.steps = cache, environ, steps

    def build(self) -> None:
        """The servers of Go, where the cache has none."""
        for tool in (one for one in tools.SERVERS if not self._entry(one).is_dir()):
            with self.cache.lock("build", self.steps):
                make = toolchain.maker(tool, self.environ, self.steps)
                self.cache.fill(tool.name, self._key(tool), make)

    def missing(self, names: Iterable[str] = ()) -> list[str]:
        """What the images of these names (of all) need, and is not built."""
        wanted = [EXTRAS[name].tool for name in names or EXTRAS]
        return [tool.title for tool in wanted if tool and not self._entry(tool).is_dir()]

    def program(self, tool: Tool) -> Path | None:
        """A server's program, if it is built; what it is built for is known to Go alone."""
        try:
            found = self._entry(tool) / next(iter(tool.packages))
        except Failure:
            return None
        return found if found.exists() else None

    def pack(self, names: Iterable[str] = ()) -> dict[str, Image]:
        """The images of these names (all), whose servers are built: packed where the cache has none."""
        packages.ensure(self.steps, self.cache.folder / "packages.log", self.environ, DEBIAN)
        return {name: self._packed(EXTRAS[name]) for name in names or EXTRAS}

    def packed(self) -> dict[str, Image]:
        """Those that the cache has: nothing is built, fetched or installed."""
        if packages.missing(DEBIAN):
            return {}
        entries = {name: self.cache.entry(*self._place(extra)) for name, extra in EXTRAS.items()}
        return {name: images.read(entry)[EXTRAS[name].name] for name, entry in entries.items() if entry.is_dir()}

    def _packed(self, extra: Extra) -> Image:
        with self.cache.lock("extras", self.steps):
            if extra.recipe is _clients:
                self._fetch()
            files = self._files(extra)
            entry = self.cache.fill(
                *self._place(extra), lambda folder: images.write({extra.name: extra.recipe(files)}, folder)
            )
        return images.read(entry)[extra.name]

    def _place(self, extra: Extra) -> tuple[str, str]:
        """Name and key of an image in the cache."""
        sources = [path.read_bytes() for path in SOURCES]
        inputs: list[str | bytes] = [*sources, extra.name, self._files(extra).name, _versions(), layers.architecture()]
        return f"image-{extra.name.partition(':')[0]}", key(inputs)

    def _files(self, extra: Extra) -> Path:
        """The folder of what an image is packed from, beside Debian's files."""
        if extra.tool:
            return self._entry(extra.tool)
        return self.cache.entry("clients", _clients_key()) if extra.recipe is _clients else Path()

    def _key(self, tool: Tool) -> str:
        return tools.key(tool, toolchain.go_version(self.environ))

    def _entry(self, tool: Tool) -> Path:
        return self.cache.entry(tool.name, self._key(tool))

    def _fetch(self) -> None:
        """The packages of the clients, for Debian's Python."""
        version = roots.interpreter().name.removeprefix("python")
        wanted = ["--only-binary=:all:", "--python-version", version, "--requirement", str(REQUIREMENTS)]

        def make(folder: Path) -> None:
            command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
            log = self.cache.folder / "packages.log"
            what = "fetching the packages of the examples' clients"
            self.steps.watch(what, [*command, "--upgrade", "--target", str(folder), *wanted], folder, self.environ, log)

        self.cache.fill("clients", _clients_key(), make)


def _clients_key() -> str:
    return key([roots.interpreter().name, REQUIREMENTS.read_bytes()])


def _versions() -> str:
    names = ["busybox-static", "libc6", *DEBIAN, *roots.python_packages()]
    return run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names])


def _postgres(_: Path) -> Recipe:
    """PostgreSQL, which takes the variables and the folder of the official image."""
    programs, root = _database(), roots.busybox()
    _add(root, *(programs / name for name in ("initdb", "pg_ctl", "pg_isready", "postgres", "psql")))
    _add(root, *(programs.parent / "lib" / f"{name}.so" for name in ("plpgsql", "dict_snowball")))
    shared = [it for it in Path(f"/usr/share/postgresql/{programs.parent.name}").rglob("*") if it.is_file()]
    for path in [*shared, *(zone.resolve() for zone in ZONES)]:
        root.files[roots.inside(path)] = path
    root.texts["etc/passwd"] += USERS
    root.texts["usr/local/bin/docker-entrypoint.sh"] = ENTRYPOINT.read_text()
    root.folders["var/lib/postgresql/data"] = 0o777
    env = [f"PATH={programs}:{layers.SEARCH}", "PGDATA=/var/lib/postgresql/data"]
    return Recipe(lambda: root, {"Entrypoint": ["/bin/sh", "/usr/local/bin/docker-entrypoint.sh"], "Env": env})


def _clients(wheels: Path) -> Recipe:
    """What the Dockerfile of `examples/clients` makes: Python's packages, PostgreSQL's programs for clients, curl."""
    programs, root = _database(), roots.python()
    _add(root, *(programs / name for name in ("pg_dump", "pg_isready", "pg_restore", "psql")), Path("/usr/bin/curl"))
    files = [path for path in wheels.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    root.files |= {f"opt/python/{path.relative_to(wheels)}": path for path in files}
    linked = roots.libraries(path for path in files if path.suffix == ".so")
    for path in [CERTIFICATES, *(it for it in linked if not it.is_relative_to(wheels))]:
        root.files[roots.inside(path)] = path
    root.texts["etc/passwd"] += USERS
    env = [f"PATH={programs}:{layers.SEARCH}", "PYTHONPATH=/opt/python"]
    return Recipe(lambda: root, {"Cmd": ["python3"], "Env": env})


def _server(binary: str) -> Callable[[Path], Recipe]:
    """One program of Go, beside a shell."""

    def recipe(files: Path) -> Recipe:
        root = roots.busybox()
        root.files[f"usr/local/bin/{binary}"] = files / "bin" / binary
        return Recipe(lambda: root, {"Entrypoint": [f"/usr/local/bin/{binary}"], "Env": [f"PATH={layers.SEARCH}"]})

    return recipe


EXTRAS = {
    "postgres": Extra("postgres:15", _postgres),
    "clients": Extra("clients:1", _clients),
    "mailpit": Extra(f"mailpit:v{tools.MAIL}", _server("mailpit"), tools.MAILPIT),
    "versitygw": Extra(f"versitygw:v{tools.STORE}", _server("versitygw"), tools.VERSITYGW),
}


def _database() -> Path:
    """The folder of PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise Failure("PostgreSQL is missing: install the package postgresql.")
    return found[-1].parent


def _add(root: Root, *programs: Path) -> None:
    """Programs with the libraries that they are linked to."""
    for path in [*programs, *roots.libraries(programs)]:
        root.files[roots.inside(path)] = path
