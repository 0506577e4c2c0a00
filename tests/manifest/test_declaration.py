"""A manifest as resources, with the values that its stack's configuration gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from kf_tasks import App, Space
from kf_tasks.core.manifest import loading
from kf_tasks.core.manifest.nodes import Secret
from kf_tasks.core.notify.endpoint import Endpoint
from kf_tasks.core.source.files import walk
from kf_tasks.manifest import configuration, declaration

from ..resources.test_components import run, template
from ..resources.test_notify import endpoints, told

MANIFEST = """\
applications:
- name: hello
  image: ((registry))/busybox:1
  memory: 64M
  disk_quota: 32M
  cpu: 50m
  keep: 3
  keep_failed: 2
  max_age: 36h
  pinned: [hello-greet-1a2b3c4d-1]
  min_history: 1d
  env: {GREETING: ((greeting)), MODE: 0755}
  entrypoint: [launch]
  tasks:
  - name: greet
    command: echo hi
    env: {MODE: 1.10}
    memory: 1G
    timeout: 90s
    retries: 2
    triggers: [v1]
    when: trigger
  - name: count
    args: [--to, 3]
  jobs:
  - name: nightly
    args: [--all]
    schedule: "@daily"
    concurrency_policy: Forbid
    env: {MODE: 2}
