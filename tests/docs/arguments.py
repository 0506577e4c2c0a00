"""The page of arguments, made from the signatures and from what another value of each changes (see `effects`)."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any, get_args

import pulumi
from kf_tasks import (
    App,
    Binding,
    ConfigKey,
    ConfigRef,
    Heartbeat,
    Postgres,
    SecretKey,
    SecretRef,
    SecurityGroup,
    ServiceInstance,
    Source,
    Space,
    Task,
    TaskSchedule,
    Webhook,
)
from kf_tasks.resources.arguments import hints_of
from pulumi_kubernetes.apiextensions import CustomResource

from .effects import Arguments, Case, effects

HEAD = """# Arguments

Every argument of what a program is written with: its type ([short names](api.md)), its default, and whether it may be an Output of another resource, or what in it may. The last column says what another value changes:

- *run*: the task runs again; *template*: its next run is another one, and nothing runs
- *image*: the image is built again, and with another digest its tasks run; *build*: how the next one is built
- *values*: what the next run finds in Secrets; *retention*: which runs are kept; *who is told* of ends
- *schedule*: when it runs, and how it is started; *update*: how an update treats the task
- *cluster*: objects beside those

What is not said of an argument stands in the API and in the pages about it.

Outputs: a Space has `namespace`; an App `app_name`, `image`, `labels`, `env`, `env_from` and `process_types`; a Task `run`, `task_id`, `state`, `reason`, `exit_code`, `started_at`, `finished_at`, `duration`, `log`, `log_digest` and `results`; a TaskSchedule `cron_job`; a ServiceInstance `service_name`.
"""  # noqa: E501
SPECIAL = {
    "opts": "what Pulumi does with it", "name": "another resource, unless an alias says otherwise",
    "space": "a move: other names in the cluster", "app": "another task",
    "app_name": "another App in the cluster", "namespace": "a move: other objects in the cluster",
    "resolve_tag": "run, where the tag has moved", "kubeconfig": "the cluster",
    "context": "the cluster", "service": "template",
}  # fmt: skip
POD: dict[str, Any] = {
    "labels": {"team": "a"}, "annotations": {"note": "a"}, "node_selector": {"pool": "a"},
    "tolerations": [{"key": "a", "operator": "Exists"}], "affinity": {"nodeAffinity": {}},
    "volumes": [{"name": "a", "emptyDir": {}}], "volume_mounts": [{"name": "b", "mountPath": "/b"}],
    "priority_class": "a", "runtime_class": "a", "image_pull_secrets": ["a"], "pod_spec": {"hostNetwork": True},
    "security_context": {"runAsUser": 1234}, "service_account": "mine",
    "automount_service_account_token": True, "pod_security": "baseline",
}  # fmt: skip
OTHER: dict[str, Any] = {
    **POD, "env": {"A": "2"}, "env_from": [SecretRef("a")], "memory": "2Gi", "disk": "2Gi", "cpu": "2",
    "cpu_limit": "3", "timeout": "5m",
    "keep": 3, "keep_failed": 2, "max_age": "9d", "min_history": "2d", "log_archive": "file:///logs",
    "pinned": ["shop-t-1a2b3c4d-1"], "security_groups": [SecurityGroup("out", egress=[])],
    "notify": [Heartbeat("https://beat.example.com/1")],
    "image": "other:1", "command": ["other"], "args": ["x"], "entrypoint": ["/entry"], "vcap_services": "file",
    "quota": {"pods": 50}, "limit_range": {"default": {"memory": "64M"}}, "start_timeout": "5m", "retries": 2,
    "when": "trigger", "triggers": [2], "wait": False, "must_succeed": False, "terminated": True, "at_most_once": True,
    "results": ["schema"], "log": "tail", "schedule": "0 5 * * *", "time_zone": "Europe/Berlin",
    "concurrency_policy": "Forbid", "suspend": True, "starting_deadline": "9m", "catch_up": True,
    "registry": "registry.example.com/other", "registry_secret": "login", "image_name": "{app}/{namespace}",
    "services": lambda service: [Binding(service)], "builder_image": "builder:2", "submitter_image": "python:3.12",
}  # fmt: skip
BESIDE: dict[str, Arguments] = {
    "services": {"App": {"services": ()}},
    "volume_mounts": {"Space": {"volumes": [{"name": "b", "emptyDir": {}}]}},
    "entrypoint": {"App": {"command": "serve"}},
}
FORMS = {
    "built": ("registry", "registry_secret", "image_name", "builder_image", "source"),
    "bound": ("vcap_services", "services"),
    "scheduled": ("submitter_image",),
}
SERVICE: dict[str, Any] = {
    "credentials": {"uri": "postgres://db/other"}, "secret": "theirs", "map": {"uri": "url"}, "requires": ["uri"],
    "label": "postgresql-13", "tags": ["a"], "plan": "small", "service_name": "other",
    "volume_mounts": [{"claim": "files", "path": "/data"}],
    "resource": lambda _: CustomResource("made", api_version="a.com/v1", kind="A"),
}  # fmt: skip
RECORDS: dict[type, dict[str, Any]] = {
    Source: {
        "path": "other", "dockerfile": "Other", "target": "src", "build_args": {"A": "2"}, "builder": "b@sha256:1",
        "run_image": "run:1", "buildpacks": ["a/b"], "builder_user": 1002, "ignore": ["Other"], "memory": "2Gi",
        "disk": "5Gi", "cpu": "2", "timeout": "5m",
    },
    Binding: {"binding_name": "other", "parameters": {"a": 1}},
    Postgres: {"uri": "postgres://db/other", "host": "db", "port": 5432, "database": "shop", "username": "me",
               "password": "other"},
    SecurityGroup: {"name": "other", "egress": [], "ingress": [], "dns": False},
    **{kind: {"name": "other", "key": "other", "optional": True} for kind in (SecretKey, ConfigKey)},
    **{kind: {"name": "other", "prefix": "A_", "optional": True} for kind in (SecretRef, ConfigRef)},
    Webhook: {"url": "https://chat.example.com/2", "on": ["failed"], "format": "slack"},
    Heartbeat: {"url": "https://beat.example.com/2"},
}  # fmt: skip
OF_BUILDERS = ("run_image", "buildpacks", "builder_user")
COMPONENTS = (Space, App, Task, TaskSchedule, ServiceInstance)
OUTSIDE = "who is told"  # of `ca`, which only a certificate is


def page() -> str:
    """The whole page."""
    kinds = (*COMPONENTS, *RECORDS)
    cases = {(kind, name): cases_of(kind, name) for kind in kinds for name in inspect.signature(kind).parameters}
    found = iter(effects([case for several in cases.values() for case in several]))
    changed = {key: [next(found) for _ in several] for key, several in cases.items()}
    return HEAD + "".join(f"\n## {kind.__name__}\n\n{_table(kind, changed)}" for kind in kinds)


def cases_of(kind: type, name: str) -> list[Case]:
    """Where another value of an argument is tried; in a Task and in an App where that may be two things."""
    if (kind in COMPONENTS and name in SPECIAL) or (kind, name) == (Binding, "service") or name == "ca":
        return []
    if kind is ServiceInstance:
        beside = {"ServiceInstance": {"secret": "theirs"}} if name == "map" else {}
        return [Case("bound", {kind.__name__: {name: SERVICE[name]}}, beside)]
    if kind in COMPONENTS:
        return [_of_component(kind, name)]
    value = {name: RECORDS[kind][name]}
    if kind in (Binding, Postgres):
        return [Case("bound", {kind.__name__: value})]
    if kind is Source:
        return [Case("built", {"Source": value}, {"Source": {"builder": "b@sha256:1"}} if name in OF_BUILDERS else {})]
    of: dict[str, Any]
    if kind in (SecretKey, ConfigKey):
        of = {"name": "theirs", "key": "k"}
        before, after = (_given("env", {"K": kind(**{**of, **more})}) for more in ({}, value))
    elif kind in (SecretRef, ConfigRef):
        before, after = (_given("env_from", [kind(**{"name": "theirs", **more})]) for more in ({}, value))
    else:
        argument, of = "security_groups", {"name": "out", "egress": [{"protocol": "all", "destination": "10.0.0.0/8"}]}
        if kind in (Webhook, Heartbeat):
            argument, of = "notify", {"url": "https://beat.example.com/1"}
        before, after = (_given(argument, [kind(**{**of, **more})]) for more in ({}, value))
        return [Case("plain", {"App": after}, {"App": before})]
    return [Case("Task", {"Task": after}, {"Task": before}), Case("plain", {"App": after}, {"App": before})]


def _given(argument: str, value: Any) -> dict[str, Any]:
    return {argument: value}


def _of_component(kind: type, name: str) -> Case:
    beside = {kind.__name__: next(iter(BESIDE[name].values()))} if name in BESIDE else {}
    value = Source("other") if name == "source" else OTHER[name]
    form = next((form for form, names in FORMS.items() if name in names), "plain")
    return Case(kind.__name__ if kind in (Task, TaskSchedule) else form, {kind.__name__: {name: value}}, beside)


def _table(kind: type, changed: Mapping[tuple[type, str], list[str]]) -> str:
    hints = hints_of(inspect.unwrap(kind.__init__) if kind in COMPONENTS else kind)
    rows = ["| argument | type | default | Output | another value changes |", "| --- | --- | --- | --- | --- |"]
    for name, parameter in inspect.signature(kind).parameters.items():
        type_ = str(parameter.annotation).replace("|", "\\|").replace("pulumi.", "").replace("kubernetes.core.v1.", "")
        told = _told(changed[kind, name]) or (OUTSIDE if name == "ca" else SPECIAL[name])
        rows.append(f"| `{name}` | `{type_}` | {_default(kind, parameter)} | {_may_be_output(hints[name])} | {told} |")
    return "\n".join(rows) + "\n"


def _told(found: list[str]) -> str:
    """What another value changes; of what may stand in two places, in each."""
    if len({*found}) < 2:
        return found[0] if found else ""
    return f"{found[0]} in a Task, {found[1]} in App and Space"


def _default(kind: type, parameter: inspect.Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return ""
    if dataclasses.is_dataclass(kind):
        [field] = [one for one in dataclasses.fields(kind) if one.name == parameter.name]
        if field.default_factory is not dataclasses.MISSING:
            return f"`{field.default_factory()!r}`"
    return f"`{parameter.default!r}`"


def _may_be_output(hint: Any) -> str:
    """Whether a value may be an Output; else which values in it may, of a record by their names."""
    if any(_is_output(one) for one in (hint, *get_args(hint))):
        return "yes"
    if "Output" in str(hint):
        return "its values"
    names = [name for kind in _records(hint) for name, of in hints_of(kind).items() if _has_output(of)]
    return f"its {', '.join(f'`{name}`' for name in dict.fromkeys(names))}" if names else ""


def _is_output(hint: Any) -> bool:
    return getattr(hint, "__origin__", hint) is pulumi.Output


def _has_output(hint: Any) -> bool:
    return _is_output(hint) or any(map(_has_output, get_args(hint)))


def _records(hint: Any) -> list[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return [hint]
    return [kind for one in get_args(hint) for kind in _records(one)]
