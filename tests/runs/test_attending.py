"""A run is attended in one way, whoever does it: shown within its bounds, masked, stored, and told how it ended."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kf_tasks.cli.waiting import Terminal
from kf_tasks.core import marks
from kf_tasks.core.log.masking import Masker
from kf_tasks.core.log.reader import LogReader
from kf_tasks.core.log.shown import FOLLOW, NONE, TAIL
from kf_tasks.core.log.stored import place_of
from kf_tasks.core.run.outcome import CANCELLED, FAILED, SUCCEEDED, Outcome
from kf_tasks.core.say import nobody
from kf_tasks.errors import ArchiveError, Denied, NotFound
from kf_tasks.log.archive import Archive
from kf_tasks.runs import ending, secret_files
from kf_tasks.runs.archiving import Archiving
from kf_tasks.runs.attending import attend
from kf_tasks.runs.display import Bounded, Screen
from kf_tasks.runs.follower import Follower, Interrupted

from .. import messages

SECRET = "correct horse battery"
NAME, POD = "shop-migrate-1", "shop-migrate-1-task-pod"
LINES = [f"2026-01-01T00:00:{number % 60:02}.{number:09}Z line {number}\n" for number in range(600)]


class Cluster:
    """One run, whose command begins at the second look and ends at the third, or when it is cancelled."""

    def __init__(self, code: int = 0, lines: list[str] | None = None, secrets: bool = True, runs: bool = False) -> None:
        self.code, self.secrets, self.runs = code, secrets, runs
        self.content = "".join(lines or [f"2026-01-01T00:00:00.000000001Z the password is {SECRET}\n"]).encode()
        self.looks = 0
        self.annotations: dict[str, Any] = {}
        self.cancelled_by = ""
        self.http = self
        self.now: str | None = None

    @property
    def ended(self) -> bool:
        return bool(self.cancelled_by) if self.runs else self.looks > 2

    def request(self, *_: Any, **__: Any) -> Any:
        raise Denied("nobody may watch")

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        self.looks += 1
        reason = "Cancelled" if self.cancelled_by else "Failed" if self.code else "Succeeded"
        condition = {"type": "Succeeded", "status": "True" if reason == "Succeeded" else "False", "reason": reason}
        step = {
            "name": "task", "image": "i", "command": ["/bin/true"],
            "env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "TOKEN"}}}],
        }  # fmt: skip
        return {
            "metadata": {
                "name": name, "namespace": namespace, "uid": "u-1", "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {marks.NAME: "shop", marks.TASK: "migrate", marks.KEY: "k", marks.TASK_ID: "1"},
                "annotations": {marks.CANCELLED_BY: self.cancelled_by} if self.cancelled_by else {},
            },
            "spec": {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [step]}}]}},
            "status": {
                "startTime": "2026-01-01T00:00:01Z", "completionTime": "2026-01-01T00:00:09Z", "conditions": [condition]
            } if self.ended else {},
        }  # fmt: skip

    def task_run(self, _namespace: str, _run: dict[str, Any]) -> None:
        return None

    def pods(self, _namespace: str, _run: str) -> list[dict[str, Any]]:
        return [self.pod()]

    def pod(self) -> dict[str, Any]:
        state: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
        if self.looks > 1:
            state = {"running": {"startedAt": "2026-01-01T00:00:02Z"}}
        if self.ended:
            at = {"startedAt": "2026-01-01T00:00:02Z", "finishedAt": "2026-01-01T00:00:08Z"}
            state = {"terminated": {"exitCode": self.code, "reason": "Error" if self.code else "Completed", **at}}
        metadata = {"name": POD, "uid": "p-1", "creationTimestamp": "2026-01-01T00:00:01Z"}
        return {"metadata": metadata, "status": {"containerStatuses": [{"name": "step-task", "state": state}]}}

    def get(self, _namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        if plural == "pods":
            return self.pod()
        if not self.secrets:
            raise Denied("secrets may not be read")
        metadata = {"name": name, "uid": f"u-{name}", "resourceVersion": "1"}
        return {"metadata": metadata, "data": {"TOKEN": base64.b64encode(SECRET.encode()).decode()}}

    def log(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.content

    def annotate_run(
        self, _namespace: str, _name: str, annotations: dict[str, Any], *, finished: bool, uid: str
    ) -> dict[str, Any]:
        assert finished and uid == "u-1"
        self.annotations |= annotations
        return {**begun(self)["metadata"], "annotations": self.annotations}

    def cancel_run(self, _namespace: str, _name: str, by: str, uid: str) -> None:
        assert uid == "u-1"
        self.cancelled_by = by

    def delete_pod(self, _namespace: str, _name: str) -> None:
        raise AssertionError("its command has begun")


class Said:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def __call__(self, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        if not ephemeral:
            (self.warnings if warning else self.lines).append(text)

    def screen(self, mode: str = FOLLOW) -> Screen:
        return Bounded(NAME, mode, self, self.warnings.append)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("kf_tasks.runs.follower.BEGIN_SECONDS", 0.1)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.of(f"file://{tmp_path}/logs")


def begun(cluster: Cluster) -> dict[str, Any]:
    looks, run = cluster.looks, cluster.get_run("dev", NAME)
    cluster.looks = looks
    return run


def seen(cluster: Any, screen: Screen, **more: Any) -> Any:
    return attend(cluster, begun(cluster), screen, **more)


def archiving(cluster: Any, archive: Archive) -> Archiving:
    return Archiving(cluster, "dev", archive.url, nobody)


def test_its_log_is_shown_without_secrets_and_its_end_written_on_the_run() -> None:
    cluster, said = Cluster(), Said()
    found = seen(cluster, said.screen())
    assert (found.outcome.state, found.unmasked, found.unkept) == (SUCCEEDED, (), None)
    assert said.lines == ["the password is [secret]"] and said.warnings == []
    assert found.log.tail() == "the password is [secret]\n" and found.log.lines == 1
    assert cluster.annotations == {marks.OUTCOME: "succeeded"}


def test_what_fails_is_no_error_of_whoever_attends() -> None:
    cluster = Cluster(code=3)
    found = seen(cluster, Said().screen())
    assert (found.outcome.state, found.outcome.exit_code) == (FAILED, 3)
    assert cluster.annotations == {marks.OUTCOME: found.outcome.sentence}


@pytest.mark.parametrize(("mode", "shown"), [(FOLLOW, 551), (TAIL, 51), (NONE, 0)])
def test_what_is_shown_has_bounds_and_what_is_counted_has_none(mode: str, shown: int) -> None:
    said = Said()
    found = seen(Cluster(lines=LINES), said.screen(mode))
    assert (len(said.lines), found.log.lines) == (shown, 600)
    assert not said.lines or said.lines[-1] == "line 599"


def test_its_log_is_stored_as_it_was_followed(archive: Archive) -> None:
    cluster = Cluster()
    found = seen(cluster, Said().screen(), archiving=archiving(cluster, archive))
    record = archive.record(place_of(begun(cluster)))
    assert record and found.unkept is None and record.followed and record.whole
    assert b"".join(archive.read(record)) == b"the password is [secret]\n"
    assert cluster.annotations == {marks.OUTCOME: "succeeded", marks.ARCHIVED: record.mark}


def test_a_log_whose_secrets_cannot_be_read_is_not_stored(archive: Archive) -> None:
    cluster, said = Cluster(secrets=False), Said()
    found = seen(cluster, said.screen(), archiving=archiving(cluster, archive))
    assert found.outcome.state == SUCCEEDED and isinstance(found.unkept, Denied)
    assert found.unmasked == (str(found.unkept),)
    assert said.warnings == [f"{found.unkept}: its log is neither shown nor kept"]
    assert said.lines == ["[secret]"] and found.log.tail() == "[secret]\n" and found.outcome.sentence == "succeeded"
    assert archive.places("dev") == [] and cluster.annotations == {marks.OUTCOME: "succeeded"}


def test_an_archive_that_takes_nothing_does_not_decide_how_a_run_ended(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    cluster = Cluster()
    found = seen(cluster, Said().screen(), archiving=archiving(cluster, Archive.of(f"file://{tmp_path}/file/logs")))
    assert found.outcome.state == SUCCEEDED and isinstance(found.unkept, ArchiveError)
    assert [path.suffix for path in (tmp_path / "state").rglob("*.zst")] == [".zst"], "left for whoever comes next"


def test_a_run_that_may_not_be_changed_has_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise Denied("not allowed")

    cluster = Cluster()
    monkeypatch.setattr(cluster, "annotate_run", refuse)
    assert seen(cluster, Said().screen()).outcome.state == SUCCEEDED


def test_whoever_is_told_to_stop_leaves_the_run_alone() -> None:
    stopped = threading.Event()
    stopped.set()
    cluster = Cluster(runs=True)
    with pytest.raises(Interrupted):
        seen(cluster, Said().screen(), interrupted=stopped)
    assert cluster.cancelled_by == "" and cluster.annotations == {}


class Forgetful(Cluster):
    """Its pod has failed, which Tekton writes down when it `notices` what is done: look-again, cancel, or nothing."""

    def __init__(self, notices: str) -> None:
        super().__init__(code=3, lines=["2026-01-01T00:00:00.000000001Z its last words\n"], runs=True)
        self.notices, self.looked_again = notices, False

    @property
    def ended(self) -> bool:
        return self.looks > 2

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        run = super().get_run(namespace, name)
        noticed = self.looked_again if self.notices == "look-again" else self.notices == "cancel" and self.cancelled_by
        return run if noticed else {**run, "status": {"childReferences": [{"name": "child"}]}}

    def task_run(self, _namespace: str, _run: dict[str, Any]) -> Any:
        condition = {"type": "Succeeded", "status": "False", "reason": "Failed"}
        return {
            "metadata": {"name": "child", "uid": "u-child"},
            "status": {"conditions": [condition]} if self.looked_again else {},
        }

    def look_again(self, _namespace: str, _run: dict[str, Any], task_run: dict[str, Any] | None) -> None:
        assert task_run, "there is one to look at"
        self.looked_again = self.notices == "look-again"
        if not self.looked_again:
            raise Denied("TaskRuns may not be changed")

    def pod(self) -> dict[str, Any]:
        found = super().pod()
        return {**found, "status": {**found["status"], "phase": "Failed" if self.ended else "Running"}}


@pytest.mark.parametrize("notices", ["look-again", "cancel", "nothing"])
def test_a_run_that_tekton_has_forgotten_keeps_nobody_waiting(notices: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kf_tasks.core.run.forgotten._STEPS", tuple((step, 0.0) for step in ("touch", "cancel", "end")))
    cluster, said = Forgetful(notices), Said()
    attended = seen(cluster, said.screen())
    exact = "exit code 3" if notices == "look-again" else "exit code 3, which Tekton has not noticed"
    assert (attended.outcome.sentence, attended.outcome.exit_code) == (exact, 3)
    assert cluster.annotations[marks.OUTCOME] == exact and attended.log.tail() == "its last words\n"
    assert cluster.cancelled_by == ("" if notices == "look-again" else "kf, as Tekton has not noticed its end")
    told = [
        f"{NAME}: its pod has ended (Failed), and Tekton has not noticed: it is made to look again",
        f"{NAME}: Tekton does not end it: it is cancelled, and what its pod says counts",
    ]
    assert said.warnings == told[: 1 if notices == "look-again" else 2]
    if notices == "nothing":
        for nth, line in enumerate(told, start=1):
            messages.compare(f"a run that Tekton has forgotten, {nth}", line)
        messages.compare("a run that Tekton has forgotten, its end", f"{NAME} {exact}")


def test_what_is_ended_is_read_to_its_end_and_stored(archive: Archive) -> None:
    cluster: Any = Cluster(runs=True)
    assert ending.end(archiving(cluster, archive), [NAME], "me") == [NAME]
    record = archive.record(place_of(begun(cluster)))
    assert cluster.cancelled_by == "me" and record and record.state == CANCELLED
    assert b"".join(archive.read(record)) == b"the password is [secret]\n"


def test_nothing_is_ended_whose_log_could_not_be_stored(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    hidden: Any = Cluster(runs=True, secrets=False)
    with pytest.raises(Denied):
        ending.end(archiving(hidden, archive), [NAME], "me")
    closed: Any = Cluster(runs=True)
    with pytest.raises(ArchiveError):
        ending.end(archiving(closed, Archive.of(f"file://{tmp_path}/file/logs")), [NAME], "me")
    assert hidden.cancelled_by == closed.cancelled_by == ""


def test_a_run_that_is_gone_is_not_ended(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> Any:
        raise NotFound("gone")

    cluster: Any = Cluster(runs=True)
    monkeypatch.setattr(cluster, "get_run", gone)
    assert ending.end(archiving(cluster, archive), [NAME], "me") == []


def test_another_run_of_the_same_name_is_not_taken_for_it() -> None:
    cluster, said = Cluster(), Said()
    run = begun(cluster)
    run["metadata"]["uid"] = "of the one before"
    with pytest.raises(NotFound, match="another one has its name"):
        attend(cluster, run, said.screen())  # type: ignore[arg-type]
    assert cluster.annotations == {} and said.lines == []


def test_a_terminal_shows_every_line_and_says_a_thing_once(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    assert terminal.state == "starting"
    found = seen(Cluster(lines=LINES), terminal)
    said = capsys.readouterr()
    assert said.out.splitlines() == [f"line {number}" for number in range(600)] and said.err == ""
    assert (terminal.state, found.log.lines) == ("over", 600)
    terminal.say("the node is gone", warning=True)
    terminal.hint("the node is gone")
    assert capsys.readouterr().err == "kf: the node is gone\n"


def test_a_silenced_terminal_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.silence()
    late = threading.Thread(target=terminal.show, args=(["late"], LogReader(Masker())), daemon=True)
    late.start()
    late.join(0.2)
    assert late.is_alive() and capsys.readouterr().out == ""


def test_trouble_while_it_runs_is_said_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, said = Cluster(), Said()
    troubles = [Denied("the token has expired")]
    get_run = cluster.get_run

    def unsteady(namespace: str, name: str) -> dict[str, Any]:
        if troubles:
            raise troubles.pop()
        return get_run(namespace, name)

    run = begun(cluster)
    monkeypatch.setattr(cluster, "get_run", unsteady)
    assert attend(cluster, run, said.screen()).outcome.state == SUCCEEDED  # type: ignore[arg-type]
    assert not said.warnings and not troubles


class Queued(Cluster):
    """Is held back for `looks` looks, by itself or by its pod, and then goes on as the other; a look is 1,000 s."""

    def __init__(self, turns: int, gated: bool) -> None:
        super().__init__()
        self.turns, self.gated = turns, gated

    def monotonic(self) -> float:
        return (self.turns_taken + self.looks) * 1000.0

    turns_taken = 0

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        if self.turns_taken >= self.turns:
            return super().get_run(namespace, name)
        self.turns_taken += 1
        run = super().get_run(namespace, name)
        self.looks = 0
        run["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "team-a"
        run["spec"]["status"] = "" if self.gated else "PipelineRunPending"
        run["status"] = {}
        return run

    def pods(self, namespace: str, run: str) -> list[dict[str, Any]]:
        if self.turns_taken < self.turns or not self.looks:
            gates = {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}
            status = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}
            return (
                [{"metadata": {"name": POD, "uid": "p-1", "creationTimestamp": ""}, "spec": gates, "status": status}]
                if self.gated
                else []
            )
        return super().pods(namespace, run)

    def delete_pod(self, _namespace: str, _name: str) -> None:
        """Of a run that was given up."""


@pytest.mark.parametrize("gated", [False, True])
def test_a_run_that_a_queue_holds_back_uses_up_no_time(monkeypatch: pytest.MonkeyPatch, gated: bool) -> None:
    cluster, said = Queued(5, gated), Said()
    run = begun(cluster)
    cluster.turns_taken = 0
    monkeypatch.setattr("kf_tasks.runs.follower.time.monotonic", cluster.monotonic)
    monkeypatch.setattr("kf_tasks.core.polling.LATE_SECONDS", 0)  # each time it is looked at it is asked for
    found = attend(cluster, run, said.screen(), start_timeout=1500)  # type: ignore[arg-type]
    assert found.outcome.state == SUCCEEDED and cluster.cancelled_by == ""
    assert said.lines[0] == f"{NAME} waits in queue team-a" and "waits" not in "".join(said.lines[1:])
    messages.compare("a run that a queue holds back", said.lines[0])


def test_who_is_told_is_told_before_the_log_is_stored_and_after_the_end_is_written(archive: Archive) -> None:
    cluster, said = Cluster(code=3), list[str]()

    class Told:
        def end(self, run: dict[str, Any], ended: Outcome) -> None:
            assert run["metadata"]["annotations"] == cluster.annotations == {marks.OUTCOME: ended.sentence}
            said.append(f"{run['metadata']['name']}: {ended.sentence}")
            assert archive.record(place_of(run)) is None

    seen(cluster, Said().screen(), archiving=archiving(cluster, archive), notifying=Told())
    assert said == [f"{NAME}: Failed"] and archive.record(place_of(begun(cluster))) is not None


def test_who_waits_is_told_how_long_it_has_run_and_runs_as_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("kf_tasks.runs.display.time.monotonic", lambda: now[0])
    told: list[tuple[str, bool]] = []

    def say(text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        told.append((text, ephemeral))

    screen = Bounded("kf logs", FOLLOW, say, print, usually=120)
    screen.pass_time()
    screen.begin(elapsed=10.0)
    log = LogReader(Masker())
    for seconds in (1, 2, 3, 4):
        now[0] += 1
        if seconds == 3:
            screen.show(log.feed(b"a line\n"), log)
        screen.pass_time()
    assert told == [("11s, usually 2m", True), ("a line", False)]
    now[0] += 400
    screen.pass_time()
    screen.pass_time()
    now[0] += 2
    screen.pass_time()
    assert told[2:] == [("runs for 6m54s, usually 2m", False), ("6m54s, usually 2m", True), ("6m56s, usually 2m", True)]


def test_the_times_of_hundreds_of_tasks_are_no_more_lines_than_those_of_twenty(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("kf_tasks.runs.display.time.monotonic", lambda: now[0])
    told: list[str] = []
    screens = [Bounded("kf logs", FOLLOW, lambda text, **_: told.append(text), print) for _ in range(500)]
    for screen in screens:
        screen.begin()
        screen.pass_time()
    assert told == ["0s"] * 500
    for _ in range(100):
        now[0] += 1
        for screen in screens:
            screen.pass_time()
    assert len(told) == 500 + 100 * 10, "a line every two seconds of twenty"
    log = LogReader(Masker())
    for screen in screens[1:]:
        screen.close(log)
    told.clear()
    for _ in range(10):
        now[0] += 1
        screens[0].pass_time()
    assert len(told) == 5, "whoever is left is shown as often as if it had been alone"


@pytest.mark.parametrize(("others", "pause"), [(0, 0.5), (63, 0.63), (499, 4.99)])
def test_hundreds_of_runs_that_go_on_do_not_wake_anybody_the_oftener(others: int, pause: float) -> None:
    waited: list[float] = []

    class Changed(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0)
            return True

    followed: Any = SimpleNamespace(others=others, is_told=True, changed=Changed())
    follower = Follower(Cluster(), "ns", NAME, Bounded("", FOLLOW, nobody, print), Masker())  # type: ignore[arg-type]
    follower._wait(followed, time.monotonic(), time.monotonic())
    assert waited == [pause]


class Rotating(Cluster):
    """Its task prints a file of a Secret, which is changed meanwhile, and prints it again."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.version = ["first-word-1", "second-word-2"], 0
        self.named: list[str] = []
        self.copies: dict[str, Any] = {}

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        run = super().get_run(namespace, name)
        volumes = [{"name": "db", "secret": {"secretName": "db-app"}}]
        run["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["volumes"] = volumes
        return run

    def get(self, namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        copy: dict[str, Any] | None = self.copies.get(name)
        if copy:
            return copy
        if plural != "secrets" or name != "db-app":
            return super().get(namespace, plural, name) if name != "s" else None
        data = {"password": base64.b64encode(self.words[self.version].encode()).decode()}
        return {"metadata": {"name": name, "uid": "s-1", "resourceVersion": str(self.version)}, "data": data}

    def create_secret(self, _namespace: str, body: dict[str, Any]) -> None:
        self.copies[body["metadata"]["name"]] = body

    def annotate_run(
        self, namespace: str, name: str, annotations: dict[str, Any], *, finished: bool = False, uid: str
    ) -> dict[str, Any]:
        if marks.SECRETS not in annotations:
            return super().annotate_run(namespace, name, annotations, finished=finished, uid=uid)
        self.named.append(annotations[marks.SECRETS])
        return {}

    def log(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield b"2026-01-01T00:00:00.000000001Z it is first-word-1\n"
        self.version = 1
        yield b"2026-01-01T00:00:01.000000001Z it is second-word-2\n"


def test_a_secret_that_changes_while_its_files_are_there_is_hidden_and_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_files, "SOON_SECONDS", -1)
    cluster, said = Rotating(), Said()
    fake: Any = cluster
    run = cluster.get_run("dev", NAME)
    run["spec"]["pipelineSpec"]["tasks"][0]["taskSpec"]["steps"][0]["env"] = []
    seen = attend(fake, run, Bounded(NAME, FOLLOW, said, said))
    assert seen.log.tail().splitlines() == ["it is [secret]", "it is [secret]"]
    assert not [line for line in [*said.lines, *said.warnings] if "-word-" in line]
    [named] = cluster.named
    assert [it["data"] for it in map(cluster.copies.get, named.split(",")) if it] == [
        {"password": base64.b64encode(b"second-word-2").decode()}
    ]
