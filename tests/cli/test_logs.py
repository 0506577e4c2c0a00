"""`kf logs` on a cluster of plain data: which runs, which lines, and what only the archive has."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from kf_tasks.core import moments
from kf_tasks.core.log.stored import StoredLog, record_of
from kf_tasks.core.run.outcome import Outcome
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.errors import Denied, NotFound
from kf_tasks.log.archive import Archive

from .test_commands import FakeCluster, call

HOUR = "2026-01-01T{:02}:00:00Z"


def uid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def whole(number: int, task: str = "migrate", app: str = "shop", status: str = "True") -> dict[str, Any]:
    """A run that was made at `number` o'clock and ended within the hour."""
    ended = {} if status == "Unknown" else {"completionTime": f"2026-01-01T{number:02}:30:00Z"}
    return {
        "metadata": {
            "name": f"{app}-{task}-{number}", "namespace": "dev", "uid": uid(number),
            "creationTimestamp": HOUR.format(number),
            "labels": {"app.kubernetes.io/name": app, "kf.dev/task": task, "kf.dev/task-id": str(number),
                       "kf.dev/key": "k"},
        },
        "spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"image": "i", "command": ["x"]}]}}]}},
        "status": {
            "startTime": HOUR.format(number), **ended,
            "conditions": [{"type": "Succeeded", "status": status, "reason": "R"}],
        },
    }  # fmt: skip


@dataclasses.dataclass
class WithLogs(FakeCluster):
    """Runs whose pods print two lines, five minutes apart; of those in `gone` the pod is gone."""

    objects: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    gone: tuple[int, ...] = ()
    now: str = HOUR.format(12)

    def __post_init__(self) -> None:
        self.runs = [RunSummary.of_object(each) for each in self.objects]

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        for each in self.objects:
            if each["metadata"]["name"] == name:
                return each
        raise NotFound(f"{name} not found")

    def task_run(self, namespace: str, run: dict[str, Any]) -> None:
        return None

    def pods(self, namespace: str, run: str) -> list[dict[str, Any]]:
        number = int(run.rpartition("-")[2])
        states = [{"name": "step-task", "state": {"terminated": {"exitCode": 0}}}]
        pod = {"metadata": {"name": f"{run}-pod", "uid": f"p{number}"}, "status": {"containerStatuses": states}}
        return [] if number in self.gone else [pod]

    def log(self, namespace: str, pod: str, *, tail: int | None = None, stamps: bool = False,
            since: str | None = None, **_: Any) -> Iterator[bytes]:  # fmt: skip
        number = pod.split("-")[-2]
        lines = [(f"2026-01-01T{int(number):02}:{minute:02}:00.5Z", f"line {minute}\n") for minute in (0, 5)]
        lines = [line for line in lines if not since or moments.parse(line[0]) >= moments.parse(since)]
        text = "".join(f"{time} {line}" if stamps else line for time, line in lines[-(tail or 0) :])
        for at in range(0, len(text), 7):  # cut anywhere, as a connection cuts
            yield text[at : at + 7].encode()


def three(**more: Any) -> WithLogs:
    return WithLogs(objects=[whole(1), whole(2, "report", status="False"), whole(3, "web", "blog")], **more)


def lines(*arguments: str, cluster: WithLogs | None = None) -> list[str]:
    result = call(cluster or three(), "logs", *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.splitlines()


ALL = ["migrate/1 line 0", "migrate/1 line 5", "report/2 line 0", "report/2 line 5"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["shop", "--recent"], ALL),
        (["shop", "--task", "--recent"], ALL),
        (["--task", "shop", "--recent"], ALL),
        (["shop", "--recent", "--task"], ALL),
        (["shop", "--task", "--recent", "-n", "1"], ALL[1::2]),
        (["shop", "--recent", "-n", "0"], ALL),
        (["shop", "--recent", "--task", "report"], ALL[2:]),
        (["--task", "report", "shop", "--recent"], ALL[2:]),
        (["shop", "--failed"], ALL[2:]),
        (["shop", "blog", "--recent", "-n", "1"],
         ["shop/migrate/1 line 5", "shop/report/2 line 5", "blog/web/3 line 5"]),
        (["shop", "shop", "--recent"], ALL),
        (["--run", "blog-web-3"], ["web/3 line 0", "web/3 line 5"]),
        (["shop", "--id", "2", "-n", "1"], ["report/2 line 5"]),
        (["shop", "--recent", "--since", "2026-01-01T02:03:00Z"], ["report/2 line 5"]),
        (["shop", "--recent", "--since", "9h57m", "-n", "1"], ["report/2 line 5"]),
        (["shop", "--recent", "--since", "9h58m", "-n", "0"], ["report/2 line 5"]),
        (["shop", "--failed", "--timestamps", "-n", "0"],
         ["report/2 2026-01-01T02:00:00.5Z line 0", "report/2 2026-01-01T02:05:00.5Z line 5"]),
        (["shop", "--failed", "-t", "-n", "1"], ["report/2 2026-01-01T02:05:00.5Z line 5"]),
    ],
)  # fmt: skip
def test_which_lines(arguments: list[str], expected: list[str]) -> None:
    assert lines(*arguments) == expected


