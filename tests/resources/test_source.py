"""What an App with a source registers, and what is refused before anything is uploaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from kf_tasks import App, Source, Space, Task
from kf_tasks.core.pods import security
from kf_tasks.core.run.pipelinerun import step_of

from .test_components import run

PLACE: dict[str, Any] = {"registry": "http://registry:5000/team", "builder_image": "buildah"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def refused(space: dict[str, Any], **app: Any) -> str:
    name = app.pop("name", "shop")
    with pytest.raises(pulumi.RunError) as error:
        run(lambda: App(name, space=Space("dev", **space), **app) and None)
    return str(error.value)


def test_a_build_is_a_run_that_no_list_of_tasks_counts_and_five_stay() -> None:
    def program() -> None:
        app = App("shop", space=Space("dev", **PLACE), source=Source("app", build_args={"A": "1 $(x)"}, target="t"))
        Task("look", app=app, command="true")

    found = run(program, preview=True)
    builds = {urn: inputs for urn, inputs in found.inputs.items() if urn.endswith("::shop.build")}
    record = next(inputs for urn, inputs in builds.items() if "kf:Run" in urn)
    history = next(inputs for urn, inputs in builds.items() if "kf:History" in urn)
    assert (record["app"], history["app"], history["keep"]) == ("shop.build", "shop.build", 5)
    labels = record["manifest"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "build" and labels["app.kubernetes.io/name"] == "shop.build"
    task = record["manifest"]["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]
    assert len(task["steps"]) == 1 and task["steps"][0]["args"][-4:-2] == ["--target", "t"]
    assert record["definition"]["build"]["build_args"] == {"A": "1 $(x)"}
    assert record["definition"]["build"]["repository"] == "registry:5000/team/dev/shop"
    assert list(record["definition"]["files"]) == ["Dockerfile"]
    assert "FROM scratch" not in json.dumps(record["definition"])


def test_what_a_dockerfile_needs_is_told_and_decides_nothing(folder: Path) -> None:
    def registered() -> dict[str, Any]:
        found = run(lambda: App("shop", space=Space("dev", **PLACE), source=Source("app")) and None, preview=True)
        return next(inputs for urn, inputs in found.inputs.items() if urn.endswith("Run::shop.build"))

    plain = registered()
    assert "needs" not in plain["upload"]["contents"]
    assert {"name": "kf-storage", "mountPath": "/var/lib/containers"} in step_of(plain["manifest"])["volumeMounts"]
    (folder / "app/Dockerfile").write_text("FROM scratch\nCOPY --link . /\n")
    told = registered()
    assert told["upload"]["contents"]["needs"] == [{"what": "COPY --link", "line": 2, "version": "1.41"}]
    assert told["upload"]["contents"]["builder"] == "buildah"
    assert step_of(told["manifest"])["args"][-1] == "1.41 COPY --link (line 2)"
    assert told["definition"]["build"].keys() == plain["definition"]["build"].keys()
    (folder / "app/Dockerfile").unlink()
    (folder / "app/Dockerfile").symlink_to("nowhere")
    assert "needs" not in registered()["upload"]["contents"]


def test_a_build_by_buildpacks_keeps_to_the_restricted_level_and_has_one_log(folder: Path) -> None:
    (folder / "app/Dockerfile").rename(folder / "app/start")
    space = {**PLACE, "registry_secret": "registry", "pod_security": "restricted", "submitter_image": "python"}

    def program() -> None:
        built = Source(
            "app", builder="b@sha256:1", build_args={"BP_A": "$(x)"}, buildpacks=["a/b@1"], builder_user=1002
        )
        app = App("shop", space=Space("dev", **space), source=built)
        Task("look", app=app, command="true")

    found = run(program, preview=True)
    record = next(inputs for urn, inputs in found.inputs.items() if urn.endswith("::shop.build") and "kf:Run" in urn)
    spec = record["manifest"]["spec"]
    assert spec["taskRunTemplate"]["podTemplate"]["securityContext"] == {
        "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    fetch, step = spec["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"]
    assert (fetch["image"], step["name"], step["image"]) == ("python", "task", "b@sha256:1")
    for one, user in ((fetch, 1000), (step, 1002)):
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
            "runAsUser": user,
        }  # fmt: skip
        assert {"name": "kf-registry", "mountPath": "/kf/registry", "readOnly": True} in one["volumeMounts"]
    assert step["args"][-3:] == ["a/b@1", "--", "BP_A=$$(x)"]
    assert record["definition"]["build"] == {
        "source": record["upload"]["tree"], "repository": "registry:5000/team/dev/shop", "builder": "b@sha256:1",
        "run_image": "", "buildpacks": ["a/b@1"], "build_env": {"BP_A": "$(x)"},
    }  # fmt: skip


def test_a_builder_whose_user_is_a_name_gets_a_word_of_advice() -> None:
    words = "container has runAsNonRoot and image has non-numeric user (cnb), cannot verify user is non-root"
    said = security.advice(f"could not start: CreateContainerConfigError: {words}", "step-task")
    assert said.startswith("name the number of a user: Source(builder_user=…)")


def test_what_is_refused_with_a_word_of_advice(folder: Path) -> None:
    assert "has no image: give it image=" in refused(PLACE)
    assert "has both an image and a source" in refused(PLACE, image="i", source="app")
    assert "needs registry='registry.example.com/team'" in refused({}, source="app")
    assert "use pod_security='baseline'" in refused({**PLACE, "pod_security": "restricted"}, source="app")
    assert "leave resolve_tag out" in refused(PLACE, source="app", resolve_tag=True)
    both = Source("app", builder="b", dockerfile="D")
    assert "source of app 'shop': dockerfile is about a Dockerfile, and builder is given" in refused(PLACE, source=both)
    assert "buildpacks needs builder='…'" in refused(PLACE, source=Source("app", buildpacks=["x"]))
    url = Source("app", builder="b", buildpacks=["https://example.com/b.git"])
    assert "'https://example.com/b.git' is no buildpack of a builder image: name those by" in refused(PLACE, source=url)
    assert "'A/B' cannot name an env" in refused(PLACE, source=Source("app", builder="b", build_args={"A/B": "1"}))
    assert "may have 57 characters, and it has 58" in refused(PLACE, name="a" * 58, source="app")
    assert "source 'none' does not exist: name a folder" in refused(PLACE, source="none")
    assert "has no Containerfile, or ignores it" in refused(PLACE, source=Source("app", dockerfile="Containerfile"))
    (folder / "app/.kfignore").write_bytes(b"\xff")
    assert ".kfignore cannot be read (it is not UTF-8)" in refused(PLACE, source="app")
