"""The source of an App: a folder that becomes an image, and what is said about how."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any

import pulumi
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine

from ..core import naming, quantities
from ..core.build import buildpacks, syntax
from ..core.build.buildpacks import Buildpacks
from ..core.build.dockerfile import Dockerfile
from ..core.build.spec import Recipe
from ..core.build.syntax import Need
from ..core.errors import InvalidInput
from ..core.run.pipelinerun import Resources
from ..core.source import tree
from ..registry import progress
from .arguments import of_record
from .inputs import Cores, Path, Size, Span
from .space import Space

DOCKERFILE = "Dockerfile"
LONGEST_DOCKERFILE = 1 << 20  # bytes that are looked at
LONGEST_APP = naming.DNS_LABEL - len(naming.BUILD)
_trees: weakref.WeakKeyDictionary[Space, dict[tuple[str, ...], tree.Tree]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Source:
    """A folder that becomes an image; it is built when its files, or what is said here about the build, change.

    - `path`: the folder, relative to the program's. `.kfignore`, else `.cfignore`, says what is left out, in the
      syntax of .gitignore, and `.dockerignore` in Docker's; `ignore`: more lines like those of `.kfignore`. Files
      that are known to hold secrets (`.env`, `id_rsa`, private keys …) stay out until a line with `!` names them,
      and so does what Pulumi keeps there. Links are carried as links, modes as git keeps them, empty folders not
      at all, but for those that a .gitignore keeps.
    - `dockerfile`: its path in the folder; `target`: the stage to stop at; `build_args`: values of its ARGs,
      which everybody can read.
    - `builder`, in place of a Dockerfile: a builder image of Cloud Native Buildpacks, best with a digest.
      `build_args` are then the variables that its buildpacks see. `buildpacks`: the ids (or "id@version") of those
      to use, in order, in place of what the builder would choose from. `run_image`: what the new image stands on,
      in place of the builder's own choice. `builder_user`: the user id of a builder whose image has only a name.
    - `memory`, `disk` (request and limit), `cpu` (request), `timeout`: of the build.
    """

    path: Path
    dockerfile: Path | None = None
    target: str | None = None
    build_args: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    builder: str | None = None
    run_image: str | None = None
    buildpacks: Sequence[str] = ()
    builder_user: int | None = None
    ignore: Sequence[str] = ()
    memory: Size = "1Gi"
    disk: Size = "4Gi"
    cpu: Cores = "100m"
    timeout: Span = "1h"

    def __post_init__(self) -> None:
        of_record(self, "Source")
        for name in ("path", "dockerfile"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, os.fspath(getattr(self, name)))


def as_source(owner: str, image: Any, source: Path | Source | None, resolve_tag: bool = False) -> Source | None:
    """The source of an App that has one; it has either that or an image."""
    if (image is None) == (source is None):
        wrong = "has no image" if image is None else "has both an image and a source"
        raise InvalidInput(f"{owner} {wrong}: give it image='registry/name@sha256:…' or source='./folder', one of them")
    if source is not None and resolve_tag:
        raise InvalidInput(f"{owner}: an image that is built has its digest already: leave resolve_tag out")
    found = source if source is None or isinstance(source, Source) else Source(source)
    if found:
        _check(f"source of {owner}", found)
    return found


def _check(what: str, source: Source) -> None:
    """Refuses what belongs to the other way to build."""
    of_dockerfile = [name for name in ("dockerfile", "target") if getattr(source, name) is not None]
    of_builder = [
        name for name in ("run_image", "buildpacks", "builder_user") if getattr(source, name) not in (None, (), [])
    ]
    if source.builder and of_dockerfile:
        raise InvalidInput(f"{what}: {of_dockerfile[0]} is about a Dockerfile, and builder is given: leave one out")
    if not source.builder and of_builder:
        raise InvalidInput(f"{what}: {of_builder[0]} needs builder='…', a builder image of Cloud Native Buildpacks")
    buildpacks.check(what, source.buildpacks)
    for name in source.build_args if source.builder else ():
        naming.check_env_name(f"{what}: build_args", name)


def needs(source: Source) -> list[Need]:
    """What stands in its Dockerfile that only newer builders know; none for buildpacks, and for what is no text."""
    path = Folder(source.path, source.dockerfile or DOCKERFILE)
    if source.builder or not path.is_file():  # a link in the tree may lead nowhere
        return []
    with path.open("rb") as file:
        return syntax.needs(file.read(LONGEST_DOCKERFILE).decode(errors="replace"))


def recipe(space: Space, source: Source, arguments: Mapping[str, str], found: Sequence[Need]) -> Recipe:
    """How a source becomes an image; `found` is what its Dockerfile needs."""
    if source.builder:
        return Buildpacks(
            source.builder, space.submitter_image, source.run_image or "", tuple(source.buildpacks), arguments,
            source.builder_user,
        )  # fmt: skip
    return Dockerfile(space.builder_image, os.fspath(source.dockerfile or DOCKERFILE), source.target, arguments, found)


def prepare(owner: str, name: str, space: Space, source: Source) -> tuple[tree.Tree, Resources, str]:
    """The tree of a source, and the amounts and the time limit of its build; raises InvalidInput for bad input."""
    if not space.registry or not (source.builder or space.builder_image):
        lacks = "registry='registry.example.com/team'" if not space.registry else "builder_image='…'"
        raise InvalidInput(f"{owner} is built from source, for which its Space needs {lacks}")
    if len(name) > LONGEST_APP:
        raise InvalidInput(
            f"{owner}: with a source its name may have {LONGEST_APP} characters, and it has {len(name)}: shorten it"
        )
    if space.pod_security == "restricted" and not source.builder:
        raise InvalidInput(
            f"{owner}: its Space enforces the restricted Pod Security level, in which nothing can be built (buildah "
            "needs root in its pod and three capabilities): use pod_security='baseline', Source(builder=…), or a ready "
            "image"
        )
    amounts = Resources(
        memory=quantities.size(source.memory, f"source of {owner}: memory"),
        disk=quantities.disk(source.disk, f"source of {owner}: disk"),
        cpu=quantities.cpu(source.cpu, f"source of {owner}: cpu"),
    )
    timeout = quantities.duration(source.timeout, f"source of {owner}: timeout")
    found = _read(space, os.fspath(source.path), tuple(source.ignore))
    if found.outside:
        pulumi.log.warn(
            f"{owner}: links that lead out of its source lead nowhere in the build: {', '.join(found.outside[:10])}: "
            "put files in their place, or ignore them in .kfignore"
        )
    dockerfile = source.dockerfile or DOCKERFILE
    if not source.builder and dockerfile not in found.files:
        raise InvalidInput(
            f"{owner}: source {source.path!r} has no {dockerfile}, or ignores it: add it, name another with "
            "Source(dockerfile=…), or let buildpacks build it with Source(builder=…)"
        )
    return found, amounts, timeout


def _read(space: Space, path: str, ignore: tuple[str, ...]) -> tree.Tree:
    """The tree of a folder; several Apps of one folder have it read once."""
    known, key = _trees.setdefault(space, {}), (path, *ignore)
    if key not in known:
        known[key] = tree.read(Folder(path), progress.hashing(path, _say), ignore)
    return known[key]


def _say(text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
    """Says a line while the program is busy: Pulumi's own `log` waits until the program waits for something."""
    engine = get_engine()
    if engine is not None:
        severity = engine_pb2.WARNING if warning else engine_pb2.INFO
        engine.Log(engine_pb2.LogRequest(severity=severity, message=text, urn="", ephemeral=ephemeral))
