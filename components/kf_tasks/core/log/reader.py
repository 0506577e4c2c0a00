"""A task's log on its way to a terminal and into state: bounded, readable, harmless.

What a task prints is data. Bytes that are no UTF-8 become U+FFFD, progress bars drawn with carriage
returns become their last state, control sequences and Pulumi's own colour marks lose their power,
and a line of a gigabyte takes the memory of a short one. Everything is counted and digested as it was.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections import deque
from itertools import groupby
from typing import Deque, List, Set, Tuple

from .masking import Masker

LONGEST_LINE = 4096
TAIL_BYTES = 64 * 1024
# What a program leaves unfinished ends with its line: it takes nothing away from the next one.
SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-Z\\^-~])")
# With the marks that turn the direction of writing: they show a line in another order than it has.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ASCII_CONTROLS = bytes(it for it in range(128) if _CONTROLS.match(chr(it)) and it != ord("\n"))
_PULUMI_COLOUR = re.compile(r"<(?=\{%)")


class LogReader:
    """Turns the chunks of a log into lines to show, and remembers tail, digest and counts."""

    def __init__(self, masker: Masker) -> None:
        self.lines = 0
        self.bytes = 0
        self._masker = masker
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._digest = hashlib.sha256()
        self._line = ""
        self._length = 0
        self._returned = False
        self._tail: Deque[Tuple[List[str], int]] = deque()  # lines that came together, and their bytes
        self._tail_bytes = 0
        self._ends_with_newline = True

    def feed(self, chunk: bytes) -> List[str]:
        """The lines that `chunk` completes."""
        self._digest.update(chunk)
        self.bytes += len(chunk)
        return self._split(self._decoder.decode(chunk))

    def finish(self) -> List[str]:
        """The last line, if it does not end in a newline."""
        shown = self._split(self._decoder.decode(b"", final=True))
        if self._length:
            self._ends_with_newline = False
            shown.append(self._complete())
        return shown

    @property
    def current(self) -> str:
        """The line that is not complete yet, such as the state of a progress bar."""
        return self._show(self._masker.settled(self._line), self._length)

    @property
    def digest(self) -> str:
        """SHA-256 of all bytes so far."""
        return f"sha256:{self._digest.hexdigest()}"

    def tail(self) -> str:
        """The last lines, together at most 64 KiB."""
        return "\n".join(self._kept()) + ("\n" if self._tail and self._ends_with_newline else "")

    def last(self, count: int) -> List[str]:
        """The last `count` lines."""
        return self._kept()[-count:]

    def _kept(self) -> List[str]:
        lines, spare = [line for block, _ in self._tail for line in block], self._tail_bytes - TAIL_BYTES
        first = 0
        while spare > 0:
            spare -= len(lines[first].encode()) + 1
            first += 1
        return lines[first:]

    def _split(self, text: str) -> List[str]:
        start, end = text.find("\n") + 1, text.rfind("\n") + 1
        shown = []
        if start:
            shown.append(self._one(text[: start - 1]))
        if end > start:
            shown += self._show_block(text[start:end])
        self._append(text[end:])
        return shown

    def _show_block(self, block: str) -> List[str]:
        """Whole lines: as they are where nothing in them has to be changed, which makes a large log quick to read."""
        lines = block[:-1].split("\n")
        spans, clean = self._masker.spans(block), _is_harmless(block)
        if clean and not spans and max(map(len, lines)) <= LONGEST_LINE:
            return self._take(lines)
        touched, shown = _touched(block, spans), list[str]()
        for changed, group in groupby(
            enumerate(lines),
            lambda it: it[0] in touched or len(it[1]) > LONGEST_LINE or not (clean or _is_harmless(it[1])),
        ):
            some = [line for _, line in group]
            shown += [self._one(line) for line in some] if changed else self._take(some)
        return shown

    def _take(self, lines: List[str]) -> List[str]:
        self.lines += len(lines)
        size = len("\n".join(lines).encode()) + 1
        together = list(lines)
        if self._tail and self._tail[-1][1] + size <= LONGEST_LINE:  # a tuple for each empty line is much
            together, before = self._tail.pop()
            together.extend(lines)
            self._tail_bytes -= before
            size += before
        self._tail.append((together, size))
        self._tail_bytes += size
        while self._tail_bytes - self._tail[0][1] >= TAIL_BYTES:
            self._tail_bytes -= self._tail.popleft()[1]
        return lines

    def _one(self, line: str) -> str:
        self._append(line)
        return self._complete()

    def _append(self, piece: str) -> None:
        written = ("\r" if self._returned else "") + piece
        text = written.rstrip("\r")
        self._returned = len(text) < len(written)  # what comes next overwrites the line, unless it is the newline
        overwritten = text.rfind("\r") + 1
        if overwritten:
            self._line, self._length = "", 0
        self._length += len(text) - overwritten
        # What may be the beginning of a secret at the cut is kept, so that it is masked before it is cut off.
        room = LONGEST_LINE + self._masker.longest - len(self._line)
        self._line += text[overwritten : overwritten + room]

    def _complete(self) -> str:
        shown = self._show(self._line, self._length)
        self._line, self._length, self._returned = "", 0, False
        self._take([shown])
        return shown

    def _show(self, line: str, length: int) -> str:
        text = harmless(self._masker.mask(line, LONGEST_LINE))
        if "\x1b" in line:  # a colour in the middle of a secret is gone by now
            text = self._masker.mask(text)
        return text if length <= LONGEST_LINE else f"{text}… [a line of {length} characters]"


def harmless(text: str) -> str:
    """`text` without terminal control sequences, control characters and Pulumi's colour marks."""
    plain = _CONTROLS.sub("\ufffd", SEQUENCES.sub("", text))
    return _PULUMI_COLOUR.sub("<\u200b", plain)


def _touched(block: str, spans: List[Tuple[int, int]]) -> Set[int]:
    """The numbers of the lines in which secrets stand."""
    found, at, number = set[int](), 0, 0
    for start, stop in spans:
        number += block.count("\n", at, start)
        found.update(range(number, number + block.count("\n", start, stop) + 1))
        at = start
    return found


def _is_harmless(block: str) -> bool:
    """Whether lines need no change to be harmless; the last test is exact, the others are quicker."""
    if block.isascii():
        return len(block.encode().translate(None, _ASCII_CONTROLS)) == len(block) and "<{%" not in block
    plain = block.replace("\n", " ").replace("\t", " ").isprintable() or not _CONTROLS.search(block.replace("\n", " "))
    return plain and not _PULUMI_COLOUR.search(block)
