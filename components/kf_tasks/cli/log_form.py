"""How logs are printed: which lines, and what stands before each; and the one line on stderr beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from ..core import marks
from ..core.log.gate import one_line
from ..core.log.reader import LogReader
from ..core.log.stamps import TimedReader
from ..core.log.stored import StoredLog
from ..core.run.summary import RunSummary
from .archives import lines_of, listed
from .status_line import aside
from .table import echo

if TYPE_CHECKING:
    from ..log.archive import Archive


@dataclass(frozen=True)
class Form:
    """How logs are printed.

    - `lines`: the last ones of each run to begin with, 0 for all.
    - `since`: only what was printed from this moment on (RFC 3339).
    - `timestamps`: each line with the time at which the node received it.
    - `with_app`: marked `APP/TASK/ID` in place of `TASK/ID`, where there are several Apps.
    - `unmasked`: also logs of which nobody knows what is secret in them.
    """

    lines: int = 10
    since: str | None = None
    timestamps: bool = False
    with_app: bool = False
    unmasked: bool = False

    def since_moment(self, since: str | None) -> Form:
        """The same from a moment on."""
        return replace(self, since=since)

    def mark(self, run: RunSummary) -> str:
        """What stands before every line of a run."""
        app = f"{run.labels.get(marks.NAME, '')}/" if self.with_app else ""
        return one_line(f"{app}{run.labels.get(marks.TASK, run.name)}/{run.task_id}")

    def reader(self, reader: LogReader) -> LogReader | TimedReader:
        """What makes lines of chunks whose lines begin with stamps if there are to be `timestamps`."""
        return TimedReader(reader) if self.timestamps else reader

    def show(self, run: RunSummary, lines: list[str]) -> None:
        """Prints lines of a run at once."""
        if lines:
            start = self.mark(run) + " "
            with aside():
                click.echo(start + f"\n{start}".join(lines))

    def note(self, run: RunSummary, text: str) -> None:
        """Says something about a run that is not part of its log."""
        warn(f"{self.mark(run)} (run {run.name}): {text}")

    def stored(self, archive: Archive, record: StoredLog) -> None:
        """Prints a stored log, which has no times, or says why there is none."""
        run = listed(record)
        if record.missing:
            self.note(run, f"has no log: {record.missing}")
            return
        if self.timestamps:
            self.note(run, "is from the archive, which keeps no times of lines")
        lines_of(archive, record, self.lines, lambda found: self.show(run, found))
        if not record.whole:
            self.note(run, "this is what there was of its log when it was stored")


def warn(text: str) -> None:
    """One line on stderr."""
    with aside():
        echo(f"kf: {' '.join(text.split())}", err=True)
