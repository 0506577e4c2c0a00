"""The build of an image from a Dockerfile, by buildah in a pod without privileges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Sequence

from ..api import Object
from ..run import pipelinerun
from .spec import BUILD, DIGEST, USER, BuildSpec
from .syntax import Need, shown

# Where buildah works, a volume: since 1.44 it lays an overlay over the source, and the kernel refuses to write one that
# lies on a container's own. Storage stays vfs, for which neither the kernel nor the folder matters.
_STORAGE = "/var/lib/containers"
# One step, so that its log is one log.
_SCRIPT = """\
set -e
source=$1 image=$2 dockerfile=$3 plain=$4 auth=$5 needs=$6
shift 6
step=prepare
number() {
  rest=${1#*.}
  echo $((${1%%.*} * 1000 + ${rest%%[!0-9]*}))
}
outdated() {
  have=$(buildah --version) have=${have#*version } have=${have%% *}
  case $have in [0-9]*.[0-9]*) ;; *) return ;; esac
  printf '%s\n' "$needs" | while read -r version what; do
    [ -z "$what" ] || [ "$(number "$have")" -ge "$(number "$version")" ] ||
      echo "build: the Dockerfile has $what, for which buildah $version is needed; the builder image has $have:" \
        "give a newer one with Space(builder_image=…)"
  done
}
trap 'code=$?
[ $code -eq 0 ] || echo "build: step $step failed with exit code $code"
[ $code -eq 0 ] || [ $step != build ] || outdated' EXIT
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot TMPDIR=/var/lib/containers/tmp
mkdir -p "$TMPDIR"
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
user=$(buildah --storage-driver vfs inspect --type image --format '{{.OCIv1.Config.User}}' kf-build)
printf '%s' "${user:-root}" > "$KF_RESULTS/user"
cat /tmp/digest > "$KF_RESULTS/digest"
"""


@dataclass(frozen=True)
class Dockerfile:
    """The file's path in the source, the stage to stop at, the values of its ARGs, and the image that has buildah.

    `needs` is what stands in the file that only newer ones know: said when a build fails with an older one.
    """

    builder_image: str
    path: str = "Dockerfile"
    target: Optional[str] = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    needs: Sequence[Need] = ()

    @property
    def decides(self) -> Dict[str, Any]:
        """What decides about a new build."""
        return {"dockerfile": self.path, "target": self.target or "", "build_args": dict(self.build_args)}

    def render(self, spec: BuildSpec) -> Object:
        """The PipelineRun of a build, without what differs from run to run."""
        flags = ["--target", self.target] if self.target else []
        for name, value in sorted(self.build_args.items()):
            flags += ["--build-arg", f"{name}={value}"]
        source = f"{spec.repository}@{spec.artifact.digest}"
        needs = "\n".join(f"{shown(need.version)} {need}" for need in self.needs)
        arguments = [source, spec.tag, self.path, spec.plain_host, spec.auth("auth.json"), needs, *flags]
        manifest = spec.render(
            self.builder_image,
            ["/bin/sh", "-c", _SCRIPT, BUILD, *arguments],
            [DIGEST, USER],
            auth="auth.json",
            volumes=[{"name": "kf-storage", "emptyDir": {}}],
            mounts=[{"name": "kf-storage", "mountPath": _STORAGE}],
        )
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
