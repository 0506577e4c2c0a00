"""The checks of `kf doctor`: each says what it found, and what to do where that is not right."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..core import api, marks, moments, rights
from ..core.run import pipelinerun
from ..core.run.pipelinerun import Resources, TaskSpec
from ..errors import ArchiveError, ClusterError, Denied, NotFound, Unreachable
from . import archives
from .target import TargetSpace
from .views import View

OK, WARNING, ERROR, UNKNOWN = "ok", "warning", "error", "unknown"
SKEW_SECONDS, PROGRAM_SECONDS = 60, 60
TEKTON = "tekton-pipelines"


@dataclass(frozen=True, kw_only=True)
class FindingView(View):
    """What a check of `kf doctor` found: `state` is ok, warning, error or unknown; `advice` is empty where it is ok."""

    about: str
    state: str
    found: str
    advice: str


def well(about: str, found: str) -> FindingView:
    """All is well."""
    return FindingView(about=about, state=OK, found=found, advice="")


def wrong(about: str, found: str, advice: str, state: str = ERROR) -> FindingView:
    """Something is not, by default what keeps tasks from running."""
    return FindingView(about=about, state=state, found=found, advice=advice)


def of_cluster(space: TargetSpace) -> list[FindingView]:
    """The cluster and the Space; what is not reached ends it, and a check that may not ask says so."""
    found: list[FindingView] = []
    for check in (_reach, _space, _tekton, _flags, _rights, _admission, _archive):
        about = check.__name__.strip("_")
        try:
            found += check(space)
        except Denied as error:
            found.append(wrong(about, f"not known: {error}", "ask for the permission", UNKNOWN))
        except Unreachable as error:
            return [*found, wrong(about, str(error), "choose a cluster that answers, or repeat later")]
        except ClusterError as error:
            found.append(wrong(about, str(error), "see the cluster's words"))
    return found


def of_project() -> list[FindingView]:
    """This kf, and the Pulumi project that this folder is in."""
    found = [well("kf", f"{__version__} on Python {platform.python_version()}")]
    folder = next((each for each in (Path.cwd(), *Path.cwd().parents) if (each / "Pulumi.yaml").exists()), None)
    if folder is None:
        return [*found, wrong("project", "no Pulumi.yaml here", "call it in the project's folder", UNKNOWN)]
    if not shutil.which("pulumi"):
        return [*found, wrong("pulumi", "is not on the PATH", "install Pulumi's CLI", WARNING)]
    return [*found, *_environment(folder), *_stack(folder)]


def _reach(space: TargetSpace) -> Iterator[FindingView]:
    answer = space.cluster.http.read("GET", "/version")
    said = space.cluster.http.decoded(answer)
    yield well("cluster", f"{space.cluster.http.host}, Kubernetes {said.get('gitVersion', 'of no known version')}")
    now = moments.of_header(answer.headers.get("Date"))
    skew = abs(moments.epoch(now) - moments.epoch(moments.now())) if now else 0
    if skew > SKEW_SECONDS:
        yield wrong("clock", f"here and the cluster are {skew} s apart", "set the clocks by NTP", WARNING)
    else:
        yield well("clock", "as the cluster's")


def _space(space: TargetSpace) -> Iterator[FindingView]:
    if space.cluster.namespace(space.name) is None:
        yield wrong("space", f"{space.name!r} is not in the cluster", "choose one with --space, or run pulumi up")
    else:
        yield well("space", space.name)


def _tekton(space: TargetSpace) -> Iterator[FindingView]:
    try:
        space.cluster.http.json("GET", "/apis/tekton.dev/v1")
    except NotFound:
        yield wrong("tekton", "Tekton Pipelines is not installed, or has no v1 API", "install Tekton Pipelines")
        return
    try:
        info = space.cluster.get(TEKTON, "configmaps", "pipelines-info")
        version = (info or {}).get("data", {}).get("version", "")
    except Denied:
        version = ""
    yield well("tekton", f"Pipelines {version}" if version else f"is there; its version may not be read in {TEKTON}")


def _flags(space: TargetSpace) -> Iterator[FindingView]:
    found = space.cluster.get(TEKTON, "configmaps", "feature-flags")
    if (found or {}).get("data", {}).get("set-security-context") == "true":
        yield well("flags", "set-security-context is on")
    else:
        yield wrong(
            "flags",
            "set-security-context is off: namespaces that enforce the restricted level refuse Tekton's pods",
            f'set set-security-context: "true" in the ConfigMap feature-flags of {TEKTON}',
            WARNING,
        )


def _rights(space: TargetSpace) -> Iterator[FindingView]:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": space.name},
    }
    said = space.cluster.http.json("POST", api.REVIEWS, body=review)["status"]
    lacking = rights.lacking(said.get("resourceRules") or [])
    state = UNKNOWN if said.get("incomplete") else ERROR
    for right, needed_for in lacking:
        what = f"may not {right}" + (f", needed for {needed_for}" if needed_for else "")
        yield wrong("rights", what, "kubectl apply -f rbac/role.yaml", WARNING if needed_for else state)
    if not lacking:
        yield well("rights", f"all that is needed in {space.name}")


def _admission(space: TargetSpace) -> Iterator[FindingView]:
    """Whether a run would be admitted: Tekton's webhook answers, and no other refuses it."""
    spec = TaskSpec(
        namespace=space.name, app="kf-doctor", task="kf-doctor", stack="kf.doctor", image="busybox", argv=["true"],
        env=[], resources=Resources("64Mi", "64Mi", "10m"),
    )  # fmt: skip
    run = pipelinerun.instantiate(
        pipelinerun.render(spec), name="kf-doctor", key="doctor", task_id=1, attempt=1, started_by="kf doctor"
    )
    try:
        space.cluster.create_run(run, dry_run=True)
        yield well("webhook", "admits a run")
    except (Denied, NotFound):
        yield wrong("webhook", "not asked: no run may be made here", "see rights, space and tekton", UNKNOWN)
    except ClusterError as error:
        yield wrong("webhook", f"a run is not admitted: {error}", "see what refuses it, or repeat when it answers")


