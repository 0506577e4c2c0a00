"""What components register for policies: nothing secret, and nothing that keeps them from being registered."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
from kf_tasks import App, Binding, Postgres, SecurityGroup, ServiceInstance, Space, Task, TaskSchedule
from pulumi.output import Unknown

from .test_components import Registered, run

SECRET = "x-secret-x"


def unknown() -> pulumi.Output[Any]:
    """What another resource has not told yet, or never will in this update, because it failed."""

    async def value() -> Any:
        return Unknown()  # type: ignore[no-untyped-call]

    async def no() -> bool:
        return False

    return pulumi.Output(set(), value(), no(), no())


def components(found: Registered) -> dict[str, Any]:
    return {urn: inputs for urn, inputs in found.inputs.items() if "kf:index" in urn.split("::")[0].split("$")[-1]}


def program(space: Space) -> App:
    secret = pulumi.Output.secret(SECRET)
    typed = ServiceInstance("db", space=space, credentials=Postgres(secret))
    parts = ServiceInstance("mail", space=space, credentials={"host": "h", "password": secret})
    whole = ServiceInstance("whole", space=space, credentials=pulumi.Output.secret({SECRET: "v"}))
    return App(
        "shop",
        space=space,
        image="i",
        env={"PLAIN": "1", "OUTPUT": pulumi.Output.from_input("2"), "TOKEN": secret},
        services=[typed, Binding(parts, binding_name="post"), whole],
        security_groups=[SecurityGroup("out", egress=[])],
        automount_service_account_token=True,
    )


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_nothing_secret_is_registered(preview: bool) -> None:
    found = components(run(lambda: program(Space("dev", env={"S": pulumi.Output.secret(SECRET)})), preview))
    assert SECRET not in json.dumps(found, default=str)
    app = found["kf:index:App::shop"]
    assert (app["env_names"], app["secret_env_names"]) == (["OUTPUT", "PLAIN"], ["TOKEN"])
    assert (app["services"], app["security_groups"], app["space"]) == (["db", "post", "whole"], ["out"], "dev")
    assert app["automount_service_account_token"] is True
    names = [found[f"kf:index:ServiceInstance::{name}"].get("credential_names") for name in ("db", "mail", "whole")]
    assert names == [["uri"], ["host", "password"], None]
    assert found["kf:index:Space::dev"]["secret_env_names"] == ["S"]


def test_what_an_update_does_not_get_to_know_is_left_out_and_a_preview_says_so() -> None:
    def waiting() -> None:
        app = App("shop", space=Space("dev"), image="i", command=unknown(), env={"A": unknown()})
        Task("t", app=app, command=["echo", unknown()], triggers=[unknown()])
        TaskSchedule("n", app=app, args=[unknown()])

    update, preview = components(run(waiting)), components(run(waiting, preview=True))
    for urn, names in {
        "kf:index:App::shop": ["command"],
        "kf:index:Task::shop-t": ["command", "triggers"],
        "kf:index:TaskSchedule::shop-n": ["args"],
    }.items():
        assert not [name for name in names if name in update[urn]]
        assert all(isinstance(preview[urn][name], Unknown) for name in names)
    assert update["kf:index:App::shop"]["env_names"] == preview["kf:index:App::shop"]["env_names"] == ["A"]


def test_what_is_at_its_default_is_left_out() -> None:
    def plain() -> None:
        app = App("shop", space=Space("dev"), image="i")
        Task("t", app=app, command="c")
        TaskSchedule("n", app=app, command="c", schedule="@daily")

    found = components(run(plain))
    amounts = {"memory": "1Gi", "disk": "1Gi", "cpu": "100m"}
    assert found["kf:index:Space::dev"] == {"name": "dev", "keep": 500.0, "timeout": "1h0m0s", **amounts}
    assert found["kf:index:App::shop"] == {"image": "i", "keep": 500.0, "space": "dev", **amounts}
    assert found["kf:index:Task::shop-t"] == {
        "app": "shop", "task": "t", "when": "change", "timeout": "1h0m0s", "command": "c", **amounts,
    }  # fmt: skip
    assert found["kf:index:TaskSchedule::shop-n"] == {
        "app": "shop", "task": "n", "schedule": "@daily", "time_zone": "Etc/UTC", "timeout": "1h0m0s", "command": "c",
        **amounts,
    }  # fmt: skip
