"""What services, security groups and settings of pods register, and what is refused, under Pulumi's mocks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from kf_tasks import App, Binding, Postgres, SecurityGroup, ServiceInstance, Space, Task

from .test_components import Registered, run, template, unsecret

PASSWORD = "a-word-nobody-sees"
URI = f"postgres://app:{PASSWORD}@db/shop"
TASK = "kf:index:Task$kubernetes:core/v1:ConfigMap::shop-migrate"
SERVICES = "kf:index:App$kubernetes:core/v1:Secret::kf-shop.services"


def step_of(found: Registered, urn: str = TASK) -> dict[str, Any]:
    step: dict[str, Any] = task_spec(found, urn)["steps"][0]
    return step


def task_spec(found: Registered, urn: str = TASK) -> dict[str, Any]:
    spec: dict[str, Any] = template(found, urn)["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]
    return spec


def program(**more: Any) -> Callable[[], None]:
    def declare() -> None:
        space = Space("s")
        db = ServiceInstance("db", space=space, credentials=Postgres(uri=pulumi.Output.secret(URI), port=5432))
        mail = ServiceInstance("post", space=space, credentials={"host": "m"}, service_name="mail", tags=["smtp"],
                               volume_mounts=[{"claim": "letters", "path": "/letters"}])  # fmt: skip
        bound = Binding(mail, "mailer", {"mount": "/box", "readonly": True, "quota": 5})
        app = App("shop", space=space, image="i", command="x", services=[bound, db], **more)
        Task("migrate", app=app)

    return declare


def test_credentials_are_in_secrets_and_nowhere_else() -> None:
    found = run(program())
    files = found["kf:index:ServiceInstance$kubernetes:core/v1:Secret::kf.db.service"]
    assert files["metadata"]["name"] == "kf.db.service"
    assert unsecret(files["stringData"]) == {"type": "postgresql", "uri": URI, "port": "5432"}
    data = unsecret(found[SERVICES]["stringData"])
    assert sorted(data) == ["DATABASE_URL", "VCAP_SERVICES", "mailer.parameters"]
    assert data["DATABASE_URL"] == URI
    services = json.loads(data["VCAP_SERVICES"])
    assert [(label, [it["name"] for it in group]) for label, group in services.items()] == [
        ("postgresql", ["db"]), ("user-provided", ["mailer"]),
    ]  # fmt: skip
    assert services["user-provided"][0]["instance_name"] == "mail"
    assert services["user-provided"][0]["volume_mounts"][0] == {
        "container_dir": "/box", "device_type": "shared", "mode": "r",
    }  # fmt: skip
    others = {urn: state for urn, state in found.inputs.items() if "core/v1:Secret" not in urn}
    assert PASSWORD not in json.dumps(others, default=str)


def test_files_and_volumes_of_bindings_are_mounted() -> None:
    found = run(program())
    mounts = {it["mountPath"]: it for it in step_of(found)["volumeMounts"]}
    assert sorted(mounts) == ["/bindings/db", "/bindings/mailer", "/box"]
    volumes = {it["name"]: it for it in task_spec(found)["volumes"]}
    assert volumes[mounts["/bindings/db"]["name"]]["secret"] == {"secretName": "kf.db.service"}
    assert volumes[mounts["/box"]["name"]]["persistentVolumeClaim"] == {"claimName": "letters"}
    assert mounts["/box"]["readOnly"] is True
    sources = volumes[mounts["/bindings/mailer"]["name"]]["projected"]["sources"]
    assert [it["secret"]["name"] for it in sources] == ["kf.mail.service", "kf-shop.services"]
    env = {it["name"]: it for it in step_of(found)["env"]}
    assert env["SERVICE_BINDING_ROOT"]["value"] == "/bindings"
    assert env["DATABASE_URL"]["valueFrom"]["secretKeyRef"]["optional"] is True
    layers = json.loads(found[TASK]["data"]["settings.json"])["layers"]
    assert layers["VCAP_SERVICES"] == ["bindings"] and layers["MEMORY_LIMIT"] == ["system"]


def test_vcap_services_as_a_file() -> None:
    found = run(program(vcap_services="file"))
    env = {it["name"]: it for it in step_of(found)["env"]}
    assert "VCAP_SERVICES" not in env
    assert env["VCAP_SERVICES_FILE_PATH"]["value"] == "/etc/cf-app-config/vcap_services"
    assert any(it["mountPath"] == "/etc/cf-app-config" for it in step_of(found)["volumeMounts"])


def test_without_services_there_is_an_empty_map() -> None:
    def declare() -> None:
        Task("migrate", app=App("shop", space=Space("s"), image="i", command="x"))

    found = run(declare)
    env = {it["name"]: it for it in step_of(found)["env"]}
    assert env["VCAP_SERVICES"]["value"] == "{}" and "SERVICE_BINDING_ROOT" not in env
    assert "volumeMounts" not in step_of(found) and SERVICES not in found.inputs


def test_bindings_and_settings_of_pods_are_no_part_of_the_definition() -> None:
    record = "kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate"
    plain = run(program())[record]["definition"]
    assert run(program(vcap_services="file", labels={"a": "b"}, priority_class="p"))[record]["definition"] == plain
    assert plain["env"] == {} and plain["secret_env"] == []


def test_an_app_describes_itself_for_a_deployment_beside_it() -> None:
    labels: list[Any] = []

    def declare() -> None:
        app = App("shop", space=Space("s"), image="i", env={"ZONE": "north"}, security_groups=[
            SecurityGroup("db", egress=[{"ports": "5432"}])])  # fmt: skip
        app.labels.apply(labels.append)
        app.env.apply(lambda env: labels.append([it["value"] for it in env if it["name"] == "ZONE"]))

    found = run(declare)
    assert {
        "app.kubernetes.io/name": "shop",
        "app.kubernetes.io/managed-by": "kf",
        "kf.dev/stack": "shop.dev",
    } in labels
    assert ["north"] in labels
    policy = found["kf:index:App$kubernetes:networking.k8s.io/v1:NetworkPolicy::kf-shop.db"]
    assert policy["spec"]["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "shop"}}


def test_an_existing_service_account_carries_no_secrets_of_ours() -> None:
    settings = {"service_account": "robot", "image_pull_secrets": ["regcred"], "automount_service_account_token": True}
    found = run(program(**settings))
    assert not [urn for urn in found.names() if "ServiceAccount" in urn]
    run_template = template(found, TASK)["spec"]["taskRunTemplate"]
    assert run_template["serviceAccountName"] == "robot"
    assert run_template["podTemplate"]["imagePullSecrets"] == [{"name": "regcred"}]
    assert run_template["podTemplate"]["automountServiceAccountToken"] is True


def refused(declare: Callable[[], Any]) -> str:
    with pytest.raises(pulumi.RunError) as error:
        run(declare)
    return str(error.value)


def in_space(make: Callable[[Space], Any]) -> Callable[[], Any]:
    return lambda: make(Space("s"))


def test_what_cannot_be_bound() -> None:
    def twice(space: Space) -> None:
        db = ServiceInstance("db", space=space)
        App("shop", space=space, image="i", services=[db, Binding(db, "other")])

    def elsewhere(space: Space) -> None:
        App("shop", space=space, image="i", services=[ServiceInstance("db", space=Space("t"))])

    def no_service(space: Space) -> None:
        App("shop", space=space, image="i", services=["db"])  # type: ignore[list-item]

    assert refused(in_space(twice)).startswith("app 'shop': two services have the name 'db'")
    assert "service 'db' lives in space 't', the App in 's'" in refused(in_space(elsewhere))
    assert refused(in_space(no_service)).startswith(
        "app 'shop': services[0] is text: give a ServiceInstance or a Binding (no Output)"
    )
    assert "vcap_services is the text 'both': give one of 'env', 'file' (no Output)" in refused(
        program(vcap_services="both")
    )


@pytest.mark.parametrize(
    "credentials",
    [{"host": "h"}, pulumi.Output.from_input({"host": "h"}), pulumi.Output.secret({"host": "h"})],
)
def test_a_required_credential_is_named_with_its_service(credentials: Any) -> None:
    def declare() -> None:
        ServiceInstance("db", space=Space("s"), credentials=credentials, requires=["uri"])

    assert refused(declare).startswith("service 'db': its credentials have no 'uri' (there are: host)")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (None, "service 'db': credentials.uri is an Output of None: give text"),
        (5, "service 'db': credentials.uri is an Output of a number: give text"),
    ],
)
def test_a_typed_credential_is_what_its_type_says(uri: Any, message: str) -> None:
    def declare() -> None:
        ServiceInstance("db", space=Space("s"), credentials=Postgres(uri=pulumi.Output.secret(uri), host="h"))

    assert refused(declare).startswith(message)


def test_a_level_that_an_app_leaves_is_refused() -> None:
    def declare() -> None:
        space = Space("s", pod_security="restricted")
        App("shop", space=space, image="i", security_context={"privileged": True})

    assert (
        "app 'shop': its Space enforces the restricted Pod Security level, but its tasks leave it (privileged)"
        in refused(declare)
    )
    existing = refused(lambda: Space("s", namespace="there", pod_security="restricted"))
    assert existing.startswith("space 's': pod_security labels the namespace that the Space creates")
    strict: Any = "strict"
    assert "pod_security is the text 'strict': give one of 'privileged', 'baseline', 'restricted'" in refused(
        lambda: Space("s", pod_security=strict)
    )


def test_secrets_do_not_fit_into_the_pod() -> None:
    said = refused(program(labels={"a": pulumi.Output.secret("x")}))
    assert said.startswith("labels of app 'shop' is a secret, but it is written into the PipelineRun")
    assert "initContainers cannot be carried by Tekton" in refused(program(pod_spec={"initContainers": []}))
