"""The log archive: what retention, a cancel and destroy take away is stored first, whole and masked."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from kf_tasks.core.log.stored import StoredLog
from kf_tasks.log.archive import Archive

from .. import s3
from ..processes import provider_of
from .conftest import CHECKOUT, Stack, eventually, kill_group, kubectl
from .test_schedule import ended, job_log, now, start

SECRET = "correct horse battery"
HEAD = (
    "from kf_tasks import TaskSchedule\n"
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', log_archive={url!r}, submitter_image=f'{{R}}/python:3')\n"
    "env = {{'S': Output.secret({secret!r}), 'PIN': Output.secret('1234')}}\n"
    "app = App('shop', space=space, image=f'{{R}}/busybox:1', env=env, keep=1)\n"
)
PATIENCE = 300  # seconds, of a machine that does much else
SAID = "value [secret]\n" + "".join(f"{number}\n" for number in range(1, 2001))
# It goes on until it is cancelled, however long the rest of a test takes on a busy machine.
TALKS = "trap 'echo bye; exit 0' TERM; echo value $S; seq 1 2000; sleep 3500 & wait"
SLOW = f"slow = Task('slow', app=app, command={TALKS!r}, wait=False, must_succeed=False"


def write(stack: Stack, url: str, body: str) -> Stack:
    stack.env["XDG_STATE_HOME"] = str(stack.folder)
    return stack.write(HEAD.format(url=url, secret=SECRET) + body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Server]:
    with s3.server() as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        yield made


class Stored:
    """What an archive holds of a namespace."""

    def __init__(self, stack: Stack, url: str) -> None:
        self.archive, self.namespace = Archive(url), stack.namespace

    def records(self) -> dict[str, StoredLog]:
        return {record.run: record for record in self.archive.records(self.namespace)}

    def log(self, run: str) -> str:
        """Its log; raises if it is not what its record says."""
        return b"".join(self.archive.read(self.records()[run])).decode()

    def of(self, task: str) -> list[str]:
        """The logs of a task's runs, oldest first."""
        return [self.log(record.run) for record in self.records().values() if record.task == task]


def finished(stack: Stack, task: str) -> list[str]:
    runs = [run for run in stack.runs() if run["metadata"]["labels"]["kf.dev/task"] == task]
    return [run["metadata"]["name"] for run in runs if run.get("status", {}).get("completionTime")]


def test_whoever_lets_runs_go_has_stored_them(server: s3.Server, stack: Stack) -> None:
    """Followed, started by hand, by a schedule, retried and cancelled; pruned, destroyed and read without a cluster."""
    url = f"s3://{s3.BUCKET}/team"
    stack.env.update(server.env)
    stored = Stored(stack, url)
    write(
        stack,
        url,
        "migrate = Task('migrate', app=app, command='echo begun; echo \"$S\"; printf end')\n"
        f"{SLOW})\n"
        "Task('tries', app=app, command='echo try; exit 3', retries=1, wait=False, must_succeed=False)\n"
        "TaskSchedule('report', app=app, command='echo report $S', schedule='0 3 1 1 *')\n",
    ).up().ok()
    [migrated] = finished(stack, "migrate")
    record = stored.records()[migrated]
    assert stored.log(migrated) == "begun\n[secret]\nend"
    assert (record.lines, record.whole, record.followed, record.outcome) == (3, True, True, "succeeded")

    # A schedule's pod cannot store anything: what it would let go waits.
    times = [now().replace(second=0) + timedelta(minutes=minutes) for minutes in (1, 2)]
    jobs = [start(stack, "report", when) for when in times]
    assert [ended(stack, job) for job in jobs] == ["Complete", "Complete"]
    assert len(finished(stack, "report")) == 2 and finished(stack, "migrate") == [], "what is stored may go"
    told = "waiting for the log archive until the next update or `kf prune`: 1"
    assert any(told in job_log(stack, job) for job in jobs)
    eventually(lambda: finished(stack, "tries"))
    shown = stack.preview().ok().text
    assert (
        "will delete 1 of 4" in shown and "waiting for the log archive, where their logs go first: 1 of them" in shown
    )

    # A cancelled run's log goes with its pod: it is read to its end first.
    [slow] = [run["metadata"]["name"] for run in stack.runs() if "completionTime" not in run.get("status", {})]
    stack.kf("terminate-task", slow).ok()
    assert stored.log(slow).startswith(SAID) and stored.log(slow).endswith("\nbye\n")
    assert stored.records()[slow].outcome.startswith("was cancelled by kf terminate-task")
    # Whether that was all is known only where the pod was still there when it had ended: else a second line says so.
    assert stack.kf("logs", "--task", "--run", slow, "-n", "1", "--recent").ok().text.splitlines()[0].endswith(" bye")

    reports = finished(stack, "report")
    waited = stack.kf("run-task", "shop", "--name", "hand", "-c", "echo by hand $S; exit 3", "--wait")
    assert waited.code == 3 and stored.of("hand") == ["by hand [secret]\n"]
    [second] = finished(stack, "report")
    [first] = set(reports) - {second}
    stack.kf("run-task", "shop", "--name", "lost", "-c", "echo lost").ok()
    [lost] = eventually(lambda: finished(stack, "lost"))
    kubectl("delete", "pod", "-n", stack.namespace, "-l", f"tekton.dev/pipelineRun={lost}", "--force")
    would = stack.kf("prune", "shop", "--dry-run").ok().text
    assert f"would delete {second}\n" in would and "their logs go first: 1 of them" in would
    assert f"deleted {second}\n" in stack.kf("prune", "shop").ok().text
    assert stored.log(first) == "report [secret]\n" and stored.records()[first].whole
    assert "report [secret]" in stack.kf("logs", "shop", "--task", "--run", first, "--recent").ok().text
    assert "log.zst" in stack.kf("task", first).ok().text

    stack.destroy().ok()
    assert stack.runs() == []
    assert stored.of("report") == ["report [secret]\n"] * 2
    [tries] = stored.of("tries")
    assert stored.records()[lost].missing == "its pod was deleted before its log was archived"
    attempts = tries.split("--- kf: attempt 2, pod ")
    assert len(attempts) == 2 and attempts[0] == "try\n" and attempts[1].endswith(" ---\ntry\n")

    # The cluster is gone.
    stack.env["KUBECONFIG"] = str(stack.folder / "none")
    read = stack.kf("logs", "shop", "--task", "--archive", url, "--recent", "-n", "1").ok().text.splitlines()
    said = [line.partition(" ")[2] for line in read if not line.startswith("kf: ")]
    assert sorted(said) == ["by hand [secret]", "bye", "end", *["report [secret]"] * 2, "try"]
    assert any("has no log: its pod was deleted" in line for line in read)
    assert len(stack.kf("tasks", "shop", "--archive", url, "-o", "name").ok().text.splitlines()) == 7
    stack.env["KF_LOG_ARCHIVE"] = url
    read = stack.kf("logs", "--task", "--run", migrated).ok().text.splitlines()
    assert [line.partition(" ")[2] for line in read[-3:]] == ["begun", "[secret]", "end"]
    assert "no-such-run" in stack.kf("logs", "--task", "--run", "no-such-run", "--archive", url).failed().text
    assert SECRET not in str(stack.state())


