"""Services whose credentials are in a Secret that others keep: files, DATABASE_URL, and what is refused."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from kf_tasks import App, Binding, Postgres, ServiceInstance, Space

from . import test_components
from .test_components import run, template, unsecret

CONFIG_MAP = "kf:index:App$kubernetes:core/v1:ConfigMap::shop"
SERVICE = "kf:index:ServiceInstance$kubernetes:core/v1:Secret::kf.db.service"
OWN = {"secret": {"name": "kf.db.service"}}


def shop(space: Space, *services: Any, **more: Any) -> App:
    return App("shop", space=space, image="i", command="./serve", services=services, **more)


def files(manifest: dict[str, Any], name: str = "kf-binding") -> list[dict[str, Any]]:
    volumes = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["volumes"]
    found: list[dict[str, Any]] = [it for it in volumes if it["name"].startswith(name)]
    return found


def database(manifest: dict[str, Any]) -> dict[str, Any]:
    """What DATABASE_URL refers to."""
    env = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["env"]
    found: dict[str, Any] = next(it for it in env if it["name"] == "DATABASE_URL")["valueFrom"]["secretKeyRef"]
    return found


def test_all_keys_of_a_secret_are_files_and_its_uri_is_the_database() -> None:
    def program() -> None:
        space = Space("dev")
        shop(space, ServiceInstance("db", space=space, secret="shop-db-app", requires=["uri"]))

    found = run(program)
    manifest = template(found, CONFIG_MAP)
    assert [it["projected"]["sources"] for it in files(manifest)] == [[
        OWN,
        {"secret": {"name": "shop-db-app"}},
        {"secret": {"name": "shop-db-app", "items": [{"key": "uri", "path": "uri"}]}},
    ]]  # fmt: skip
    url = {"name": "shop-db-app", "key": "uri", "optional": True}
    assert database(manifest) == url
    assert unsecret(found[SERVICE]["stringData"]) == {"type": "user-provided"}
    services = found["kf:index:App$kubernetes:core/v1:Secret::kf-shop.services"]
    assert unsecret(services["stringData"]) == {"VCAP_SERVICES": "{}"}


def test_mapped_keys_alone_are_files_and_a_label_wins_over_the_secrets_own() -> None:
    def program() -> None:
        space = Space("dev")
        secret = kubernetes.core.v1.Secret("made", metadata={"name": "made-up", "namespace": "dev"})
        names = {"uri": "connection-string", "password": "pw"}
        db = ServiceInstance("db", space=space, secret=secret, map=names, label="postgresql", plan="big")
        shop(space, Binding(db, parameters={"role": "writer"}))

    found = run(program)
    manifest = template(found, CONFIG_MAP)
    items = [{"key": "pw", "path": "password"}, {"key": "connection-string", "path": "uri"}]
    assert [it["projected"]["sources"] for it in files(manifest)] == [[
        {"secret": {"name": "made-up", "items": items}},
        OWN,
        {"secret": {"name": "kf-shop.services", "items": [{"key": "db.parameters", "path": "parameters"}]}},
    ]]  # fmt: skip
    url = {"name": "made-up", "key": "connection-string", "optional": True}
    assert database(manifest) == url
    assert unsecret(found[SERVICE]["stringData"]) == {"type": "postgresql", "provider": "big"}


@pytest.mark.parametrize(
    "given", [{"map": {"parameters": "p", "uri": "u"}}, {"requires": ["parameters"]}, {"map": {"parameters": "p"}}]
)
def test_the_parameters_of_a_binding_take_the_place_of_a_key_of_their_name(given: dict[str, Any]) -> None:
    """Kubernetes refuses a pod that chooses two keys for one file."""

    def program(**binding: Any) -> Any:
        def make() -> None:
            space = Space("dev")
            shop(space, Binding(ServiceInstance("db", space=space, secret="kept", **given), **binding))

        (volume,) = files(template(run(make), CONFIG_MAP))
        return volume["projected"]["sources"]

    sources = program(parameters={"role": "writer"})
    chosen = [item for it in sources for item in it["secret"].get("items", ())]
    assert [item["key"] for item in chosen if item["path"] == "parameters"] == ["db.parameters"]
    assert all(it["secret"].get("items", True) for it in sources) and ("u" in str(chosen)) == ("uri" in str(given))
    assert "db.parameters" not in str(program())


@pytest.mark.parametrize(("others", "secret"), [
    ({}, "kf-shop.services"),
    ({"map": {"password": "password"}}, "kf-shop.services"),
], ids=str)  # fmt: skip
def test_the_first_that_may_have_a_uri_is_the_database(others: dict[str, Any], secret: str) -> None:
    def program() -> None:
        space = Space("dev")
        own = ServiceInstance("abc" if not others else "zoo", space=space, credentials=Postgres(uri="pg://u:p@h/d"))
        shop(space, own, ServiceInstance("db", space=space, secret="shop-db-app", **others))

    assert database(template(run(program), CONFIG_MAP))["name"] == secret


def test_what_is_not_in_vcap_services_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))

    def program(**more: Any) -> None:
        space = Space("dev")
        shop(space, ServiceInstance("db", space=space, secret="shop-db-app"), **more)

    run(program)
    assert said == []
    run(lambda: program(vcap_services="file"))
    assert said == [
        "app 'shop': VCAP_SERVICES does not hold db, whose credentials are in existing Secrets: tasks find them in "
        "the files under /bindings/<name>/"
    ]


class Cluster(test_components.Cluster):
    """Has a custom resource whose status is the one given."""

    status: Any = None

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        id_, found = super().new_resource(args)
        return id_, {**found, "status": self.status} if args.resource_id else found


def provisioned() -> None:
    space = Space("dev")
    cluster = kubernetes.apiextensions.CustomResource(
        "db", api_version="postgresql.cnpg.io/v1", kind="Cluster", metadata={"name": "db", "namespace": "dev"}
    )
    shop(space, ServiceInstance("db", space=space, resource=cluster))


def test_a_provisioned_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_components, "Cluster", Cluster)
    monkeypatch.setattr(Cluster, "status", {"binding": {"name": "db-credentials"}})
    manifest = template(run(provisioned), CONFIG_MAP)
    assert [it["projected"]["sources"] for it in files(manifest)] == [[OWN, {"secret": {"name": "db-credentials"}}]]


@pytest.mark.parametrize("status", [None, {}, {"binding": None}, {"binding": {"name": ""}}], ids=str)
def test_a_resource_that_is_no_provisioned_service(status: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_components, "Cluster", Cluster)
    monkeypatch.setattr(Cluster, "status", status)
    with pytest.raises(pulumi.RunError) as refused:
        run(provisioned)
    assert str(refused.value).startswith("service 'db': its resource has no .status.binding.name (yet)")


@pytest.mark.parametrize(("given", "message"), [
    ({"secret": "a", "credentials": {"uri": "x"}}, "credentials and secret are given: its credentials are in one "
     "place, give one"),
    ({"map": {"uri": "uri"}}, "map names the keys of an existing Secret: give secret or resource, too"),
    ({"secret": "a", "map": {}}, "map is empty, so tasks would get no key: name some, or leave it out for all"),
    ({"secret": "a", "map": {"a/b": "uri"}}, "map: no binding can have a key 'a/b': use letters, digits, '-', '_' "
     "and '.'"),
    ({"secret": "a", "map": {"uri": ""}}, "map['uri']: no Secret can have a key '': use letters, digits, '-', '_' "
     "and '.'"),
    ({"secret": "a", "map": {"uri": "u"}, "requires": ["host"]}, "requires names 'host', which is not in map: add it "
     "there"),
    ({"secret": "A"}, "secret: no Secret can be called 'A': give the name of one in the namespace of the Space, of "
     "lower-case letters, digits, '-' and '.'"),
])  # fmt: skip
def test_what_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(lambda: ServiceInstance("db", space=Space("dev"), **given) and None)
    assert str(refused.value) == f"service 'db': {message}"
