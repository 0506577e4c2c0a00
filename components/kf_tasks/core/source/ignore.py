"""Ignore rules as git reads them, case by case: git's own `dir.c` and `wildmatch.c`, in Python.

Libraries translate patterns into regular expressions and differ from git in a few of them; an ignored
file that is uploaded all the same can be a credential, so here the same steps are taken in the same order.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from ..errors import InvalidInput

_MATCH, _NO, _END, _TO_STARSTAR = range(4)  # wildmatch.c's answers; _END: the text is used up
MOST_STARS = 100  # each is a step of recursion
_SPECIAL = frozenset("*?[\\")
_CLASSES: Dict[str, Callable[[str], bool]] = {
    "alnum": lambda c: c.isascii() and c.isalnum(), "alpha": lambda c: c.isascii() and c.isalpha(),
    "blank": lambda c: c in " \t", "cntrl": lambda c: ord(c) < 32 or ord(c) == 127,
    "digit": lambda c: c in string.digits, "graph": lambda c: "!" <= c <= "~", "lower": lambda c: "a" <= c <= "z",
    "print": lambda c: " " <= c <= "~", "punct": lambda c: c in string.punctuation,
    "space": lambda c: c in " \t\n\v\f\r", "upper": lambda c: "A" <= c <= "Z",
    "xdigit": lambda c: c in string.hexdigits,
}  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """One line of an ignore file."""

    text: str
    negated: bool
    folders_only: bool
    of_name: bool  # without a slash: compared with the last part of a path
    literal: int  # how many characters at its beginning stand for themselves
    ending: str  # what every name ends with that it is about

    def matches(self, path: str, folder: bool) -> bool:
        """Whether the line is about this path (relative, without a slash at its end)."""
        if self.folders_only and not folder:
            return False
        if self.of_name:
            return self._matches_name(path.rpartition("/")[2])
        if not path.endswith(self.ending) or not path.startswith(self.text[: self.literal]):
            return False
        rest = path[self.literal :]
        if self.literal == len(self.text):
            return not rest
        return _Match(self.text[self.literal :], rest, True).at(0, 0) == _MATCH

    def _matches_name(self, name: str) -> bool:
        if self.literal == len(self.text):
            return name == self.text
        if self.text[0] == "*" and _SPECIAL.isdisjoint(self.text[1:]):
            return name.endswith(self.text[1:])
        return name.startswith(self.text[: self.literal]) and _Match(self.text, name, False).at(0, 0) == _MATCH


class Rules:
    """The lines of an ignore file: the last one that matches decides. Raises InvalidInput for a monstrous one."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._plain: Dict[str, List[Tuple[int, Pattern]]] = {}  # names as they are, which most lines are: looked up
        self._others: List[Tuple[int, Pattern]] = []
        self._negated: List[Pattern] = []
        for nth, line in enumerate(lines):
            pattern = parse(_bytes(line))
            if pattern and pattern.text.count("*") > MOST_STARS:
                raise InvalidInput(f"line {nth + 1} has more than {MOST_STARS} '*': write it with fewer")
            if pattern and pattern.negated and set(pattern.text.rpartition("/")[2]) - set("*?"):
                self._negated.append(pattern)
            if pattern and pattern.of_name and pattern.literal == len(pattern.text):
                self._plain.setdefault(pattern.text, []).append((nth, pattern))
            elif pattern:
                self._others.append((nth, pattern))

    def ignores(self, path: str, folder: bool) -> bool:
        """Whether a path is ignored; what lies in an ignored folder is not asked for, as git does not look into it."""
        asked = path if path.isascii() else _bytes(path)
        decided, ignored = -1, False
        for candidates in (self._plain.get(asked.rpartition("/")[2], ()), self._others):
            for nth, pattern in reversed(candidates):
                if nth < decided:
                    break
                if pattern.matches(asked, folder):
                    decided, ignored = nth, not pattern.negated
                    break
        return ignored

    def takes_in(self, path: str, folder: bool) -> bool:
        """Whether a line with `!` names this path: not only a folder above it, and not any file (`!*`)."""
        asked = path if path.isascii() else _bytes(path)
        return any(pattern.matches(asked, folder) for pattern in self._negated)


def parse(line: str) -> Optional[Pattern]:
    """The pattern of a line, None for comments and empty lines."""
    text = _trimmed(line.rstrip("\n").removesuffix("\r"))
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text[1:] if negated else text
    folders_only = text.endswith("/")
    text = text[:-1] if folders_only else text
    of_name = "/" not in text
    text = text[1:] if text.startswith("/") else text
    literal = next((nth for nth, letter in enumerate(text) if letter in _SPECIAL), len(text))
    last = text[text.rfind("/") + 1 :]
    ending = "" if "[" in text or "\\" in text else last[max(last.rfind("*"), last.rfind("?")) + 1 :]
    return Pattern(text, negated, folders_only, of_name, literal, ending)


