"""Where in a log one of thousands of texts may begin, quickly and with the standard library alone.

A log of a gibibyte is not walked by character. It is read as numbers of four bytes, one every few bytes,
and so close together that every text holds one of them entire, wherever it stands: only where such a
number is one of a text's own (from where it looks least like words, for those stand in every log) somebody
has to look closer. A few texts are searched for one by one, which is quicker still, and so are many in the first few
lines: to find out their numbers takes as long.
"""

from __future__ import annotations

import sys
from typing import Dict, Iterable, List, Optional, Set, Tuple

FEW = 8
WORD, STRIDES = 4, (16, 8)  # bytes of a number; from one to the next, where no text is too short for it: else WORD
MOST_WORDS = 1 << 16  # more of them cost more memory than a longer stride is worth
BLOCK = 512  # numbers that are looked at together
FIRST, SEARCH = 16 * 1024, 64  # characters after which numbers pay; and as how many of them each search counts besides
_COMMON = b"abcdefghijklmnopqrstuvwxyz .,:;/-_=@"


class Search:
    """Finds where one of `texts` may begin, none of which is shorter than six bytes."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = set(texts)
        self._left = FIRST  # before numbers pay
        self._index: Optional[Tuple[int, Dict[int, Tuple[int, ...]]]] = None

    def starts(self, text: str) -> List[int]:
        """Ascending: every place where one of the texts begins, and a few where none does."""
        if len(self._texts) <= FEW:
            return self._one_by_one(text)
        if self._index is None:
            self._left -= len(text) + SEARCH
            if self._left >= 0:
                return self._one_by_one(text)
            self._index = _index([_bytes(text) for text in self._texts])
        return _near_words(text, *self._index)

    def _one_by_one(self, text: str) -> List[int]:
        starts: Set[int] = set()
        for one in self._texts:
            at = text.find(one)
            while at >= 0:
                starts.add(at)
                at = text.find(one, at + 1)
        return sorted(starts)


def _near_words(text: str, stride: int, places: Dict[int, Tuple[int, ...]]) -> List[int]:
    raw = _bytes(text)
    words = memoryview(raw + bytes(-len(raw) % WORD)).cast("I")[:: stride // WORD]
    found: Set[int] = set()
    for first in range(0, len(words), BLOCK):
        block = words[first : first + BLOCK]
        if not places.keys().isdisjoint(block):
            hits = [(at, word) for at, word in enumerate(block, first) if word in places]
            found.update(at * stride - place for at, word in hits for place in places[word])
    starts = sorted(start for start in found if start >= 0)
    return starts if len(raw) == len(text) else _characters(raw, starts)


def _index(texts: List[bytes]) -> Tuple[int, Dict[int, Tuple[int, ...]]]:
    least = min(map(len, texts))
    fitting = (it for it in STRIDES if least >= it + WORD - 1 and len(texts) * it <= MOST_WORDS)
    stride = next(fitting, WORD)
    return stride, _places(texts, stride)


def _places(texts: List[bytes], stride: int) -> Dict[int, Tuple[int, ...]]:
    """The numbers in a part of each text, one of which is read wherever the text stands; with where they are."""
    found: Dict[int, Set[int]] = {}
    for text in texts:
        width = stride + WORD - 1
        room = max(len(text) - width, 0)
        firsts = range(0, room + 1, max(room // 8, 1))
        first = max(firsts, key=lambda it: len(set(text[it : it + width].translate(None, _COMMON))))
        for place in range(first, first + stride):
            word = text[place : place + WORD]
            whole = [word] if len(word) == WORD else [word + bytes([last]) for last in range(256)]  # of six bytes
            for one in whole:
                found.setdefault(int.from_bytes(one, sys.byteorder), set()).add(place)
    return {word: tuple(places) for word, places in found.items()}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _characters(raw: bytes, starts: List[int]) -> List[int]:
    """The places as characters; those inside of a character are none."""
    found, at, count = [], 0, 0
    for start in starts:
        if start < len(raw) and raw[start] & 0xC0 != 0x80:
            count += len(raw[at:start].decode("utf-8", "surrogatepass"))
            at = start
            found.append(count)
    return found
