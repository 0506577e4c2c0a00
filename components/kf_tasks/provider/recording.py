"""Runs a task once and writes down how it went: submit, follow, record, prune."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..cluster.client import Cluster
from ..cluster.connection import Connection
from ..core import advice, marks
from ..core.api import Object
from ..core.log.shown import NONE
from ..core.pods import security, user
from ..core.retention import notice
from ..core.run import outcome, pipelinerun
from ..core.run.attempts import of_task
from ..core.run.outcome import FAILED, RUNNING, SUCCEEDED, Outcome
from ..core.run.usual import usual
from ..core.state import HistoryInputs, RunInputs, RunRecord, Which
from ..errors import ArchiveError, ClusterError, Conflict, NotFound, Refused, about
from ..registry.upload import send
from ..runs import ending
from ..runs.archiving import Archiving
from ..runs.attending import attend
from ..runs.display import Bounded
from ..runs.follower import Interrupted
from ..runs.notifying import Notifying
from ..runs.pruning import prune
from ..runs.secrets import as_told
from ..runs.submission import Submission, submit
from . import approving
from .hosting import interrupted
from .preview import Preview

LAST_LINES = 10
NOT_EXECUTED = "Error executing command"  # Tekton's entrypoint, when the image does not have the program


def record(preview: Preview, inputs: RunInputs) -> tuple[RunRecord, str | None]:
    """Starts or adopts the run of a Run's inputs and records it; also returns what to fail with, if anything."""
    which, connection = inputs.which, Connection.of(inputs.connection)
    cluster, say = preview.cluster(connection), functools.partial(preview.say, inputs.urn)
    notifying = notifying_of(preview, cluster, inputs)
    wanted = Submission(
        template=inputs.manifest,
        app=which.app,
        task=which.task,
        key=str(inputs.decision.key),
        stacks=preview.own_labels(which.place, which.stack),
        counter=inputs.counter,
        started_by=f"pulumi up of stack {which.stack}",
        followed=inputs.wait,
        awaited=True,
        late=inputs.late,
        tells_start=notifying.tells_start(inputs.manifest),
    )
    with about(f"{which} cannot be started"):
        if inputs.upload:
            send(cluster, wanted.namespace, inputs.upload, say)
        seen = preview.survey(connection, wanted.namespace)
        run, adopted = submit(cluster, wanted, seen.now)
    name = run["metadata"]["name"]
    say(f"run {name} {'adopted' if adopted else 'started'}")
    if not adopted:
        notifying.begin(run)
    number = int(run["metadata"]["labels"].get(marks.TASK_ID, 0))
    begun = RunRecord(name, number, RUNNING, cluster_uid=_cluster_uid(cluster))
    if not inputs.wait:
        let_go(preview, cluster, inputs)
        return begun, None
    usually = usual(seen.of_task(which.app, which.task, wanted.stacks))
    done, ended = _follow(preview, cluster, inputs, run, begun, notifying, usually=usually)
    spare = name if ended.state == SUCCEEDED else ""
    let_go(preview, cluster, inputs, spare)
    return _judge(preview, inputs, done, ended)


def complete(preview: Preview, inputs: RunInputs, begun: RunRecord) -> tuple[RunRecord, str | None]:
    """The record of a run that was not waited for, complete if it has ended; also what to fail with, if anything."""
    cluster = preview.cluster(Connection.of(inputs.connection))
    with about(f"{inputs.which}: how run {begun.run} has ended could not be asked for"):
        run = _own_run(cluster, inputs.which, begun)
    if run is None:
        return replace(begun, state=outcome.UNKNOWN, reason="Deleted before its end was recorded"), None
    if not (outcome.has_ended(run) or inputs.terminated or inputs.wait):
        return begun, None
    ends = inputs.terminated and inputs.log_archive  # without an archive `stop` has cancelled it
    end_by = _terminated(inputs) if ends else ""
    done, ended = _follow(preview, cluster, inputs, run, begun, notifying_of(preview, cluster, inputs), end_by)
    return _judge(preview, inputs, done, ended)


def hold(preview: Preview, inputs: RunInputs) -> RunRecord:
    """The record of a task that may not run now; a run of it that nobody has recorded is cancelled."""
    stop(preview, inputs)
    return RunRecord(state=outcome.HELD)


