"""The page of arguments, made from the signatures and from what another value of each changes under the mocks."""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Callable
from typing import Any, get_args
from unittest import mock

import kf_tasks
import pulumi
from kf_tasks import App, Binding, SecurityGroup, ServiceInstance, Space, Task, TaskSchedule
from kf_tasks.resources.arguments import _hints

from ..resources.test_components import Registered, run

HEAD = """# Arguments

Every argument of Space, App, Task and TaskSchedule: its type ([short names](api.md)), its default, whether it may be an Output of another resource, and what another value of it changes: a *run* (the task runs again), the *template* (its next run is another one), *retention* (which runs are kept), *schedule* (when it runs), *update* (how an update treats the task), or objects in the *cluster* beside those. What is not said of an argument stands in the API and in the pages about it.

Outputs: a Space has `namespace`; an App `app_name`, `image`, `labels`, `env`, `env_from` and `process_types`; a Task `run`, `task_id`, `state`, `reason`, `exit_code`, `started_at`, `finished_at`, `duration`, `log`, `log_digest` and `results`; a TaskSchedule `cron_job`.
"""  # noqa: E501
SPECIAL = {
    "opts": "what Pulumi does with it", "name": "another resource, unless an alias says otherwise",
    "space": "a move: other names in the cluster", "app": "another task",
    "app_name": "another App in the cluster", "namespace": "a move: other objects in the cluster",
    "source": "run", "resolve_tag": "run, where the tag has moved", "kubeconfig": "the cluster",
    "context": "the cluster", "volume_mounts": "template", "entrypoint": "run", "vcap_services": "template",
    "submitter_image": "schedule", "registry_secret": "builds", "image_name": "builds", "registry": "builds",
    "builder_image": "builds", "notify": "who is told of ends", "service_account": "template",
}  # fmt: skip
POD: dict[str, Any] = {
    "labels": {"team": "a"}, "annotations": {"note": "a"}, "node_selector": {"pool": "a"},
    "tolerations": [{"key": "a", "operator": "Exists"}], "affinity": {"nodeAffinity": {}},
    "volumes": [{"name": "a", "emptyDir": {}}],
    "priority_class": "a", "runtime_class": "a", "image_pull_secrets": ["a"], "pod_spec": {"hostNetwork": True},
    "security_context": {"runAsUser": 1234},
    "automount_service_account_token": True, "pod_security": "baseline",
}  # fmt: skip
OTHER: dict[str, Any] = {
    **POD, "env": {"A": "2"}, "memory": "2Gi", "disk": "2Gi", "cpu": "2", "cpu_limit": "3", "timeout": "5m",
    "keep": 3, "keep_failed": 2, "max_age": "9d", "min_history": "2d", "log_archive": "file:///logs",
    "pinned": ["shop-t-1a2b3c4d-1"],
    "image": "other:1", "command": ["other"], "args": ["x"], "entrypoint": ["/entry"], "vcap_services": "file",
    "quota": {"pods": 50}, "limit_range": {"default": {"memory": "64M"}}, "start_timeout": "5m", "retries": 2,
    "when": "trigger", "triggers": [2], "wait": False, "must_succeed": False, "terminated": True, "at_most_once": True,
    "results": ["schema"], "log": "tail", "schedule": "0 5 * * *", "time_zone": "Europe/Berlin",
    "concurrency_policy": "Forbid", "suspend": True, "starting_deadline": "9m", "catch_up": True,
}  # fmt: skip
COMPONENTS = (Space, App, Task, TaskSchedule)


def page() -> str:
    """The whole page; no program of it ends early, after which `run` collects what is left."""
    with mock.patch.object(gc, "collect"):
        return _page()


def _page() -> str:
    return HEAD + "".join(f"\n## {component.__name__}\n\n{_table(component)}" for component in COMPONENTS)


def _table(component: type) -> str:
    hints = _hints(inspect.unwrap(component.__init__))  # type: ignore[misc]
    rows = ["| argument | type | default | Output | another value changes |", "| --- | --- | --- | --- | --- |"]
    for name, parameter in inspect.signature(component).parameters.items():
        default = "" if parameter.default is inspect.Parameter.empty else f"`{parameter.default!r}`"
        type_ = str(parameter.annotation).replace("|", "\\|").replace("pulumi.", "").replace("kubernetes.core.v1.", "")
        cells = (f"`{name}`", f"`{type_}`", default, _may_be_output(hints[name]), changed(component, name))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _may_be_output(hint: Any) -> str:
    options = get_args(hint)
    if any(getattr(one, "__origin__", one) is pulumi.Output for one in (hint, *options)):
        return "yes"
    return "its values" if "Output" in str(hint) else ""


def changed(component: type, name: str) -> str:
    """What another value of an argument changes, in words of the page's head."""
    if name in SPECIAL:
        return SPECIAL[name]
    if name == "services":
        return _between(_program(bound=True))
    value: Any = OTHER.get(name)
    if name == "security_groups":
        value = [SecurityGroup("out", egress=[])]
    if name == "env_from":
        value = [kf_tasks.SecretRef("a")]
    return _between(_program(**{f"{component.__name__}.{name}": value}))


def _program(bound: bool = False, **given: Any) -> Callable[[], Any]:
    def of(component: type) -> dict[str, Any]:
        lead = f"{component.__name__}."
        return {name[len(lead) :]: value for name, value in given.items() if name.startswith(lead)}

    def program() -> None:
        space = Space("dev", **of(Space))
        services = [Binding(ServiceInstance("db", space=space, credentials={"uri": "u"}))] if bound else []
        app = App("shop", **{"space": space, "image": "shop:1", "command": ["serve"], "services": services, **of(App)})
        Task("t", app=app, **of(Task))
        TaskSchedule("n", **{"app": app, "schedule": "0 3 * * *", **of(TaskSchedule)})

    return program


@functools.cache
def _base() -> Registered:
    return run(_program())


def _between(after: Callable[[], Any]) -> str:
    old, new = _base(), run(after)
    runs, templates = "kf:Run::", "core/v1:ConfigMap::"
    found = []
    if _of(old, runs, "definition") != _of(new, runs, "definition"):
        found.append("run")
    elif _of(old, templates, "data", "pipelinerun.yaml") != _of(new, templates, "data", "pipelinerun.yaml"):
        found.append("template")
    kept = ("keep", "keep_failed", "max_age", "pinned", "min_history", "log_archive")
    if any(_of(old, "kf:History::", name) != _of(new, "kf:History::", name) for name in kept):
        found.append("retention")
    if _of(old, "CronJob::", "spec", "schedule") != _of(new, "CronJob::", "spec", "schedule") or any(
        _of(old, "CronJob::", "spec", name) != _of(new, "CronJob::", "spec", name)
        for name in ("timeZone", "suspend", "startingDeadlineSeconds")
    ):
        found.append("schedule")
    treated = ("when", "wait", "must_succeed", "terminated", "at_most_once", "start_timeout", "log_mode")
    if any(_of(old, runs, name) != _of(new, runs, name) for name in treated):
        found.append("update")
    settings = (templates, "data", "settings.json")
    if not found and _of(old, *settings) != _of(new, *settings):
        found.append("schedule")
    if not found and old.inputs != new.inputs:
        found.append("cluster")
    return ", ".join(found) or "nothing by itself"


def _of(registered: Registered, kind: str, *path: str) -> list[Any]:
    found = []
    for urn in registered.names():
        if kind in urn:
            value: Any = registered[urn]
            for name in path:
                value = (value or {}).get(name)
            found.append(value)
    return found
