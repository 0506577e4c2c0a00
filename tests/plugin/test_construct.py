"""What the plugin makes of a program in another language is what a Python program registers."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from kf_tasks import Heartbeat, Postgres, SecretKey, SecretRef, Task, Webhook
from kf_tasks.plugin.names import camel, outputs
from kf_tasks.provider import adapter
from pulumi.output import Unknown
from pulumi.runtime import rpc

from .. import test_registered
from ..resources.test_components import Cluster, _short
from ..test_registered import GOLDEN, stable
from .wire import Aborted, Program, Remote

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
OF_HISTORY = ("schedules", "tasks", "runs", "unfinished")  # what a program's end tells, which the plugin does not see


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "_process", adapter._Process(plugin=True))
    monkeypatch.delenv("KUBECONFIG", raising=False)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program of the golden file, of which the components are another language's."""
    played = Program()
    for kind in ("Space", "App", "Task", "TaskSchedule"):
        monkeypatch.setattr(test_registered, kind, played.component(kind))

    def service(name: str, credentials: Any, **more: Any) -> Remote:
        typed = {"label": credentials.label} if isinstance(credentials, Postgres) else {}
        return played.component("ServiceInstance")(name, credentials=credentials, **typed, **more)

    def binding(of: Remote, **more: Any) -> dict[str, Any]:
        return {"service": of, "bindingName": more["binding_name"], "parameters": more["parameters"]}

    monkeypatch.setattr(test_registered, "ServiceInstance", service)
    monkeypatch.setattr(test_registered, "Binding", binding)
    return played


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_the_plugin_registers_what_a_python_program_does(preview: bool, program: Program, tmp_path: Path) -> None:
    made = program.made(lambda: test_registered.shop(tmp_path, building=preview), Cluster(), preview, parent=STACK)
    seen = json.loads(json.dumps({_short(urn): stable(it, tmp_path) for urn, it in made.items()}, default=str))
    golden: dict[str, Any] = json.loads(GOLDEN.read_text("utf-8"))["preview" if preview else "up"]
    wanted = {}
    for urn, inputs in golden.items():
        kind = urn.partition("pulumi-python:dynamic/kf:")[2].partition("::")[0]
        left = OF_HISTORY if kind == "History" else ()
        of_plugin = urn.replace(f"pulumi-python:dynamic/kf:{kind}", f"kf:index:{kind}")
        wanted[of_plugin] = {name: it for name, it in inputs.items() if name not in left}
    assert seen.keys() == wanted.keys()
    for urn, inputs in wanted.items():
        for one in (inputs, seen[urn]):  # written by keys in another order
            data = one["data"] if isinstance(one.get("data"), dict) else {}
            data.update(
                {key: yaml.safe_load(text) for key, text in data.items() if key.startswith(("pipelin", "sett"))}
            )
        left = OF_HISTORY if "kf:index:History" in urn else ()
        assert {name: it for name, it in seen[urn].items() if name not in left} == inputs, urn


def test_secrets_stay_secret_one_by_one(program: Program, tmp_path: Path) -> None:
    """A map with a secret in it hides no other variable, and no secret is where it can be read."""
    made = program.made(lambda: test_registered.shop(tmp_path, building=False), Cluster())
    readable = json.dumps({urn: it for urn, it in made.items() if ":Secret::" not in urn}, default=str)
    assert not [text for text in ("space-secret", "mail-secret", "app-secret", "task-secret") if text in readable]
    app = made["urn:pulumi:dev::shop::kf:index:App::shop"]
    assert app["env_names"] == ["MODE"] and app["secret_env_names"] == ["KEY"]


@pytest.mark.parametrize(
    "kinds", [("Task", "TaskSchedule"), ("Space", "ServiceInstance"), ("App",)], ids=["tasks", "space", "app"]
)
def test_a_provider_of_a_components_own_changes_nothing(
    kinds: tuple[str, ...], program: Program, tmp_path: Path
) -> None:
    """The engine starts a process for each; a component takes those of all of them."""

    def registered() -> dict[str, Any]:
        made = program.made(lambda: test_registered.shop(tmp_path, building=False), Cluster(), parent=STACK)
        program.declared.clear()
        return {_short(urn): json.dumps(stable(it, tmp_path), default=str) for urn, it in made.items()}

    alone = registered()
    program.elsewhere = lambda one: one.kind in kinds
    assert registered() == alone


