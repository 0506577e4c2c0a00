"""The build of an App's image: a run like that of a task, which nothing that lists or keeps tasks counts.

It carries the name `<app>.build`, which no App can have, and the component `build`. Its key is made
from the digest of the source and from what tells buildah how to build it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional

from . import pipelinerun
from .naming import digest
from .pipelinerun import Manifest, Resources, TaskSpec

BUILD = "build"
TASK = "image"
ENDING = f".{BUILD}"
KEEP = 5  # Kf's default
DIGEST = "digest"
LISTED = 2000
_AUTH = "/kf/registry"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# One step, so that its log is one log. vfs, because the kernel refuses overlay on a container's own overlay.
_SCRIPT = """\
set -e
source=$1 image=$2 dockerfile=$3 plain=$4 auth=$5
shift 5
step=prepare
trap 'code=$?; [ $code -eq 0 ] || echo "build: step $step failed with exit code $code"' EXIT
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
[ -z "$auth" ] || export REGISTRY_AUTH_FILE=$auth
if [ -n "$plain" ]; then
  mkdir -p /etc/containers/registries.conf.d
  printf '[[registry]]\\nlocation = "%s"\\ninsecure = true\\n' "$plain" > /etc/containers/registries.conf.d/99-kf.conf
fi
step=fetch
container=$(buildah --storage-driver vfs from --quiet "$source")
folder=$(buildah --storage-driver vfs mount "$container")/app
step=build
buildah --storage-driver vfs build --file "$folder/$dockerfile" --tag kf-build "$@" "$folder"
step=push
buildah --storage-driver vfs push --digestfile /tmp/digest kf-build "docker://$image"
cat /tmp/digest > "$KF_RESULTS/digest"
"""


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
class BuildSpec:
    """What a build is made from; `repository` is a whole name (`registry/team/shop`), `plain_host` one without TLS."""

    namespace: str
    app: str
    stack: str
    builder_image: str
    artifact: Artifact
    repository: str
    dockerfile: str
    resources: Resources
    timeout: str
    service_account: str
    plain_host: str = ""
    secret: Optional[str] = None
    target: Optional[str] = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    pod_template: Mapping[str, Any] = field(default_factory=dict)
    node_selector: Mapping[str, str] = field(default_factory=dict)

    def definition(self, files: Mapping[str, str]) -> Dict[str, Any]:
        """What decides about a new build, and the files that a preview compares."""
        decides = {
            "source": self.artifact.tree, "repository": self.repository, "dockerfile": self.dockerfile,
            "target": self.target or "", "build_args": dict(self.build_args),
        }  # fmt: skip
        return {BUILD: decides, "files": dict(files)}


def render(spec: BuildSpec) -> Manifest:
    """The PipelineRun of a build, without what differs from run to run."""
    auth = f"{_AUTH}/auth.json" if spec.secret else ""
    flags = ["--target", spec.target] if spec.target else []
    for name, value in sorted(spec.build_args.items()):
        flags += ["--build-arg", f"{name}={value}"]
    tag = f"{spec.repository}:build-{digest(spec.definition({})[BUILD])}"
    arguments = [f"{spec.repository}@{spec.artifact.digest}", tag, spec.dockerfile, spec.plain_host, auth, *flags]
    items = [{"key": ".dockerconfigjson", "path": "auth.json"}]
    volumes = [{"name": "kf-registry", "secret": {"secretName": spec.secret, "items": items}}] if spec.secret else []
    mounts = [{"name": "kf-registry", "mountPath": _AUTH, "readOnly": True}] if spec.secret else []
    manifest = pipelinerun.render(
        TaskSpec(
            namespace=spec.namespace,
            app=spec.app + ENDING,
            task=TASK,
            stack=spec.stack,
            image=spec.builder_image,
            argv=["/bin/sh", "-c", _SCRIPT, BUILD, *arguments],
            env=[],
            resources=spec.resources,
            timeout=spec.timeout,
            service_account=spec.service_account,
            results=[DIGEST],
            node_selector=spec.node_selector,
            volumes=volumes,
            volume_mounts=mounts,
            pod_template=spec.pod_template,
        )
    )
    manifest["metadata"]["labels"][pipelinerun.COMPONENT] = BUILD
    # The least that buildah can work with: root, to make a user namespace with the three capabilities that map ids
    # into it, and no seccomp profile, as the default one forbids unshare. It fits the level `baseline`.
    manifest["spec"]["taskRunTemplate"]["podTemplate"]["securityContext"] = {}
    pipelinerun.step_of(manifest)["securityContext"] = {
        "runAsUser": 0,
        "runAsNonRoot": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["SETUID", "SETGID", "SETFCAP"]},
    }
    return manifest


def words(app: str, task: str) -> str:
    """A task as messages name it, or a build."""
    if app.endswith(ENDING):
        return f"build of app {app[: -len(ENDING)]!r}"
    return f"task {task!r} of app {app!r}"


def explain(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why a build happens: `source changed: ~app.py, +new.py; target changed: '' -> 'slim'`."""
    before, after = old.get(BUILD) or {}, new[BUILD]
    changes = []
    for part in after:
        if before.get(part) == after[part]:
            continue
        if part == "source":
            changes.append(f"source changed: {compare(old.get('files') or {}, new['files']) or 'its files'}")
        else:
            changes.append(f"{part} changed: {before.get(part)!r} -> {after[part]!r}")
    return "; ".join(changes)


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
