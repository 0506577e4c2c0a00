"""The `kf` command against the real cluster, on Apps as Pulumi writes them but without Pulumi."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from kf_tasks.core import marks
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.run import outcome, pipelinerun
from kf_tasks.core.run.environment import Value, Variable
from kf_tasks.core.run.pipelinerun import Resources, TaskSpec
from kf_tasks.core.template import TemplateSettings
from kf_tasks.resources.template import template_data

from .. import messages
from .conftest import CHECKOUT, RUNS, Result, eventually, kubectl, objects

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"
WAITS = "echo ready; until [ -e /tmp/go ]; do sleep 0.1; done; echo done"


class Space:
    """A namespace with Apps."""

    def __init__(self) -> None:
        self.unattended = ""
        self.name = f"kf-cli-{uuid.uuid4().hex[:8]}"
        self.apply({"apiVersion": "v1", "kind": "Namespace"}, self.name)
        self.apply({"apiVersion": "v1", "kind": "Secret", "stringData": {"PASSWORD": PASSWORD}}, "passwords")

    def apply(self, manifest: dict[str, Any], name: str, labels: dict[str, str] | None = None) -> None:
        metadata = {"name": name, "namespace": self.name, "labels": labels or {}}
        text = json.dumps({**manifest, "metadata": metadata})
        subprocess.run(["kubectl", "apply", "-f", "-"], input=text, text=True, check=True, stdout=subprocess.DEVNULL)

    def app(
        self, name: str, command: str | None = "true", keep: int = 500, secret: str = "passwords", **more: Any
    ) -> str:
        """What Pulumi leaves in the cluster for an App."""
        spec = TaskSpec(
            namespace=self.name, app=name, task=name, stack="tests.kf", service_account=f"kf-{name}",
            image=f"{os.environ['SANDBOX_REGISTRY']}/busybox:1",
            argv=["/bin/sh", "-c", command] if command else [],
            env=[Variable("PASSWORD", Value(secret=secret, key="PASSWORD"), "App")],
            resources=Resources("32Mi", "64Mi", "10m"), **more,
        )  # fmt: skip
        data = template_data(pipelinerun.render(spec), TemplateSettings("tests.kf", name, policy=Policy(keep)))
        self.apply({"apiVersion": "v1", "kind": "ServiceAccount"}, f"kf-{name}")
        labels = {marks.NAME: name, marks.TEMPLATE: "app"}
        self.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": data}, f"kf-{name}", labels)
        return name

    def kf(self, *arguments: str) -> Result:
        done = self.kf_apart(*arguments)
        return Result(done.returncode, done.stdout + done.stderr)

    def kf_apart(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """With stdout and stderr apart."""
        env = {**os.environ, "KF_SPACE": self.name}
        return subprocess.run([CHECKOUT / "kf", *arguments], env=env, capture_output=True, text=True, timeout=300)

    def kf_many(self, *commands: tuple[str, ...], at_once: int = 4) -> list[subprocess.CompletedProcess[str]]:
        """Several at once."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda arguments: self.kf_apart(*arguments), commands))

    def start(self, *arguments: str) -> Background:
        return Background([str(CHECKOUT / "kf"), *arguments, "--space", self.name])

    def submit(self, app: str, *arguments: str) -> str:
        """The name of a run that `kf run-task` has started."""
        text = self.kf("run-task", app, *arguments).ok().text
        found = re.match(r"Task (\S+) is submitted successfully for execution\.\n", text)
        assert found, text
        return found[1]

    def runs(self, app: str) -> list[dict[str, Any]]:
        return objects(RUNS, self.name, f"app.kubernetes.io/name={app}")

    def ended(self, *runs: str) -> None:
        kubectl(
            "wait", "-n", self.name, "--for=condition=Succeeded", "--timeout=60s", *(f"{RUNS}/{run}" for run in runs)
        )

    def go(self, run: str) -> None:
        kubectl("exec", "-n", self.name, f"{run}-task-pod", "-c", pipelinerun.CONTAINER, "--", "touch", "/tmp/go")


