"""Attends one run to its end: its log to a screen and to the archive, and how it ended to the run itself.

The only place that follows a run, for an update, for `kf`, and for whoever ends runs whose logs are archived.
What else becomes of a run that has ended, whether that is a failure for example, is its caller's.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass

from ..cluster.client import Cluster
from ..core import marks
from ..core.api import Object
from ..core.log import gate
from ..core.log.masking import Masker
from ..core.log.reader import LogReader
from ..core.log.stored import place_of
from ..core.run.outcome import Outcome
from ..errors import ClusterError, Trouble
from ..log.spool import Spool
from .archiving import Archiving
from .display import Screen
from .follower import Follower
from .notifying import Notifying
from .secret_files import Files
from .secrets import copy_late, present, secret_values


@dataclass(frozen=True)
class Attended:
    """How a run ended, and its log: tail, digest and counts.

    `unmasked` says which Secrets could not be read, whose values may stand in the log. `unkept` is why the log is not
    in the archive, None where it is or where there is none.
    """

    outcome: Outcome
    log: LogReader
    unmasked: tuple[str, ...] = ()
    unkept: Trouble | None = None


def attend(
    cluster: Cluster,
    run: Object,
    show: Screen,
    *,
    archiving: Archiving | None = None,
    start_timeout: int = 0,
    at_most_once: bool = False,
    interrupted: threading.Event | None = None,
    end_by: str = "",
    notifying: Notifying | None = None,
) -> Attended:
    """Blocks until a run has ended and its log is read; the arguments are those of `Follower`.

    `notifying` tells of the end, before the log is stored.

    Raises NotFound for a run that was deleted meanwhile, Interrupted, and Unreachable or Denied for a cluster that
    does not answer for long. After the end nothing is raised: that the outcome cannot be written on the run, or its
    log not be stored, says nothing about the task.
    """
    namespace, name, uid = (run["metadata"][key] for key in ("namespace", "name", "uid"))
    masker, unmasked, files = Masker(), list[str](), Files(cluster, run)

    def unread(text: str) -> None:
        masker.hide_all()
        if text not in unmasked:
            unmasked.append(text)
            show.say(f"{text}: its log is neither shown nor kept", warning=True)

    def secrets(pod: Object) -> list[str]:
        get = present(cluster, run)
        with contextlib.suppress(ClusterError):
            files.note(get)
        copy_late(cluster, get, run, [pod])
        return secret_values(get, namespace, run, show.hint, unread, pods=[pod])

    def hidden() -> list[str]:
        return secret_values(present(cluster, run), namespace, run, show.hint, unread, followed=True)

    def changed(asking: bool) -> list[str]:
        return files.changed(hidden, asking=asking)

    spool = Spool(masker, place_of(run)) if archiving else None
    follower = Follower(
        cluster,
        namespace,
        name,
        show,
        masker,
        secrets=secrets,
        changed_secrets=changed if files else None,
        start_timeout=start_timeout,
        at_most_once=at_most_once,
        interrupted=interrupted or threading.Event(),
        spool=spool,
        end_by=end_by,
        uid=uid,
    )
    ended = follower.follow()
    ended = gate.ended(ended, masker)
    with contextlib.suppress(ClusterError):  # it is deleted already, cannot be reached, or may not be changed
        whole = {marks.FOLLOWED: "true"} if files else {}  # whatever they have held is copied, or marked
        words = {marks.OUTCOME: ended.sentence, **whole}
        marked = cluster.annotate_run(namespace, name, words, finished=True, uid=uid)
        run = {**run, "metadata": marked}
    if notifying:
        notifying.end(run, ended)
    unkept = None
    if archiving and spool:
        try:
            archiving.keep(run, ended, spool, whole=follower.whole, unmasked=unmasked)
        except Trouble as error:
            unkept = error
    return Attended(ended, follower.log, tuple(unmasked), unkept)