def test_a_run_of_another_task_or_app_is_not_shown() -> None:
    for more in (["blog"], ["shop", "--task", "report"]):
        result = call(three(), "logs", *more, "--run", "shop-migrate-1")
        assert (result.exit_code, result.stdout) == (1, "") and "run 'shop-migrate-1'" in result.stderr


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """An archive that has what the cluster has of two runs, and one that the cluster no longer has."""
    url = f"file://{tmp_path}"
    monkeypatch.setenv("KF_LOG_ARCHIVE", url)
    found = Archive.of(url)
    for run in (whole(0, "report", status="False"), whole(1), whole(2, "report", status="False")):
        store(found, run)
    return found


def store(archive: Archive, run: dict[str, Any]) -> StoredLog:
    import hashlib

    log = b"kept\n"
    failed = run["status"]["conditions"][0]["status"] == "False"
    ended = Outcome("Failed" if failed else "Succeeded", "R", "x", None, None, run["status"]["completionTime"])
    about = {"digest": f"sha256:{hashlib.sha256(log).hexdigest()}", "bytes": len(log), "lines": 1, "whole": True}
    return archive.store(record_of(run, ended, **about), io.BytesIO(zstandard.compress(log)))


def test_what_the_archive_alone_has_stands_in_one_order_with_the_rest(archive: Archive) -> None:
    assert lines("shop", "--recent") == ["report/0 kept", *ALL]
    assert lines("shop", "--failed", "-n", "1") == ["report/0 kept", ALL[-1]]
    assert lines("shop", "--recent", "--task", "migrate") == ALL[:2]
    assert lines("shop", "--recent", "--since", "9h58m") == ["report/2 line 5"]
    assert lines("shop", "--recent", "-n", "1", cluster=three(gone=(1, 2))) == [
        "report/0 kept",
        "migrate/1 kept",
        "report/2 kept",
    ]


def test_a_stored_log_has_no_times_and_says_so(archive: Archive) -> None:
    result = call(three(), "logs", "shop", "--recent", "--timestamps", "-n", "1")
    assert result.stdout.splitlines()[0] == "report/0 kept"
    assert result.stderr == ("kf: report/0 (run shop-report-0): is from the archive, which keeps no times of lines\n")


def test_the_trouble_of_an_archive_keeps_the_cluster_s_logs_from_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_LOG_ARCHIVE", "nothing://here")
    result = call(three(), "logs", "shop", "--recent")
    assert result.stdout.splitlines() == ALL
    assert result.stderr.startswith("kf: only what the cluster has: log archive: log_archive='nothing://here': ")


def test_a_long_past_is_named_and_not_read(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kf_tasks.cli.log_choice.PAST", 2)
    result = call(WithLogs(), "logs", "shop", "--recent")
    assert result.stdout.splitlines() == ["migrate/1 kept", "report/2 kept"]
    assert result.stderr == f"kf: app 'shop': 1 older ones are in the archive: --archive {archive.url} has all\n"


def test_a_log_that_is_there_and_cannot_be_read_is_an_error() -> None:
    class Closed(WithLogs):
        def log(self, namespace: str, pod: str, **more: Any) -> Iterator[bytes]:
            if "report" in pod:
                raise Denied("pods/log is forbidden")
            yield from super().log(namespace, pod, **more)

    for words in (["shop", "--recent"], ["--run", "shop-report-2"], ["shop", "--id", "2"]):
        result = call(Closed(objects=three().objects), "logs", *words)
        assert result.exit_code == 1 and "its log cannot be read: pods/log is forbidden" in result.stderr
        assert ("migrate/1 " in result.stdout) == ("--recent" in words), "it keeps no other from being read"
    assert call(Closed(objects=three().objects), "logs", "--run", "shop-migrate-1").exit_code == 0
