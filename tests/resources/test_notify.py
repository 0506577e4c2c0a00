"""Who is told how tasks end: layers, the Secret, and that no address stands anywhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from kf_tasks import App, Heartbeat, Space, Task, TaskSchedule, Webhook
from kf_tasks.core import definition, marks
from kf_tasks.core.notify import endpoint
from kf_tasks.core.notify.endpoint import Endpoint

from ..registries import certificate
from .test_components import Registered, run, template, unsecret

URLS = [f"https://hooks.example.com/services/T{number}-secret" for number in range(5)]
SECRET, TASK, RUN = "kubernetes:core/v1:Secret::", "kf:index:Task", "kf:index:Task$pulumi-python:dynamic/kf:Run::"
BOTH = ("failed", "recovered")


def endpoints(found: Registered, urn: str) -> list[Endpoint]:
    return endpoint.read(unsecret(found[urn]["stringData"])[endpoint.KEY])


def told(found: Registered, urn: str) -> str | None:
    metadata = template(found, urn)["metadata"]
    name: str | None = metadata.get("annotations", {}).get(marks.NOTIFY)
    return name


def layered() -> None:
    space = Space("shop-dev", notify=[Webhook(URLS[0], format="slack", on=["failed"])])
    shop = App("shop", space=space, image="i", command="x", notify=[Webhook(pulumi.Output.from_input(URLS[1]))])
    plain = App("plain", space=space, image="i", command="x")
    quiet = App("quiet", space=space, image="i", command="x", notify=[])
    Task("migrate", app=shop)
    Task("notify", app=shop, notify=[Heartbeat(pulumi.Output.secret(URLS[2])), Webhook(URLS[3], format="json")])
    Task("silent", app=shop, notify=[])
    Task("a", app=plain)
    Task("b", app=quiet)
    TaskSchedule("nightly", app=shop, schedule="@daily", notify=[Heartbeat(URLS[4])])
    TaskSchedule("hourly", app=shop, schedule="@hourly")
    TaskSchedule("c", app=quiet, schedule="@hourly")


def test_a_layer_that_says_something_wins_and_the_addresses_are_in_secrets_alone() -> None:
    found = run(layered)
    made = {urn.rsplit("::", 1)[1]: endpoints(found, urn) for urn in found.names() if SECRET in urn}
    assert made == {
        "kf.shop-dev.notify": [Endpoint("webhook", URLS[0], ("failed",), "slack")],
        "kf-shop.notify": [Endpoint("webhook", URLS[1], BOTH, "cloudevents")],
        "kf-shop.notify.notify": [Endpoint("heartbeat", URLS[2]), Endpoint("webhook", URLS[3], BOTH, "json")],
        "kf-shop.nightly.notify": [Endpoint("heartbeat", URLS[4])],
    }
    maps, app = "kubernetes:core/v1:ConfigMap::", "kf:index:App$"
    names = {urn.rsplit("::", 1)[1]: told(found, urn) for urn in found.names()
             if maps in urn and "submitter" not in urn}  # fmt: skip
    assert names == {
        "shop": "kf-shop.notify", "plain": "kf.shop-dev.notify", "quiet": None,
        "shop-migrate": "kf-shop.notify", "shop-notify": "kf-shop.notify.notify", "shop-silent": None,
        "plain-a": "kf.shop-dev.notify", "quiet-b": None, "shop-nightly": "kf-shop.nightly.notify",
        "shop-hourly": "kf-shop.notify", "quiet-c": None,
    }  # fmt: skip
    others = {urn: inputs for urn, inputs in found.inputs.items() if SECRET not in urn}
    assert "-secret" not in json.dumps(others, default=str)
    labels = found[f"{app}{SECRET}kf-shop.notify"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "notify" and labels["app.kubernetes.io/name"] == "shop"


def test_the_pod_of_a_schedule_has_the_secret_and_without_one_is_what_it_was() -> None:
    found = run(layered)

    def pod(name: str) -> dict[str, Any]:
        spec = found[f"kf:index:TaskSchedule$kubernetes:batch/v1:CronJob::{name}"]["spec"]
        made: dict[str, Any] = spec["jobTemplate"]["spec"]["template"]["spec"]
        return made

    own = pod("shop-nightly")
    assert own["volumes"][-1] == {
        "name": "notify", "secret": {"secretName": "kf-shop.nightly.notify", "optional": True}
    }  # fmt: skip
    assert own["containers"][0]["volumeMounts"][-1] == {"name": "notify", "mountPath": "/kf/notify", "readOnly": True}
    assert [volume["name"] for volume in pod("quiet-c")["volumes"]] == ["code", "template"]


def test_who_is_told_is_no_reason_to_run_again_and_is_there_before_a_run() -> None:
    def task(**more: Any) -> Registered:
        def program() -> None:
            Task("migrate", app=App("shop", space=Space("shop-dev"), image="i", command="x"), **more)

        return run(program)

    with_it, without = task(notify=[Webhook(URLS[0])]), task()
    one, other = (found[f"{RUN}shop-migrate"] for found in (with_it, without))
    assert definition.key(one["definition"]) == definition.key(other["definition"])
    assert one["manifest"]["metadata"]["annotations"] == {marks.NOTIFY: "kf-shop.migrate.notify"}
    assert "annotations" not in other["manifest"]["metadata"]
    assert with_it[f"{TASK}::shop-migrate"]["notify"] == [
        {"kind": "webhook", "on": [*BOTH], "format": "cloudevents"}
    ]  # fmt: skip
    assert "notify" not in without[f"{TASK}::shop-migrate"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Webhook("hooks.example.org/token-1"), "webhook: url is no address: give one such as 'https://"),
        (lambda: Heartbeat(""), "heartbeat: url is no address"),
        (lambda: Webhook(7), "webhook: url is the number 7: give text or an Output"),  # type: ignore[arg-type]
        (lambda: Webhook(URLS[0], on="failed"), r"webhook: on is the text 'failed'.*write \['failed'\]"),  # type: ignore[arg-type]
        (lambda: Webhook(URLS[0], on=["ended"]), r"webhook: on\[0\] is the text 'ended': give one of 'failed', 'recov"),  # type: ignore[list-item]
        (lambda: Webhook(URLS[0], on=()), 'webhook: on is empty: name "failed", "recovered" or both'),
        (lambda: Webhook(URLS[0], format="xml"), "webhook: format is the text 'xml': give one of 'cloudevents', 'sl"),  # type: ignore[arg-type]
        (lambda: Webhook(URLS[0], ca="/etc/ca.crt"), "webhook: ca holds no certificate in PEM: give the text of a"),
        (lambda: Webhook(f"{pulumi.Output.from_input('x')}/a"), "webhook: url holds the help text of an Output"),
        (lambda: Space("s", notify=Webhook(URLS[0])), "space 's': notify is a Webhook: give a list of Webhooks or He"),  # type: ignore[arg-type]
        (lambda: Space("s", notify=[URLS[0]]), r"space 's': notify\[0\] is text: give a Webhook or a Heartbeat"),  # type: ignore[list-item]
        (lambda: Space("s", notify=[Webhook(pulumi.Output.secret("token-1"))]), "space 's': notify: webhook: url is n"),
        (lambda: Space("s", notify=[Heartbeat(URLS[0], ca=pulumi.Output.secret("x"))]), "notify: heartbeat: ca holds"),
    ],
)
def test_bad_input_is_one_error_without_the_address(make: Any, said: str) -> None:
    with pytest.raises(pulumi.RunError, match=said) as error:
        run(make)
    assert "token-1" not in str(error.value) and "-secret" not in str(error.value)


def test_an_authority_of_ones_own_goes_with_the_address(tmp_path: Path) -> None:
    ca = certificate(tmp_path, "authority").read_text()
    found = run(lambda: Space("shop-dev", notify=[Webhook(URLS[0], ca=ca), Heartbeat(URLS[1], ca=ca)]))
    made = endpoints(found, f"kf:index:Space${SECRET}kf.shop-dev.notify")
    assert [one.ca for one in made] == [ca, ca]
    assert URLS[0] not in repr(Webhook(URLS[0], ca=ca)) and "BEGIN" not in repr(Heartbeat(URLS[0], ca=ca))