def test_what_is_wrong_is_said_by_whatever_process_finds_it() -> None:
    played = Program(lambda one: one.kind == "Task")
    with pytest.raises(Aborted, match="Task 'migrate' has no mustSuceed: it takes app, args"):
        played.made(lambda: one_task(played, {}, {"mustSuceed": True}), Cluster())
    assert played.declared[1].outputs["appName"] == "shop" and not played.declared[2].at


def one_task(played: Program, app: dict[str, Any], task: dict[str, Any]) -> None:
    space = played.component("Space")("dev", memory="32M")
    shop = played.component("App")("shop", **{"space": space, "image": "busybox:1", **app})
    played.component("Task")("migrate", **{"app": shop, "command": "true", **task})


def made(app: dict[str, Any], task: dict[str, Any]) -> tuple[Program, dict[str, Any]]:
    played = Program()
    return played, played.made(lambda: one_task(played, app, task), Cluster())


def test_records_are_maps_of_their_kind() -> None:
    env = {"A": SecretKey("s", "k", optional=True), "B": "plain"}
    notify = [Webhook("https://chat.example.com", on=["failed"]), Heartbeat("https://beat.example.com")]
    _, found = made({"env_from": [SecretRef("all", prefix="X_")]}, {"env": env, "notify": notify})
    [run] = [it for urn, it in found.items() if "kf:index:Run::" in urn]
    step = run["manifest"]["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}} in step["env"]
    assert step["envFrom"][1:] == [{"prefix": "X_", "secretRef": {"name": "all"}}]
    task = found["urn:pulumi:dev::shop::kf:index:Task::shop-migrate"]
    assert [it["kind"] for it in task["notify"]] == ["webhook", "heartbeat"]


def test_outputs_are_named_as_the_schema_names_them() -> None:
    played, _ = made({"env": {"A": "1"}}, {})
    space, app, task = (one.outputs for one in played.declared)
    assert space == {"namespace": "dev"}
    assert app["appName"] == "shop" and {"name": "A", "value": "1"} in app["env"]
    assert {*task} <= {camel(name) for name in outputs(Task)}


def test_many_tasks_are_registered_at_once() -> None:
    """Each registration waits, as for a task that runs, until all are there; on a machine of few cores."""
    together = threading.Barrier(60, timeout=60)

    class Engine(Cluster):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            if args.typ == "kf:index:Run":
                together.wait()
            return super().new_resource(args)

    played = Program()

    def declare() -> None:
        space = played.component("Space")("dev")
        app = played.component("App")("shop", space=space, image="busybox:1")
        for nth in range(60):
            played.component("Task")(f"t{nth}", app=app, command="true")

    found = played.made(declare, Engine(), at_once=2)
    assert len([urn for urn in found if "kf:index:Run::" in urn]) == 60


OTHER = Remote("Space", "other", {})
OTHER.at = "urn:pulumi:dev::shop::kf:index:Space::other"
UNKNOWN = Unknown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("app", "task", "words"),
    [
        ({}, {"mustSuceed": True}, "Task 'migrate' has no mustSuceed: it takes app, args, atMostOnce"),
        ({}, {"terminated": "no"}, "task 'migrate' of app 'shop': terminated is the text 'no': give true or false"),
        ({}, {"timeout": "soon"}, "timeout"),
        ({"env": {"A": {"name": "s", "key": "k"}}}, {}, "env['A']: kind is None: give one of 'SecretKey', 'ConfigKey'"),
        ({"env": {"A": {"kind": "SecretKey", "name": "s"}}}, {}, "env['A'] has no key, which it needs"),
        ({"services": [{"bindingName": "b"}]}, {}, "services[0] has no service, which it needs"),
        ({"space": OTHER}, {}, "Space 'other', which this update has not made"),
        ({"space": "dev"}, {}, "space is text: give a Space"),
        ({"keep": UNKNOWN}, {}, "keep is an Output: give a whole number (no Output)"),
        ({"keep": 2.5}, {}, "keep is the number 2.5: give a whole number"),
        ({"name.with": 1}, {}, "App 'shop' has no name.with"),
    ],
)  # fmt: skip
def test_bad_input_is_one_error(app: dict[str, Any], task: dict[str, Any], words: str) -> None:
    with pytest.raises(Aborted) as told:
        made(app, task)
    assert words in str(told.value) and "Traceback" not in str(told.value)