def stop(preview: Preview, inputs: RunInputs, own: str = "") -> None:
    """Cancels every run of a task that is under way; with an archive not before their logs can be stored."""
    which, say = inputs.which, functools.partial(preview.say, inputs.urn)
    cluster = preview.cluster(Connection.of(inputs.connection))
    runs = cluster.list_runs(which.namespace, which.app)
    own_runs = of_task(runs, which.app, which.task, preview.own_labels(which.place, which.stack))
    running = [run for run in own_runs if not run.finished]
    archiving = archiving_of(cluster, inputs, functools.partial(say, warning=True))
    if running and archiving:
        with about(f"{which} is not cancelled, or its log would be lost", ". Repeat later"):
            archiving.check()
            ended = ending.end(archiving, [run.name for run in running if run.name != own], _terminated(inputs))
        for name in ended:
            say(f"run {name} is cancelled, and its log is in the archive")
        return
    for run in running:
        try:
            cluster.cancel_run(which.namespace, run.name, _terminated(inputs), run.uid)
        except (Refused, Conflict, NotFound):  # it has ended or gone meanwhile
            continue
        say(f"run {run.name} is cancelled")


def mark_recorded(cluster: Cluster, namespace: str, run: str, value: str, uid: str = "") -> Object | None:
    """Marks a run whose record a state holds, or none will (see `core.run.attempts`).

    Returns its metadata as it is now, None if it is gone.
    """
    try:
        return cluster.annotate_run(namespace, run, {marks.RECORDED: value}, finished=True, uid=uid)
    except NotFound:
        return None


def let_go(
    preview: Preview,
    cluster: Cluster,
    inputs: RunInputs | HistoryInputs,
    spare: str = "",
    asked: float = float("inf"),
) -> None:
    """Lets old runs go, their logs being archived first; whether that works says nothing about the task.

    `asked` is when that came up, as `prune` has it.
    """
    warn = functools.partial(preview.say, inputs.urn, warning=True)
    archiving = archiving_of(cluster, inputs, warn)
    try:
        before = archiving.before if archiving else None
        notifying = notifying_of(preview, cluster, inputs)
        approval = approving.known(preview)
        kept = functools.partial(approval.unapproved, inputs.namespace, inputs.app) if approval else None
        gone = prune(cluster, inputs.namespace, inputs.app, inputs.policy, spare, before, kept, notifying, asked)
        if gone:
            preview.say(
                inputs.urn,
                f"deleted {len(gone)} run{'s'[len(gone) == 1 :]} of app {inputs.app!r}: {notice.listed(gone)}",
            )
    except ArchiveError as error:
        warn(f"retention of app {inputs.app!r} waits for the next update: {error}")
    except ClusterError as error:
        warn(f"older tasks of app {inputs.app!r} could not be deleted: {error}")


def archiving_of(cluster: Cluster, inputs: RunInputs | HistoryInputs, tell: Callable[[str], None]) -> Archiving | None:
    """The way of logs into the archive, None without one."""
    return Archiving.of(cluster, inputs.namespace, inputs.log_archive, tell)


def notifying_of(preview: Preview, cluster: Cluster, inputs: RunInputs | HistoryInputs) -> Notifying:
    """Who is told of the runs of a namespace; what does not work is warned of."""
    warn = functools.partial(preview.say, inputs.urn, warning=True)
    return Notifying(cluster, inputs.namespace, warn, as_told(cluster))


def failure(inputs: RunInputs, ended: Outcome, result: RunRecord) -> str:
    """What the person at the terminal reads when a task has failed."""
    lines = [f"{inputs.which} {_verb(ended)} (run {result.run}, id {result.task_id})"]
    tail = [] if inputs.log_mode == NONE else result.log.splitlines()[-LAST_LINES:]
    lines += ["  last lines of its log:", *(f"    {line}" for line in tail)] if tail else []
    if result.log_lines:
        lines.append(f"  its whole log: {advice.whole_log(inputs.app, result.run, inputs.namespace)}")
    if _shell(inputs.manifest) and any(NOT_EXECUTED in line for line in tail):
        lines.append("  if the image has no /bin/sh, write the command as a list: command=['program', 'argument']")
    refused = security.advice(ended.sentence, pipelinerun.CONTAINER)
    lines += [f"  {refused}"] if refused else []
    of_pod = inputs.manifest["spec"]["taskRunTemplate"]["podTemplate"].get("securityContext") or {}
    of_step = pipelinerun.step_of(inputs.manifest).get("securityContext") or {}
    denied = user.advice(ended.exit_code, tail, of_pod, of_step) if ended.state == FAILED else ""
    lines += [f"  {denied}"] if denied else []
    lines.append("  the next update tries it again")
    return "\n".join(lines)