"""
SERVICE = "credentials, label, map, plan, requires, secret, tags, volume_mounts"
HELLO = "kf:index:App$kubernetes:core/v1:ConfigMap::hello"
GREET = "kf:index:Task$kubernetes:core/v1:ConfigMap::hello-greet"
COUNT = "kf:index:Task$kubernetes:core/v1:ConfigMap::hello-count"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("SANDBOX_REGISTRY", raising=False)
    yield
    pulumi.runtime.set_all_config({})


def test_a_manifest_becomes_apps_and_tasks(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(MANIFEST)

    def program() -> None:
        values = {"registry": "r:5000", "greeting": "a: b"}
        applications = declaration.read(tmp_path / "manifest.yml", values)
        declared = declaration.declare(applications, Space("hello-dev"))
        assert {app: list(tasks) for app, tasks in declared.items()} == {"hello": ["greet", "count"]}
        declaration.export(declared)

    found = run(program)
    greet = template(found, GREET)
    task = greet["spec"]["pipelineSpec"]["tasks"][0]
    step = task["taskSpec"]["steps"][0]
    assert (step["image"], step["command"], step["args"]) == ("r:5000/busybox:1", ["launch"], ["echo hi"])
    assert [one for one in step["env"] if one["name"] in ("GREETING", "MODE")] == [
        {"name": "GREETING", "value": "a: b"},
        {"name": "MODE", "value": "1.10"},
    ]
    assert step["computeResources"] == {
        "requests": {"cpu": "50m", "memory": "1Gi", "ephemeral-storage": "32Mi"},
        "limits": {"memory": "1Gi", "ephemeral-storage": "32Mi"},
    }
    assert (greet["spec"]["timeouts"], task["retries"]) == ({"pipeline": "1m30s"}, 2)
    count = template(found, COUNT)["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert (count["command"], count["args"]) == (["launch"], ["--to", "3"])
    assert {"name": "MODE", "value": "0755"} in count["env"]
    kept = {"keep": 3, "keep_failed": 2, "max_age": "1d12h", "pinned": ["hello-greet-1a2b3c4d-1"]}
    job = found["kf:index:TaskSchedule$kubernetes:core/v1:ConfigMap::hello-nightly"]
    history = found["pulumi-python:dynamic/kf:History::hello"]
    for said in (*(json.loads(one["data"]["settings.json"]) for one in (found[HELLO], job)), history):
        assert kept.items() <= said.items()
    assert history["min_history"] == "1d"
    assert history["schedules"] == [{"task": "nightly", "schedule": "@daily", "time_zone": "Etc/UTC"}]
    record = found["kf:index:Task$pulumi-python:dynamic/kf:Run::hello-greet"]
    assert (record["when"], record["definition"]["triggers"]) == ("trigger", ["v1"])
    cron_job = found["kf:index:TaskSchedule$kubernetes:batch/v1:CronJob::hello-nightly"]
    assert (cron_job["spec"]["schedule"], cron_job["spec"]["timeZone"]) == ("@daily", "Etc/UTC")
    assert cron_job["metadata"]["annotations"]["kf.dev/concurrency-policy"] == "Forbid"
    nightly = template(found, "kf:index:TaskSchedule$kubernetes:core/v1:ConfigMap::hello-nightly")
    step = nightly["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert (step["command"], step["args"]) == (["launch"], ["--all"])
    assert {"name": "MODE", "value": "2"} in step["env"] and {"name": "GREETING", "value": "a: b"} in step["env"]


def values(config: dict[str, str], secrets: tuple[str, ...] = (), folder: Path = Path("/nowhere")) -> dict[str, Any]:
    pulumi.runtime.set_all_config(config, list(secrets))
    return configuration.variables(pulumi.Config("kf"), folder)


def test_the_registry_is_the_stacks_or_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    assert values({}) == {}
    monkeypatch.setenv("SANDBOX_REGISTRY", "sandbox:5000")
    assert values({}) == {"registry": "sandbox:5000"}
    assert values({"kf:registry": "r"}) == {"registry": "r"}
    assert values({"kf:registry": "r", "kf:vars": '{"registry": "v", "copies": 2}'}) == {"registry": "v", "copies": 2}


@pytest.mark.parametrize(
    ("config", "secrets", "message"),
    [
        ({"kf:vars": "x"}, (), "kf:vars is no map: set its values with 'pulumi config set --path kf:vars.NAME VALUE'"),
        ({"kf:vars-files": "[1]"}, (), "kf:vars-files is no list of files"),
        ({"kf:vars-files": "x.yml"}, (), "there is no file of variables /nowhere/x.yml: create it, or name "
         "another one"),
        ({"kf:vars": "[1]"}, (), "kf:vars is no map: set its values with "
         "'pulumi config set --path kf:vars.NAME VALUE'"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_used(config: dict[str, str], secrets: tuple[str, ...], message: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        values(config, secrets)
    assert str(refused.value) == message


def test_of_a_map_with_a_secret_only_what_the_stacks_file_shows_is_readable(tmp_path: Path) -> None:
    config = {"kf:vars": '{"token": "t", "zone": "north", "copies": 2, "db": {"host": "h", "password": "p"}}'}
    file = tmp_path / f"Pulumi.{pulumi.get_stack()}.yaml"

    def secret() -> list[str]:
        found = values(config, ("kf:vars",), tmp_path)
        assert "p" not in repr([found["token"], found["db"]])
        return sorted(name for name, value in found.items() if isinstance(value, Secret))

    assert secret() == ["copies", "db", "token", "zone"]
    shown = "config:\n  kf:vars:\n    token:\n      secure: v1:abc\n    zone: north\n    copies: 2\n"
    file.write_text(f"{shown}    db:\n      host: h\n      password:\n        secure: v1:def\n")
    assert secret() == ["db", "token"]
    file.write_text("config:\n  kf:vars:\n    zone: south\n")
    assert secret() == ["copies", "db", "token", "zone"]
    file.write_text("config: [")
    assert secret() == ["copies", "db", "token", "zone"]


def test_numbers_that_pulumi_does_not_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", shown.append)
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    (tmp_path / file).write_text(
        "config:\n  kf:vars: {mode: 0755, version: 1.10, text: '0755', other: 0755, flag: true}\n"
    )
    found = values(
        {"kf:vars": '{"mode": 493, "version": 1.1, "text": "0755", "other": 5, "flag": true}'}, folder=tmp_path
    )
    assert found["mode"] == 493
    assert shown == [
        f"{file}: kf:vars.mode is 0755, but Pulumi reads 493: quote it in the file",
        f"{file}: kf:vars.version is 1.10, but Pulumi reads 1.1: quote it in the file",
    ]
    for given in ('{"a": {"b": [1, 12345678901234567000]}}', '{"a": {"b": [1, 1.5e300]}}'):
        with pytest.raises(pulumi.RunError) as refused:
            values({"kf:vars": given}, folder=tmp_path)
        assert str(refused.value) == (
            "kf:vars.a.b[1] is a number with so many digits that Pulumi changes the last ones: "
            "quote it in the stack's file"
        )
    assert values({"kf:vars": '{"a": 9007199254740992}'}, folder=tmp_path) == {"a": 9007199254740992}


def test_files_of_variables(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("mode: 0755\nzone: north\n")
    (tmp_path / "b.yml").write_text("zone: '((literally))'\ncopies: 2\n")
    found = values({"kf:vars-files": '["a.yml", "b.yml"]', "kf:vars": '{"copies": 3}'}, folder=tmp_path)
    assert found == {"mode": "0755", "zone": "((literally))", "copies": 3}
    assert values({"kf:vars-files": "a.yml"}, folder=tmp_path) == {"mode": "0755", "zone": "north"}


def test_a_secret_variable_becomes_a_secret_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(
        "applications:\n- name: hello\n  image: i\n  task: true\n  command: x\n"
        "  env: {URL: 'a/((token))/b', LEVEL: info}\n  tasks:\n  - {name: greet, env: {TOKEN: ((token))}}\n"
    )

    def program() -> None:
        applications = declaration.read(tmp_path / "manifest.yml", {"token": Secret("s3cret")})
        declaration.declare(applications, Space("hello-dev"))

    found = run(program)
    step = template(found, GREET)["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    env = {one["name"]: one.get("value", one.get("valueFrom")) for one in step["env"]}
    assert env["TOKEN"] == {"secretKeyRef": {"name": "kf-hello.greet.env", "key": "TOKEN"}}
    assert env["URL"] == {"secretKeyRef": {"name": "kf-hello.env", "key": "URL"}}
    assert env["LEVEL"] == "info"
    assert "s3cret" not in json.dumps(
        [value for name, value in found.inputs.items() if "core/v1:Secret" not in name], default=str
    )


def test_files_of_variables_go_into_no_image(tmp_path: Path) -> None:
    pulumi.runtime.set_all_config({"kf:vars-files": '["app/a [1].yml", "b.yml"]'})
    private = configuration.files(pulumi.Config("kf"), tmp_path)
    application = loading.parse("applications:\n- {name: a, path: app, task: true}\n").applications[0]
    source = declaration._source(application, tmp_path, private)
    assert source.ignore == ["/a\\ \\[1].yml"]
    for path in ("app/a [1].yml", "app/b.yml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("x")
    assert [entry.path for entry in walk(tmp_path / "app", ignore=source.ignore)] == ["b.yml"]


def test_services_of_the_configuration_are_bound(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(
        "applications:\n- name: hello\n  image: i\n  task: true\n  command: x\n"
        "  services: [{name: db, binding_name: main, parameters: {size: 1}}]\n  tasks: [{name: greet}]\n"
    )
    db = {"label": "postgresql", "tags": ["sql"], "credentials": {"uri": "postgres://s3cret@db/x"}}
    given: dict[str, dict[str, Any]] = {}

    def program() -> None:
        pulumi.runtime.set_all_config({"kf:services": json.dumps({"db": db})}, ["kf:services"])
        given.update(configuration.services(pulumi.Config("kf")))
        applications = declaration.read(tmp_path / "manifest.yml", {}, given)
        space = Space("hello-dev")
        declaration.declare(applications, space, declaration.provide(given, space))

    found = run(program)
    assert any("ServiceInstance" in name for name in found.inputs) and given == {"db": db}
    step = template(found, GREET)["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    assert {"VCAP_SERVICES", "DATABASE_URL"} <= {one["name"] for one in step["env"] if "valueFrom" in one}
    assert "s3cret" not in json.dumps(template(found, GREET))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"db": 1}, f"kf:services.db is no map: give it {SERVICE}"),
        ({"db": {"url": "x"}}, f"kf:services.db holds a key that is unknown: a service has {SERVICE}"),
        ({"db": {"Credential": {}}}, f"kf:services.db.Credential is unknown: a service has {SERVICE}"),
    ],
)  # fmt: skip
def test_services_that_cannot_be_used(given: dict[str, Any], message: str) -> None:
    pulumi.runtime.set_all_config({"kf:services": json.dumps(given)})
    with pytest.raises(pulumi.RunError) as refused:
        configuration.services(pulumi.Config("kf"))
    assert str(refused.value) == message


def test_a_service_of_the_configuration_may_be_an_existing_secret() -> None:
    def program() -> None:
        db = {"secret": "shop-db-app", "map": {"uri": "fqdn-uri"}, "requires": ["uri"]}
        pulumi.runtime.set_all_config({"kf:services": json.dumps({"db": db})})
        space = Space("s")
        services = declaration.provide(configuration.services(pulumi.Config("kf")), space)
        App("shop", space=space, image="i", services=list(services.values()))

    manifest = template(run(program), "kf:index:App$kubernetes:core/v1:ConfigMap::shop")
    assert '"name": "shop-db-app", "key": "fqdn-uri"' in json.dumps(manifest)


def test_who_is_told_of_every_application(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(MANIFEST)
    address = "https://hooks.example.com/s3cret"
    told = [{"webhook": address, "on": ["failed"], "format": "slack"}, {"heartbeat": f"{address}/beat"}]

    def program(**config: str) -> Callable[[], None]:
        def declare() -> None:
            pulumi.runtime.set_all_config(config, [])
            applications = declaration.read(tmp_path / "manifest.yml", {"registry": "r", "greeting": "g"})
            space = Space("hello-dev", notify=configuration.notify(pulumi.Config("kf")))
            declaration.declare(applications, space)

        return declare

    found = run(program(**{"kf:notify": json.dumps(told)}))
    for urn in (GREET, COUNT, HELLO):
        assert template(found, urn)["metadata"]["annotations"]["kf.dev/notify"]
    said = {urn: inputs for urn, inputs in found.inputs.items() if "core/v1:Secret" not in urn}
    assert address not in json.dumps(said, default=str), "though nobody has marked it as a secret"
    for nobody in ({}, {"kf:notify": "[]"}):
        manifest = template(run(program(**nobody)), GREET)
        assert "kf.dev/notify" not in manifest["metadata"].get("annotations", {})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ('{"webhook": "https://s3cret"}', "kf:notify is no list: set its entries with 'pulumi config set --secret "
         "--path kf:notify[0].webhook ADDRESS'"),
        ("https://s3cret", "kf:notify is no list: set its entries with 'pulumi config set --secret "
         "--path kf:notify[0].webhook ADDRESS'"),
        ("[1]", "kf:notify[0]: write webhook: ADDRESS or heartbeat: ADDRESS, one of them"),
        ('[{"heartbeat": "https://a"}, {"on": ["failed"]}]', "kf:notify[1]: write webhook: ADDRESS or heartbeat: "
         "ADDRESS, one of them"),
        ('[{"webhook": "https://a", "heartbeat": "https://s3cret"}]', "kf:notify[0]: write webhook: ADDRESS or "
         "heartbeat: ADDRESS, one of them"),
        ('[{"heartbeat": "https://a", "on": ["failed"]}]', "kf:notify[0] holds a key that is unknown: a heartbeat has "
         "ca beside its address"),
    ],
)  # fmt: skip
def test_who_cannot_be_told(given: str, message: str) -> None:
    pulumi.runtime.set_all_config({"kf:notify": given})
    with pytest.raises(pulumi.RunError) as refused:
        configuration.notify(pulumi.Config("kf"))
    assert str(refused.value) == message


@pytest.mark.parametrize("more", [{"format": "xml"}, {"on": "failed"}, {"on": ["s3cret"]}, {"webhook": 1}, {"ca": "x"}])
def test_what_a_webhook_refuses_is_refused_here(more: dict[str, Any]) -> None:
    pulumi.runtime.set_all_config({"kf:notify": json.dumps([{"webhook": "https://a.example", **more}])})
    with pytest.raises(pulumi.RunError, match="webhook: "):
        configuration.notify(pulumi.Config("kf"))


def test_problems_end_the_program_and_warnings_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", shown.append)
    path = tmp_path / "m.yml"
    path.write_text("applications:\n- {name: a, image: i, task: true, stck: x}\n")
    assert [application.name for application in declaration.read(path, {})] == ["a"]
    assert shown == ["m.yml: line 2: application 'a': stck: is unknown and has no effect, did you mean 'stack'?"]
    shown.clear()
    path.write_text("applications:\n- {name: a, imgae: i, task: true}\n")
    with pytest.raises(pulumi.RunError, match="application 'a': image: is missing"):
        declaration.read(path, {})
    assert shown == ["m.yml: line 2: application 'a': imgae: is unknown and has no effect, did you mean 'image'?"]
    path.write_text("applications: 1\n")
    with pytest.raises(
        pulumi.RunError, match="^m.yml cannot be used, it has 1 problem:\n  line 1: applications: is '1'"
    ):
        declaration.read(path, {})


def test_the_manifest_of_this_repository() -> None:
    path = Path(__file__).parents[2] / "manifest.yml"
    found = loading.load(path, {"registry": "r", "greeting": "g"}, [])
    assert (found.warnings, found.notes) == ([], [])
    assert [(one.name, one.ready_image, [task.name for task in one.tasks]) for one in found.applications] == [
        ("hello", "r/busybox:1", ["greet", "count"])
    ]


@pytest.mark.parametrize(("given", "meant"), [("false", False), ("true", True), (False, False), (True, True)])
def test_a_truth_value_of_the_configuration_may_be_a_text(given: Any, meant: bool) -> None:
    mounts = [{"claim": "files", "path": "/files", "read_only": given}, {"claim": "more", "path": "/more"}]
    pulumi.runtime.set_all_config({"kf:services": json.dumps({"nfs": {"volume_mounts": mounts}})})
    found = configuration.services(pulumi.Config("kf"))
    assert found["nfs"]["volume_mounts"] == [{**mounts[0], "read_only": meant}, mounts[1]]

    def program() -> None:
        space = Space("s")
        App("shop", space=space, image="i", services=list(declaration.provide(found, space).values()))

    manifest = template(run(program), "kf:index:App$kubernetes:core/v1:ConfigMap::shop")
    step = manifest["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    [files] = [one for one in step["volumeMounts"] if one["mountPath"] == "/files"]
    assert files.get("readOnly", False) is meant


@pytest.mark.parametrize("given", ["yes", "False", 0, [], None])
def test_another_truth_value_is_refused(given: Any) -> None:
    services = {"nfs": {"volume_mounts": [{"claim": "files", "path": "/files", "read_only": given}]}}
    pulumi.runtime.set_all_config({"kf:services": json.dumps(services)})
    found = configuration.services(pulumi.Config("kf"))
    with pytest.raises(pulumi.RunError, match=r"service 'nfs': volume_mounts.*read_only.* is .*: give .*True or False"):
        run(lambda: declaration.provide(found, Space("s")) and None)


def test_existing_secrets_of_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(
        "applications:\n"
        "- name: hello\n  image: i\n  command: serve\n  env: {A: a}\n  secret_env: {TOKEN: shop/tls.crt}\n"
        "  env_from: [{secret: more, prefix: M_, optional: true}, {config_map: settings}]\n"
        "  tasks:\n  - {name: greet, config_env: {MODE: settings/mode}}\n"
    )
    found = run(
        lambda: declaration.declare(declaration.read(tmp_path / "manifest.yml", {}), Space("hello-dev")) and None
    )
    step = template(found, GREET)["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]
    env = {one["name"]: one.get("valueFrom") or one["value"] for one in step["env"]}
    assert (env["A"], env["TOKEN"], env["MODE"]) == (
        "a",
        {"secretKeyRef": {"name": "shop", "key": "tls.crt"}},
        {"configMapKeyRef": {"name": "settings", "key": "mode"}},
    )
    assert step["envFrom"][1:] == [
        {"prefix": "M_", "secretRef": {"name": "more", "optional": True}},
        {"configMapRef": {"name": "settings"}},
    ]


def test_who_is_told_by_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.yml").write_text(
        "applications:\n- name: hello\n  image: i\n  task: true\n  command: x\n"
        "  notify:\n  - {webhook: ((chat)), format: slack, on: [failed]}\n"
        "  tasks:\n  - name: greet\n  - {name: count, notify: []}\n"
        "  jobs:\n  - name: nightly\n"
        "    notify: [{heartbeat: 'https://beat.example.com/((id))'}, {webhook: ((chat))}]\n"
    )
    chat = "https://hooks.example.com/s3cret-1"

    def program() -> None:
        values = {"chat": Secret(chat), "id": Secret("s3cret-2")}
        declaration.declare(declaration.read(tmp_path / "manifest.yml", values), Space("hello-dev"))

    found = run(program)
    made = {urn.rsplit("::", 1)[1]: endpoints(found, urn) for urn in found.names() if "core/v1:Secret" in urn}
    assert made == {
        "kf-hello.notify": [Endpoint("webhook", chat, ("failed",), "slack")],
        "kf-hello.nightly.notify": [
            Endpoint("heartbeat", "https://beat.example.com/s3cret-2"),
            Endpoint("webhook", chat, ("failed", "recovered"), "cloudevents"),
        ],
    }
    assert (told(found, GREET), told(found, COUNT)) == ("kf-hello.notify", None)
    others = [value for name, value in found.inputs.items() if "core/v1:Secret" not in name]
    assert "s3cret" not in json.dumps(others, default=str)