def test_a_secret_where_none_may_be_is_refused_without_its_value() -> None:
    played = Program()
    with pytest.raises(Aborted) as told:
        played.made(lambda: one_task(played, {"memory": pulumi.Output.secret("17Gi")}, {}), Cluster())
    assert "memory is an Output" in str(told.value) and "17Gi" not in str(told.value)


def test_names_are_taken_once_in_a_program_and_not_once_in_a_component() -> None:
    """Each component is a question of its own: what was declared before is known all the same."""
    played = Program()

    def twice() -> None:
        one_task(played, {}, {})
        played.component("App")("again", space=played.declared[0], image="i", app_name="shop")

    with pytest.raises(Aborted, match="two Apps of space 'dev' have this name in the cluster"):
        played.made(twice, Cluster())


def test_a_provider_that_tells_no_cluster_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ambient cluster in its place would be another one, silently."""
    monkeypatch.setattr(rpc, "get_resource_package", lambda *_, **__: None)
    played = Program()
    at = {"kubernetes": "urn:pulumi:dev::shop::pulumi:providers:kubernetes::k8s::1234"}
    with pytest.raises(Aborted, match="space 'dev': .* give the Space the same kubeconfig or context"):
        played.made(lambda: played.component("Space")("dev"), Cluster(), providers=at)
    played = Program()
    found = played.made(lambda: played.component("Space")("dev", context="c"), Cluster(), providers=at)
    assert found["urn:pulumi:dev::shop::kf:index:Space$pulumi:providers:kubernetes::dev"]["context"] == "c"


PROTECTED = pulumi.ResourceOptions(protect=True)
FOREIGN = Remote("All", "all", {})
FOREIGN.at = "urn:pulumi:dev::shop::my:own:Component::all"


@pytest.mark.parametrize(
    ("parent", "refused"),
    [
        (lambda played: None, True),
        (lambda played: played.declared[0], True),  # the Space, which is not protected
        (lambda played: played.declared[1], False),  # the App, which is
        (lambda played: FOREIGN, False),  # of which only the engine knows
    ],
    ids=["stack", "space", "app", "another process"],
)
def test_protection_of_a_parent_is_no_option_of_a_task(parent: Any, refused: bool) -> None:
    """The engine tells of both as one; in a Python program a Task of a protected App is none that is refused."""
    played = Program()

    def declare() -> None:
        space = played.component("Space")("dev")
        app = played.component("App")("shop", space=space, image="busybox:1", opts=PROTECTED)
        own = pulumi.ResourceOptions.merge(PROTECTED, pulumi.ResourceOptions(parent=parent(played)))
        played.component("Task")("migrate", app=app, command="true", opts=own)

    if refused:
        with pytest.raises(Aborted, match="task 'migrate' of app 'shop': protect=True would keep the record"):
            played.made(declare, Cluster(), parent=STACK)
    else:
        assert [urn for urn in played.made(declare, Cluster(), parent=STACK) if "kf:index:Run::shop-migrate" in urn]


def test_a_parent_and_what_hangs_on_it() -> None:
    """A History is a sibling of its App, and takes its protection along."""
    played = Program()
    parent = "urn:pulumi:dev::shop::my:own:Component::all"
    found = played.made(lambda: one_task(played, {}, {}), Cluster(), parent=parent, retainOnDelete=True)
    assert "urn:pulumi:dev::shop::my:own:Component$kf:index:History::shop" in found
    assert "urn:pulumi:dev::shop::my:own:Component$kf:index:App::shop" in found
