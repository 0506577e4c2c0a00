"""The lines of a `.dockerignore` as Docker reads them: moby/patternmatcher and its `ignorefile`, rule for rule.

Its rules are not git's: every pattern begins at the top of the folder, the last line that matches a path *or a
folder above it* decides, and `!` takes files out of a folder that is left out. Its regular expressions could be
handed to Python's `re`, which takes years for some of them: here a pattern is a few states that walk along a path.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from ..errors import InvalidInput

_ONE, _MANY, _OPTIONAL = "one", "many", "optional"  # one letter, any number of letters, a part that may be missing
Accepts = Callable[[str], bool]


@dataclass(frozen=True)
class Pattern:
    """One line. Its steps are walked along a path, after the texts at its ends have been compared."""

    negated: bool
    head: str
    tail: str
    names: bool  # whether the last part of it says more than "any file"
    steps: Optional[Sequence[Tuple[str, Accepts]]]  # None: the path is `head`

    def matches(self, path: str) -> bool:
        """Whether the line is about this path itself."""
        if self.steps is None:
            return path == self.head
        return path.startswith(self.head) and path.endswith(self.tail) and self._walk(path)

    def may_match_below(self, folder: str) -> bool:
        """Whether the line can be about something in this folder."""
        inside = f"{folder}/"
        return self.head.startswith(inside) or (self.steps is not None and inside.startswith(self.head))

    def _walk(self, path: str) -> bool:
        steps = self.steps or ()
        states = _reached(steps, {0})
        for letter in path:
            following = set()
            for at in states:
                if at < len(steps) and steps[at][1](letter):
                    following.add(at if steps[at][0] == _MANY else at + 1)
            states = _reached(steps, following)
            if not states:
                return False
        return len(steps) in states


def _reached(steps: Sequence[Tuple[str, Accepts]], states: Set[int]) -> Set[int]:
    """With the states that are reached without a letter: what may be missing is passed over."""
    left, found = list(states), set(states)
    while left:
        at = left.pop()
        kind = steps[at][0] if at < len(steps) else _ONE
        beyond = {_MANY: (at + 1,), _OPTIONAL: (at + 1, at + 3)}.get(kind, ())
        for state in beyond:
            if state not in found:
                found.add(state)
                left.append(state)
    return found


class DockerRules:
    """The lines of a `.dockerignore`; raises InvalidInput for one that Docker refuses."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = [pattern for nth, line in enumerate(lines) if (pattern := _parse(line, nth + 1))]
        self._of_folders: Dict[str, Tuple[bool, ...]] = {"": (False,) * len(self._patterns)}

    def ignores(self, path: str) -> bool:
        """Whether a file is left out. For a folder: whether what is in it is, as far as no `!` takes it in."""
        matched = self._matched(path)
        decides = next((nth for nth in reversed(range(len(matched))) if matched[nth]), None)
        return decides is not None and not self._patterns[decides].negated

    def prunes(self, folder: str) -> bool:
        """Whether nothing in a folder can be taken in."""
        return self.ignores(folder) and not any(one.negated and one.may_match_below(folder) for one in self._patterns)

    def takes_in(self, path: str) -> bool:
        """Whether a line with `!` names this file: not only a folder above it, and not any file."""
        return any(one.negated and one.names and one.matches(path) for one in self._patterns)

    def _matched(self, path: str) -> Tuple[bool, ...]:
        """Which lines match a path or a folder above it; what was found out about folders is kept."""
        if not self._patterns:
            return ()
        above = path.rpartition("/")[0]
        before = self._of_folders.get(above)
        if before is None:
            before = self._of_folders[above] = self._matched(above)
        return tuple(known or one.matches(path) for known, one in zip(before, self._patterns))


def _parse(line: str, number: int) -> Optional[Pattern]:
    """The pattern of a line, None for comments, empty lines and the folder itself."""
    text = line.strip()
    if line.startswith("#") or not text:
        return None
    negated = text.startswith("!")
    text = text[1:].strip() if negated else text
    if not text:
        raise InvalidInput(f"line {number}: '!' is followed by nothing: write what it takes in, or remove it")
    cleaned = posixpath.normpath(text).lstrip("/")
    if cleaned in ("", "."):
        return None
    try:
        return _compiled(cleaned, negated)
    except ValueError:
        raise InvalidInput(f"line {number}: {text!r} is no pattern: repair it") from None


def _compiled(text: str, negated: bool) -> Pattern:
    """As `Pattern.compile` of moby: `**` is any number of folders, `*` and `?` stay within a name."""
    steps: List[Tuple[str, Accepts]] = []
    plain: List[Optional[str]] = []  # beside each step the letter that it is, None for a wildcard
    at = 0

    def add(kind: str, accepts: Accepts, letter: Optional[str] = None) -> None:
        steps.append((kind, accepts))
        plain.append(letter)

    while at < len(text):
        letter = text[at]
        at += 1
        if letter == "*" and text[at : at + 1] == "*":
            at += 1
            slash = text[at : at + 1] == "/"
            at += slash
            if at == len(text) or (at == 2 and not slash and not set(text[at:]) & set("*?[]\\")):
                add(_MANY, _any)  # at the beginning, and without wildcards after it: "ends in"
            else:
                add(_OPTIONAL, _none)
                add(_MANY, _any)
                add(_ONE, "/".__eq__)
        elif letter == "*":
            add(_MANY, "/".__ne__)
        elif letter == "?":
            add(_ONE, "/".__ne__)
        elif letter == "[":
            accepts, at = _class(text, at)
            add(_ONE, accepts)
        else:
            if letter == "\\":
                letter, at = text[at : at + 1], at + 1
            if not letter:
                raise ValueError(text)
            add(_ONE, letter.__eq__, letter)
    if None not in plain:
        return Pattern(negated, "".join(map(str, plain)), "", True, None)
    first = plain.index(None)
    last = len(plain) - plain[::-1].index(None)
    names = bool(set(text.rpartition("/")[2]) - set("*?"))
    head, tail = plain[:first], plain[last:]
    return Pattern(negated, "".join(map(str, head)), "".join(map(str, tail)), names, steps)


def _class(text: str, at: int) -> Tuple[Accepts, int]:
    """`[a-z]` or `[^a-z]`, and where it ends; as Go's path/filepath.Match wants it."""
    negated = text[at : at + 1] == "^"
    at += negated
    ranges: List[Tuple[str, str]] = []
    while text[at : at + 1] != "]" or not ranges:
        low, at = _one(text, at)
        high = low
        if text[at : at + 1] == "-":
            high, at = _one(text, at + 1)
        if high < low:
            raise ValueError(text)
        ranges.append((low, high))
    return lambda letter: negated != any(low <= letter <= high for low, high in ranges), at + 1


def _one(text: str, at: int) -> Tuple[str, int]:
    letter = text[at : at + 1]
    if letter in ("", "-", "]"):
        raise ValueError(text)
    if letter == "\\":
        at += 1
        letter = text[at : at + 1]
    if not letter:
        raise ValueError(text)
    return letter, at + 1


def _any(letter: str) -> bool:
    return True


def _none(letter: str) -> bool:
    return False
