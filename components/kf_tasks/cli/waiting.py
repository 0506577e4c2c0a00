"""Waits for a run that `kf run-task` has started: its log on stdout, everything else on stderr.

Only our sentence about the end is written on the run: the pod that could tell it may be gone afterwards.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from ..core import marks
from ..core.log.masking import Masker
from ..core.log.stored import place_of
from ..core.run import outcome
from ..core.run.outcome import FAILED, SUCCEEDED
from ..errors import ClusterError, NotFound, Trouble, about
from ..log.spool import Spool
from ..runs.archiving import Archiving
from ..runs.display import NONE, Display
from ..runs.follower import Follower
from ..runs.secrets import secret_values
from .log_printer import warn
from .status_line import Progress, aside
from .target import TargetSpace

INTERRUPTED = 130


class _Screen(Display):
    """Prints every line: a terminal or a file takes what would be too much for the engine."""

    def _show(self, lines: list[str]) -> None:
        try:
            if lines:
                with aside():
                    click.echo("".join(f"{line}\n" for line in lines), nl=False)
        except BrokenPipeError:  # nobody reads the log any more, but the exit code may still be waited for
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def silence(self) -> None:
        """Prints nothing from now on: a thread that still does when Python ends would break it."""
        self._lock.acquire(timeout=1)


class _Waiting(Follower):
    def __post_init__(self) -> None:
        self.screen = self._display = _Screen(self.name, self.say, self.masker, NONE)

    @property
    def state(self) -> str:
        """How far the run is, as its follower knows it."""
        return "running" if self._has_started else "starting"


def wait_for(space: TargetSpace, run: dict[str, Any], settings: Mapping[str, Any]) -> int:
    """Follows a run to its end; returns the exit code that its process chose, else 1."""
    name, labels = run["metadata"]["name"], run["metadata"]["labels"]
    app = labels[marks.NAME]
    what = f"task {labels[marks.TASK]!r} of app {app!r}"
    which = f"(run {name}, id {labels[marks.TASK_ID]})"
    details = f"all about it: kf task {name}{space.flags}"
    goes_on = (
        f"{what} goes on {which}: to see its log, kf logs {app} --task --run {name}{space.flags}; "
        f"to end it, kf terminate-task {name}{space.flags}"
    )
    told: set[str] = set()

    def say(text: str, **_: Any) -> None:
        if text not in told:
            told.add(text)
            warn(text)

    def unread(text: str) -> None:
        warn(text)
        unmasked.append(text)

    follower, unmasked = None, list[str]()
    archiving = Archiving.of(space.cluster, {**settings, "namespace": space.name}, warn)
    try:
        masker = Masker(secret_values(space.cluster, space.name, run, warn, unread))
        spool = Spool(masker, place_of(run)) if archiving else None
        follower = waiting = _Waiting(space.cluster, space.name, name, say, masker, spool=spool)
        with about(advice=f"; {goes_on}"), Progress(lambda: f"{what} is {waiting.state}"):
            ended = waiting.follow()
    except KeyboardInterrupt:
        if follower:
            follower.screen.silence()
        warn(goes_on)
        return INTERRUPTED
    except NotFound:
        raise NotFound(
            f"{what} was deleted before its end {which}: how it ended is not known; look for it with kf tasks"
        ) from None
    with contextlib.suppress(ClusterError):  # it was deleted meanwhile, or may not be changed
        space.cluster.annotate_run(space.name, name, {marks.OUTCOME: ended.sentence}, finished=True)
    if archiving:
        try:
            archiving.keep(run, ended, follower, unmasked)
        except Trouble as error:
            warn(f"the log of {what} waits for the next update: {error}")
    if ended.state == SUCCEEDED and ended.sentence == "succeeded":
        return 0
    verb = f"failed: {ended.sentence}" if ended.state == FAILED else ended.sentence
    warn(f"{masker.mask(f'{what} {verb}')} {which}; {details}")
    code = outcome.own_exit_code(ended)
    return 1 if code is None else code
