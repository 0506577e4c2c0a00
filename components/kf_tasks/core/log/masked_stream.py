"""A log on its way into the archive: byte for byte as it was but for the secrets in it, in bounded memory.

Whatever the pieces are in which it comes, what leaves is the same: what may still become a secret is
held back until that is decided. A colour in the middle of a secret does not hide it from us, nor does
what looks like the beginning of a control sequence: the text is searched with and without them.
"""

from __future__ import annotations

import codecs
from typing import List, Tuple

from .masking import MASK, Masker
from .reader import SEQUENCES

LONGEST_SEQUENCE = 64  # characters of a control sequence that are waited for
_ESCAPE = "\x1b"


class MaskedStream:
    """Replaces secrets in the chunks of a log by `[secret]`; `masker` may learn more of them on the way."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")  # what is no UTF-8 passes as it is
        self._held = ""
        self._hidden = -1  # so much of what is held belongs to a secret whose mark has left already; -1: no mark

    def feed(self, chunk: bytes) -> bytes:
        """What of the log is decided by now."""
        text = self._held + self._decoder.decode(chunk)
        if not self._masker.longest:
            return self._emit(text, [], len(text))
        plain, gaps = _visible(text[: _begun_sequence(text)])
        end = max(len(plain) - self._masker.longest + 1, 0)
        cut = min(_place(gaps, end), max(len(text) - self._masker.longest + 1, 0))
        return self._emit(text, self._spans(text, plain, gaps), cut)

    def finish(self) -> bytes:
        """The rest."""
        text = self._held + self._decoder.decode(b"", final=True)
        plain, gaps = _visible(text)
        return self._emit(text, self._spans(text, plain, gaps), len(text))

    def _spans(self, text: str, plain: str, gaps: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
        """Where secrets stand in the text as it is."""
        found = [(_place(gaps, start), _place(gaps, stop - 1) + 1) for start, stop in self._masker.spans(plain)]
        return sorted([*found, *self._masker.spans(text)]) if gaps else found

    def _emit(self, text: str, spans: List[Tuple[int, int]], cut: int) -> bytes:
        """Masks up to the character `cut` and holds back what follows."""
        out: List[str] = []
        marked, at = self._hidden >= 0, max(self._hidden, 0)
        for start, stop in spans:
            if start >= cut:
                break
            if not marked or start > at:
                out += [text[at:start], MASK]
                at = start
            marked, at = True, max(at, stop)
        if at < cut:
            out.append(text[at:cut])
            marked = False
        self._held, self._hidden = text[cut:], at - cut if marked else -1
        return "".join(out).encode("utf-8", "surrogateescape")


def _visible(text: str) -> Tuple[str, List[Tuple[int, int]]]:
    """The text without control sequences; also where in it they stood, each with their length up to there."""
    if _ESCAPE not in text:
        return text, []
    kept, gaps, at, cut = [], [], 0, 0
    for found in SEQUENCES.finditer(text):
        kept.append(text[at : found.start()])
        cut += found.end() - found.start()
        at = found.end()
        gaps.append((at - cut, cut))
    return "".join([*kept, text[at:]]), gaps


def _place(gaps: List[Tuple[int, int]], at: int) -> int:
    """Where a character of the visible text stands in the whole one."""
    low, high = 0, len(gaps)
    while low < high:
        middle = (low + high) // 2
        if gaps[middle][0] <= at:
            low = middle + 1
        else:
            high = middle
    return at + (gaps[low - 1][1] if low else 0)


def _begun_sequence(text: str) -> int:
    """Where a control sequence begins that is not complete yet; else the end of the text."""
    start = text.rfind(_ESCAPE)
    if start < 0 or len(text) - start > LONGEST_SEQUENCE:
        return len(text)
    found = SEQUENCES.match(text, start)
    open_end = found is None or (found.end() == len(text) and text.startswith("]", start + 1))
    return start if open_end else len(text)
