"""Runs a task once and writes down how it went: submit, follow, record, prune."""

from __future__ import annotations

import functools
from typing import Any

from ..cluster.client import Cluster
from ..cluster.connection import Connection
from ..core import marks, naming
from ..core.build.spec import Upload
from ..core.log.shown import NONE
from ..core.pods import security
from ..core.retention.policy import Policy
from ..core.run import outcome, pipelinerun
from ..core.run.outcome import RUNNING, SUCCEEDED, Outcome
from ..errors import ArchiveError, ClusterError, Conflict, NotFound, Refused, about
from ..registry.upload import send
from ..runs import ending
from ..runs.archiving import Archiving
from ..runs.attending import attend
from ..runs.display import Bounded
from ..runs.follower import Interrupted
from ..runs.pruning import prune
from ..runs.submission import Submission, submit, unfinished
from .hosting import interrupted
from .preview import Preview

LAST_LINES = 10
NOT_EXECUTED = "Error executing command"  # Tekton's entrypoint, when the image does not have the program


def record(preview: Preview, settings: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Starts or adopts the run of a Run's inputs and records it; also returns what to fail with, if anything."""
    connection = Connection.of(settings["connection"])
    cluster = preview.cluster(connection)
    waits = bool(settings["wait"])
    wanted = Submission(
        template=settings["manifest"],
        app=settings["app"],
        task=settings["task"],
        key=settings["key"],
        stack=settings["stack"],
        counter=settings["counter"],
        started_by=f"pulumi up of stack {settings['stack']}",
        followed=waits,
    )
    with about(f"{naming.words(wanted.app, wanted.task)} cannot be started"):
        if settings.get("upload"):
            send(
                cluster,
                wanted.namespace,
                Upload.of(settings["upload"]),
                functools.partial(preview.say, settings["urn"]),
            )
        run, adopted = submit(cluster, wanted, preview.survey(connection, wanted.namespace).now)
    name = run["metadata"]["name"]
    preview.say(settings["urn"], f"run {name} {'adopted' if adopted else 'started'}")
    begun: dict[str, Any] = {
        "run": name,
        "task_id": int(run["metadata"]["labels"].get(marks.TASK_ID, 0)),
        "state": RUNNING,
        "reason": "",
        "cluster_uid": _cluster_uid(cluster),
    }
    if not waits:
        let_go(preview, cluster, settings)
        return {**_empty(), **begun}, None
    done, ended = _follow(preview, cluster, settings, run)
    let_go(preview, cluster, settings, spare=name if ended.state == SUCCEEDED else None)
    return _judge(preview, settings, {**begun, **done}, ended)


def complete(preview: Preview, settings: dict[str, Any], begun: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The record of a run that was not waited for, complete if it has ended; also what to fail with, if anything."""
    cluster = preview.cluster(Connection.of(settings["connection"]))
    what = naming.words(settings["app"], settings["task"])
    with about(f"{what}: how run {begun['run']} has ended could not be asked for"):
        run = _own_run(cluster, settings, begun)
    if run is None:
        return {**begun, "state": outcome.UNKNOWN, "reason": "Deleted before its end was recorded"}, None
    if not (outcome.has_ended(run) or settings.get("terminated") or settings.get("wait")):
        return begun, None
    ends = settings.get("terminated") and settings.get("log_archive")  # without an archive `stop` has cancelled it
    done, ended = _follow(preview, cluster, settings, run, end_by=_terminated(settings) if ends else "")
    return _judge(preview, settings, {**begun, **done}, ended)


def hold(preview: Preview, settings: dict[str, Any]) -> dict[str, Any]:
    """The record of a task that may not run now; a run of it that nobody has recorded is cancelled."""
    stop(preview, settings)
    return {**_empty(), "run": "", "task_id": 0, "state": outcome.HELD, "reason": "", "cluster_uid": ""}


def stop(preview: Preview, settings: dict[str, Any], own: str = "") -> None:
    """Cancels every run of a task that is under way; with an archive not before their logs can be stored."""
    cluster = preview.cluster(Connection.of(settings["connection"]))
    runs = cluster.list_runs(settings["namespace"], settings["app"])
    running = unfinished(runs, settings["app"], settings["task"], settings["stack"])
    archiving = _archiving(preview, cluster, settings)
    if running and archiving:
        what = naming.words(settings["app"], settings["task"])
        with about(f"{what} is not cancelled, or its log would be lost", ". Repeat later"):
            archiving.check()
            ended = ending.end(archiving, [run.name for run in running if run.name != own], _terminated(settings))
        for name in ended:
            preview.say(settings["urn"], f"run {name} is cancelled, and its log is in the archive")
        return
    for run in running:
        try:
            cluster.cancel_run(settings["namespace"], run.name, _terminated(settings))
        except (Refused, Conflict, NotFound):  # it has ended or gone meanwhile
            continue
        preview.say(settings["urn"], f"run {run.name} is cancelled")


def let_go(preview: Preview, cluster: Cluster, settings: dict[str, Any], spare: str | None = None) -> None:
    """Lets old runs go, their logs being archived first; whether that works says nothing about the task."""
    archiving = _archiving(preview, cluster, settings)
    try:
        before = archiving.before if archiving else None
        prune(cluster, settings["namespace"], settings["app"], Policy.of(settings), spare, before)
    except ArchiveError as error:
        preview.say(
            settings["urn"], f"retention of app {settings['app']!r} waits for the next update: {error}", warning=True
        )
    except ClusterError as error:
        preview.say(
            settings["urn"], f"older tasks of app {settings['app']!r} could not be deleted: {error}", warning=True
        )


def failure(settings: dict[str, Any], ended: Outcome, result: dict[str, Any]) -> str:
    """What the person at the terminal reads when a task has failed."""
    name = result["run"]
    lines = [f"{naming.words(settings['app'], settings['task'])} {_verb(ended)} (run {name}, id {result['task_id']})"]
    tail = [] if settings["log_mode"] == NONE else result["log"].splitlines()[-LAST_LINES:]
    lines += ["  last lines of its log:", *(f"    {line}" for line in tail)] if tail else []
    if result["log_lines"]:
        lines.append(f"  its whole log: kf logs {settings['app']} --task --run {name} -n 0 --recent")
    if _shell(settings.get("manifest")) and any(NOT_EXECUTED in line for line in tail):
        lines.append("  if the image has no /bin/sh, write the command as a list: command=['program', 'argument']")
    refused = security.advice(ended.sentence, pipelinerun.CONTAINER)
    lines += [f"  {refused}"] if refused else []
    lines.append("  the next update tries it again")
    return "\n".join(lines)


def _follow(
    preview: Preview, cluster: Cluster, settings: dict[str, Any], run: dict[str, Any], end_by: str = ""
) -> tuple[dict[str, Any], Outcome]:
    namespace, name, urn = settings["namespace"], run["metadata"]["name"], settings["urn"]
    what = naming.words(settings["app"], settings["task"])
    warn = functools.cache(functools.partial(preview.say, urn, warning=True))
    about_app = f"{namespace} {settings['app']}"
    short = functools.partial(preview.say_once, urn, about=about_app, warning=True)  # not in each task
    archiving = _archiving(preview, cluster, settings)
    goes_on = about(f"{what}: run {name} goes on, but its end is not known", ": repeat the update, which adopts it")
    try:
        with goes_on:
            seen = attend(
                cluster,
                run,
                Bounded(name, settings["log_mode"], functools.partial(preview.say, urn), short),
                archiving=archiving,
                start_timeout=int(settings.get("start_timeout") or 0),
                at_most_once=bool(settings.get("at_most_once")),
                interrupted=interrupted,
                end_by=end_by,
            )
    except Interrupted:
        raise Interrupted(
            f"{what}: run {name} goes on without this update. "
            f"The next update adopts it; to stop it: kf terminate-task {name} --space {namespace}"
        ) from None
    except NotFound:
        raise NotFound(
            f"{what}: run {name} was deleted before its end, so how it ended is not known: repeat the update"
        ) from None
    ended, log = seen.outcome, seen.log
    if ended.state == SUCCEEDED and ended.sentence != "succeeded":
        preview.say(urn, f"run {name} {ended.sentence}", warning=True)
    if seen.unkept:
        warn(f"the log of {what} waits for the next update: {seen.unkept}")
    return {
        "state": ended.state,
        "reason": ended.reason,
        "exit_code": ended.exit_code,
        "started_at": ended.started_at,
        "finished_at": ended.finished_at,
        "duration": ended.duration,
        "log": log.tail(),
        "log_digest": log.digest,
        "log_lines": log.lines,
        "results": ended.results,
    }, ended


def _archiving(preview: Preview, cluster: Cluster, settings: dict[str, Any]) -> Archiving | None:
    warn = functools.cache(functools.partial(preview.say, settings["urn"], warning=True))
    return Archiving.of(cluster, settings["namespace"], settings.get("log_archive"), warn)


def _judge(
    preview: Preview, settings: dict[str, Any], result: dict[str, Any], ended: Outcome
) -> tuple[dict[str, Any], str | None]:
    if ended.state == SUCCEEDED:
        return result, None
    if settings.get("terminated"):
        return result, None
    if settings["must_succeed"]:
        return result, failure(settings, ended, result)
    preview.say(
        settings["urn"], f"run {result['run']} {_verb(ended)}: a result, since must_succeed is off", warning=True
    )
    return result, None


def _empty() -> dict[str, Any]:
    return {
        "exit_code": None, "started_at": None, "finished_at": None, "duration": None,
        "log": "", "log_digest": "", "log_lines": 0, "results": {},
    }  # fmt: skip


def _terminated(settings: dict[str, Any]) -> str:
    return f"pulumi up of stack {settings['stack']} (terminated)"


def _verb(ended: Outcome) -> str:
    return ended.sentence if ended.state != outcome.FAILED else f"failed: {ended.sentence}"


def _shell(manifest: dict[str, Any] | None) -> bool:
    return bool(manifest and pipelinerun.step_of(manifest)["command"] == ["/bin/sh"])


def _own_run(cluster: Cluster, settings: dict[str, Any], begun: dict[str, Any]) -> dict[str, Any] | None:
    """The run of an unfinished record; None if it is gone, for which only its own cluster's word is taken."""
    here = _cluster_uid(cluster)
    if here and begun["cluster_uid"] and here != begun["cluster_uid"]:
        raise Refused(
            "it is in another cluster than this one: give the connection to that one back, or start it here with "
            f"pulumi up --replace '**:Run::{settings['app']}-{settings['task']}'"
        )
    try:
        return cluster.get_run(settings["namespace"], begun["run"])
    except NotFound:
        listed = cluster.list_runs(settings["namespace"], settings["app"])  # also 404 where there is no Tekton
        if begun["run"] in [run.name for run in listed]:
            raise
        return None


def _cluster_uid(cluster: Cluster) -> str:
    try:
        return cluster.uid()
    except ClusterError:
        return ""
