"""An App that takes another one's name in the cluster, where no preview has refused it, takes nothing else of it."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pulumi
import pytest
from kf_tasks import App, SecurityGroup, ServiceInstance, Source, Space, Webhook
from kf_tasks.core import marks

from . import test_components
from .test_components import run

CONFLICT = "Apply failed with 1 conflict: .metadata.annotations.kf.dev/urn"


class Taken(test_components.Cluster):
    """A cluster in which the template of App `shop` is one that another resource has made."""

    def __init__(self, template: str) -> None:
        self._template, self.made = template, list[str]()

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.inputs.get("metadata", {}).get("name") == self._template:
            raise pulumi.RunError(CONFLICT)
        self.made.append(f"{args.typ}::{args.name}")
        return super().new_resource(args)


def everything(**origin: Any) -> None:
    space = Space("s", env={"A": pulumi.Output.secret("of the space")}, registry="http://r:5000")
    service = ServiceInstance("db", space=space, credentials={"uri": pulumi.Output.secret("pg://u:p@h/d")})
    App(
        "web", app_name="shop", space=space, env={"TOKEN": pulumi.Output.secret("hunter22"), "PLAIN": "x"},
        services=[service], notify=[Webhook(pulumi.Output.secret("https://h.example/x"))],
        security_groups=[SecurityGroup("db", egress=[{"ports": "5432"}])], **origin,
    )  # fmt: skip


def of_app(made: list[str]) -> list[str]:
    return sorted(one for one in made if "shop" in one or one.endswith("::web"))


@pytest.mark.parametrize(("built", "template"), [(False, "kf-shop"), (True, "kf.build.shop")])
def test_nothing_is_made_beside_the_template_of_another(tmp_path: Any, built: bool, template: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    origin: dict[str, Any] = {"source": Source(str(tmp_path))} if built else {"image": "busybox"}
    cluster = Taken(template)
    with (
        mock.patch.object(test_components, "Cluster", return_value=cluster),
        pytest.raises(pulumi.RunError, match="1 conflict"),
    ):
        run(lambda: everything(**origin))
    assert of_app(cluster.made) == ["kf:index:App::web"]


def test_all_of_it_is_made_otherwise() -> None:
    cluster = Taken("another")
    with mock.patch.object(test_components, "Cluster", return_value=cluster):
        found = run(lambda: everything(image="busybox"))
    assert len(of_app(cluster.made)) == 8
    urn = "kf:index:App$kubernetes:core/v1:ConfigMap::web"
    assert found[urn]["metadata"]["annotations"] == {marks.URN: "pulumi:pulumi:Stack$kf:index:App::web"}
