"""What the commands say, on a cluster of plain data."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from kf_tasks.cli.commands.run_task import own_variables, start_command
from kf_tasks.cli.commands.terminate_task import unable, waits
from kf_tasks.cli.main import kf
from kf_tasks.cli.run_list import reason
from kf_tasks.cli.target import Target, TargetSpace
from kf_tasks.cluster.client import Cluster
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.retention import pruned
from kf_tasks.core.retention.pruned import Pruned
from kf_tasks.core.run.environment import Value
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.core.template import TemplateSettings
from kf_tasks.errors import Denied, NotFound, Unreachable

from ..cluster.unwatched import Unwatched

NOW = "2026-01-01T01:00:00Z"


def run(number: int, succeeded: str = "True", **more: Any) -> RunSummary:
    labels = {"app.kubernetes.io/name": "shop", "kf.dev/task": "migrate", "kf.dev/task-id": str(number)}
    return RunSummary(
        name=f"shop-migrate-{number}", uid=str(number), created=f"2026-01-01T00:0{number}:00Z",
        finished=succeeded != "Unknown", labels=labels, annotations=more.pop("annotations", {}), succeeded=succeeded,
        reason=more.pop("reason", "Succeeded"), **more,
    )  # fmt: skip


@dataclasses.dataclass
class FakeCluster(Unwatched):
    """The answers that the commands need."""

    runs: list[RunSummary] = dataclasses.field(default_factory=list)
    apps: tuple[str, ...] = ("shop", "blog")
    spaces: tuple[str, ...] = ("dev",)
    trouble: BaseException | None = None
    now: str = NOW
    settings: dict[str, Any] = dataclasses.field(default_factory=lambda: {"keep": 2})
    manifest: str = "spec: {pipelineSpec: {tasks: [{taskSpec: {steps: [{command: []}]}}]}}"
    deleted: list[str] = dataclasses.field(default_factory=list)
    annotations: dict[str, str] = dataclasses.field(default_factory=dict)

    def list_runs(self, namespace: str, app: str | None = None, selector: str = "", **_: Any) -> list[RunSummary]:
        if self.trouble:
            raise self.trouble
        wanted = [part.split("=") for part in selector.split(",") if re.fullmatch(r"kf.dev/task(-id)?=.+", part)]
        runs = [one for one in self.runs if all(one.labels.get(label) == value for label, value in wanted)]
        return [one for one in runs if app in (None, one.labels["app.kubernetes.io/name"])]

    def get(self, namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        return self.template(name) if name.removeprefix("kf-") in self.apps else None

    def note_pruned(self, namespace: str, config_map: str, gone: Sequence[Pruned]) -> None:
        self.annotations |= pruned.noting(self.template(config_map), gone)["metadata"]["annotations"]

    def template(self, name: str) -> dict[str, Any]:
        labels = {"app.kubernetes.io/name": name.removeprefix("kf-"), "kf.dev/template": "app"}
        metadata = {"labels": labels, "annotations": self.annotations, "resourceVersion": "1"}
        data = {"settings.json": json.dumps(self.settings), "pipelinerun.yaml": self.manifest}
        return {"metadata": metadata, "data": data}

    def delete_runs(self, namespace: str, runs: list[RunSummary], **_: bool) -> list[str]:
        self.deleted += [one.name for one in runs]
        return self.deleted

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        raise NotFound(f'pipelineruns.tekton.dev "{name}" not found')

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return []

    def config_maps(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return [self.template(app) for app in self.apps]

    def namespace(self, name: str) -> dict[str, Any] | None:
        return {} if name in self.spaces else None


@dataclasses.dataclass
class FakeTarget(Target):
    cluster: FakeCluster = dataclasses.field(default_factory=FakeCluster)

    def open(self) -> TargetSpace:
        return TargetSpace(cast(Cluster, self.cluster), self.space or "dev")


def call(cluster: FakeCluster, *arguments: str) -> Result:
    return CliRunner().invoke(kf, arguments, obj=FakeTarget(cluster=cluster))


def test_newest_last_with_exact_durations() -> None:
    done = run(1, started_at="2026-01-01T00:01:00Z", finished_at="2026-01-01T00:02:05Z")
    runs = [run(2, "Unknown", reason="Running", started_at="2026-01-01T00:50:00Z"), done]
    result = call(FakeCluster(runs), "tasks", "shop")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Name            ID  DisplayName  Age  Duration  Succeeded  Reason",
        "shop-migrate-1  1   migrate      59m  1m5s      True       Succeeded",
        "shop-migrate-2  2   migrate      58m  10m       Unknown    Running",
    ]


def test_the_whole_space_shows_the_app_too() -> None:
    assert call(FakeCluster([run(1)]), "tasks").stdout.splitlines()[1].startswith("shop  shop-migrate-1")


def test_for_programs() -> None:
    assert call(FakeCluster([run(2), run(1)]), "tasks", "-o", "name").stdout == "shop-migrate-1\nshop-migrate-2\n"
    assert json.loads(call(FakeCluster(), "tasks", "-o", "json").stdout) == []


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (run(1, "True", annotations={"kf.dev/outcome": "succeeded"}), "Succeeded"),
        (run(1, "False", reason="Failed", annotations={"kf.dev/outcome": "exit code 3"}), "Failed: exit code 3"),
        (run(1, "False", reason="Cancelled", annotations={"kf.dev/cancelled-by": "me"}), "Cancelled: by me"),
        (run(1, "False", reason="Failed", annotations={"kf.dev/outcome": "\x1b[2Ja\nb"}), "Failed: a b"),
        (run(1, "False", reason="Failed", annotations={"kf.dev/outcome": "x" * 99}), f"Failed: {'x' * 72}…"),
    ],
)
def test_reason_tells_what_is_known(one: RunSummary, expected: str) -> None:
    assert reason(one) == expected


@pytest.mark.parametrize(
    ("cluster", "arguments", "code", "text"),
    [
        (FakeCluster(), ["tasks"], 0, "No tasks in space 'dev'."),
        (FakeCluster(), ["tasks", "shop"], 0, "No tasks of app 'shop' in space 'dev'."),
        (FakeCluster(), ["tasks", "shp"], 1, "kf: app 'shp' not found in space 'dev': its apps are blog, shop; choose"),
        (FakeCluster(apps=()), ["tasks", "shp"], 1, "kf: app 'shp' not found in space 'dev': it has no apps; choose"),
        (FakeCluster(), ["--space", "d", "tasks"], 1, "kf: space 'd' not found in the cluster: choose"),
        (FakeCluster(), ["--space", "d", "tasks", "--space", "dev"], 0, "No tasks in space 'dev'."),
        (FakeCluster(trouble=NotFound("no such resource")), ["tasks"], 1, "kf: the cluster has no PipelineRuns"),
        (
            FakeCluster(trouble=Unreachable("down")),
            ["tasks"],
            1,
            "kf: down; choose a cluster that runs with KUBECONFIG",
        ),
        (FakeCluster(trouble=Denied("401")), ["tasks"], 1, "kf: 401; log in again"),
        (FakeCluster(trouble=KeyboardInterrupt()), ["tasks"], 130, ""),
        (FakeCluster(), ["terminate-task", "shop", "3"], 1, 'kf: No Task found for App "shop" and Task ID "3"'),
        (FakeCluster(), ["terminate-task", "nothing"], 1, 'kf: No Task found with name "nothing"'),
        (FakeCluster(), ["terminate-task", "shop", "-3"], 2, "kf: "),
        (FakeCluster(), ["terminate-task", "shop", "x"], 2, "kf: app 'shop': Task ID 'x' is no number from 1 on"),
        (FakeCluster(), ["logs", "--task"], 2, "kf: name the App whose tasks are meant"),
        (FakeCluster(), ["logs", "shop", "blog", "--id", "1"], 2, "kf: --id 1 is the run of one App: name one"),
        (FakeCluster(), ["logs", "shop", "--failed", "-f"], 2, "kf: --follow goes on and --failed ends at once"),
        (FakeCluster(), ["logs", "shop", "--since", "x"], 2, "kf: --since 'x' is no time: give a span such as 90s"),
        (FakeCluster(), ["logs", "shop", "--since", ""], 2, "kf: --since '' is no time"),
        (
            FakeCluster(),
            ["logs", "shop", "--recent", "--since", "2h"],
            0,
            "kf: app 'shop' has no tasks since 2025-12-31T23",
        ),
        (FakeCluster(), ["logs", "shop", "--failed"], 0, "kf: app 'shop' has no failed tasks\n"),
        (
            FakeCluster(),
            ["logs", "shop", "blgo", "--recent"],
            1,
            "kf: app 'blgo' not found in space 'dev': its apps are",
        ),
        (
            FakeCluster(),
            ["logs", "--task", "shp"],
            1,
            "kf: app 'shp' not found in space 'dev': its apps are blog, shop",
        ),
        (
            FakeCluster([run(1)]),
            ["logs", "shop", "--task", "migate", "--recent"],
            1,
            "kf: task 'migate' of app 'shop' not found in space 'dev': its runs are of migrate; name one with --task",
        ),
        (FakeCluster(), ["logs", "shop", "--task", "--run", "a", "--id", "1"], 2, "kf: --run a and --id 1 both"),
        (FakeCluster(), ["logs", "shop", "--task", "--recent"], 0, "kf: app 'shop' has no tasks"),
        (FakeCluster(), ["logs", "shop", "--task", "-n", "-1"], 2, "kf: Invalid value for '-n'"),
        (
            FakeCluster(),
            ["logs", "shop", "--task", "-f", "--recent"],
            2,
            "kf: --follow goes on and --recent ends at once",
        ),
        (FakeCluster(), ["task", "nothing"], 1, 'kf: No Task found with name "nothing"'),
        (FakeCluster(), ["task", "shop", "0"], 2, "kf: app 'shop': Task ID '0' is no number from 1 on"),
        (FakeCluster(), ["task", "shop", "x"], 2, "kf: app 'shop': Task ID 'x' is no number from 1 on"),
        (FakeCluster(), ["prune", "shop"], 0, "Nothing to delete: app 'shop' has 0 tasks and keeps 2."),
        (FakeCluster(), ["prune", "shp"], 1, "kf: app 'shp' not found in space 'dev': its apps are blog, shop; choose"),
        (FakeCluster(), ["prune", "shop", "--keep", "-1"], 2, "kf: Invalid value for '--keep'"),
        (FakeCluster(), ["run-task", "shop", "--env", "A"], 2, "kf: Invalid value for --env: 'A' has no value: write"),
        (
            FakeCluster(),
            ["run-task", "shop", "--env", "1=2"],
            1,
            "kf: app 'shop': --env: '1' cannot name an environment",
        ),
        (
            FakeCluster(),
            ["run-task", "shop", "--env", "KF_A=2"],
            1,
            "kf: app 'shop': --env: KF_A is set by the platform",
        ),
        (
            FakeCluster(settings={"layers": {"PORT": ["system", "App"]}}),
            ["run-task", "shop", "--env", "PORT=2"],
            1,
            "kf: app 'shop': --env: PORT is set by the platform and cannot be overridden: choose another name",
        ),
        (FakeCluster(), ["run-task", "shop", "-m", "3"], 1, "kf: app 'shop': --memory-limit: '3' is no amount"),
        (FakeCluster(), ["run-task"], 2, "kf: Missing argument 'APP'. (kf run-task --help says how)"),
        (FakeCluster(), ["jump"], 2, "kf: No such command 'jump'."),
    ],
)
def test_one_line_and_the_exit_code(cluster: FakeCluster, arguments: list[str], code: int, text: str) -> None:
    result = call(cluster, *arguments)
    assert result.exit_code == code, result.output
    assert result.output.startswith(text)
    assert result.output.count("\n") == (1 if text else 0)
    assert bool(result.stderr) == result.output.startswith("kf: ")


def test_prune_deletes_what_the_dry_run_says() -> None:
    cluster = FakeCluster([run(4, "Unknown"), run(3), run(2), run(1)])
    assert call(cluster, "prune", "shop", "--dry-run").stdout == (
        "would delete shop-migrate-1\nwould delete shop-migrate-2\n"
    )
    assert cluster.deleted == []
    assert call(cluster, "prune", "shop").stdout == "deleted shop-migrate-1\ndeleted shop-migrate-2\n"
    assert cluster.deleted == ["shop-migrate-1", "shop-migrate-2"]


def test_how_many_stay_can_be_said_and_what_runs_stays() -> None:
    cluster = FakeCluster([run(3), run(2), run(1, "Unknown")])
    assert call(cluster, "prune", "shop", "--keep", "0").exit_code == 0
    assert cluster.deleted == ["shop-migrate-2"], "the last success stays"


def test_what_would_be_and_what_was_deleted_for_programs() -> None:
    runs = [run(n, annotations={"kf.dev/archived": "sha256:1"} if n == 1 else {}) for n in (5, 4, 3, 2, 1)]
    cluster = FakeCluster(runs)
    asked = json.loads(call(cluster, "prune", "shop", "--dry-run", "-o", "json").stdout)
    assert [one["id"] for one in asked] == [1, 2, 3] and cluster.deleted == []
    assert asked[0] == {
        "name": "shop-migrate-1", "app": "shop", "id": 1, "displayName": "migrate", "state": "Succeeded",
        "created": "2026-01-01T00:01:00Z", "archived": "sha256:1", "rule": "beyond the newest 2", "deleted": False,
    }  # fmt: skip
    assert call(cluster, "prune", "shop", "--dry-run", "-o", "name").stdout.split() == [one["name"] for one in asked]
    assert json.loads(call(cluster, "prune", "shop", "-o", "json").stdout) == [{**it, "deleted": True} for it in asked]
    assert call(FakeCluster(), "prune", "shop", "-o", "json").stdout == "[]\n"


def test_the_help_says_that_variables_can_be_read() -> None:
    text = " ".join(call(FakeCluster(), "run-task", "--help").stdout.split())
    assert "Its value is plain text that everybody can read who may see the PipelineRun" in text


def test_variables_as_they_are_given() -> None:
    assert own_variables("app 'shop'", ("A=1", "B=", "A=b=c d")) == {"A": Value("b=c d"), "B": Value("")}
    of_secrets = own_variables("app 'shop'", ("A=1",), ("A=shop.db/tls.crt", "P=shop/pin"))
    assert of_secrets == {
        "A": Value(secret="shop.db", key="tls.crt", existing=True),
        "P": Value(secret="shop", key="pin", existing=True),
    }


@pytest.mark.parametrize("given", ["A=shop", "A", "=shop/a", "A=/a", "A=shop/", "A=Shop/a", "VCAP_X=shop/a", "A=s/a/b"])
def test_what_is_no_key_of_a_secret(given: str) -> None:
    result = call(FakeCluster(), "run-task", "shop", "--env-from-secret", given)
    assert result.exit_code and "--env-from-secret" in result.output


def test_only_a_pod_that_never_started_is_left_behind() -> None:
    def pod(phase: str, state: str, **metadata: Any) -> dict[str, Any]:
        return {
            "metadata": metadata,
            "status": {"phase": phase, "containerStatuses": [{"name": "step-task", "state": {state: {}}}]},
        }

    assert waits(pod("Pending", "waiting"))
    assert not waits(pod("Pending", "waiting", deletionTimestamp="now"))
    assert not waits(pod("Running", "running"))
    assert not waits(pod("Failed", "terminated"))


def test_kf_words_for_what_cannot_be_terminated() -> None:
    running: dict[str, Any] = {"metadata": {"annotations": {}}, "spec": {}, "status": {}}
    ended = {**running, "status": {"conditions": [{"type": "Succeeded", "status": "False"}]}}
    assert unable(running) == ""
    assert unable(ended) == "Can't terminate completed Task"
    assert unable({**running, "spec": {"status": "Cancelled"}}) == "Can't terminate terminated Task"


def test_a_command_goes_through_the_entrypoint_of_the_app() -> None:
    template: dict[str, Any] = {"spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"command": []}]}}]}}}
    plain = TemplateSettings("shop.dev", "shop")
    through = dataclasses.replace(plain, entrypoint=["/launch"])
    assert start_command("shop", template, through, "run it") == ["/launch", "run it"]
    assert start_command("shop", template, plain, "run it") == ["/bin/sh", "-c", "run it"]
    with pytest.raises(InvalidInput, match="Start command not found on App or Task"):
        start_command("shop", template, plain, None)


class Pinning(FakeCluster):
    """Holds one run that can be marked."""

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        [found] = [one for one in self.runs if one.name == name]
        return {"metadata": {"name": name, "uid": found.uid, "labels": {**found.labels, "kf.dev/key": "k"}}}

    def annotate_run(self, namespace: str, name: str, annotations: dict[str, str | None], *, uid: str) -> None:
        marks = {key: value for key, value in annotations.items() if value}
        self.runs = [dataclasses.replace(one, annotations=marks) if one.name == name else one for one in self.runs]


def test_a_pinned_task_stays_until_it_is_not() -> None:
    cluster = Pinning([run(number) for number in (4, 3, 2, 1)])
    assert call(cluster, "pin", "shop-migrate-1").stdout == (
        'Task "shop-migrate-1" is pinned: it stays until kf unpin shop-migrate-1\n'
    )
    assert "Succeeded (pinned)" in call(cluster, "tasks", "shop").stdout
    shown = call(cluster, "prune", "shop", "--dry-run")
    assert shown.stdout == "would delete shop-migrate-2\n"
    assert shown.stderr == "kf: held back: shop-migrate-1 (pinned)\n"
    assert call(cluster, "unpin", "shop-migrate-1").stdout == 'Task "shop-migrate-1" is not pinned any more\n'
    assert call(cluster, "prune", "shop", "--keep", "3").stdout == "deleted shop-migrate-1\n"


def test_what_the_program_pins_only_the_program_lets_go() -> None:
    cluster = Pinning([run(3), run(2), run(1)], settings={"keep": 1, "pinned": ["shop-migrate-1"], "keep_failed": 1})
    assert "still stays: it stands in pinned of app 'shop' in Pulumi" in call(cluster, "unpin", "shop-migrate-1").stderr
    assert call(cluster, "prune", "shop", "--keep", "2").stdout.startswith("Nothing to delete"), "only keep is another"
    assert call(cluster, "prune", "shop").stdout == "deleted shop-migrate-2\n"
    assert call(Pinning([run(2), run(1)], apps=()), "prune", "shop", "--keep", "1").stdout == "deleted shop-migrate-1\n"


@pytest.mark.parametrize("words", [["shop", "1"], ["shop-migrate-1"]])
@pytest.mark.parametrize("command", ["task", "terminate-task", "pin"])
def test_who_asks_for_a_pruned_task_learns_when_it_was_pruned_and_why(command: str, words: list[str]) -> None:
    cluster = FakeCluster([run(3), run(2), run(1)], apps=("shop",))
    call(cluster, "prune", "shop")
    cluster.runs = cluster.runs[:2]
    result = call(cluster, command, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "kf: task 1 of app 'shop' (run shop-migrate-1) was pruned at 2026-01-01T01:00:00Z (beyond the newest 2); its "
        "log went with it, since the app has no log archive\n"
    )
    cluster.settings["log_archive"] = "file:///nowhere/at/all"
    assert (
        "its log is in the archive file:///nowhere/at/all: kf logs shop --id 1\n"
        in call(cluster, command, *words, "--space", "dev").stderr
    )


def test_an_id_that_the_app_has_counted_is_not_one_that_never_was() -> None:
    cluster = FakeCluster(apps=("shop",), annotations={"kf.dev/last-task-id": "7"})
    assert call(cluster, "task", "shop", "7").stderr == (
        "kf: task 7 of app 'shop' is not kept any more: the app has counted 7 by now; kf tasks shop lists those that "
        "are kept, with --archived those of a log archive\n"
    )
    assert call(cluster, "task", "shop", "8").stderr.startswith('kf: No Task found for App "shop" and Task ID "8"')
