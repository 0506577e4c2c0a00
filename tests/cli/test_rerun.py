"""`kf rerun` and `kf download`: the same once more, and what is left of it as files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.core.run import pipelinerun
from kf_tasks.core.run.pipelinerun import Resources, TaskSpec, again, instantiate, render
from kf_tasks.log.archive import Archive

from .test_commands import call
from .test_logs import WithLogs, archive, three  # noqa: F401 - a fixture

TEMPLATE = render(
    TaskSpec(
        namespace="dev", app="shop", task="migrate", stack="p.dev", image="i", argv=["echo", "$$(x)"], env=[],
        resources=Resources("1Gi", "1Gi", "1"), annotations={"team": "a"}, labels={"kf.dev/schedule": "nightly"},
    )
)  # fmt: skip


def test_of_a_run_its_template_is_left() -> None:
    run = instantiate(TEMPLATE, name="r", key="k", task_id=3, attempt=2, started_by="me", followed=True, awaited=True)
    run["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "x", "managedFields": [{}]}
    run["metadata"]["labels"]["tekton.dev/pipeline"] = "r"
    run["metadata"]["annotations"] |= {"chains.tekton.dev/signed": "true", "kf.dev/pinned": "true"}
    run["spec"]["status"] = "CancelledRunFinally"
    run["status"] = {"conditions": []}
    assert again(run) == TEMPLATE
    assert run["spec"]["status"], "the run itself stays as it is"


class Starting(WithLogs):
    """Takes new runs."""

    made: list[dict[str, Any]]

    def allocate_id(self, namespace: str, config_map: str, at_least: int) -> int:
        return at_least + 1

    def create_run(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.made = [*getattr(self, "made", []), manifest]
        return manifest


def test_the_same_work_once_more_under_a_new_id() -> None:
    cluster = Starting(objects=three().objects, apps=("shop",))
    cluster.objects[1] |= {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun"}
    result = call(cluster, "rerun", "shop", "2")
    assert result.exit_code == 0, (result.output, result.exception)
    [made] = cluster.made
    assert pipelinerun.step_of(made) == pipelinerun.step_of(cluster.objects[1])
    labels = made["metadata"]["labels"]
    assert (labels["kf.dev/task"], labels["kf.dev/task-id"]) == ("report", "3")
    assert labels["kf.dev/key"] != "k" and made["metadata"]["name"] != "shop-report-2"
    assert made["metadata"]["annotations"]["kf.dev/started-by"].startswith("kf rerun by ")
    assert "Its ID:     3\n" in result.stdout
    assert call(cluster, "rerun", "blog-web-3").stderr.startswith("kf: app 'blog' not found in space 'dev'")
    assert len(cluster.made) == 1


def test_what_was_started_for_programs() -> None:
    cluster = Starting(objects=three().objects, apps=("shop",))
    cluster.objects[1] |= {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun"}
    told = json.loads(call(cluster, "rerun", "shop", "2", "-o", "json").stdout)
    [made] = cluster.made
    assert told["startedBy"].startswith("kf rerun by ") and told["name"] == made["metadata"]["name"]
    assert (told["app"], told["id"], told["displayName"], told["space"]) == ("shop", 3, "report", "dev")
    named = call(cluster, "rerun", "shop", "2", "-o", "name").stdout
    assert named == f"{cluster.made[-1]['metadata']['name']}\n" and len(cluster.made) == 2
    for words in (["rerun", "shop", "2"], ["run-task", "shop"], ["run-job", "nightly"]):
        both = call(cluster, *words, "--wait", "-o", "json")
        assert both.exit_code == 2 and "--wait prints its log: leave --output out" in both.stderr
    assert len(cluster.made) == 2


LOG = b"line 0\nline 5\n"


def test_log_and_record_as_files(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    result = call(three(), "download", "shop", "2", "--to", str(folder))
    assert result.exit_code == 0, (result.output, result.exception)
    assert result.stdout == f"{folder}/shop-report-2.log (14 bytes)\n{folder}/shop-report-2.json\n"
    assert (folder / "shop-report-2.log").read_bytes() == LOG
    record = json.loads((folder / "shop-report-2.json").read_text())
    assert (record["id"], record["state"], record["logBytes"]) == (2, "Failed", 14)
    assert record["logDigest"] == f"sha256:{hashlib.sha256(LOG).hexdigest()}"
    assert sorted(path.name for path in folder.iterdir()) == ["shop-report-2.json", "shop-report-2.log"]
    assert call(three(), "download", "shop-report-2", "--to", str(folder)).exit_code == 0, "once more"


def test_from_the_archive(archive: Archive, tmp_path: Path) -> None:  # noqa: F811
    for cluster, name in ((three(gone=(2,)), "shop-report-2"), (three(), "shop-report-0")):
        result = call(cluster, "download", name, "--to", str(tmp_path), "--archive", archive.url, "--space", "dev")
        assert result.exit_code == 0, (result.output, result.exception)
        assert (tmp_path / f"{name}.log").read_bytes() == b"kept\n"
    call(three(gone=(2,)), "download", "shop-report-2", "--to", str(tmp_path / "x"))
    assert (tmp_path / "x" / "shop-report-2.log").read_bytes() == b"kept\n"


@pytest.mark.parametrize("words", [["nothing"], ["shop", "77"]])
def test_what_is_not_there_leaves_no_file(words: list[str], tmp_path: Path) -> None:
    result = call(WithLogs(), "download", *words, "--to", str(tmp_path / "new"))
    assert result.exit_code == 1 and not (tmp_path / "new").exists()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert call(three(), "download", "shop-report-2", "--to", str(tmp_path / "file")).exit_code == 2
    result = call(three(), "download", "shop-report-2", "--to", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1 and "cannot be written to: Not a directory: choose another" in result.stderr