def _bytes(text: str) -> str:
    """One letter for each byte: git compares bytes, so its `?` is not an `é`."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _trimmed(line: str) -> str:
    """Without the spaces at the end, unless a backslash protects them."""
    kept, nth = 0, 0
    while nth < len(line):
        if line[nth] == "\\":
            nth += 1
            kept = nth + 1
        elif line[nth] != " ":
            kept = nth + 1
        nth += 1
    return line[:kept]


class _Match:
    """`dowild` of wildmatch.c for one pattern and one text; `of_path` is its WM_PATHNAME: `*` and `?` match no slash.

    What follows at a place of both is answered once, else a few `**/` ask the same a thousand million times.
    """

    def __init__(self, pattern: str, text: str, of_path: bool) -> None:
        self._pattern, self._text, self._of_path = pattern, text, of_path
        self._known: Dict[Tuple[int, int], int] = {}

    def at(self, p: int, t: int) -> int:
        """How the rest of the pattern matches the rest of the text."""
        known = self._known.get((p, t))
        if known is None:
            known = self._known[p, t] = self._at(p, t)
        return known

    def _at(self, p: int, t: int) -> int:
        pattern, text, of_path = self._pattern, self._text, self._of_path
        while p < len(pattern):
            letter = pattern[p]
            if t == len(text) and letter != "*":
                return _END
            if letter == "*":
                return self._star(p, t)
            if letter == "[":
                p, matched = _bracket(pattern, p + 1, text[t])
                if p < 0:
                    return _END
                if not matched or (of_path and text[t] == "/"):
                    return _NO
            elif letter == "?":
                if of_path and text[t] == "/":
                    return _NO
            else:
                if letter == "\\":
                    p += 1
                if pattern[p : p + 1] != text[t]:
                    return _NO
            p, t = p + 1, t + 1
        return _NO if t < len(text) else _MATCH

    def _star(self, begin: int, t: int) -> int:
        pattern, text, of_path = self._pattern, self._text, self._of_path
        p = begin + 1
        while pattern[p : p + 1] == "*":
            p += 1
        slashes = not of_path
        if of_path and p - begin > 1 and (begin == 0 or pattern[begin - 1] == "/"):
            slashes = p == len(pattern) or pattern[p] == "/" or pattern[p : p + 2] == "\\/"
            if pattern[p : p + 1] == "/" and self.at(p + 1, t) == _MATCH:
                return _MATCH
        if p == len(pattern):
            return _MATCH if slashes or "/" not in text[t:] else _NO
        if not slashes and pattern[p] == "/":
            slash = text.find("/", t)
            return _NO if slash < 0 else self.at(p + 1, slash + 1)
        while t < len(text):
            found = self.at(p, t)
            if found != _NO:
                if not slashes or found != _TO_STARSTAR:
                    return found
            elif not slashes and text[t] == "/":
                return _TO_STARSTAR
            t += 1
        return _END


def _bracket(pattern: str, p: int, letter: str) -> Tuple[int, bool]:
    """The place of the closing bracket, -1 if there is none, and whether the letter is of the class."""
    negated = pattern[p : p + 1] in ("!", "^") and bool(pattern[p : p + 1])
    p += negated
    matched, before, first = False, "", True
    while first or pattern[p] != "]":
        first = False
        if p >= len(pattern):
            return -1, False
        one = pattern[p]
        if one == "-" and before and pattern[p + 1 : p + 2] not in ("", "]"):
            p += 2 if pattern[p + 1] == "\\" else 1
            if p >= len(pattern):
                return -1, False
            matched |= before <= letter <= pattern[p]
            one = ""
        elif one == "[" and pattern[p + 1 : p + 2] == ":":
            end = pattern.find("]", p + 2)
            if end < 0:
                return -1, False
            if end - 1 >= p + 2 and pattern[end - 1] == ":":
                known = _CLASSES.get(pattern[p + 2 : end - 1])
                if known is None:
                    return -1, False
                matched |= known(letter)
                p, one = end, ""
            else:
                matched |= letter == "["
        else:
            if one == "\\":
                p += 1
                if p >= len(pattern):
                    return -1, False
                one = pattern[p]
            matched |= letter == one
        before, p = one, p + 1
        if p >= len(pattern):
            return -1, False
    return p, matched != negated
