"""The build of an App's image: a run like that of a task, which nothing that lists or keeps tasks counts.

It carries the name `<app>.build`, which no App can have, and the component `build`. Its key is made
from the digest of the source and from what its recipe says about the build.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Protocol, Sequence

from .. import marks
from ..api import Object
from ..naming import build_of, digest
from ..run import pipelinerun
from ..run.pipelinerun import Resources, TaskSpec
from . import syntax

BUILD = "build"
TASK = "image"
KEEP = 5  # Kf's default
DIGEST, USER = "digest", "user"  # what a build tells of its image
LISTED = 2000
LARGEST, LEFT_OUT = 3, 10  # how many files are named
_AUTH, _SECRET = "/kf/registry", "kf-registry"  # where the credentials are mounted, and their volume
_PUSHED = re.compile("(.+/.+):build-[0-9a-f]+")  # the tag of a BuildSpec
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Artifact:
    """A source as the registry keeps it: one uncompressed layer, so that its name follows from the tree alone."""

    tree: str
    size: int

    @property
    def config(self) -> bytes:
        """The artifact's configuration, that of an image: buildah fetches it as one."""
        layers = {"type": "layers", "diff_ids": [self.tree]}
        return _encoded({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": layers})

    @property
    def layer(self) -> Dict[str, Any]:
        """The descriptor of the archive."""
        return {"mediaType": _LAYER, "digest": self.tree, "size": self.size}

    @property
    def manifest(self) -> bytes:
        """The artifact's manifest."""
        config = {"mediaType": _CONFIG, "digest": _named(self.config), "size": len(self.config)}
        return _encoded({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [self.layer]})

    @property
    def digest(self) -> str:
        """The digest of the manifest, by which it is pulled."""
        return _named(self.manifest)

    @property
    def tag(self) -> str:
        """A tag that keeps it from the registry's garbage collection."""
        return f"source-{self.tree.partition(':')[2][:16]}"


@dataclass(frozen=True)
class Upload:
    """What is sent before a build starts: the archive of `folder`, whose digest is `tree`, as an artifact."""

    folder: str
    registry: str
    repository: str  # without what the registry's address has before it
    tree: str
    size: int  # bytes
    secret: Optional[str] = None  # the name of a Secret with credentials for the registry
    ignore: Sequence[str] = ()  # lines on top of those of the folder's .kfignore
    contents: Mapping[str, Any] = field(default_factory=dict)  # what a preview tells of it

    @classmethod
    def of(cls, props: Mapping[str, Any]) -> Upload:
        """From a Run's input; a state has whole numbers as floats."""
        return cls(**{**props, "size": int(props["size"])})

    @property
    def artifact(self) -> Artifact:
        """The archive as the registry keeps it."""
        return Artifact(self.tree, self.size)


class Recipe(Protocol):
    """How a source becomes an image: by a Dockerfile or by buildpacks."""

    @property
    def decides(self) -> Mapping[str, Any]:
        """What decides about a new build, beside the source and its repository."""

    def render(self, spec: BuildSpec) -> Object:
        """The PipelineRun of the build, without what differs from run to run."""


@dataclass(frozen=True)
class BuildSpec:
    """What a build is made from; `repository` is a whole name (`registry/team/shop`), `plain_host` one without TLS."""

    namespace: str
    app: str
    stack: str
    recipe: Recipe
    artifact: Artifact
    repository: str
    resources: Resources
    timeout: str
    service_account: str
    plain_host: str = ""
    secret: Optional[str] = None
    pod_template: Mapping[str, Any] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """The name that the image is pushed by, another one for each build."""
        return f"{self.repository}:build-{digest(self.definition({})[BUILD])}"

    def definition(self, files: Mapping[str, str]) -> Dict[str, Any]:
        """What decides about a new build, and the files that a preview compares."""
        decides = {"source": self.artifact.tree, "repository": self.repository, **self.recipe.decides}
        return {BUILD: decides, "files": dict(files)}

    def auth(self, name: str) -> str:
        """Where the credentials of the registry are in a step, as the file `name`; empty if there are none."""
        return f"{_AUTH}/{name}" if self.secret else ""

    def render(
        self, image: str, argv: Sequence[str], results: Sequence[str], auth: str,
        volumes: Sequence[Mapping[str, Any]] = (), mounts: Sequence[Mapping[str, Any]] = (),
    ) -> Object:  # fmt: skip
        """A PipelineRun with one step, which has the credentials as the file `auth`."""
        items = [{"key": ".dockerconfigjson", "path": auth}]
        secret = [{"name": _SECRET, "secret": {"secretName": self.secret, "items": items}}] if self.secret else []
        mounted = [{"name": _SECRET, "mountPath": _AUTH, "readOnly": True}] if self.secret else []
        manifest = pipelinerun.render(
            TaskSpec(
                namespace=self.namespace,
                app=build_of(self.app),
                task=TASK,
                stack=self.stack,
                image=image,
                argv=argv,
                env=[],
                resources=self.resources,
                timeout=self.timeout,
                service_account=self.service_account,
                results=results,
                node_selector=self.node_selector,
                volumes=[*secret, *volumes],
                volume_mounts=[*mounted, *mounts],
                pod_template=self.pod_template,
            )
        )
        manifest["metadata"]["labels"][marks.COMPONENT] = BUILD
        return manifest


@dataclass(frozen=True)
class Destination:
    """Where a build pushes to, as its template tells it: a whole name without its tag, and the Secret for it."""

    repository: str
    plain: bool
    secret: Optional[str]

    @classmethod
    def of(cls, manifest: Object) -> Optional[Destination]:
        """That of a template's PipelineRun; None of what is no build of ours."""
        steps = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"]
        words = [str(word) for step in steps for word in step.get("args") or ()]
        pushed = next((found[1] for found in map(_PUSHED.fullmatch, words) if found), None)
        if pushed is None:
            return None
        secrets = {volume: name for (volume, _), (name, _) in pipelinerun.secret_volumes(manifest).items()}
        return cls(pushed, pushed.partition("/")[0] in words, secrets.get(_SECRET))


def explain(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why a build happens: `source changed: ~app.py, +new.py; target changed: '' → 'slim'`."""
    before, after = old.get(BUILD) or {}, new[BUILD]
    changes = []
    for part in sorted(after, key=lambda part: (part != "source", part)):  # the engine keeps no order
        was, now = before.get(part), after[part]
        if was == now or not (was or now):  # what the other way to build does not know counts as empty
            continue
        if part == "source":
            changes.append(f"source changed: {compare(old.get('files') or {}, new['files']) or 'its files'}")
        else:
            changes.append(f"{part} changed: {before.get(part, '')!r} → {now!r}")
    return "; ".join(changes)


def contents(sizes: Mapping[str, int], secret: Sequence[str]) -> Dict[str, Any]:
    """Of a source what a reviewer wants to know: how much it is, its largest files, and what stays out for secrets."""
    largest = sorted(sizes.items(), key=lambda file: (-file[1], file[0]))[:LARGEST]
    return {
        "files": len(sizes),
        "bytes": sum(sizes.values()),
        "largest": [{"path": path, "bytes": size} for path, size in largest],
        "left_out": list(secret[:LEFT_OUT]),
        "more_left_out": max(len(secret) - LEFT_OUT, 0),
    }


def sent(contents: Mapping[str, Any]) -> List[str]:
    """What is sent for a build, and what is not, as lines; none where an earlier version did not tell."""
    if not contents:
        return []
    count = int(contents["files"])
    largest = ", ".join(f"{one['path']} ({amount(one['bytes'])})" for one in contents["largest"])
    lines = [f"sends {count} file{'' if count == 1 else 's'}, {amount(contents['bytes'])}; the largest: {largest}"]
    names = list(contents["left_out"])
    if names:
        more = f" and {int(contents['more_left_out'])} more" if contents["more_left_out"] else ""
        advice = f"a line '!{names[0]}' in .kfignore takes it in"
        lines.append(f"left out, as they may hold secrets: {', '.join(names)}{more} ({advice})")
    return [*lines, *syntax.notice(contents)]


def amount(size: float) -> str:
    """A number of bytes for people: `812 bytes`, `1.2 kB`, `3.4 MB`."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{int(size)} byte{'' if size == 1 else 's'}"


def listing(files: Mapping[str, str], limit: int = LISTED) -> Dict[str, str]:
    """The digests of files to keep in the state: of folders, `src/`, where there are more than `limit` files."""
    depth = max((path.count("/") for path in files), default=0)
    found = dict(files)
    while len(found) > limit and depth > 0:
        groups: Dict[str, List[str]] = {}
        for path in sorted(files):
            parts = path.split("/")
            name = path if len(parts) <= depth else "/".join(parts[:depth]) + "/"
            groups.setdefault(name, []).append(f"{path}\0{files[path]}")
        found = {
            name: files[name] if not name.endswith("/") else hashlib.sha256("\0".join(lines).encode()).hexdigest()[:12]
            for name, lines in groups.items()
        }
        depth -= 1
    return found if len(found) <= limit else {"": hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:12]}


def compare(old: Mapping[str, str], new: Mapping[str, str], shown: int = 10) -> str:
    """Which files differ: `+new.py, -old.py, ~changed.py and 3 more`; nothing where the lists are not alike."""
    marks = [("+", path) for path in new.keys() - old.keys()] + [("-", path) for path in old.keys() - new.keys()]
    marks += [("~", path) for path in old.keys() & new.keys() if old[path] != new[path]]
    names = [f"{mark}{path or 'many files'}" for mark, path in sorted(marks, key=lambda found: found[1])]
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _encoded(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _named(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
