"""Every argument of every component: taken, or one error that names it, says what it is and what is meant."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import json
import os
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks import App, Binding, Postgres, SecurityGroup, ServiceInstance, Source, Space, Task, TaskSchedule
from kf_tasks.core import definition
from kf_tasks.core.build import spec as build
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.pods.security import LEVELS
from kf_tasks.core.schedule import slot
from kf_tasks.resources.arguments import taken
from kf_tasks.resources.task import When
from kf_tasks.resources.task_schedule import Policy

from .test_components import let_go, run

Make = Callable[..., Any]
VALUES: dict[str, Callable[[], Any]] = {
    "text": lambda: "false",
    "number": lambda: 7,
    "bool": lambda: True,
    "list": lambda: ["a"],
    "map": lambda: {"a": "b"},
    "Output": lambda: pulumi.Output.from_input("a"),
    "None": lambda: None,
    "class": lambda: App,
}


def makers(folder: Path) -> dict[type, Make]:
    """For each component how to make it with one argument of its own, all else being good and the same."""
    (folder / "Dockerfile").write_text("FROM scratch\n")
    numbers = itertools.count()
    there: dict[str, Any] = {}

    def name(kind: str) -> str:
        number = next(numbers)
        return f"{kind}{number}" if number else kind

    def space(**more: Any) -> Space:
        return Space(**{"name": name("s"), "registry": "registry/team", **more})

    def shared() -> Space:
        if "space" not in there:
            there["space"] = Space("shared")
        return there["space"]  # type: ignore[no-any-return]

    def app(**more: Any) -> App:
        image = "registry/shop@sha256:11"
        return App(**{"name": name("shop"), "space": shared(), "command": "run", "image": image, **more})

    def of_app() -> App:
        if "app" not in there:
            there["app"] = App("shop", space=shared(), command="run", image="registry/shop@sha256:11")
        return there["app"]  # type: ignore[no-any-return]

    def task(**more: Any) -> Task:
        return Task(**{"name": name("migrate"), "app": of_app(), **more})

    def job(**more: Any) -> TaskSchedule:
        return TaskSchedule(**{"name": name("nightly"), "app": of_app(), **more})

    def service(**more: Any) -> ServiceInstance:
        return ServiceInstance(**{"name": name("db"), "space": shared(), **more})

    def source(**more: Any) -> App:
        built = Source(**{"path": str(folder), **more})
        return app(space=Space(name("s"), registry="registry/team"), image=None, source=built)

    def binding(**more: Any) -> App:
        return app(services=[Binding(**{"service": service(), **more})])

    def postgres(**more: Any) -> ServiceInstance:
        return service(credentials=Postgres(**{"uri": "postgres://u:p@h/d", **more}))

    def group(**more: Any) -> App:
        return app(security_groups=[SecurityGroup(**{"name": "out", "egress": [], **more})])

    return {
        Space: space, App: app, Task: task, TaskSchedule: job, ServiceInstance: service, Source: source,
        Binding: binding, Postgres: postgres, SecurityGroup: group,
    }  # fmt: skip


ARGUMENTS = [
    (kind, name)
    for kind in makers(Path(os.environ.get("TMPDIR", "/tmp")))
    for name in (
        [field.name for field in dataclasses.fields(kind)]
        if dataclasses.is_dataclass(kind)
        else list(inspect.signature(kind).parameters)
    )
]


@pytest.mark.parametrize(("kind", "name"), ARGUMENTS, ids=[f"{kind.__name__}-{name}" for kind, name in ARGUMENTS])
def test_taken_or_one_error_that_names_it(
    kind: type, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    said: dict[str, str] = {}

    def program() -> None:
        make = makers(tmp_path)[kind]
        for title, value in VALUES.items():
            try:
                make(**{name: value()})
            except pulumi.RunError as error:
                said[title] = str(error)

    try:
        run(program, preview=True)  # where nothing that is built has results
    except pulumi.RunError as error:
        said["once it is known"] = str(error)
    let_go()  # of those that were caught above
    names = (name, {"path": "source"}.get(name, name), "name" if name.endswith("name") else name)
    for title, text in said.items():
        assert any(one in text for one in names), f"{title}: {text}"
        assert "object at 0x" not in text and "\n" not in text, f"{title}: {text}"


WRONG = [
    (Task, {"terminated": "false"}, "task 'migrate' of app 'shop': terminated is the text 'false': give True or "
     "False (no Output)"),
    (Task, {"wait": "false"}, "task 'migrate' of app 'shop': wait is the text 'false': give True or False (no "
     "Output)"),
    (TaskSchedule, {"suspend": "false"}, "job 'nightly' of app 'shop': suspend is the text 'false': give True or "
     "False (no Output)"),
    (Task, {"results": "schema"}, "task 'migrate' of app 'shop': results is the text 'schema': give a list of "
     "texts (no Output): write ['schema']"),
    (Task, {"env": [{"name": "A"}]}, "task 'migrate' of app 'shop': env is a list: give a map from names to "
     "texts or SecretKeys or ConfigKeys (Outputs only in it)"),
    (Task, {"env": ["A=b"]}, "task 'migrate' of app 'shop': env is a list: give a map from names to texts "
     "or SecretKeys or ConfigKeys (Outputs only in it)"),
    (App, {"env": pulumi.Output}, "app 'shop': env is the class Output: give a map from names to texts or "
     "SecretKeys or ConfigKeys (Outputs only in it)"),
    (Task, {"command": {"x": 1}}, "task 'migrate' of app 'shop': command is a map: give text or a list of texts "
     "or an Output"),
    (App, {"space": "s"}, "app 'shop': space is text: give a Space (no Output)"),
    (App, {"memory": 512}, "app 'shop': memory is the number 512: give an amount with a unit such as '512M' or "
     "'1Gi' (no Output)"),
    (App, {"labels": {"a": 1}}, "app 'shop': labels['a'] is the number 1: give text or an Output"),
    (App, {"keep": True}, "app 'shop': keep is True: give a whole number (no Output)"),
    (App, {"app_name": "store", "keep": "5"}, "app 'store': keep is the text '5': give a whole number (no Output)"),
    (App, {"services": [5]}, "app 'shop': services[0] is the number 5: give a ServiceInstance or a Binding (no "
     "Output)"),
    (Task, {"when": "sometimes"}, "task 'migrate' of app 'shop': when is the text 'sometimes': give one of "
     "'change', 'trigger', 'always' (no Output)"),
    (Space, {"quota": {"pods": [1]}}, "space 's': quota['pods'] is a list: give text or a number (no Output)"),
    (SecurityGroup, {"dns": "no"}, "security group 'out': dns is the text 'no': give True or False (no Output)"),
    (Source, {"builder_user": "1000"}, "Source: builder_user is the text '1000': give a whole number (no Output)"),
    (Postgres, {"port": "5432"}, "service 'db': credentials.port is the text '5432': give a whole number or an "
     "Output"),
    (Binding, {"parameters": {"readonly": "false"}}, "Binding of service 'db': parameters: readonly is 'false': "
     "give True or False"),
    (ServiceInstance, {"volume_mounts": [{"claim": "c", "path": "/p", "read_only": "false"}]}, "service 'db': "
     "volume_mounts: read_only is 'false': give True or False"),
    (ServiceInstance, {"credentials": "x"}, "service 'db': credentials are no map but str: give names and values, "
     "such as {'uri': …}"),
]  # fmt: skip
OUTPUTS = [
    (App, "env", "a", "app 'shop': env is an Output: give a map from names to texts or SecretKeys or ConfigKeys "
     "(Outputs only in it)"),
    (App, "memory", "1Gi", "app 'shop': memory is an Output: give an amount with a unit such as '512M' or '1Gi' "
     "(no Output)"),
    (Task, "retries", 1, "task 'migrate' of app 'shop': retries is an Output: give a whole number (no Output)"),
    (App, "labels", {"a": 1}, "app 'shop': labels['a'] is an Output of the number 1: give text"),
    (App, "command", 7, "app 'shop': command is an Output of the number 7: give text or a list of texts"),
    (App, "node_selector", ["a"], "app 'shop': node_selector is an Output of a list: give a map from names to "
     "texts"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments", "message"), WRONG)
def test_what_means_something_else_is_refused(
    kind: type, arguments: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(lambda: makers(tmp_path)[kind](**arguments) and None)
    assert str(refused.value) == message


@pytest.mark.parametrize(("kind", "name", "value", "message"), OUTPUTS)
def test_an_output_where_none_may_stand_or_of_something_else(
    kind: type, name: str, value: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(lambda: makers(tmp_path)[kind](**{name: pulumi.Output.from_input(value)}) and None)
    assert str(refused.value) == message


def test_a_secret_is_not_shown_by_its_error(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(lambda: makers(tmp_path)[App](env={"A": pulumi.Output.secret(271828)}) and None)
    assert str(refused.value) == "app 'shop': env['A'] is an Output of a number: give text"


def test_parameters_of_a_binding_are_known_at_once(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(lambda: makers(tmp_path)[Binding](parameters={"a": [pulumi.Output.from_input("x")]}) and None)
    assert str(refused.value) == (
        "Binding of service 'db': parameters['a'][0] is an Output: give plain data (no Output)"
    )


def test_paths_are_taken_as_paths(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    config = tmp_path / "config"
    config.write_text("apiVersion: v1\n")

    def program(as_path: bool) -> None:
        kind = Path if as_path else str
        space = Space("s", registry="registry/team", kubeconfig=kind(config))
        App("plain", space=space, source=kind(tmp_path))
        App("shop", space=space, source=Source(kind(tmp_path), dockerfile=kind("Dockerfile")))

    def seen(as_path: bool) -> str:
        found = run(lambda: program(as_path), preview=True)
        return json.dumps(found.inputs, sort_keys=True, default=lambda other: type(other).__name__)

    assert seen(True) == seen(False) and str(tmp_path) in seen(True)


def test_words_of_the_signatures_are_those_of_the_core() -> None:
    assert typing.get_args(When) == definition.WHEN
    assert set(typing.get_args(Policy)) == {*slot.POLICIES, "Always"}
    level = typing.get_type_hints(Space.__init__.__wrapped__, localns={"Output": pulumi.Output, "T": Any})  # type: ignore[attr-defined]
    assert typing.get_args(typing.get_args(level["pod_security"])[0]) == LEVELS
    assert build.KEEP == 5


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
HINTS: dict[Any, Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    typing.Sequence[str]: lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    typing.Mapping[str, int]: lambda value: (
        isinstance(value, dict) and all(isinstance(item, int) and not isinstance(item, bool) for item in value.values())
    ),
    typing.Literal["a", 1]: lambda value: not isinstance(value, (bool, float)) and value in ("a", 1),
}


@settings(max_examples=300, deadline=None)
@given(PLAIN, st.sampled_from(list(HINTS)))
def test_a_value_is_taken_if_and_only_if_it_is_of_its_type(value: Any, hint: Any) -> None:
    if HINTS[hint](value):
        assert taken("what", hint, value) == value
    else:
        with pytest.raises(InvalidInput, match=r"^what.* is .*: give "):
            taken("what", hint, value)