def test_an_archive_that_cannot_be_written_loses_nothing(
    stack: Stack, tmp_path: Path, message: Callable[[str, str], None]
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("no folder")
    url = f"file://{blocked}/logs"
    body = "Task('a', app=app, command='echo a')\nTask('b', app=app, command='echo b')\n" + SLOW
    up = write(stack, url, body + ")\n").up().ok()
    short = "secret variable PIN is shorter than 6 characters and is not masked"
    assert up.text.partition("Diagnostics:")[2].count(short) == 1, "once, and not in each task"
    message("archive: a log that waits", line_of("the log of task 'a'", up.text))
    message("archive: retention that waits", line_of("retention of app", up.text))
    assert len(stack.runs()) == 3
    stopped = write(stack, url, body + ", terminated=True)\n").up().failed()
    message("archive: a task that is not cancelled", line_of("task 'slow' of app", stopped.text))
    message("archive: kf terminate-task", stack.kf("terminate-task", "shop", running(stack)).failed().text)
    assert f"the log archive {url} cannot be written" in stack.kf("prune", "shop").failed().text
    assert len(stack.runs()) == 3 and running(stack)
    kubectl("delete", "pods", "-n", stack.namespace, "-l", "kf.dev/task=b", "--force")

    blocked.unlink()
    stored = Stored(stack, url)
    stack.up().ok()
    [slow] = stored.of("slow")
    assert slow.startswith(SAID) and slow.endswith("\nbye\n")

    blocked.rename(tmp_path / "away")
    blocked.write_text("no folder")
    before = stack.runs()
    message("archive: destroy", line_of("the runs of app 'shop'", stack.destroy().failed().text))
    assert stack.runs() == before
    blocked.unlink()
    (tmp_path / "away").rename(blocked)
    stack.destroy().ok()
    assert stack.runs() == [] and (stored.of("a"), stored.of("b")) == (["a\n"], ["b\n"])


def test_a_killed_upload_is_repaired_by_the_next_update(server: s3.Server, stack: Stack) -> None:
    url = f"s3://{s3.BUCKET}"
    stack.env.update(server.env)
    stored = Stored(stack, url)
    server.open.clear()
    process = write(stack, url, f"Task('a', app=app, command='seq 1 5000')\n{SLOW})\n").start()
    assert server.held.wait(PATIENCE), "the upload has begun"
    provider = provider_of(stack.folder)
    assert provider
    kill_group(process)
    os.kill(provider, signal.SIGKILL)
    server.open.set()
    stack.pulumi("cancel", "--yes").ok()
    assert stored.records() == {} and "kf.dev/archived" not in stack.runs()[0]["metadata"]["annotations"]
    stack.up().ok()
    [run] = [run for run in stack.runs() if run["metadata"]["labels"]["kf.dev/task"] == "a"]
    assert stored.log(run["metadata"]["name"]) == "".join(f"{number}\n" for number in range(1, 5001))
    assert run["metadata"]["annotations"]["kf.dev/archived"] == stored.records()[run["metadata"]["name"]].digest

    # Of a run that is cancelled, whose pod is gone by then.
    server.held.clear()
    server.open.clear()
    command = [str(CHECKOUT / "kf"), "terminate-task", "shop", running(stack), "--space", stack.namespace]
    ending = subprocess.Popen(command, env=stack.env)
    assert server.held.wait(PATIENCE), "the upload has begun"
    ending.kill()
    ending.wait()
    server.open.set()
    assert stored.of("slow") == []
    stack.destroy().ok()
    [slow] = stored.of("slow")
    assert slow.startswith(SAID) and slow.endswith("\nbye\n")
    assert list((stack.folder / "kf" / "logs").iterdir()) == [], "nothing is left on this machine"


def line_of(start: str, text: str) -> str:
    """The first line with that in it, from there on."""
    return next(line[line.index(start) :] for line in text.splitlines() if start in line)


def running(stack: Stack) -> str:
    """The id of the one run that is under way."""
    [run] = [run for run in stack.runs() if "completionTime" not in run.get("status", {})]
    number: str = run["metadata"]["labels"]["kf.dev/task-id"]
    return number
