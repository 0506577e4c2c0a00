"""The checks of `kf doctor` of the cluster, of the rights in it, and of what a Space needs and has there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import yaml

from ..core import advice, api, marks, moments, ownership, rights
from ..core.api import Object
from ..core.build.spec import BUILD, Destination
from ..core.run import pipelinerun
from ..core.run.pipelinerun import Resources, TaskSpec
from ..core.template import MANIFEST
from ..errors import ArchiveError, ClusterError, Denied, NotFound, Trouble, Unreachable
from . import archives
from .finding import ERROR, UNKNOWN, WARNING, FindingView, well, wrong
from .run_list import forgotten_of
from .sight import Asked
from .target import TargetSpace
from .views import FORGOTTEN

SKEW_SECONDS = 60
TEKTON = "tekton-pipelines"


def of_cluster(space: TargetSpace, state: Object, context: str | None) -> list[FindingView]:
    """The cluster, the Space, and the Apps of the stack with this `state`; empty for none.

    What is not reached ends it, and a check that may not ask says so. `context` is the kubeconfig's that is used.
    """
    checks: dict[str, Callable[[TargetSpace], Iterator[FindingView]]] = {
        "cluster": _reach, "space": _space, "tekton": _tekton, "flags": _flags, "rights": _rights,
        "webhook": _admission, "runs": _runs, "archive": _archive, "registry": _registry,
    }  # fmt: skip
    if state:
        checks["apps"] = partial(_apps, state=state, context=context)
    found: list[FindingView] = []
    for about, check in checks.items():
        try:
            found += check(space)
        except Denied as error:
            found.append(wrong(about, f"not known: {error}", "ask for the permission", UNKNOWN))
        except Unreachable as error:
            return [*found, wrong(about, str(error), "choose a cluster that answers, or repeat later")]
        except ClusterError as error:
            found.append(wrong(about, str(error), "see the cluster's words"))
    return found


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


def _runs(space: TargetSpace) -> Iterator[FindingView]:
    """Runs that go on though their pods have ended or are gone: who waits for one waits until somebody ends it."""
    try:
        going = [run for run in space.cluster.list_runs(space.name) if not run.finished]
    except NotFound:  # there is no Tekton, which is said already
        return
    sight = Asked(space)
    forgotten = forgotten_of(sight, going, sight.pods_of([run.name for run in going]), space.cluster.now)
    waited_for = [run for run in going if marks.OUTCOME not in run.annotations]  # else its follower has told its end
    found = [run for run in waited_for if run.name in forgotten]
    for run in found:
        yield wrong("runs", f"{run.name}: {FORGOTTEN}", advice.terminate(run.name, space.name), WARNING)
    if not found:
        yield well("runs", f"{len(going)} go on, none of them is forgotten" if going else "none goes on")


def _registry(space: TargetSpace) -> Iterator[FindingView]:
    """Where Apps are built to, as the templates of their builds tell it: each registry once for each Secret."""
    templates = space.cluster.config_maps(space.name, api.equal(marks.TEMPLATE, BUILD))
    places = {(each.repository.partition("/")[0], each.secret): each for each in map(_destination, templates) if each}
    for place in places.values():
        yield _asked(space, place)
    if not places:
        yield well("registry", "no App is built here")


def _asked(space: TargetSpace, place: Destination) -> FindingView:
    from ..registry.client import Address, registry
    from ..registry.upload import login

    address = Address.of(f"{'http' if place.plain else 'https'}://{place.repository}")
    by = f"those of Secret {place.secret}" if place.secret else "those of docker login"
    try:
        credentials = login(space.cluster, space.name, place.secret, address.host) if place.secret else None
        taken = registry(address, credentials).check(address.prefix)
    except (Denied, Unreachable):
        raise
    except Trouble as error:
        return wrong("registry", str(error), "builds wait for it: repair it, or Space(registry=…)", WARNING)
    return well("registry", f"{address.host} answers {f'and takes {by}' if taken else 'without credentials'}")


def _destination(template: Object) -> Destination | None:
    """Where a build pushes to; None of what is no template of a build of ours."""
    with contextlib.suppress(LookupError, TypeError, AttributeError, yaml.YAMLError):
        return Destination.of(yaml.safe_load(template["data"][MANIFEST]))
    return None


def _apps(space: TargetSpace, state: Object, context: str | None) -> Iterator[FindingView]:
    """Whether the Apps of the stack of this folder are those that are here, and this stack's alone."""
    declared = ownership.declared(state)
    mine = [app for app in declared if app.namespace == space.name]
    if not mine:
        others = sorted({app.namespace for app in declared} - {""})
        if others:
            told = f"the stack's Apps are in {', '.join(others)}, and kf looks at {space.name}"
            yield wrong("provider", told, f"--space {others[0]}, or the stack of this space", WARNING)
        else:
            yield well("apps", "the stack declares none")
        return
    templates = space.cluster.config_maps(space.name, api.equal(marks.TEMPLATE, "app"))
    if ownership.is_elsewhere(mine, templates):
        where = f"{mine[0].place}, and kf uses {f'context {context!r}' if context else 'the ambient cluster'}"
        told = f"no App of the stack is in this cluster: its provider uses {where}"
        yield wrong("provider", told, "choose the stack's cluster with --context or --kubeconfig; if it is this one "
                    "and was made anew: pulumi refresh", WARNING)  # fmt: skip
        return
    yield well("provider", "uses the cluster that kf uses")
    found = list(ownership.differences(space.name, mine, templates, ownership.stacks(state)))
    for app, trouble, todo in found:
        yield wrong("apps", f"app {app!r} {trouble}", todo, WARNING)
    if not found:
        yield well("apps", f"{len(mine)} of the stack, and its alone")
