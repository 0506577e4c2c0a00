"""The build of an image by Cloud Native Buildpacks: their lifecycle's `creator`, in a pod of the restricted level.

A first step fetches the source, the second one is the builder image's own. Both share one log, that of the
second, and its exit codes are the lifecycle's (https://github.com/buildpacks/spec/blob/main/platform.md#creator).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence

from ..api import Object
from ..errors import InvalidInput
from ..pods import security
from ..run import pipelinerun
from ..run.command import carry
from .spec import BUILD, DIGEST, BuildSpec

PROCESSES = "processes"
# Not the usual /workspace: Tekton mounts a folder of its own there, in every step, and would hide the app from tasks.
_SOURCE, _APP, _LAYERS = "/kf/source", "/app", "/layers"
_LATEST = "buildpacks"  # the tag whose layers the next build takes what it can from
_FETCH_MEMORY = "256Mi"
_NAME = re.compile(r"[A-Za-z0-9._/-]+(@[A-Za-z0-9.+_-]+)?", re.ASCII)
# Platform API 0.12 is that of lifecycle 0.17 and later ones; registries without TLS need 0.13.
_SCRIPT = """\
set -e
image=$1 latest=$2 run_image=$3 plain=$4 auth=$5 source=/kf/source
shift 5
step=fetch
trap 'code=$?; [ $code -eq 0 ] || echo "build: step $step failed with exit code $code"' EXIT
cat "$source/log"
status=$(cat "$source/status")
[ "$status" = 0 ] || exit "$status"
step=prepare
cp -RP "$source/app/." /app
mkdir -p "$source/platform/env"
printf '[[order]]\\n' > "$source/order.toml"
chosen=
while [ "$1" != -- ]; do
  id=${1%@*} version=
  folder=${CNB_BUILDPACKS_DIR:-/cnb/buildpacks}/$(printf %s "$id" | tr / _)
  case $1 in
    *@*) version=${1#*@} ;;
    *) for found in "$folder"/*; do version=${found##*/}; done
      [ "$folder/$version" = "$(echo "$folder"/*)" ] || version= ;;
  esac
  if [ ! -d "$folder/$version" ] || [ -z "$version" ]; then
    echo "the builder has no buildpack $1, or several versions of it: name it as ID@VERSION; it has"
    for found in "${folder%/*}"/*/*; do
      version=${found##*/} found=${found%/*}
      echo "  $(printf %s "${found##*/}" | tr _ /)@$version"
    done
    exit 1
  fi
  printf '[[order.group]]\\nid = "%s"\\nversion = "%s"\\n' "$id" "$version" >> "$source/order.toml"
  chosen=$source/order.toml
  shift
done
shift
for variable; do
  printf %s "${variable#*=}" > "$source/platform/env/${variable%%=*}"
done
export CNB_PLATFORM_API=0.12
[ -z "$auth" ] || export DOCKER_CONFIG="${auth%/*}"
[ -z "$plain" ] || export CNB_PLATFORM_API=0.13 CNB_INSECURE_REGISTRIES="$plain"
step=create
/cnb/lifecycle/creator -app /app -layers /layers -platform "$source/platform" -report "$source/report.toml" \\
  -previous-image "$latest" -tag "$latest" ${chosen:+-order "$chosen"} ${run_image:+-run-image "$run_image"} \\
  "$image" || {
  code=$?
  case $code in 2?) step=detect ;; 3?) step=analyze ;; 4?) step=restore ;; 5?) step=build ;; 6?) step=export ;; esac
  exit $code
}
step=report
table= types= default=
while read -r key _ value; do
  value=${value#\\"} value=${value%\\"}
  case $key in
    \\[*) table=$key ;;
    type) [ "$table" != '[[processes]]' ] || types=$types${types:+,}\\"$value\\" ;;
    buildpack-default-process-type) default=$value ;;
  esac
done < /layers/config/metadata.toml
printf '{"default":"%s","types":[%s]}' "$default" "$types" > "$KF_RESULTS/processes"
while read -r key _ value; do
  value=${value#\\"}
  [ "$key" != digest ] || printf %s "${value%\\"}" > "$KF_RESULTS/digest"
done < "$source/report.toml"
"""


@dataclass(frozen=True)
class Buildpacks:
    """The builder image, and what it is told.

    `run_image` is what the new image stands on (empty: the builder's own choice); `buildpacks` (`id` or
    `id@version`, in order) are used in place of those that the builder would choose from; `env` are the
    variables that they see. `fetch_image` has Python. `user` is the builder's user id, None for what its image says.
    """

    builder: str
    fetch_image: str
    run_image: str = ""
    buildpacks: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: Optional[int] = None

    @property
    def decides(self) -> Dict[str, Any]:
        """What decides about a new build."""
        return {
            "builder": self.builder, "run_image": self.run_image, "buildpacks": list(self.buildpacks),
            "build_env": dict(self.env),
        }  # fmt: skip

    def render(self, spec: BuildSpec) -> Object:
        """The PipelineRun of a build, without what differs from run to run."""
        auth = spec.auth("config.json")
        arguments = [
            spec.tag, f"{spec.repository}:{_LATEST}", self.run_image, spec.plain_host, auth, *self.buildpacks, "--",
            *(f"{name}={value}" for name, value in sorted(self.env.items())),
        ]  # fmt: skip
        places = {"kf-source": _SOURCE, "kf-app": _APP, "kf-layers": _LAYERS}
        manifest = spec.render(
            self.builder,
            ["/bin/sh", "-c", _SCRIPT, BUILD, *arguments],
            [DIGEST, PROCESSES],
            auth="config.json",
            volumes=[{"name": name, "emptyDir": {}} for name in places],
            mounts=[{"name": name, "mountPath": place} for name, place in places.items()],
        )
        # Without a user of ours, the builder image's own counts: only it may write what its buildpacks need.
        context = {name: value for name, value in security.POD.items() if name != "runAsUser"}
        manifest["spec"]["taskRunTemplate"]["podTemplate"]["securityContext"] = context
        step = pipelinerun.step_of(manifest)
        if self.user is not None:
            step["securityContext"]["runAsUser"] = self.user
        manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"].insert(0, self._fetch(spec, step, auth))
        return manifest

    def _fetch(self, spec: BuildSpec, step: Object, auth: str) -> Object:
        host, _, repository = spec.repository.partition("/")
        scheme = "http" if spec.plain_host else "https"
        place = "registry-1.docker.io" if host == "docker.io" else host
        arguments = [f"{scheme}://{place}", repository, spec.artifact.tree, _SOURCE, auth]
        limits = {"memory": _FETCH_MEMORY, "ephemeral-storage": spec.resources.disk}
        return {
            "name": "fetch",
            "image": self.fetch_image,
            "command": ["python3"],
            "args": ["-c", carry(_program()), *arguments],
            "computeResources": {"requests": {"cpu": "10m", **limits}, "limits": limits},
            "securityContext": {**security.STEP, "runAsUser": security.POD["runAsUser"]},
            "volumeMounts": list(step["volumeMounts"]),
        }


def check(owner: str, buildpacks: Sequence[str]) -> None:
    """Refuses what names no buildpack of a builder."""
    for name in buildpacks:
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                f"{owner}: {name!r} is no buildpack of a builder image: name those by their id, such as "
                "'paketo-buildpacks/python' or 'paketo-buildpacks/python@2.24.3'"
            )


def _program() -> str:
    return Path(__file__).with_name("fetch.py").read_text("utf-8")
