"""Follows all running tasks at once, and the new ones that appear.

Threads carry the logs, and one queue brings their lines to the only thread that prints: lines of
different tasks never mix, a slow terminal slows the reading down, and Ctrl-C finds it waiting.
"""

from __future__ import annotations

import functools
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.api import Object
from ..core.log.reader import LogReader
from ..core.log.stamps import Stamped
from ..core.run import outcome
from ..core.run.summary import RunSummary
from ..errors import ClusterError, NotFound, Unreachable
from ..log.pump import LOST, Pump
from ..runs.follower import PATIENCE_SECONDS
from .log_form import Form, warn
from .log_printer import LogPrinter
from .status_line import StatusLine

if TYPE_CHECKING:
    from ..cluster.client import Cluster
    from ..cluster.listener import Listener

POLL_SECONDS = 1.0
_Lines = queue.Queue[tuple["RunSummary", list[str]]]


class Following:
    """The runs that `look` lists, except the `done` ones; of those `running` at first only the last lines."""

    def __init__(
        self, printer: LogPrinter, look: Callable[[], list[RunSummary]], done: set[str], running: set[str]
    ) -> None:
        self._printer = printer
        self._form = printer.form
        self._look = look
        self._done = done
        self._running = running
        self._tails: dict[str, dict[str, _Tail]] = {}
        self._queue: _Lines = queue.Queue(maxsize=16)  # of up to a mebibyte each
        self._noted: set[tuple[str, str]] = set()
        self._seen: dict[str, bool] = {}

    def follow(self, until: str | None = None) -> None:
        """Prints until the run `until` has ended and its log is printed; for ever without one."""
        from ..cluster.informer import informer

        space, answered = self._printer.space, time.monotonic()
        listener = informer(space.cluster.http, space.name).listen()
        with StatusLine(self._state):
            while until is None or until not in self._done:
                try:
                    if listener.is_due() or self._is_closing():
                        self._attend(listener)
                        answered = time.monotonic()
                except Unreachable as error:
                    if time.monotonic() - answered > PATIENCE_SECONDS:
                        raise
                    self._note_once("", f"{error}; asking again", warn)
                    listener.changed.set()
                self._print_until(time.monotonic() + POLL_SECONDS)

    def _state(self) -> str:
        running = [self._form.mark(tail.run) for tails in list(self._tails.values()) for tail in list(tails.values())]
        return f"following {', '.join(running)}" if running else "waiting for a task"

    def _is_closing(self) -> bool:
        """Whether a container has ended whose log is not closed yet."""
        return any(tail.pump.ended.is_set() for tails in self._tails.values() for tail in tails.values())

    def _attend(self, listener: Listener) -> None:
        runs = self._look()
        if {run.uid: run.finished for run in runs} != self._seen:
            listener.move()
        self._seen = {run.uid: run.finished for run in runs}
        for name in self._tails.keys() - {run.name for run in runs}:  # deleted: what was read is still printed
            self._close(name, self._tails[name])
        for run in runs:
            if run.name not in self._done:
                self._attend_run(run)

    def _attend_run(self, run: RunSummary) -> None:
        tails = self._tails.setdefault(run.name, {})
        try:
            seen = self._printer.space.seen(run.name)
        except NotFound:  # it was deleted just now
            return
        for pod in seen.pods:
            uid = pod["metadata"]["uid"]
            if outcome.started(pod) and uid not in tails:
                tails[uid] = self._tail(run, seen.run, pod)
            elif not outcome.started(pod) and outcome.waiting(pod):
                self._note_once(run.name, f"waits: {outcome.waiting(pod)}", lambda text: self._form.note(run, text))
            if uid in tails and outcome.container_ended(pod):
                tails[uid].pump.ended.set()
        trouble = outcome.waiting(None, seen.task_run)
        if not seen.pods and not run.finished and trouble:  # Tekton cannot make it
            self._note_once(run.name, f"waits: {trouble}", lambda text: self._form.note(run, text))
        if run.finished:
            if not tails:
                self._form.note(run, f"has ended without a log ({run.reason})")
            self._close(run.name, tails)

    def _tail(self, run: RunSummary, whole: Object, pod: Object) -> _Tail:
        space = self._printer.space
        reader = self._printer.reader(whole, [pod], anew=True)
        form = self._form if run.name in self._running else replace(self._form, lines=0)
        return _Tail(space.cluster, space.name, pod["metadata"], run, reader, form, self._queue)

    def _close(self, name: str, tails: dict[str, _Tail]) -> None:
        for tail in tails.values():
            tail.pump.ended.set()
        if any(tail.pump.thread.is_alive() for tail in tails.values()):
            return
        self._print_until(time.monotonic())
        for tail in tails.values():
            if tail.pump.lost:
                self._note_once(name, LOST, functools.partial(self._form.note, tail.run))
            self._form.show(tail.run, tail.reader.finish())
        self._tails.pop(name, None)
        self._done.add(name)
        self._printer.space.forget(name)

    def _print_until(self, moment: float) -> None:
        """Prints what is queued now, and then what comes until `moment`."""
        waiting = self._queue.qsize()
        while waiting > 0 or time.monotonic() < moment:
            try:
                run, lines = self._queue.get(timeout=max(moment - time.monotonic(), 0.001))
            except queue.Empty:
                return
            self._form.show(run, lines)
            waiting -= 1

    def _note_once(self, about: str, text: str, say: Callable[[str], None]) -> None:
        if (about, text) not in self._noted:
            self._noted.add((about, text))
            say(text)


class _Tail:
    """The log of one pod on its way to the queue; begins with as many lines as its form says."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        pod: Object,
        run: RunSummary,
        reader: LogReader,
        form: Form,
        target: _Lines,
    ) -> None:
        self.run = run
        self.reader = form.reader(reader)
        self._queue = target
        stamped = Stamped(keep=form.timestamps)
        if form.lines:
            last: deque[str] = deque(maxlen=form.lines)
            try:
                for chunk in cluster.log(namespace, pod["name"], stamps=True, since=form.since):
                    last.extend(self.reader.feed(stamped.feed(chunk)))
            except ClusterError:
                pass  # the pump goes on where this has ended
            target.put((run, list(last)))
        self.pump = Pump(
            cluster, namespace, pod["name"], self._receive, stamped.position, pod["uid"],
            since=form.since, stamps=form.timestamps,
        )  # fmt: skip

    def _receive(self, chunk: bytes) -> bool:
        lines = self.reader.feed(chunk)
        if lines:
            self._queue.put((self.run, lines))
        return True


def only(printer: LogPrinter, name: str) -> Callable[[], list[RunSummary]]:
    """Looks for one run by name; none if it was deleted meanwhile."""

    def look() -> list[RunSummary]:
        try:
            return [RunSummary.of_object(printer.space.seen(name).run)]
        except NotFound:
            return []

    return look
