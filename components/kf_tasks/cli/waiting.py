"""Waits for a run that `kf run-task` has started: its log on stdout, everything else on stderr.

Only our sentence about the end is written on the run: the pod that could tell it may be gone afterwards.
"""

from __future__ import annotations

import os
import sys
import threading

import click

from ..core import marks
from ..core.api import Object
from ..core.log.reader import LogReader
from ..core.run import outcome
from ..core.run.outcome import FAILED, SUCCEEDED
from ..errors import NotFound, about
from ..runs.archiving import Archiving
from ..runs.attending import attend
from ..runs.notifying import Notifying
from .log_form import warn
from .status_line import StatusLine, aside
from .target import TargetSpace

INTERRUPTED = 130
START_SECONDS = 600  # that of a Task that says nothing
STARTING, RUNNING, OVER = "starting", "running", "over"


class Terminal:
    """A Screen that prints every line: a terminal or a file takes what would be too much for the engine."""

    def __init__(self) -> None:
        self.state = STARTING
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def say(self, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        """One line on stderr, once."""
        if text not in self._told:
            self._told.add(text)
            warn(text)

    hint = say

    def pass_time(self) -> None:
        """The line that moves shows the time."""

    def begin(self, elapsed: float = 0.0) -> None:
        """Lets the line that moves say so."""
        self.state = RUNNING

    def show(self, lines: list[str], log: LogReader) -> None:
        """Lines of the log on stdout."""
        with self._lock:
            try:
                if lines:
                    with aside():
                        click.echo("".join(f"{line}\n" for line in lines), nl=False)
            except BrokenPipeError:  # nobody reads the log any more, but the exit code may still be waited for
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def close(self, log: LogReader) -> None:
        """Everything is shown already."""
        self.state = OVER

    def silence(self) -> None:
        """Prints nothing from now on: a thread that still does when Python ends would break it."""
        self._lock.acquire(timeout=1)


def wait_for(space: TargetSpace, run: Object, log_archive: str | None, notifying: Notifying | None = None) -> int:
    """Follows a run to its end; returns the exit code that its process chose, else 1."""
    name, labels = run["metadata"]["name"], run["metadata"]["labels"]
    app = labels[marks.NAME]
    what = f"task {labels[marks.TASK]!r} of app {app!r}"
    which = f"(run {name}, id {labels[marks.TASK_ID]})"
    details = f"all about it: kf task {name}{space.flags}"
    goes_on = (
        f"{what} goes on {which}: to see its log, kf logs {app} --run {name}{space.flags}; "
        f"to end it, kf terminate-task {name}{space.flags}"
    )
    screen = Terminal()
    archiving = Archiving.of(space.cluster, space.name, log_archive, warn)
    try:
        with about(advice=f"; {goes_on}"), StatusLine(lambda: f"{what} is {screen.state}"):
            seen = attend(
                space.cluster, run, screen, archiving=archiving, start_timeout=START_SECONDS, notifying=notifying
            )
    except KeyboardInterrupt:
        screen.silence()
        if screen.state == OVER:
            raise
        warn(goes_on)
        return INTERRUPTED
    except NotFound:
        raise NotFound(
            f"{what} was deleted before its end {which}: how it ended is not known; "
            f"look for it with kf tasks {app}{space.flags}"
        ) from None
    if seen.unkept:
        warn(f"the log of {what} waits for the next update: {seen.unkept}")
    ended = seen.outcome
    if ended.state == SUCCEEDED and ended.sentence == "succeeded":
        return 0
    verb = f"failed: {ended.sentence}" if ended.state == FAILED else ended.sentence
    warn(f"{what} {verb} {which}; {details}")
    code = outcome.own_exit_code(ended)
    return 1 if code is None else code
