"""`kf doctor` on clusters of plain data: each thing that may be wrong is found, and told what to do about."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import kf_tasks
import pytest
import yaml
from kf_tasks.core.build.buildpacks import Buildpacks
from kf_tasks.core.build.dockerfile import Dockerfile
from kf_tasks.core.build.spec import Artifact, BuildSpec, Recipe
from kf_tasks.core.rights import RULES
from kf_tasks.core.run.pipelinerun import Resources
from kf_tasks.errors import Denied, NotFound, Refused, Unreachable

from ..registries import PASSWORD, USER, serve
from .test_commands import FakeCluster, call, run

GRANTED = [{"apiGroups": [rule.group], "resources": list(rule.resources), "verbs": list(rule.verbs)} for rule in RULES]


@dataclasses.dataclass
class Answer:
    data: Any
    headers: dict[str, str]


@dataclasses.dataclass
class Http:
    """What the API server says to what is no object of ours."""

    granted: list[dict[str, Any]]
    tekton: bool = True
    date: str = ""
    host: str = "https://here"

    def read(self, method: str, path: str) -> Answer:
        return Answer({"gitVersion": "v1.36.3"}, {"Date": self.date} if self.date else {})

    def decoded(self, answer: Answer) -> Any:
        return answer.data

    def json(self, method: str, path: str, **more: Any) -> Any:
        if "selfsubject" in path:
            assert more["body"]["spec"] == {"namespace": "dev"}
            return {"status": {"resourceRules": self.granted}}
        if not self.tekton:
            raise NotFound("not here")
        return {}


@dataclasses.dataclass
class Patient(FakeCluster):
    """A cluster that is well but for what a test says."""

    http: Http = dataclasses.field(default_factory=lambda: Http(list(GRANTED)))
    flag: str = "true"
    hidden: bool = False
    admits: Exception | None = None
    asked: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def get(self, namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        if namespace != "tekton-pipelines":
            return super().get(namespace, plural, name)
        if self.hidden:
            raise Denied("configmaps is forbidden")
        return {"data": {"version": "v1.15.0", "set-security-context": self.flag}}

    def create_run(self, manifest: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
        assert dry_run
        self.asked.append(manifest)
        if self.admits:
            raise self.admits
        return manifest


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KF_LOG_ARCHIVE", raising=False)
    return tmp_path


def found(cluster: FakeCluster, code: int = 0) -> dict[str, tuple[str, str, str]]:
    result = call(cluster, "doctor", "-o", "json")
    assert result.exit_code == code, (result.output, result.exception)
    return {each["about"]: (each["state"], each["found"], each["advice"]) for each in json.loads(result.stdout)}


def test_all_is_well() -> None:
    cluster = Patient()
    said = found(cluster)
    assert {about for about, (state, _, _) in said.items() if state != "ok"} == {"project"}
    assert said["cluster"][1] == "https://here, Kubernetes v1.36.3"
    assert (said["tekton"][1], said["rights"][1]) == ("Pipelines v1.15.0", "all that is needed in dev")
    assert cluster.asked[0]["metadata"]["name"] == "kf-doctor"
    shown = call(Patient(), "doctor").stdout
    assert shown.splitlines()[0].split() == ["State", "About", "Found", "WhatToDo"]
    assert shown.endswith("\nNothing keeps tasks from running.\n")

    names = call(Patient(), "doctor", "-o", "name").stdout.split()
    assert names == list(dict.fromkeys(names)) and {"kf", "cluster", "rights"} < {*names}
    assert call(Patient(), "doctor", "-o", "wide").stdout == shown


def test_what_keeps_tasks_from_running() -> None:
    assert found(Patient(http=Http(list(GRANTED), tekton=False)), 1)["tekton"][0] == "error"
    refused = found(Patient(admits=Refused("no privileged pods")), 1)["webhook"]
    assert refused[:2] == ("error", "a run is not admitted: no privileged pods")
    assert found(Patient(spaces=()), 1)["space"] == (
        "error", "'dev' is not in the cluster", "choose one with --space, or run pulumi up",
    )  # fmt: skip
    assert call(Patient(spaces=()), "doctor").stdout.endswith("keep tasks from running.\n")


def test_rights_verb_by_verb() -> None:
    less = [{**rule, "verbs": [verb for verb in rule["verbs"] if verb != "patch"]} for rule in GRANTED]
    said = call(Patient(http=Http(less)), "doctor", "-o", "json")
    assert said.exit_code == 1
    rights = [each for each in json.loads(said.stdout) if each["about"] == "rights"]
    assert ("may not patch pipelineruns", "error") in [(each["found"], each["state"]) for each in rights]
    assert ("may not patch cronjobs, needed for a TaskSchedule", "warning") in [
        (each["found"], each["state"]) for each in rights
    ]
    named = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "resourceNames": ["one"]}]
    assert found(Patient(http=Http(named)), 1)["rights"][0] in ("error", "warning")
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    assert found(Patient(http=Http(everything)))["rights"][0] == "ok"


def test_warnings_end_well() -> None:
    assert found(Patient(flag="false"))["flags"][0] == "warning"
    assert found(Patient(hidden=True))["flags"][0] == "unknown"
    old = Http(list(GRANTED), date="Wed, 25 Nov 2020 22:00:00 GMT")
    assert found(Patient(http=old))["clock"][2] == "set the clocks by NTP"
    archive = found(Patient(settings={"log_archive": "file:///proc/nowhere"}))["archive"]
    assert archive[0] == "warning" and "file:///proc/nowhere cannot be written" in archive[1]


def test_who_may_read_no_template_does_not_know_of_an_archive() -> None:
    class Closed(Patient):
        def config_maps(self, namespace: str, selector: str) -> Any:
            raise Denied("configmaps is forbidden")

    assert found(Closed())["archive"][:2] == ("unknown", "not known: configmaps is forbidden")


def test_a_cluster_that_does_not_answer_ends_it() -> None:
    class Silent(Patient):
        def namespace(self, name: str) -> Any:
            raise Unreachable("the cluster does not answer")

    said = found(Silent(), 1)
    assert said["space"][:2] == ("error", "the cluster does not answer") and "webhook" not in said


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("python", "state", "export", "stack"),
    [
        ("echo {version}", "ok", '{{"deployment": {{"resources": [1, 2]}}}}', "2 resources, nothing is pending"),
        (
            "echo 0.0.1",
            "warning",
            '{{"deployment": {{"pending_operations": [1]}}}}',
            "1 operations of an update that was",
        ),
        ("exit 1", "error", "{{}}", "0 resources, nothing is pending"),
    ],
)
def test_a_project(
    python: str, state: str, export: str, stack: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    program(elsewhere / "venv/bin/python", python.format(version=kf_tasks.__version__))
    program(elsewhere / "bin/pulumi", f"echo '{export.format()}'")
    monkeypatch.setenv("PATH", f"{elsewhere}/bin:/bin:/usr/bin")
    (elsewhere / "below").mkdir()
    monkeypatch.chdir(elsewhere / "below")
    said = found(Patient(), int(state == "error"))
    assert said["environment"][0] == state
    assert said["stack"][1].startswith(stack)
    program(elsewhere / "bin/pulumi", "exit 1")
    assert found(Patient(), int(state == "error"))["stack"][0] == "unknown"


def build_template(app: str, repository: str, recipe: Recipe, secret: str | None, plain: str = "") -> dict[str, Any]:
    spec = BuildSpec(
        namespace="dev", app=app, stack="shop.dev", recipe=recipe, artifact=Artifact("sha256:" + "0" * 64, 1),
        repository=repository, resources=Resources("1Gi", "1Gi", "1"), timeout="1h0m0s", service_account="default",
        plain_host=plain, secret=secret,
    )  # fmt: skip
    labels = {"app.kubernetes.io/name": f"{app}.build", "kf.dev/template": "build"}
    return {"metadata": {"labels": labels}, "data": {"pipelinerun.yaml": yaml.safe_dump(recipe.render(spec))}}


@dataclasses.dataclass
class Building(Patient):
    """A Space whose Apps are built to registries, with the credentials of Secrets."""

    builds: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    secrets: dict[str, str] = dataclasses.field(default_factory=dict)

    def config_maps(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return self.builds if selector == "kf.dev/template=build" else super().config_maps(namespace, selector)

    def get(self, namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        if plural != "secrets":
            return super().get(namespace, plural, name)
        text = self.secrets.get(name)
        return text and {"data": {".dockerconfigjson": base64.b64encode(text.encode()).decode()}}  # type: ignore[return-value]


def registries(cluster: FakeCluster) -> list[tuple[str, str]]:
    said = json.loads(call(cluster, "doctor", "-o", "json").stdout)
    return [(each["state"], each["found"]) for each in said if each["about"] == "registry"]


def test_the_registry_that_apps_are_built_to(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(elsewhere))
    assert registries(Building()) == [("ok", "no App is built here")]
    recipes: list[Recipe] = [Dockerfile("buildah", build_args={"A": "b"}), Buildpacks("builder", "python", "run")]
    with serve(elsewhere, locked=True) as host:
        auths = {name: json.dumps({"auths": {host: {"username": USER, "password": word}}})
                 for name, word in (("right", PASSWORD), ("wrong", "no"))}  # fmt: skip
        for recipe in recipes:
            made = {secret: build_template("shop", f"{host}/team/shop", recipe, secret, host)
                    for secret in ("right", "wrong", "none", None)}  # fmt: skip
            cluster = Building(builds=[made["right"], copy.deepcopy(made["right"])], secrets=auths)
            assert registries(cluster) == [("ok", f"{host} answers and takes those of Secret right")]
            [wrong] = registries(Building(builds=[made["wrong"]], secrets=auths))
            assert wrong[0] == "warning" and wrong[1].startswith(f"registry {host} refused the credentials")
            [none] = registries(Building(builds=[made["none"]], secrets=auths))
            assert none[0] == "warning" and none[1].startswith("Secret dev/none does not exist")
            [nobody] = registries(Building(builds=[made[None]]))
            assert nobody[0] == "warning" and "wants credentials" in nobody[1] and PASSWORD not in nobody[1]
        both = [made["right"], build_template("blog", "127.0.0.1:9/blog", recipe, None, "127.0.0.1:9")]
        assert [state for state, _ in registries(Building(builds=both, secrets=auths))] == ["ok", "warning"]


@pytest.mark.parametrize("text", ["", "[", "[]", "spec: {}", "spec: {pipelineSpec: {tasks: [{taskSpec: {steps: 1}}]}}"])
def test_a_template_that_nobody_of_ours_wrote_tells_of_no_registry(text: str) -> None:
    assert registries(Building(builds=[{"metadata": {}, "data": {"pipelinerun.yaml": text}}, {"metadata": {}}])) == [
        ("ok", "no App is built here")
    ]


@pytest.mark.parametrize("named", ["../env", "{above}/env"])
def test_the_environment_that_pulumi_uses_is_looked_at(
    named: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere / "project"
    program(elsewhere / "env" / "bin" / "python", f"echo {kf_tasks.__version__}")
    program(folder / ".venv" / "bin" / "python", "echo 0.0.1")
    program(elsewhere / "path" / "pulumi", "echo {}")
    monkeypatch.setenv("PATH", f"{elsewhere}/path:/bin:/usr/bin")
    monkeypatch.setenv("VIRTUAL_ENV", str(folder / ".venv"))
    named = named.format(above=elsewhere)
    (folder / "Pulumi.yaml").write_text(f"name: shop\nruntime: {{name: python, options: {{virtualenv: {named}}}}}\n")
    monkeypatch.chdir(folder)
    assert found(Patient())["environment"][:2] == ("ok", str(folder / named / "bin" / "python"))
    shutil.rmtree(elsewhere / "env")
    assert found(Patient())["environment"] == (
        "warning", f"{folder}: virtualenv: {named} of Pulumi.yaml is not there", f"python3 -m venv {named} there",
    )  # fmt: skip
    for odd in ("runtime: python", "runtime: {name: python, options: [1]}", "[", ""):
        (folder / "Pulumi.yaml").write_text(odd)
        assert found(Patient())["environment"][0] == "warning", "that of another version"


@dataclasses.dataclass
class Forgetful(Patient):
    """Its pods have ended long ago."""

    allowed: bool = True

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        if not self.allowed:
            raise Denied("pods is forbidden")
        ended = {"state": {"terminated": {"finishedAt": "2026-01-01T00:00:00Z"}}}
        names = [f"shop-migrate-{number}" for number in (1, 2, 3)]
        return [{"metadata": {"labels": {"tekton.dev/pipelineRun": name}},
                 "status": {"phase": "Failed", "containerStatuses": [ended]}} for name in names]  # fmt: skip


def test_runs_that_tekton_has_forgotten_are_listed() -> None:
    runs = [run(1), run(2, "Unknown"), run(3, "Unknown"), run(4, "Unknown")]
    said = json.loads(call(Forgetful(runs), "doctor", "-o", "json").stdout)
    assert [(each["state"], each["found"], each["advice"]) for each in said if each["about"] == "runs"] == [
        ("warning", f"shop-migrate-{number}: its pod has ended or is gone, and Tekton has not noticed",
         f"kf terminate-task shop-migrate-{number} --space dev") for number in (2, 3)
    ]  # fmt: skip
    assert found(Forgetful(runs[-1:]))["runs"][:2] == ("ok", "1 go on, none of them is forgotten")
    assert found(Forgetful(runs[:1]))["runs"][1] == "none goes on"
    assert found(Forgetful(runs, allowed=False))["runs"][0] == "unknown"


class Lost(Patient):
    """Has neither pods nor TaskRuns of its runs."""

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "uid": "1"}, "status": {"childReferences": [{"name": name}]}}

    def task_run(self, namespace: str, run: dict[str, Any]) -> None:
        return None


def test_runs_without_pod_and_task_run_are_listed() -> None:
    said = found(Lost([run(1), run(2, "Unknown")]))["runs"]
    assert said[0] == "warning" and said[1].startswith("shop-migrate-2: its pod has ended or is gone, and Tekton")
    assert said[2] == "kf terminate-task shop-migrate-2 --space dev"
    told = run(3, "Unknown", annotations={"kf.dev/outcome": "exit code 3, which Tekton has not noticed"})
    assert found(Lost([told]))["runs"][0] == "ok", "who followed it has told its end: nobody waits"


URN = "kf:index:App::shop"
SPACE = "urn:pulumi:dev::shop::kf:index:Space"


def declared(app: str = "shop", namespace: str = "dev", uid: str = "1", urn: str = URN, **more: Any) -> dict[str, Any]:
    labels = {"kf.dev/template": "app", "app.kubernetes.io/name": app, "kf.dev/stack": "shop.dev"}
    metadata = {"name": f"kf-{app}", "namespace": namespace, "labels": labels, "annotations": {"kf.dev/urn": urn}}
    return {
        "urn": f"urn:pulumi:dev::shop::kf:index:App$kubernetes:core/v1:ConfigMap::{app}",
        "type": "kubernetes:core/v1:ConfigMap", "inputs": {"metadata": metadata},
        "outputs": {"metadata": {**metadata, "uid": uid}}, "provider": f"{SPACE}$pulumi:providers:kubernetes::dev::12",
        **more,
    }  # fmt: skip


def template(app: str = "shop", uid: str = "1", urn: str = URN, stack: str = "shop.dev") -> dict[str, Any]:
    labels = {"kf.dev/template": "app", "app.kubernetes.io/name": app, "kf.dev/stack": stack}
    metadata = {"name": f"kf-{app}", "labels": labels, "annotations": {"kf.dev/urn": urn}, "uid": uid}
    return {"metadata": metadata, "data": {}}


def provider(**inputs: Any) -> dict[str, Any]:
    return {"urn": f"{SPACE}$pulumi:providers:kubernetes::dev", "type": "pulumi:providers:kubernetes", "inputs": inputs}


@dataclasses.dataclass
class Owned(Patient):
    """Has the templates that a test says."""

    templates: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def config_maps(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return self.templates if selector.startswith("kf.dev/template=app") else []


@pytest.fixture
def stack(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a project whose stack has the resources that it is called with, and asks the doctor about it."""
    (elsewhere / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    program(elsewhere / "venv/bin/python", f"echo {kf_tasks.__version__}")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("PATH", f"{elsewhere}/bin:/bin:/usr/bin")
    monkeypatch.setenv("KUBECONFIG", str(elsewhere / "none"))

    def asked(resources: Any, templates: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
        (elsewhere / "state.json").write_text(json.dumps({"deployment": {"resources": resources}}))
        program(elsewhere / "bin/pulumi", f"cat {elsewhere}/state.json")
        said = call(Owned(templates=templates), "doctor", "-o", "json")
        assert said.exit_code == 0, (said.output, said.exception)
        found = [(each["about"], each["state"], each["found"], each["advice"]) for each in json.loads(said.stdout)]
        return [each for each in found if each[0] in ("apps", "provider")]

    return asked


def test_the_apps_of_a_stack_are_its_own(stack: Any) -> None:
    uses = ("provider", "ok", "uses the cluster that kf uses", "")
    assert stack([provider(), declared()], [template()]) == [uses, ("apps", "ok", "1 of the stack, and its alone", "")]
    five = [f"shop-{number}" for number in range(5)]
    made = [declared(app, uid=app, urn=app) for app in five]
    there = [template(app, uid=app, urn=app) for app in five]
    foreign = template("blog", uid="x", urn="blog", stack="blog.dev")
    assert stack(made, [*there, foreign]) == [uses, ("apps", "ok", "5 of the stack, and its alone", "")]
    there[1]["metadata"]["labels"]["kf.dev/stack"] = "other.dev"
    there[2]["metadata"]["annotations"] = {}
    there[3]["metadata"]["uid"] = "another"
    left = template("left", uid="y", urn="left")
    assert stack(made, [*there[:4], left]) == [
        uses,
        ("apps", "warning", "app 'shop-1' is of stack 'other.dev' by its label, and in the state of 'shop.dev'",
         "take it out of one of both programs"),
        ("apps", "warning", "app 'shop-2' says to be no App of a stack, and the state shop-2", "pulumi up --refresh"),
        ("apps", "warning", "app 'shop-3' was deleted and made again, and not by this stack",
         "pulumi refresh, then pulumi up"),
        ("apps", "warning", "app 'shop-4' is in the stack's state and not in the cluster",
         "pulumi refresh, then pulumi up"),
        ("apps", "warning", "app 'left' is this stack's by its label, and not in its state",
         "declare it again, or kubectl delete configmap kf-left -n dev"),
    ]  # fmt: skip


def test_a_stack_of_another_cluster_or_space(stack: Any) -> None:
    [(about, state, said, todo)] = stack([provider(context="prod"), declared()], [template(uid="2")])
    assert (about, state) == ("provider", "warning") and "context 'prod', and kf uses the ambient cluster" in said
    assert todo.startswith("choose the stack's cluster with --context or --kubeconfig")
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    [(_, _, said, _)] = stack([provider(kubeconfig=secret), declared()], [])
    assert "a kubeconfig of its own" in said and "abc" not in said
    assert stack([declared(namespace="prod"), declared("b", "test")], [template()]) == [
        ("provider", "warning", "the stack's Apps are in prod, test, and kf looks at dev",
         "--space prod, or the stack of this space")
    ]  # fmt: skip
    old = declared(delete=True)
    assert stack([provider(), old], [template()]) == [("apps", "ok", "the stack declares none", "")]


@pytest.mark.parametrize(
    "resources",
    [
        None,
        [1],
        [{}],
        [{"urn": "x"}],
        [{"urn": "x", "type": "kubernetes:core/v1:ConfigMap"}],
        [declared(outputs=None)],
        [declared(inputs={"metadata": {"labels": None}})],
    ],
)
def test_a_state_that_tells_little_breaks_nothing(resources: Any, stack: Any) -> None:
    assert {each[1] for each in stack(resources, [template()])} <= {"ok"}
