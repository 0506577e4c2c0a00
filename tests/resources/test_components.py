"""Which resources a Space, an App and a Task register, under Pulumi's own mocks.

What is seen here is the plan that an engine would get: types, names, parents and inputs. How they
live on a cluster is seen in tests/e2e.
"""

from __future__ import annotations

import gc
import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import pytest
import yaml
from kf_tasks import App, ServiceInstance, Space, Task, TaskSchedule
from kf_tasks.core.run.environment import short_digest
from kf_tasks.core.run.system import NAMES
from kf_tasks.resources import image_digest
from pulumi.output import Unknown
from pulumi.runtime import resource
from pulumi.runtime.proto.source_pb2 import StackTrace

SECRET_KEY = "4dabf18193072939515e22adb298388d"


class Cluster(pulumi.runtime.Mocks):
    """Answers every registration with its inputs, as a cluster that fills in nothing."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return args.resource_id or f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return {}, None


@dataclass
class Registered:
    """A program's resources: inputs by `<parents' types>$<type>::<name>`, as in a URN."""

    inputs: dict[str, dict[str, Any]]

    def __getitem__(self, urn: str) -> dict[str, Any]:
        return self.inputs[urn]

    def names(self) -> list[str]:
        return sorted(self.inputs)


def run(program: Callable[[], Any], preview: bool = False) -> Registered:
    """The resources that `program` registers in stack `dev` of project `shop`.

    Which line makes each of them is not looked up, through all frames of the test runner: a fifth of the time.
    """
    pulumi.runtime.set_mocks(Cluster(), project="shop", stack="dev", preview=preview)
    try:
        with mock.patch.object(resource, "_get_stack_trace", StackTrace):
            pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    except pulumi.RunError:
        _let_end()
        let_go()
        raise
    monitor: Any = pulumi.runtime.settings.get_monitor()
    found = monitor.get_registered_resources()
    return Registered({_short(urn): entry.state for urn, entry in found.items() if "Stack::" not in urn})


def let_go() -> None:
    """Collects the coroutines that a program has left which ended early: later they would disturb another test.

    What each of its tasks ended in is not logged: with the lines that led to it that is most of the time.
    """
    with warnings.catch_warnings(), mock.patch.object(logging.getLogger("asyncio"), "disabled", True):
        warnings.simplefilter("ignore", RuntimeWarning)
        gc.collect()


def _let_end() -> None:
    """Lets what else a program has begun end in its error, too, which would be that of the next test."""
    while True:
        try:
            pulumi.runtime.test(lambda: None)()  # type: ignore[no-untyped-call]
        except pulumi.RunError:
            continue
        return


def _short(urn: str) -> str:
    return urn.removeprefix("urn:pulumi:dev::shop::").removeprefix("pulumi:pulumi:Stack$")


def unsecret(value: Any) -> Any:
    """The value of a secret input; fails where the input is none."""
    assert value[SECRET_KEY]
    return value["value"]


def types(registered: Registered) -> set[str]:
    return {urn.split("::")[0].split("$")[-1] for urn in registered.inputs}


def template(registered: Registered, urn: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(registered[urn]["data"]["pipelinerun.yaml"])
    return found


def variables(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of Space, App and Task: what the platform sets is told apart by its names."""
    found: list[dict[str, Any]] = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["env"]
    return [entry for entry in found if entry["name"] not in NAMES and not entry["name"].startswith("VCAP_")]


OURS = {"app.kubernetes.io/managed-by": "kf", "kf.dev/stack": "shop.dev"}


def test_a_space_makes_its_namespace_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)  # the Kubernetes provider's own default
    found = run(lambda: Space("shop-dev", env={"ZONE": "north"}))
    assert found.names() == [
        "kf:index:Space$kubernetes:core/v1:Namespace::shop-dev",
        "kf:index:Space$pulumi:providers:kubernetes::shop-dev",
        "kf:index:Space::shop-dev",
    ]
    assert found["kf:index:Space$kubernetes:core/v1:Namespace::shop-dev"]["metadata"] == {
        "name": "shop-dev",
        "labels": OURS,
    }
    assert found["kf:index:Space$pulumi:providers:kubernetes::shop-dev"] == {
        "enableSecretMutable": "true",
        "enableConfigMapMutable": "true",
    }


def test_a_space_in_a_namespace_of_somebody_else_makes_none() -> None:
    found = run(lambda: Space("shop-dev", namespace="existing", env={"TOKEN": pulumi.Output.secret("topsecret")}))
    assert types(found) == {"kf:index:Space", "pulumi:providers:kubernetes", "kubernetes:core/v1:Secret"}
    secret = found["kf:index:Space$kubernetes:core/v1:Secret::kf.shop-dev.env"]
    assert secret["metadata"] == {"name": "kf.shop-dev.env", "namespace": "existing", "labels": OURS}
    assert unsecret(secret["stringData"]) == {"TOKEN": "topsecret"}


def test_an_app_starts_nothing_and_has_no_route() -> None:
    found = run(lambda: App("shop", space=Space("shop-dev"), image="registry/shop@sha256:1111", command="./serve"))
    assert [urn for urn in found.names() if "Space" not in urn] == [
        "kf:index:App$kubernetes:core/v1:ConfigMap::shop",
        "kf:index:App$kubernetes:core/v1:ServiceAccount::shop",
        "kf:index:App::shop",
        "pulumi-python:dynamic/kf:History::shop",
    ]
    assert not types(found) & {
        "kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Pod", "kubernetes:core/v1:Service",
        "kubernetes:networking.k8s.io/v1:Ingress",
    }  # fmt: skip


def test_what_an_app_registers() -> None:
    found = run(lambda: App("shop", space=Space("shop-dev"), image="registry/shop@sha256:1111", command="./serve"))
    account = found["kf:index:App$kubernetes:core/v1:ServiceAccount::shop"]
    of_app = {**OURS, "app.kubernetes.io/name": "shop"}
    assert account["metadata"] == {"name": "kf-shop", "namespace": "shop-dev", "labels": of_app}
    assert account["automountServiceAccountToken"] is False
    config_map = found["kf:index:App$kubernetes:core/v1:ConfigMap::shop"]
    assert config_map["metadata"] == {
        "name": "kf-shop",
        "namespace": "shop-dev",
        "labels": {**of_app, "kf.dev/template": "app"},
        "annotations": {"kf.dev/urn": "pulumi:pulumi:Stack$kf:index:App::shop"},
    }
    settings = json.loads(config_map["data"]["settings.json"])
    assert (settings["app"], settings["keep"], settings["stack"]) == ("shop", 500, "shop.dev")
    step = template(found, "kf:index:App$kubernetes:core/v1:ConfigMap::shop")
    task = step["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert (task["image"], task["command"], task["args"]) == (
        "registry/shop@sha256:1111",
        ["/bin/sh"],
        ["-c", "./serve"],
    )


def test_an_app_inside_a_component_keeps_its_history_beside_it() -> None:
    def program() -> None:
        parent = pulumi.ComponentResource("my:index:Shop", "all")
        App("shop", space=Space("shop-dev"), image="i", opts=pulumi.ResourceOptions(parent=parent))

    found = run(program)
    assert "my:index:Shop$pulumi-python:dynamic/kf:History::shop" in found.inputs
    assert "my:index:Shop$kf:index:App::shop" in found.inputs


def two_apps() -> None:
    space = Space("shop-dev")
    for name in ("shop", "blog"):
        app = App(name, space=space, image=f"registry/{name}:1")
        Task("migrate", app=app, command="./manage.py migrate", env={"TOKEN": pulumi.Output.secret("topsecret")})


def test_two_apps_with_a_task_of_the_same_name() -> None:
    found = run(two_apps)
    for app in ("shop", "blog"):
        own = [urn for urn in found.names() if urn.startswith("kf:index:Task") and f"{app}" in urn.split("::")[1]]
        assert own == [
            f"kf:index:Task$kubernetes:core/v1:ConfigMap::{app}-migrate",
            f"kf:index:Task$kubernetes:core/v1:Secret::kf-{app}.migrate.env",
            f"kf:index:Task$pulumi-python:dynamic/kf:Run::{app}-migrate",
            f"kf:index:Task::{app}-migrate",
        ]
        config_map = found[f"kf:index:Task$kubernetes:core/v1:ConfigMap::{app}-migrate"]
        assert config_map["metadata"] == {
            "name": f"kf-{app}.migrate",
            "namespace": "shop-dev",
            "labels": {**OURS, "app.kubernetes.io/name": app, "kf.dev/template": "task", "kf.dev/task": "migrate"},
        }


def test_a_run_gets_its_definition_and_its_place() -> None:
    found = run(two_apps)
    record = found["kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate"]
    assert record["definition"] == {
        "image": "registry/shop:1",
        "argv": ["/bin/sh", "-c", "./manage.py migrate"],
        "env": {},
        "secret_env": ["TOKEN"],
        "triggers": [],
    }
    assert [record[name] for name in ("app", "task", "namespace", "stack", "when", "wait", "must_succeed", "keep")] == [
        "shop", "migrate", "shop-dev", "shop.dev", "change", True, True, 500,
    ]  # fmt: skip
    assert record["manifest"] == template(found, "kf:index:Task$kubernetes:core/v1:ConfigMap::shop-migrate")
    assert unsecret(record["connection"]) == {}


def test_a_log_archive_is_known_to_whoever_lets_runs_go() -> None:
    def program(**more: Any) -> Callable[[], None]:
        def declare() -> None:
            app = App("shop", space=Space("shop-dev", **more), image="i")
            Task("migrate", app=app, command="x")
            TaskSchedule("nightly", app=app, command="x")

        return declare

    def settings(found: Registered) -> list[dict[str, Any]]:
        urns = ("kf:index:App$kubernetes:core/v1:ConfigMap::shop",
                "kf:index:Task$kubernetes:core/v1:ConfigMap::shop-migrate",
                "kf:index:TaskSchedule$kubernetes:core/v1:ConfigMap::shop-nightly")  # fmt: skip
        told: list[dict[str, Any]] = [json.loads(found[urn]["data"]["settings.json"]) for urn in urns]
        names = ("kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate", "pulumi-python:dynamic/kf:History::shop")
        return [*told, *(found[urn] for urn in names)]

    known = settings(run(program(log_archive="file:///srv/logs/")))
    assert [one["log_archive"] for one in known] == ["file:///srv/logs"] * 5
    assert [one.get("archived_only", False) for one in known] == [False, False, True, False, False]
    for one in settings(run(program())):
        assert "log_archive" not in one and "archived_only" not in one
    for url, why in (("s3://a:hunter22@b", "holds a password"), ("gs://b/c", "pip install gcsfs"), ("logs", "no URL")):
        with pytest.raises(pulumi.RunError, match=why) as refused:
            run(program(log_archive=url))
        assert str(refused.value).startswith("space 'shop-dev': log_archive") and "hunter22" not in str(refused.value)


def test_secret_values_are_only_in_secrets() -> None:
    found = run(two_apps)
    secret = found["kf:index:Task$kubernetes:core/v1:Secret::kf-shop.migrate.env"]
    assert unsecret(secret["stringData"]) == {"TOKEN": "topsecret"}
    others = {urn: state for urn, state in found.inputs.items() if "core/v1:Secret" not in urn}
    assert "topsecret" not in json.dumps(others, default=str)
    assert variables(template(found, "kf:index:Task$kubernetes:core/v1:ConfigMap::shop-migrate")) == [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "kf-shop.migrate.env", "key": "TOKEN"}}}
    ]


@pytest.mark.parametrize(("kind", "record"), [(Task, "Run"), (TaskSchedule, "Calendar")])
@pytest.mark.parametrize("preview", [False, True])
def test_whether_a_secret_changed_is_told_by_a_secret_digest(
    preview: bool, kind: type[Task | TaskSchedule], record: str
) -> None:
    """It is an input of that alone, encrypted as the values are; what only the update knows is left out."""

    def program(*secrets: Any) -> Callable[[], None]:
        def declare() -> None:
            values = dict(zip("ABCDE", secrets))
            space = Space("shop-dev", env={"TOKEN": values.get("A", "plain")})
            db = ServiceInstance("db", space=space, credentials={"uri": values.get("B", "plain"), "port": 5})
            app = App(
                "shop", space=space, image="i", env={"KEY": values.get("C", "x")}, services=[db] if values else []
            )
            kind("migrate", app=app, command="x", env={"OWN": values.get("D", "y"), "E": values.get("E", "z")})

        return declare

    urn = f"kf:index:{kind.__name__}$pulumi-python:dynamic/kf:{record}::shop-migrate"
    unknown = pulumi.Output.secret(Unknown() if preview else "later")  # type: ignore[no-untyped-call]
    secrets = [pulumi.Output.secret(f"secret-value-{nth}") for nth in range(4)]
    found = run(program(*secrets, unknown), preview)
    told = unsecret(found[urn]["__digests"])
    keys = {secret: sorted(values) for secret, values in told.items()}
    own = ["OWN"] if preview else ["E", "OWN"]
    assert keys == {
        "kf-shop.env": ["KEY"], "kf-shop.migrate.env": own, "kf.db.service": ["port", "uri"],
        "kf.shop-dev.env": ["TOKEN"],
    }  # fmt: skip
    assert told["kf-shop.env"]["KEY"] == short_digest("secret-value-2") and "secret-value" not in str(told)
    assert "sha256" not in json.dumps({**found[urn], "__digests": None})
    assert "__digests" not in run(program(), preview)[urn], "where all is plain the state says nothing of it"


def test_layers_win_from_space_to_task() -> None:
    def program() -> None:
        space = Space("shop-dev", env={"A": "space", "B": "space", "C": "space"}, memory="2G", keep=7)
        app = App("shop", space=space, image="i", env={"B": "app", "C": "app"}, disk="64M", cpu_limit=2)
        Task("migrate", app=app, command=["m"], env={"C": "task"}, memory="64M", timeout="90s", retries=1)

    found = run(program)
    manifest = template(found, "kf:index:Task$kubernetes:core/v1:ConfigMap::shop-migrate")
    assert variables(manifest) == [
        {"name": "A", "value": "space"}, {"name": "B", "value": "app"}, {"name": "C", "value": "task"},
    ]  # fmt: skip
    task = manifest["spec"]["pipelineSpec"]["tasks"][0]
    assert task["taskSpec"]["steps"][0]["computeResources"] == {
        "requests": {"cpu": "100m", "memory": "64Mi", "ephemeral-storage": "64Mi"},
        "limits": {"memory": "64Mi", "ephemeral-storage": "64Mi", "cpu": "2"},
    }
    assert task["retries"] == 1
    assert manifest["spec"]["timeouts"] == {"pipeline": "1m30s"}
    assert found["pulumi-python:dynamic/kf:History::shop"]["keep"] == 7
    assert found["kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate"]["definition"]["env"] == {"C": "task"}


def test_what_is_kept_is_the_spaces_unless_an_app_says_otherwise() -> None:
    def program() -> None:
        space = Space("shop-dev", keep=7, keep_failed=2, max_age="30d", min_history="7d")
        own: dict[str, Any] = {"keep": 3, "max_age": "0", "pinned": ["r-1"], "min_history": "1h"}
        Task("migrate", app=App("shop", space=space, image="i", command="x"))
        Task("migrate", app=App("blog", space=space, image="i", command="x", **own))

    found = run(program)
    expected = {
        "shop": ({"keep": 7, "keep_failed": 2, "max_age": "30d"}, "7d"),
        "blog": ({"keep": 3, "keep_failed": 2, "pinned": ["r-1"]}, "1h"),
    }
    for app, (kept, least) in expected.items():
        history = found[f"pulumi-python:dynamic/kf:History::{app}"]
        templates = (f"kf:index:App${{}}::{app}", f"kf:index:Task${{}}::{app}-migrate")
        datas = [found[urn.format("kubernetes:core/v1:ConfigMap")]["data"] for urn in templates]
        settings = [json.loads(data["settings.json"]) for data in datas]
        for told in (*settings, found[f"kf:index:Task$pulumi-python:dynamic/kf:Run::{app}-migrate"], history):
            assert {name: told[name] for name in ("keep", "keep_failed", "max_age", "pinned") if name in told} == kept
        assert history["min_history"] == least


def test_an_app_may_have_another_name_in_the_cluster() -> None:
    def program() -> None:
        app = App("shop", app_name="shop-2", space=Space("s"), image="i", command="x")
        Task("migrate", app=app)

    found = run(program)
    assert found["kf:index:App$kubernetes:core/v1:ConfigMap::shop"]["metadata"]["name"] == "kf-shop-2"
    task = [urn for urn in found.names() if urn.startswith("kf:index:Task$kubernetes:core/v1:ConfigMap::")]
    assert [found[urn]["metadata"]["name"] for urn in task] == ["kf-shop-2.migrate"]


def test_the_history_counts_every_task_declared_in_the_program() -> None:
    def program() -> None:
        app = App("shop", space=Space("s"), image="i", command="x")
        for name in ("a", "b", "c"):
            Task(name, app=app)

    assert len(run(program)["pulumi-python:dynamic/kf:History::shop"]["runs"]) == 3


@pytest.mark.parametrize("preview", [True, False])
def test_preview_is_told_to_the_provider(preview: bool) -> None:
    found = run(two_apps, preview=preview)
    assert found["kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate"]["__preview"] is preview
    assert found["pulumi-python:dynamic/kf:History::shop"]["__preview"] is preview


def declare(**task: Any) -> Callable[[], None]:
    def program() -> None:
        app = App("shop", space=Space("s"), image="i")
        Task(**{"name": "m", "app": app, "command": "x", **task})

    return program


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "My Task"}, "task 'My Task': a name consists of lower-case letters, digits and '-', and begins and "
         "ends with a letter or digit: rename it, for example to 'my-task'"),
        ({"memory": "-1G"}, "task 'm' of app 'shop': memory: '-1G' is no amount: write a number with a unit, such as "
         "'512M' or '1Gi'"),
        ({"timeout": "5"}, "task 'm' of app 'shop': timeout: '5' is no span of time: write '30m', '1h30m' or '90s' "
         "('0' for no limit)"),
        ({"env": {"VCAP_SERVICES": "{}"}}, "task 'm' of app 'shop': VCAP_SERVICES is set by the platform and cannot be "
         "overridden: choose another name"),
        ({"when": "sometimes"}, "task 'm' of app 'shop': when is the text 'sometimes': give one of 'change', "
     "'trigger', 'always' (no Output)"),
        ({"command": None}, "Start command not found on App or Task (task 'm' of app 'shop'): give command=… to the "
         "Task or to its App"),
        ({"command": pulumi.Output.secret("x")}, "command of task 'm' of app 'shop' is a secret, but it is written "
         "into the PipelineRun, where it can be read: pass secrets with env=… (they go to a Kubernetes Secret), or "
         "take the secret mark off with pulumi.Output.unsecret"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_error(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(declare(**settings))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        (lambda text: {"command": text}, "command of task 'm' of app 'shop'"),
        (lambda text: {"command": ["echo", text]}, "command of task 'm' of app 'shop'"),
        (lambda text: {"env": {"URL": text}}, "task 'm' of app 'shop': env URL"),
        (lambda text: {"name": text}, "the name of a task"),
        (lambda text: {"triggers": {"a": [text]}}, "triggers of task 'm' of app 'shop'['a']"),
    ],
)
def test_an_output_in_an_f_string_is_refused(settings: Callable[[str], dict[str, Any]], what: str) -> None:
    text = f"migrate --url {pulumi.Output.from_input('db')}"
    with pytest.raises(pulumi.RunError) as refused:
        run(declare(**settings(text)))
    assert str(refused.value) == (
        f"{what} holds the help text of an Output instead of its value: an Output was put into an f-string or str(). "
        "Use Output.format('… {0} …', output) or output.apply(...) instead"
    )


@pytest.mark.parametrize("secret", [True, False])
def test_a_kubeconfig_of_the_configuration_that_is_a_secret_stays_one(secret: bool) -> None:
    config = {"kubernetes:kubeconfig": "token: t0ken", "kubernetes:context": "c"}

    def program() -> None:
        pulumi.runtime.set_all_config(config, ["kubernetes:kubeconfig"] if secret else [])
        Space("shop-dev")

    try:
        found = run(program)
    finally:
        pulumi.runtime.set_all_config({})
    provider = found["kf:index:Space$pulumi:providers:kubernetes::shop-dev"]
    assert (unsecret(provider["kubeconfig"]) if secret else provider["kubeconfig"]) == "token: t0ken"
    assert provider["context"] == "c"


def test_a_registry_with_a_password_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="space 'shop-dev': registry holds a user or a password") as refused:
        run(lambda: Space("shop-dev", registry="http://alice:hunter22@127.0.0.1:1/team"))
    assert "hunter22" not in str(refused.value)


def test_images_are_built_to_the_name_that_the_space_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/Dockerfile").write_text("FROM scratch\n")

    def program() -> None:
        App("shop", space=Space("dev", registry="docker.io/acme", image_name="{app}"), source="app")

    record = run(program, preview=True)["kf:index:App$pulumi-python:dynamic/kf:Run::shop.build"]
    assert record["definition"]["build"]["repository"] == "docker.io/acme/shop"
    assert record["upload"]["repository"] == "shop"


@pytest.mark.parametrize(("user", "uid", "said"), [("1001:0", 1001, 0), ("app", 1000, 1), ("", 1000, 0)])
def test_the_user_of_a_resolved_image_is_kept(user: str, uid: int, said: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers:
        def resolve(self, repository: str, tag: str) -> str:
            return "sha256:1"

        def user(self, repository: str, digest: str) -> str:
            return user

    monkeypatch.setattr(image_digest, "registry", lambda *_: Answers())
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, *_: told.append(text))

    def program() -> None:
        Task("look", app=App("shop", space=Space("dev"), image="r/shop:1", resolve_tag=True), command="true")

    found = run(program)
    manifest = template(found, "kf:index:Task$kubernetes:core/v1:ConfigMap::shop-look")
    step = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert step["image"] == "r/shop:1@sha256:1"
    assert manifest["spec"]["taskRunTemplate"]["podTemplate"]["securityContext"]["runAsUser"] == uid
    assert step["securityContext"].get("runAsGroup") == (0 if ":" in user else None)
    assert len([line for line in told if "its image runs as 'app'" in line]) == said


def of(space: Space, name: str, **more: Any) -> App:
    return App(name, space=space, image="i", command="run", **more)


def test_what_would_be_one_thing_in_the_cluster_or_in_pulumi_is_refused() -> None:
    def two_apps() -> None:
        space = Space("s")
        of(space, "shop"), of(space, "web", app_name="shop")

    def two_tasks() -> None:
        app = of(Space("s"), "shop")
        Task("m", app=app), Task("m", app=app)

    def two_full_names() -> None:
        space = Space("s")
        Task("c", app=of(space, "a-b")), Task("b-c", app=of(space, "a"))

    def two_services() -> None:
        space = Space("s")
        ServiceInstance("db", space=space), ServiceInstance("x", space=space, service_name="db")

    said = {}
    for program in (two_apps, two_tasks, two_full_names, two_services):
        with pytest.raises(pulumi.RunError) as refused:
            run(program)
        said[program.__name__] = str(refused.value)
    assert said == {
        "two_apps": "app 'shop': two Apps of space 's' have this name in the cluster, 'shop' and 'web' in Pulumi: give "
        "one of them another app_name, or they would delete each other's runs",
        "two_tasks": "task 'm' of app 'shop': is declared twice: rename one of them",
        "two_full_names": "task 'b-c' of app 'a': task 'c' of app 'a-b' goes by the same name in Pulumi, 'a-b-c': "
        "rename one of them",
        "two_services": "service 'db': two services of space 's' have this name in the cluster, 'db' and 'x' in "
        "Pulumi: give one of them another service_name",
    }


def test_names_are_told_apart_by_space_app_kind_and_parent() -> None:
    class Group(pulumi.ComponentResource):
        def __init__(self, name: str) -> None:
            super().__init__("test:index:Group", name)

    def program() -> None:
        one, other, group = Space("one"), Space("other"), Group("g")
        first = of(one, "shop")
        second = of(other, "web", app_name="shop")
        Task("m", app=first), Task("n", app=first), Task("m", app=second, opts=pulumi.ResourceOptions(parent=group))
        Task("c", app=of(one, "a-b")), TaskSchedule("b-c", app=of(one, "a"))

    assert {"kf:index:Task::shop-m", "test:index:Group$kf:index:Task::shop-m"} <= set(run(program).names())


@pytest.mark.parametrize("preview", [False, True])
def test_a_plain_output_is_registered_as_what_it_holds(preview: bool) -> None:
    def program(wrap: Callable[[Any], Any]) -> None:
        pods: dict[str, Any] = {
            "labels": {"a": "b"}, "annotations": {"a": "b"}, "node_selector": {"a": "b"},
            "pod_spec": {"dnsPolicy": "x"}, "tolerations": [{"key": "a"}], "affinity": {"nodeAffinity": {}},
            "priority_class": "p", "runtime_class": "r", "volumes": [{"name": "v", "emptyDir": {}}],
            "image_pull_secrets": ["s"], "volume_mounts": [{"name": "v", "mountPath": "/v"}],
        }  # fmt: skip
        pods = {name: wrap(value) for name, value in pods.items()}
        space = Space("s", namespace=wrap("there"), env={"S": wrap("1")}, registry_secret=wrap("r"), **pods)
        db = ServiceInstance("db", space=space, credentials=wrap({"uri": "u", "port": 5}))
        app = App(
            "shop", space=space, image=wrap("i"), command=wrap(["run"]), args=wrap(["a"]), entrypoint=wrap("e"),
            env={"A": wrap("1")}, services=[db], security_context=wrap({"runAsUser": 7}), **pods,
        )  # fmt: skip
        Task("m", app=app, command=wrap("c"), env={"T": wrap("1")}, triggers=wrap(["1"]))
        TaskSchedule("n", app=app, args=wrap(["a"]), env={"T": wrap("1")})

    def seen(wrap: Callable[[Any], Any]) -> str:
        found = run(lambda: program(wrap), preview).inputs
        kept = {urn: inputs for urn, inputs in found.items() if not urn.endswith(".env")}
        return json.dumps(kept, sort_keys=True, default=lambda other: type(other).__name__)

    assert seen(pulumi.Output.from_input) == seen(lambda value: value)


def test_a_secret_that_may_be_needed_is_never_empty() -> None:
    def program() -> None:
        Space("s", env={"PLAIN": pulumi.Output.from_input("a"), "TEXT": "b"})

    secret = run(program)["kf:index:Space$kubernetes:core/v1:Secret::kf.s.env"]
    assert unsecret(secret["stringData"]) == {"README": "none of these variables is secret: the template shows them"}


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize(
    ("other", "refused"),
    [({}, True), ({"app_name": "office"}, False), ({"context": "elsewhere"}, False), ({"namespace": "other"}, False)],
)
def test_two_spaces_in_one_namespace_hold_no_two_apps_of_one_name(
    other: dict[str, Any], refused: bool, preview: bool
) -> None:
    def program() -> None:
        place = {"namespace": "shop-dev", **{name: text for name, text in other.items() if name != "app_name"}}
        App("one", app_name="shop", space=Space("shop-dev"), image="i", command="x")
        App("two", app_name=other.get("app_name", "shop"), space=Space("more", **place), image="i", command="x")

    if not refused:
        run(program, preview)
        return
    with pytest.raises(pulumi.RunError) as error:
        run(program, preview)
    assert str(error.value) == (
        "app 'shop': two Spaces are in namespace 'shop-dev', and two apps in it have this name in the cluster, "
        "'one' of space 'shop-dev' and 'two' of space 'more': give one of them another app_name"
    )


def test_two_spaces_in_one_namespace_hold_no_two_services_of_one_name() -> None:
    def program() -> None:
        for name, space in (("one", Space("shop-dev")), ("two", Space("more", namespace="shop-dev"))):
            ServiceInstance(name, service_name="db", space=space, credentials={"a": "b"})

    with pytest.raises(pulumi.RunError, match="service 'db': two Spaces are in namespace 'shop-dev', and two services"):
        run(program)
