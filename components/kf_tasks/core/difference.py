"""Two values side by side, for people: what a preview says of a change, on as few lines as it takes.

Texts of any length and with any characters may come: what is long is cut to where it begins to differ, and each
result is one harmless line.
"""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from os.path import commonprefix
from typing import Any, List, Mapping, Sequence

from .log.reader import harmless

LONGEST, MOST = 100, 20  # characters of a text, lines of a difference
_CONTEXT = 20


def texts(before: str, after: str, longest: int = LONGEST) -> str:
    """`before → after` on one line; of long texts the part where they begin to differ."""
    return " → ".join(_pair(before, after, longest))


def entries(before: Mapping[str, Any], after: Mapping[str, Any], *, values: bool = True) -> List[str]:
    """What differs between two maps, by name: `+B 1`, `-C`, `LEVEL info → debug`; without `values` `~LEVEL`."""
    found = [f"+{name} {cut(text(after[name]))}" if values else f"+{name}" for name in sorted({*after} - {*before})]
    found += [f"-{name}" for name in sorted({*before} - {*after})]
    for name in sorted({*before} & {*after}):
        if before[name] != after[name]:
            found.append(f"{name} {texts(text(before[name]), text(after[name]))}" if values else f"~{name}")
    return found


def lines(before: Sequence[str], after: Sequence[str]) -> List[str]:
    """The lines that differ, `- ` before those that go and `+ ` before those that come; MOST of them at most."""
    found: List[str] = []
    for kind, start, end, other, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        gone, come = list(before[start:end]), list(after[other:last])
        if len(gone) == len(come):
            pairs = [_pair(old, new) for old, new in zip(gone, come)]
            gone, come = [old for old, _ in pairs], [new for _, new in pairs]
        found += [f"- {cut(line)}" for line in gone] + [f"+ {cut(line)}" for line in come]
    return found if len(found) <= MOST else [*found[: MOST - 1], f"… and {len(found) - MOST + 1} more lines"]


def text(value: Any) -> str:
    """A value as a person writes it: a text as it is, other plain data as JSON with whole numbers."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(whole(value), ensure_ascii=False, sort_keys=True)


def whole(value: Any) -> Any:
    """`value` with whole numbers as people write them: Pulumi hands every number over as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    return {name: whole(item) for name, item in value.items()} if isinstance(value, dict) else value


def cut(line: str, longest: int = LONGEST) -> str:
    """`line` on one line, harmless, and not longer than `longest`; an empty text is seen."""
    return _cut(_one_line(line), 0, longest)


def _pair(before: str, after: str, longest: int = LONGEST) -> List[str]:
    both = [_one_line(before), _one_line(after)]
    start = 0
    if max(map(len, both)) > longest:
        start = max(len(commonprefix(both)) - _CONTEXT, 0)  # noqa: RUF071 - of texts, not of paths
    return [_cut(one, start, longest) for one in both]


def _cut(line: str, start: int, longest: int) -> str:
    end = start + longest
    return f"{'…' if start else ''}{line[start:end]}{'…' if len(line) > end else ''}"


def _one_line(line: str) -> str:
    return harmless(line.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")) or "''"
