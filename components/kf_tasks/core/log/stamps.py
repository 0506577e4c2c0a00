"""A log with the kubelet's time stamps: how it loses them, and how a place in it is found again.

The node writes a container's log into one file after the other, and a reader is given what the
newest of them holds: a count of bytes means nothing across two files. The stamp of a line does, in
whichever file it stands; it has nanoseconds and is written once.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Deque, List, Optional, Sequence

from .. import moments
from .reader import LogReader

LONGEST_STAMP = 35  # 2026-11-26T00:18:41.123456789+01:00
# The two streams of a container are written by two threads: their lines may stand in another order than their stamps.
DISORDER = timedelta(seconds=1)
_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_START = re.compile(rb"\n(" + _STAMP + rb") ")
_BEGUN = re.compile(rb"[0-9T:.Z+-]*")
_FIRST = re.compile(rb"(" + _STAMP + rb") ")
_LINE = re.compile(rb"\n(?!\Z)(?:(" + _STAMP + rb") )?")


@dataclass(frozen=True)
class Position:
    """How far a log is read: `given` bytes into the `nth` line with this `stamp`; without one, from the beginning."""

    stamp: bytes = b""
    nth: int = 0
    given: int = 0

    @property
    def since(self) -> Optional[str]:
        """What to ask the API for as `sinceTime`, so that this line is among what it gives (it knows seconds only)."""
        if not self.stamp:
            return None
        moment = moment_of(self.stamp).replace(microsecond=0) - DISORDER
        return moment.isoformat()


class Stamped:
    """Takes the stamps off one reading of a log, and goes on from `position` as soon as that has come by.

    With `keep` they stay where they are, each of them whole, for a `TimedReader`.
    """

    def __init__(self, position: Optional[Position] = None, *, keep: bool = False) -> None:
        self.position = position or Position()
        self._keep = keep
        self.missed = False  # the place is not in this file, which begins after it
        self.reached = False  # a line has come that one of the `heads` begins with, and nothing is given any more
        self._nth = self.position.nth if self.position.stamp else 0  # of these lines are still to come by
        self._skip = 0 if self.position.stamp else self.position.given
        self._held = b""
        self._inside = False  # of a line, whose stamp has come
        self._empty = True

    @property
    def broken(self) -> bool:
        """Whether this reading ended before its place had come by, or in the middle of a stamp."""
        return not self._empty and bool(self._nth or self._skip or self._held)

    def feed(self, chunk: bytes, heads: Sequence[bytes] = ()) -> bytes:
        """What is new in `chunk`; ends before a line that one of `heads` (or a later stamp) begins."""
        if self.reached:
            return b""
        self._empty = self._empty and not chunk
        data = self._complete(self._held + chunk)
        if self._nth:
            data = self._seek(data)
        if self._skip:
            data = self._drop(data)
        if not data:
            return b""
        text = self._until(data if self._inside else b"\n" + data, heads)
        begins = 0 if self._inside else 1
        content = _START.sub(b"\n", text)[begins:]
        self._move(text, len(content))
        self._inside = not text.endswith(b"\n")
        return text[begins:] if self._keep else content

    def _complete(self, data: bytes) -> bytes:
        """Holds back a stamp that has not come as a whole."""
        start = data.rfind(b"\n") + 1
        is_start = start or not self._inside
        cut = is_start and len(data) - start <= LONGEST_STAMP and _BEGUN.fullmatch(data, start)
        self._held = data[start:] if cut else b""
        return data[:start] if cut else data

    def _seek(self, data: bytes) -> bytes:
        """What follows the stamp of the place, or the first line after it where that line is missing."""
        text = data if self._inside else b"\n" + data
        mark = b"\n" + self.position.stamp + b" "
        at = text.find(mark)
        while at >= 0:
            self._nth -= 1
            if not self._nth:
                self._inside, self._skip = True, self.position.given
                return text[at + len(mark) :]
            at = text.find(mark, at + 1)
        for line in _START.finditer(text):
            if line[1] > self.position.stamp:
                self._nth, self.missed, self._inside = 0, True, False
                return text[line.start() + 1 :]
        self._inside = not text.endswith(b"\n")
        return b""

    def _drop(self, data: bytes) -> bytes:
        dropped = data[: self._skip]
        self._skip -= len(dropped)
        if dropped:
            self._inside = not dropped.endswith(b"\n")
        return data[len(dropped) :]

    def _until(self, text: bytes, heads: Sequence[bytes]) -> bytes:
        if not heads:
            return text
        ends = [at for at in (text.find(b"\n" + head + b" ") for head in heads) if at >= 0]
        last = text.rfind(b"\n", 0, len(text) - 1)
        if not ends and last >= 0 and text[last + 1 : last + 1 + len(heads[0])] > heads[0]:
            limit = moment_of(heads[0]) + DISORDER
            ends = [line.start() for line in _START.finditer(text) if moment_of(line[1]) > limit][:1]
        if not ends:
            return text
        self.reached = True
        return text[: min(ends) + 1]

    def _move(self, text: bytes, size: int) -> None:
        """Remembers the last line of `text`, `size` bytes of content, as the place."""
        line = _START.match(text, max(text.rfind(b"\n", 0, len(text) - 1), 0))
        if not line:  # the line goes on, or this cluster gives no stamps
            self.position = replace(self.position, given=self.position.given + size)
            return
        before = self.position.nth if self.position.stamp == line[1] else 0
        self.position = Position(line[1], before + text.count(line[0]), len(text) - line.end())


class TimedReader:
    """A reader of a log whose lines begin with the kubelet's stamps: each line that it gives begins with its own."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._stamps: Deque[str] = deque()
        self._inside = False  # of a line, whose stamp has come

    def feed(self, chunk: bytes) -> List[str]:
        """The lines that `chunk` completes; no stamp in it is cut, as `Stamped` gives it with `keep`."""
        text = chunk if self._inside else b"\n" + chunk
        self._stamps.extend((line[1] or b"").decode() for line in _LINE.finditer(text))
        content = _LINE.sub(b"\n", text)[0 if self._inside else 1 :]
        self._inside = not text.endswith(b"\n")
        return self._timed(self._reader.feed(content))

    def finish(self) -> List[str]:
        """The last line, if it does not end in a newline."""
        return self._timed(self._reader.finish())

    def _timed(self, lines: Sequence[str]) -> List[str]:
        stamps = [self._stamps.popleft() if self._stamps else "" for _ in lines]
        return [f"{stamp} {line}" if stamp else line for stamp, line in zip(stamps, lines)]


def head_of(beginning: bytes) -> Optional[bytes]:
    """The stamp that the first line of a file has: no two files begin with the same."""
    found = _FIRST.match(beginning)
    return found[1] if found else None


def moment_of(stamp: bytes) -> datetime:
    """The time of a stamp, to the microsecond."""
    return moments.parse(stamp.decode())