def _archive(space: TargetSpace) -> Iterator[FindingView]:
    from ..log.archive import Archive

    space.cluster.config_maps(space.name, marks.TEMPLATE)  # who may not read where it is declared does not know
    url = archives.url_of(space, None)
    if not url:
        yield well("archive", "none is declared")
        return
    try:
        Archive.of(url).check()
        yield well("archive", f"{url} can be written")
    except ArchiveError as error:
        yield wrong("archive", str(error), "give the credentials by the environment, as for pulumi", WARNING)


def _environment(folder: Path) -> Iterator[FindingView]:
    """Whether the project's own Python has this kf_tasks."""
    names = [os.environ.get("VIRTUAL_ENV", ""), str(folder / "venv"), str(folder / ".venv")]
    python = next((path for path in (Path(name) / "bin" / "python" for name in names if name) if path.exists()), None)
    if python is None:
        yield wrong("environment", f"{folder} has no virtual environment", "python3 -m venv .venv there", WARNING)
        return
    said = _asked([str(python), "-c", "import kf_tasks; print(kf_tasks.__version__)"], folder)
    if said is None:
        yield wrong("environment", f"{python} has no kf_tasks", f"{python} -m pip install kf-tasks")
    elif said.strip() != __version__:
        yield wrong(
            "environment", f"{python} has kf_tasks {said.strip()}", f"use one version: kf is {__version__}", WARNING
        )
    else:
        yield well("environment", str(python))


def _stack(folder: Path) -> Iterator[FindingView]:
    """Whether the stack's last update ended: what it left unfinished nobody knows."""
    text = _asked(["pulumi", "stack", "export"], folder)
    if text is None:
        yield wrong("stack", "cannot be read", "pulumi stack select, pulumi login", UNKNOWN)
        return
    state: dict[str, Any] = json.loads(text).get("deployment") or {}
    pending = state.get("pending_operations") or []
    if pending:
        advice = "pulumi refresh --clear-pending-creates when nothing runs any more"
        yield wrong("stack", f"{len(pending)} operations of an update that was ended are pending", advice, WARNING)
    else:
        yield well("stack", f"{len(state.get('resources') or [])} resources, nothing is pending")


def _asked(command: list[str], folder: Path) -> str | None:
    """What a program says on stdout; None if it fails or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROGRAM_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