class Background:
    """A `kf` that goes on, its lines readable as they come."""

    def __init__(self, command: list[str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        self.lines: list[str] = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def sees(self, line: str) -> None:
        eventually(lambda: line in self.lines, 30, f"{line!r} in {self.lines}")

    def end(self) -> tuple[int, str]:
        """Exit code and stderr."""
        code = self.process.wait(300)  # a busy machine takes its time to start a pod
        self.thread.join()
        assert self.process.stderr
        return code, self.process.stderr.read()


@pytest.fixture(scope="module")
def space() -> Iterator[Space]:
    made = Space()
    made.unattended = made.submit(made.app("missing", secret="gone"))  # here, because Tekton takes its time to see it
    yield made
    kubectl("delete", "namespace", made.name, "--wait=false")


def test_a_task_is_run_listed_and_read(space: Space) -> None:
    app = space.app("shop", r"echo out; echo err >&2; echo $PASSWORD; printf '\033[2Jbar\n'")
    assert space.kf("tasks", app).ok().text == f"No tasks of app 'shop' in space '{space.name}'.\n"
    first = space.submit(app)
    dollars = "$(params.x) $$ $(HOME)"
    second = space.submit(app, "-c", f"for i in 1 2; do echo $i '{dollars}'; done; exit 3", "--name", "report")
    space.ended(first)
    eventually(lambda: all(run.get("status", {}).get("completionTime") for run in space.runs(app)))

    forms = [("tasks", app), ("tasks",), *(("tasks", app, "-o", form) for form in ("json", "yaml", "name"))]
    forms += [("task", app, "2", "-o", "json"), ("task", second)]
    table, whole, as_json, as_yaml, names, shown, read = (result.stdout for result in space.kf_many(*forms))
    header, *rows = table.splitlines()
    assert header.split() == ["Name", "ID", "DisplayName", "Age", "Duration", "Succeeded", "Reason"]
    assert re.fullmatch(rf"{first} +1 +shop +\d+m?\d*s +\d+s +True +Succeeded", rows[0])
    assert re.fullmatch(rf"{second} +2 +report +\d+m?\d*s +\d+s +False +Failed", rows[1])
    assert "App " in whole
    assert [task["id"] for task in json.loads(as_json)] == [1, 2]
    assert yaml.safe_load(as_yaml)[1]["displayName"] == "report"
    assert names == f"{first}\n{second}\n"

    one = json.loads(shown)
    assert (one["name"], one["state"], one["outcome"], one["exitCode"]) == (second, "Failed", "exit code 3", 3)
    assert one["command"][2].startswith(f"for i in 1 2; do echo $i '{dollars}'")
    assert (one["env"], one["recorded"], one["pods"][0]["phase"]) == (["PASSWORD"], False, "Failed")
    assert re.search("^Exit code +3$", read, re.MULTILINE)

    raw = kubectl("logs", "-n", space.name, f"{first}-task-pod", "-c", pipelinerun.CONTAINER)
    assert PASSWORD in raw
    log = space.kf_apart("logs", app, "--task", "--recent").stdout.splitlines()
    assert sorted(log[:4]) == ["shop/1 [secret]", "shop/1 bar", "shop/1 err", "shop/1 out"]
    assert log[4:] == [f"report/2 1 {dollars}", f"report/2 2 {dollars}"]
    last = space.kf_apart("logs", app, "--task", "--recent", "-n", "1").stdout.splitlines()
    assert [line.split()[0] for line in last] == ["shop/1", "report/2"]
    assert space.kf_apart("logs", "--task", "--run", second, "-n", "0").stdout.splitlines() == log[4:]

    kubectl("delete", "pod", "-n", space.name, f"{second}-task-pod")
    gone = space.kf_apart("logs", app, "--task", "--id", "2")
    assert (gone.returncode, gone.stdout) == (0, "")
    assert gone.stderr == f"kf: report/2 (run {second}): its pod is gone, and its log with it (Failed)\n"

    held = space.kf_apart("prune", app, "--keep", "1", "--dry-run")
    assert held.stdout == f"Nothing to delete: app {app!r} has 2 tasks and keeps 1.\n"
    assert held.stderr == f"kf: held back: {first} (last success)\n"
    third = space.submit(app)
    space.ended(third)
    would = space.kf_apart("prune", app, "--keep", "1", "--dry-run")
    assert would.stdout == f"would delete {first}\n" and would.stderr == f"kf: held back: {second} (last failure)\n"
    assert space.kf_apart("prune", app, "--keep", "1").stdout == f"deleted {first}\n"
    eventually(lambda: {run["metadata"]["name"] for run in space.runs(app)} == {second, third})


def test_the_flags_change_this_run_only(space: Space) -> None:
    app = space.app("flags", "sleep 1")
    amounts = ("--cpu-cores", "0.02", "-m", "48M", "-k", "32MB")
    space.submit(app, *amounts, "--name", "big", "-c", "true")
    run = space.runs(app)[0]
    assert run["metadata"]["annotations"]["kf.dev/started-by"].startswith("kf run-task by ")
    assert run["metadata"]["labels"]["kf.dev/task"] == "big"
    step = pipelinerun.step_of(run)
    assert (step["command"], step["args"]) == (["/bin/sh"], ["-c", "true"])
    given = {"memory": "48Mi", "ephemeral-storage": "32Mi"}
    assert step["computeResources"] == {"requests": {**given, "cpu": "20m"}, "limits": given}
    kubectl("delete", RUNS, "-n", space.name, run["metadata"]["name"])


def test_what_cannot_run_says_why(space: Space) -> None:
    space.app("bare", None)
    wrong = {
        "kf run-task: no start command": ("run-task", "bare"),
        "kf run-task: bad amount": ("run-task", "bare", "-c", "true", "-m", "3"),
        "kf run-task: bad name": ("run-task", "bare", "-c", "true", "--name", "Two Words"),
        "kf run-task: empty command": ("run-task", "bare", "-c", ""),
        "kf run-task: unknown app": ("run-task", "bear"),
        "kf run-task: bad variable": ("run-task", "bare", "-c", "true", "--env", "2=3"),
        "kf run-task: reserved variable": ("run-task", "bare", "-c", "true", "--env", "VCAP_SERVICES={}"),
        "kf prune: unknown app": ("prune", "bear"),
        "kf task: unknown run": ("task", "bear-1"),
        "kf tasks: unknown app": ("tasks", "bear"),
        "kf tasks: unknown space": ("tasks", "--space", "kf-cli-nowhere"),
    }
    for title, result in zip(wrong, space.kf_many(*wrong.values())):
        code = 2 if title == "kf run-task: bad name" else 1  # what no object can be called is wrong usage
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (code, "", 1), result.stderr
        messages.check(title, re.sub("(?<=its apps are )[a-z, ]+", "APPS", result.stderr), space.name)
    assert space.runs("bare") == []


def test_no_more_than_keep_stay(space: Space) -> None:
    app = space.app("kept", keep=1)
    space.ended(space.submit(app))
    success = space.submit(app)
    space.ended(success)
    last = space.submit(app)
    eventually(lambda: [run["metadata"]["name"] for run in space.runs(app)] == [success, last])
    space.ended(last)
    assert space.kf("prune", app).ok().text == f"deleted {success}\n", "it was the last success until then"
    assert [run["metadata"]["labels"]["kf.dev/task-id"] for run in space.runs(app)] == ["3"]


def test_ids_are_counted_one_by_one_however_many_ask_at_once(space: Space) -> None:
    app = space.app("many")
    commands = [("run-task", app, "--cpu-cores", "999")] * 10  # too much for any node, so that no pod takes time
    for result in space.kf_many(*commands, at_once=10):
        assert result.returncode == 0, result.stderr
    ids = [int(run["metadata"]["labels"]["kf.dev/task-id"]) for run in space.runs(app)]
    assert sorted(ids) == list(range(1, 11))
    eventually(lambda: "has not started: not scheduled: 0/1 nodes" in space.kf("task", app, "10").ok().text)
    kubectl("delete", RUNS, "-n", space.name, "-l", f"app.kubernetes.io/name={app}", "--wait=false")


def test_whoever_waits_gets_log_and_exit_code(space: Space) -> None:
    app, slow, locked = space.app("wait"), space.app("slow", timeout="30s"), space.app("locked", secret="gone")
    kinds = {
        "exit code": (app, "-c", "seq 600; echo $MODE; echo $PASSWORD; exit 3", "--env", "MODE=a=$(params.b)"),
        "signal": (app, "-c", "kill -9 $$"),
        "timeout": (slow, "-c", "sleep 600"),
        "cancelled": (app, "-c", "echo ready; sleep 600"),
        "never started": (locked,),
        "Ctrl-C": (app, "-c", WAITS),
    }
    waiting = {kind: space.start("run-task", *arguments, "--wait") for kind, arguments in kinds.items()}
    waiting["Ctrl-C"].sees("ready")
    waiting["Ctrl-C"].process.send_signal(signal.SIGINT)
    waiting["cancelled"].sees("ready")
    [cancelled] = [run for run in space.runs(app) if "echo ready; sleep 600" in pipelinerun.step_of(run)["args"]]
    space.kf("terminate-task", cancelled["metadata"]["name"]).ok()
    codes = {}
    for kind, one in waiting.items():
        codes[kind], said = one.end()
        first, *rest = said.splitlines()
        assert re.fullmatch(r"Task \S+ is submitted successfully for execution\.", first)
        # The ids depend on who came first, and whoever waits for a start is told so once.
        text = re.sub(r"id \d+", "id ID", "\n".join(line for line in rest if line and " waits: " not in line))
        text = re.sub(r"(?<=by kf terminate-task by ).*? \(", "USER (", text)
        messages.check(f"kf run-task --wait: {kind}", text, space.name)
    failures = ("signal", "timeout", "cancelled", "never started")
    assert codes == {"exit code": 3, **dict.fromkeys(failures, 1), "Ctrl-C": 130}
    assert waiting["exit code"].lines == [*(str(number) for number in range(1, 601)), "a=$(params.b)", "[secret]"]
    [left] = [run for run in space.runs(app) if WAITS in pipelinerun.step_of(run)["args"]]
    assert "kf.dev/followed" not in left["metadata"]["annotations"] and "completionTime" not in left.get("status", {})
    space.kf("terminate-task", left["metadata"]["name"]).ok()


def test_logs_follow_what_runs_and_what_comes(space: Space) -> None:
    app = space.app("live", WAITS)
    first = space.submit(app)
    everything = space.start("logs", app, "--task", "--follow")
    everything.sees("live/1 ready")
    one = space.start("logs", app, "--task", "--id", "1")
    one.sees("live/1 ready")
    space.submit(app, "-c", "seq 20; printf end", "--name", "later")
    everything.sees("later/2 end")
    assert everything.lines == ["live/1 ready", *(f"later/2 {n}" for n in range(1, 21)), "later/2 end"]
    space.go(first)
    everything.sees("live/1 done")
    assert one.end() == (0, "")
    assert one.lines == ["live/1 ready", "live/1 done"]
    assert everything.process.poll() is None
    everything.process.send_signal(signal.SIGINT)
    assert everything.end() == (130, "")


def test_what_hands_type_that_know_cloud_foundry(space: Space, tmp_path: Path) -> None:
    app = space.app("habits", "printf 'one\\ntwo\\n'; exit 3")
    first = space.kf_apart("run-task", app, "-w")
    assert (first.returncode, first.stdout) == (3, "one\ntwo\n")
    [run] = [each["metadata"]["name"] for each in space.runs(app)]
    again = space.kf("rerun", app, "1").ok().text
    assert "Its ID:     2\n" in again
    eventually(lambda: all(each.get("status", {}).get("completionTime") for each in space.runs(app)))

    forms = [("tasks", app, "-o", "json"), ("logs", app, "--recent"), ("logs", app, "--failed", "-t", "--since", "1h")]
    forms += [("stats", app, "-o", "json"), ("top", app), ("apps",), ("download", run, "--to", str(tmp_path))]
    listed, recent, timed, stats, top, apps, _ = (result.stdout for result in space.kf_many(*forms))
    tasks = json.loads(listed)
    # The pod tells the exit code of the second, about whose end nobody has written a word.
    assert [(task["exitCode"], task["state"], task["command"][-1]) for task in tasks] == [
        (3, "Failed", "printf 'one\\ntwo\\n'; exit 3")
    ] * 2
    assert recent.splitlines() == ["habits/1 one", "habits/1 two", "habits/2 one", "habits/2 two"]
    assert re.fullmatch(r"habits/1 \d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-][0-9:]+) one", timed.splitlines()[0])
    assert len(timed.splitlines()) == 4
    [found] = json.loads(stats)
    assert (found["runs"], found["failed"], found["median"]) == (2, 2, None)
    assert top == f"Nothing runs of app {app!r} in space '{space.name}'.\n"
    assert re.search(rf"^{app} +2 +0 +0 +2 +Failed", apps, re.MULTILINE)
    assert (tmp_path / f"{run}.log").read_text() == "one\ntwo\n"
    assert json.loads((tmp_path / f"{run}.json").read_text())["exitCode"] == 3

    words = {"_KF_COMPLETE": "bash_complete", "COMP_WORDS": "kf task hab", "COMP_CWORD": "2", "KF_SPACE": space.name}
    env = {**os.environ, **words, "XDG_CACHE_HOME": str(tmp_path)}
    command = [CHECKOUT / "kf"]
    eventually(lambda: run in subprocess.run(command, env=env, capture_output=True, text=True).stdout)

    assert space.kf_apart("prune", app, "--keep", "0").stdout == f"deleted {run}\n"
    gone = space.kf_apart("task", app, "1")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert re.fullmatch(
        rf"kf: task 1 of app 'habits' \(run {run}\) was pruned at \S+Z \(beyond the newest 0\); its log went with it, "
        "since the app has no log archive\n",
        gone.stderr,
    )


def test_a_task_is_terminated_once(space: Space) -> None:
    app = space.app("long", "seq 30; sleep 600")
    by_id, by_name = space.submit(app), space.submit(app)
    eventually(lambda: "long/1 30\n" in space.kf("logs", app, "--task", "--recent").text)
    log = space.start("logs", app, "--task", "--id", "1", "-n", "2")
    log.sees("long/1 30")
    done = space.kf("terminate-task", app, "1").ok().text
    assert done == f'Task "{by_id}" is successfully submitted for termination\n'
    assert re.match("Can't terminate (terminated|completed) Task\n", space.kf("terminate-task", by_id).ok().text)
    space.kf("terminate-task", by_name).ok()
    eventually(lambda: space.kf("tasks", app).text.count("Cancelled: by kf terminate-task by") == 2)
    assert space.kf("terminate-task", app, "1").ok().text == "Can't terminate completed Task\n"
    assert log.end()[0] == 0
    assert log.lines == ["long/1 29", "long/1 30"]
    unknown = space.kf("terminate-task", app, "77")
    assert (unknown.code, 'No Task found for App "long" and Task ID "77"' in unknown.text) == (1, True)
    assert space.kf("terminate-task", app, "x1").code == 2
    assert space.kf("terminate-task", f"{app}-nothing").code == 1


def test_without_a_cluster_there_is_one_error(space: Space, tmp_path: Path) -> None:
    config = yaml.safe_load(kubectl("config", "view", "--raw"))
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    commands = (("tasks",), ("logs", "shop", "--task"), ("run-task", "shop"), ("terminate-task", "shop", "1"))
    for result in space.kf_many(*((*command, "--kubeconfig", str(kubeconfig)) for command in commands)):
        assert (result.returncode, result.stdout) == (1, "")
        assert re.fullmatch("kf: the cluster at https://127.0.0.1:1 does not answer: .*; choose .*\n", result.stderr)


def test_a_pod_that_waits_for_a_secret_is_explained_and_deleted(space: Space) -> None:
    run = space.unattended
    eventually(lambda: outcome.has_ended(space.runs("missing")[0]))
    words = 'could not start: CreateContainerConfigError: secret "gone" not found'
    eventually(lambda: json.loads(space.kf("task", run, "-o", "json").ok().text)["outcome"] == words)
    assert 'Pending: CreateContainerConfigError: secret "gone" not found)' in space.kf("task", run).ok().text
    said = space.kf("terminate-task", run).ok().text
    assert said == f'Task "{run}" has failed already; its pod, which still waited to start, is deleted\n'
    eventually(lambda: not objects("pods", space.name, f"tekton.dev/pipelineRun={run}"))
    shown = yaml.safe_load(space.kf("task", "missing", "1", "-o", "yaml").ok().text)
    assert (shown["outcome"], shown["state"], shown["pods"]) == (words, "Failed", [])
    assert space.kf("terminate-task", run).ok().text == "Can't terminate completed Task\n"
