"""`kf doctor` on clusters of plain data: each thing that may be wrong is found, and told what to do about."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import kf_tasks
import pytest
from kf_tasks.core.rights import RULES
from kf_tasks.errors import Denied, NotFound, Refused, Unreachable

from .test_commands import FakeCluster, call

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
