"""Existing Secrets and ConfigMaps in a program: what stands in templates and definitions, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from kf_tasks import App, ConfigKey, ConfigRef, SecretKey, SecretRef, Space, Task, TaskSchedule
from kf_tasks.resources.environment import Env

from .test_components import Registered, run, template, variables

CONFIG_MAP = "$kubernetes:core/v1:ConfigMap::"
SECRET = "$kubernetes:core/v1:Secret::"


def step(registered: Registered, urn: str) -> dict[str, Any]:
    found: dict[str, Any] = template(registered, urn)["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    return found


def shop(space: Space, **more: Any) -> App:
    return App("shop", space=space, image="i", command="./serve", **more)


def test_one_key_as_a_variable() -> None:
    def program() -> None:
        app = shop(Space("dev", env={"MODE": ConfigKey("settings", "mode")}))
        env: Env = {
            "TOKEN": SecretKey("shop", "token"),
            "PIN": SecretKey("shop.eu", "tls.crt", optional=True),
            "A": "a",
        }
        Task("migrate", app=app, env=env)

    found = run(program)
    assert not [urn for urn in found.names() if SECRET in urn], "nothing is copied"
    assert variables(template(found, f"kf:index:Task{CONFIG_MAP}shop-migrate")) == [
        {"name": "A", "value": "a"},
        {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
        {"name": "PIN", "valueFrom": {"secretKeyRef": {"name": "shop.eu", "key": "tls.crt", "optional": True}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "token"}}},
    ]
    definition = found["kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate"]["definition"]
    assert definition["secret_env"] == []
    assert definition["env"] == {
        "A": "a",
        "TOKEN": {"secret": "shop", "key": "token"},
        "PIN": {"secret": "shop.eu", "key": "tls.crt"},
    }


def test_whole_objects_as_variables() -> None:
    def program() -> None:
        app = shop(Space("dev"), env_from=[SecretRef("shop", prefix="SHOP_"), ConfigRef("settings", optional=True)])
        Task("migrate", app=app, env_from=[ConfigRef("own")])
        TaskSchedule("nightly", app=app, env_from=[SecretRef("night")])

    found = run(program)
    of_app = [
        {"prefix": "SHOP_", "secretRef": {"name": "shop"}},
        {"configMapRef": {"name": "settings", "optional": True}},
    ]
    plain = {"configMapRef": {"name": "kf-shop.env.plain"}}
    space = {"configMapRef": {"name": "kf.dev.env.plain"}}
    assert step(found, f"kf:index:App{CONFIG_MAP}shop")["envFrom"] == [space, *of_app]
    own = {"configMapRef": {"name": "own"}}
    assert step(found, f"kf:index:Task{CONFIG_MAP}shop-migrate")["envFrom"] == [space, *of_app, plain, own]
    night = {"secretRef": {"name": "night"}}
    assert step(found, f"kf:index:TaskSchedule{CONFIG_MAP}shop-nightly")["envFrom"] == [space, *of_app, plain, night]
    definition = found["kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate"]["definition"]
    assert definition["env"] == {"* of ConfigMap own": 0}


def test_what_a_lower_layer_sets_is_kept_below() -> None:
    def program() -> App:
        space = Space("dev", env={"MODE": "space", "TOKEN": pulumi.Output.secret("hidden-word")})
        app = shop(space, env={"MODE": "app", "PRICE": "5$"})
        Task("migrate", app=app, env={"OWN": "1"}, env_from=[SecretRef("shop")])
        Task("other", app=app)
        return app

    found = run(program)
    assert step(found, f"kf:index:Task{CONFIG_MAP}shop-migrate")["envFrom"] == [
        {"configMapRef": {"name": "kf.dev.env.plain"}},
        {"secretRef": {"name": "kf.dev.env"}},
        {"configMapRef": {"name": "kf-shop.env.plain"}},
        {"secretRef": {"name": "shop"}},
    ]
    assert [it["name"] for it in variables(template(found, f"kf:index:Task{CONFIG_MAP}shop-migrate"))] == ["OWN"]
    assert found[f"kf:index:Space{CONFIG_MAP}kf.dev.env.plain"]["data"] == {"MODE": "space"}
    assert found[f"kf:index:App{CONFIG_MAP}kf-shop.env.plain"]["data"] == {"MODE": "app", "PRICE": "5$"}
    assert "envFrom" not in step(found, f"kf:index:Task{CONFIG_MAP}shop-other")


def test_names_from_resources_of_the_same_program() -> None:
    def program() -> None:
        space = Space("dev")
        secret = kubernetes.core.v1.Secret("made", metadata={"name": "made-up", "namespace": "dev"})
        config = kubernetes.core.v1.ConfigMap("conf", metadata={"name": "conf-1", "namespace": "dev"})
        app = shop(space, env={"A": SecretKey(secret, "a"), "B": SecretKey(secret.metadata["name"], "b")})
        Task("migrate", app=app, env_from=[ConfigRef(config), SecretRef(secret, prefix="S_")])

    found = run(program)
    assert variables(template(found, f"kf:index:App{CONFIG_MAP}shop")) == [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "made-up", "key": "a"}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "made-up", "key": "b"}}},
    ]
    assert step(found, f"kf:index:Task{CONFIG_MAP}shop-migrate")["envFrom"][-2:] == [
        {"configMapRef": {"name": "conf-1"}},
        {"prefix": "S_", "secretRef": {"name": "made-up"}},
    ]


def secret_name() -> None:
    shop(Space("dev"), env={"A": SecretKey(pulumi.Output.secret("shop"), "a")})


def odd_name() -> None:
    shop(Space("dev"), env_from=[SecretRef(pulumi.Output.from_input("Shop!"))])


@pytest.mark.parametrize(("program", "message"), [
    (lambda: SecretKey("Shop", "a"), "SecretKey: no Secret can be called 'Shop': give the name of one in the "
     "namespace of the Space, of lower-case letters, digits, '-' and '.'"),
    (lambda: SecretKey("shop", ""), "SecretKey: no Secret can have a key '': use letters, digits, '-', '_' and '.'"),
    (lambda: ConfigKey("shop", "a/b"), "ConfigKey: no ConfigMap can have a key 'a/b': use letters, digits, '-', '_' "
     "and '.'"),
    (lambda: SecretRef("shop", prefix="1_"), "SecretRef: no variable's name can begin with prefix '1_': use letters, "
     "digits and '_', not beginning with a digit"),
    (lambda: ConfigRef(5), "ConfigRef: name is the number 5: give text or a ConfigMap or an Output"),  # type: ignore
    (lambda: shop(Space("dev"), env={"VCAP_X": SecretKey("a", "b")}), "app 'shop': VCAP_X is set by the platform and "
     "cannot be overridden: choose another name"),
    (lambda: shop(Space("dev"), env_from=["shop"]), "app 'shop': env_from[0] is text: give a SecretRef or a ConfigRef "
     "(no Output)"),
    (odd_name, "app 'shop': env_from[0]: no Secret can be called 'Shop!': give the name of one in the namespace of "
     "the Space, of lower-case letters, digits, '-' and '.'"),
    (secret_name, "the name of a Secret in app 'shop': env A is a secret, but it is written into the PipelineRun, "
     "where it can be read: pass secrets with env=… (they go to a Kubernetes Secret), or take the secret mark off "
     "with pulumi.Output.unsecret"),
])  # fmt: skip
def test_what_is_refused(program: Callable[[], Any], message: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(lambda: program() and None)
    assert str(refused.value) == message


def test_a_key_that_stays_above_env_from_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))
    space_env = {"TOKEN": SecretKey("shop", "token"), "OWN": SecretKey("shop", "own")}
    run(lambda: shop(Space("dev", env=space_env), env={"OWN": "x"}, env_from=[SecretRef("more")]))
    assert said == [
        "app 'shop': TOKEN of a lower layer refers to a key of an existing Secret or ConfigMap, which Kubernetes puts "
        "above env_from: where env_from is to win, set it in env here"
    ]
