"""Shows a run while it is attended, within bounds: a task that prints a gigabyte must not fill the engine.

The first lines are shown as they come, after that a status line at most twice a second, and at the
end the last lines and how to read the rest. Counted and digested is the whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, Protocol
from weakref import WeakSet

from ..core.log.reader import LogReader
from ..core.log.shown import FOLLOW, NONE
from ..core.run.usual import lasting
from ..core.say import Say

SHOWN_LINES = 500
LAST_LINES = 50
STATUS_SECONDS = 0.5
QUIET_SECONDS = 2.0  # after which a line of the log makes room for the time
READABLE = 20  # times at once: of more tasks each is shown less often, or an engine would show them and nothing else
LATE_FACTOR, LATE_SECONDS = 2, 60


class Screen(Protocol):
    """Where a run is shown; all that it is given is masked. Lines of the log come from one thread at a time."""

    def say(self, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        """Shows a line about the run."""

    def hint(self, text: str) -> None:
        """Warns of what may be the same for every run of an App, such as a secret that is too short to hide."""

    def begin(self, elapsed: float = 0.0) -> None:
        """The run's command has begun, so many seconds ago."""

    def pass_time(self) -> None:
        """It goes on; told about once a second."""

    def show(self, lines: list[str], log: LogReader) -> None:
        """Shows new lines of its log; `log` is the whole so far."""

    def close(self, log: LogReader) -> None:
        """Nothing is shown any more: the log is at its end."""


class Bounded:
    """A Screen for the engine.

    `mode` is what of the log is shown (`core.log.shown`), `whole_log` the command that shows all of it. How long the
    command has run, and `usually` runs (s), is a status wherever the log says nothing, and a line once that is passed
    by far: who reads the log of a pipeline sees no status.
    """

    _going: ClassVar[WeakSet[Bounded]] = WeakSet()  # those whose times are shown

    def __init__(
        self, whole_log: str, mode: str, say: Say, hint: Callable[[str], None], usually: float | None = None
    ) -> None:
        self.say, self.hint = say, hint
        self._whole_log, self._mode = whole_log, mode
        self._shown = 0
        self._last_status = 0.0
        self._usually = usually
        self._begun = 0.0
        self._is_late = False

    def begin(self, elapsed: float = 0.0) -> None:
        """Time counts from here, or from when it began."""
        self._begun = time.monotonic() - elapsed
        self._going.add(self)

    def pass_time(self) -> None:
        """Shows how long it has run, unless the log has just shown something."""
        now = time.monotonic()
        if not self._begun:
            return
        elapsed = now - self._begun
        text = lasting(elapsed, self._usually)
        if not self._is_late and self._usually is not None and elapsed > LATE_FACTOR * self._usually + LATE_SECONDS:
            self._is_late = True
            self.say(f"runs for {text}")
        elif now - self._last_status >= QUIET_SECONDS * max(1.0, len(self._going) / READABLE):
            self._last_status = now
            self.say(text, ephemeral=True)

    def show(self, lines: list[str], log: LogReader) -> None:
        """Shows the first lines, and after those how many there are."""
        for line in lines[: SHOWN_LINES - self._shown] if self._mode == FOLLOW else ():
            self.say(line)
            self._shown += 1
            self._last_status = time.monotonic()
        self._show_status(log)

    def close(self, log: LogReader) -> None:
        """Shows what is left: if lines were held back, the last ones and where the others are."""
        self._going.discard(self)
        if self._mode == NONE or log.lines <= self._shown:
            return
        rest = log.last(min(LAST_LINES, log.lines - self._shown))
        hidden = log.lines - self._shown - len(rest)
        if hidden:
            self.say(f"… {hidden} lines are not shown here; all of them: {self._whole_log}")
        for line in rest:
            self.say(line)

    def _show_status(self, log: LogReader) -> None:
        now = time.monotonic()
        if self._mode != FOLLOW or now - self._last_status < STATUS_SECONDS:
            return
        status = f"{log.lines} lines so far" if self._shown >= SHOWN_LINES else log.current
        if status.strip():
            self._last_status = now
            self.say(status, ephemeral=True)