def _follow(
    preview: Preview,
    cluster: Cluster,
    inputs: RunInputs,
    run: dict[str, Any],
    begun: RunRecord,
    notifying: Notifying,
    end_by: str = "",
    usually: float | None = None,
) -> tuple[RunRecord, Outcome]:
    what, namespace, name = inputs.which, inputs.which.namespace, run["metadata"]["name"]
    say = functools.partial(preview.say, inputs.urn)
    warn = functools.cache(functools.partial(say, warning=True))
    about_app = f"{namespace} {what.app}"
    short = functools.partial(preview.say_once, inputs.urn, about=about_app, warning=True)  # not in each task
    archiving = archiving_of(cluster, inputs, warn)
    goes_on = about(f"{what}: run {name} goes on, but its end is not known", ": repeat the update, which adopts it")
    try:
        with goes_on:
            seen = attend(
                cluster,
                run,
                Bounded(advice.whole_log(what.app, name, namespace), inputs.log_mode, say, short, usually),
                archiving=archiving,
                start_timeout=inputs.start_timeout,
                at_most_once=inputs.at_most_once,
                interrupted=interrupted,
                end_by=end_by,
                notifying=notifying,
            )
    except Interrupted:
        raise Interrupted(
            f"{what}: run {name} goes on without this update. "
            f"The next update adopts it; to stop it: {advice.terminate(name, namespace)}"
        ) from None
    except NotFound:
        text = f"{what}: run {name} was deleted before its end, so how it ended is not known"
        raise NotFound(f"{text}: {_repeat(cluster, namespace)}") from None
    ended, log = seen.outcome, seen.log
    if ended.state == SUCCEEDED and ended.sentence != "succeeded":
        say(f"run {name} {ended.sentence}", warning=True)
    if seen.unkept:
        warn(f"the log of {what} waits for the next update: {seen.unkept}")
    record = replace(
        begun,
        state=ended.state,
        reason=ended.reason,
        exit_code=ended.exit_code,
        started_at=ended.started_at,
        finished_at=ended.finished_at,
        duration=ended.duration,
        log=log.tail(),
        log_digest=log.digest,
        log_lines=log.lines,
        results=ended.results,
    )
    return record, ended


def _repeat(cluster: Cluster, namespace: str) -> str:
    """What to do about a run that was deleted: by itself, or with its namespace, which a plain update does not make."""
    try:
        found = cluster.namespace(namespace)
    except ClusterError:
        return "repeat the update"
    if found and "deletionTimestamp" not in found["metadata"]:
        return "repeat the update"
    return f"namespace {namespace!r} was deleted with it: when it is gone, pulumi up --refresh makes it anew"


def _judge(preview: Preview, inputs: RunInputs, result: RunRecord, ended: Outcome) -> tuple[RunRecord, str | None]:
    if ended.state == SUCCEEDED or inputs.terminated:
        return result, None
    if inputs.must_succeed:
        return result, failure(inputs, ended, result)
    text = f"run {result.run} {_verb(ended)}: a result, since must_succeed is off"
    preview.say(inputs.urn, text, warning=True)
    return result, None


def _terminated(inputs: RunInputs) -> str:
    return f"pulumi up of stack {inputs.which.stack} (terminated)"


def _verb(ended: Outcome) -> str:
    return ended.sentence if ended.state != outcome.FAILED else f"failed: {ended.sentence}"


def _shell(manifest: dict[str, Any] | None) -> bool:
    return bool(manifest and pipelinerun.step_of(manifest)["command"] == ["/bin/sh"])


def _own_run(cluster: Cluster, which: Which, begun: RunRecord) -> dict[str, Any] | None:
    """The run of an unfinished record; None if it is gone, for which only its own cluster's word is taken."""
    here = _cluster_uid(cluster)
    if here and begun.cluster_uid and here != begun.cluster_uid:
        raise Refused(
            "it is in another cluster than this one: give the connection to that one back, or start it here with "
            + advice.again(which.app, which.task)
        )
    try:
        return cluster.get_run(which.namespace, begun.run)
    except NotFound:
        listed = cluster.list_runs(which.namespace, which.app)  # also 404 where there is no Tekton
        if begun.run in [run.name for run in listed]:
            raise
        return None


def _cluster_uid(cluster: Cluster) -> str:
    try:
        return cluster.uid()
    except ClusterError:
        return ""
