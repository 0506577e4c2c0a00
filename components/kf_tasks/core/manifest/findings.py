"""What is to be said about a manifest: one line each, with line, application and key, in the file's order.

What one place of the file causes in several applications (an anchor that all of them use) is said once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

from .nodes import Text

# What a list's entries are called, and which of their keys names them.
_ENTRIES = {"applications": ("application", "name"), "tasks": ("task", "name"), "jobs": ("job", "name"),
            "services": ("service", "name"),
            "processes": ("process", "type")}  # fmt: skip
Path = Tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """A sentence about the place `path` (keys and numbers from the top of the file); `kind` is for programs."""

    line: int
    path: Path
    said: str
    kind: str = "problem"


def tell(findings: Sequence[Finding], data: Any) -> List[str]:
    """The findings as a person reads them."""
    same: Dict[Tuple[int, str, Any], List[Finding]] = {}
    for finding in sorted(findings, key=lambda one: one.line):
        same.setdefault((finding.line, finding.said, _key(finding.path)), []).append(finding)
    told: Dict[str, None] = {}
    for (line, said, _), group in same.items():
        paths = list(dict.fromkeys(one.path for one in group))
        used = [path for path in paths if path[:1] == ("applications",)] or paths
        owners = list(dict.fromkeys(path[:2] for path in used))
        more = f" (and {len(owners) - 1} more that share it)" if len(owners) > 1 else ""
        told[f"line {line}: {place(used[0], data, more)}{said}"] = None
    return list(told)


def place(path: Path, data: Any, more: str = "") -> str:
    """`application 'shop': task 'migrate': env.LEVEL: ` for a path; nothing for the top of the file."""
    here, said, keys = data, "", list[str]()
    for nth, part in enumerate(path):
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(part, int) and keys and keys[-1] in _ENTRIES:
            said += f"{named(keys[-1], here, part)}{more if nth == 1 else ''}: "
            keys = []
        elif isinstance(part, int):
            keys.append(f"{keys.pop() if keys else ''}[{part}]")
        else:
            keys.append(str(part))
    return f"{said}{'.'.join(keys)}: " if keys else said


def named(entries: str, entry: Any, nth: int) -> str:
    """`task 'migrate'`, or `task number 2` for one whose name is not known."""
    what, key = _ENTRIES[entries]
    name = entry.get(key) if isinstance(entry, dict) else entry if entries == "services" else None
    readable = isinstance(name, str) and not (isinstance(name, Text) and name.secrets)
    return f"{what} {str(name)!r}" if readable else f"{what} number {nth + 1}"


def _key(path: Path) -> Any:
    """The end of a path that is the same wherever a shared part of the file is used."""
    return path[-1] if path and isinstance(path[-1], str) else path
