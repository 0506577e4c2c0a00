"""What is hidden in a log, and what is said of it that cannot be."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from kf_tasks.runs.secrets import secret_values


class Holds:
    """A cluster with Secrets."""

    def __init__(self, secrets: dict[str, dict[str, str]]) -> None:
        self.secrets = secrets

    def get(self, _namespace: str, _kind: str, name: str) -> dict[str, Any] | None:
        data = self.secrets.get(name)
        return data if data is None else {"data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}}


def run(*refs: tuple[str, str], mounted: tuple[str, ...] = ()) -> dict[str, Any]:
    """A run that refers to keys of Secrets, and mounts whole ones."""
    env = [{"name": key, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}} for name, key in refs]
    volumes = [{"name": name, "secret": {"secretName": name}} for name in mounted]
    spec = {"steps": [{"name": "task", "env": env}], "volumes": volumes}
    return {"spec": {"pipelineSpec": {"tasks": [{"taskSpec": spec}]}}}


def of(secrets: dict[str, dict[str, str]], manifest: dict[str, Any]) -> tuple[set[str], list[str]]:
    """What is hidden, and what is warned of."""
    warned: list[str] = []
    cluster: Any = Holds(secrets)
    return set(secret_values(cluster, "ns", manifest, warned.append)), warned


def test_a_service_is_hidden_and_what_is_too_short_of_it_is_said_once() -> None:
    vcap = '{"postgresql": [{"name": "shop-db", "credentials": {"pin": "123", "uri": "pg://u:hunter22@h/d"}}]}'
    files = {"type": "postgresql", "provider": "platinum", "pin": "123", "uri": "pg://u:hunter22@h/d"}
    secrets = {"kf-shop.services": {"VCAP_SERVICES": vcap}, "kf.db.service": files}
    hidden, warned = of(secrets, run(("kf-shop.services", "VCAP_SERVICES"), mounted=("kf.db.service",)))
    assert hidden == {vcap, "pg://u:hunter22@h/d", "hunter22"}
    assert warned == ["secret variable VCAP_SERVICES: pin is shorter than 6 characters and is not masked"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1234", ["secret variable V is shorter than 6 characters and is not masked"]),
        ("", []),
        ("alpha-code\nb1\n", ["secret variable V: a line of V is shorter than 6 characters and is not masked"]),
        ("{" * 60, ["secret variable V cannot be taken apart: it and each of its lines are masked; "
                    "another part of it is not masked"]),
    ],
)  # fmt: skip
def test_what_cannot_be_hidden_is_said(value: str, said: list[str]) -> None:
    assert of({"kf-shop.env": {"V": value}}, run(("kf-shop.env", "V")))[1] == said


def test_a_variable_that_is_called_type_is_a_secret_like_any_other() -> None:
    assert of({"kf-shop.env": {"type": "hunter22"}}, run(("kf-shop.env", "type")))[0] == {"hunter22"}
