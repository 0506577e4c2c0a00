"""What is to be said about the keys of one map: slips, keys without effect, amounts and variables."""

from __future__ import annotations

import difflib
import re
from decimal import Decimal
from typing import Iterator, List, Mapping, Type

from .. import quantities
from ..errors import InvalidInput
from .findings import Finding, Path
from .model import SPELLINGS, Entry, spelled
from .nodes import Entries, Text, unreadable

_FRACTION = re.compile(r"\s*([0-9]{1,12}\.[0-9]{1,12})\s*([KMGT])i?B?\s*", re.ASCII | re.IGNORECASE)


def about_map(data: Entries, model: Type[Entry], foreign: Mapping[str, str], path: Path) -> Iterator[Finding]:
    """The findings about a map with the keys of `model`; `foreign` are keys that have no effect, and why."""
    spellings = {SPELLINGS[key]: key for key in model.model_fields if key in SPELLINGS}
    for key, value in data.items():
        line = data.lines[key]
        if key in foreign:
            if value is not None:
                yield Finding(line, (*path, key), f"has no effect on tasks: {foreign[key]}", "foreign")
        elif key not in model.model_fields and key not in spellings:
            yield unknown(line, (*path, key), [*model.model_fields, *foreign])
    for other, key in spellings.items():
        both = [one for one in (key, other) if data.get(one) is not None]
        if len(both) > 1 and len([one for one in both if one in data.merged]) != 1:
            line = max(data.lines[one] for one in both)
            yield Finding(line, (*path, key), f"is given twice, as {key} and as {other}: leave one of them out")
    for key in ("memory", "disk_quota"):
        if key in model.model_fields:
            yield from _amount(data, spelled(data, key), path)
    if "env" in model.model_fields:
        yield from _env(data, path)
        yield from _hidden(data, path)


def unknown(line: int, path: Path, known: List[str]) -> Finding:
    """The warning about a key that nobody knows, with the nearest one that somebody does."""
    plain = {name.lower().replace("-", "_"): name for name in known}
    near = difflib.get_close_matches(path[-1].lower().replace("-", "_"), list(plain), 1)
    advice = f", did you mean {plain[near[0]]!r}?" if near else ""
    return Finding(line, path, f"is unknown and has no effect{advice}", "unknown")


def _amount(data: Entries, key: str, path: Path) -> Iterator[Finding]:
    text = data.get(key)
    fraction = _FRACTION.fullmatch(text) if isinstance(text, str) and not unreadable(text) else None
    number = Decimal(fraction[1]) if fraction else Decimal()
    if fraction and number % 1 and number * 1024 ** ("KMGT".index(fraction[2].upper()) + 1) % 1024**2:
        try:
            said = f"cut down from {text} to {quantities.size(str(text), key)}: whole MiB are counted"
        except InvalidInput:
            return
        yield Finding(data.lines[key], (*path, key), said, "cut")


def _env(data: Entries, path: Path) -> Iterator[Finding]:
    env = data["env"] if isinstance(data.get("env"), Entries) else Entries()
    for name, value in env.items():
        where = (*path, "env", name)
        if isinstance(value, Text) and value.instead is not None and not value.secrets:
            said = f"stays {str(value)!r}, but other tools give {value.instead}, because it is unquoted: quote it"
            few = value.instead == "a date" or ":" in value  # PyYAML types these, tools in Go do not
            yield Finding(env.lines[name], where, said, "typed by some" if few else "typed")
        if name == "PORT":
            said = "is the platform's name in Cloud Foundry, which refuses it; here it is a variable like any other"
            yield Finding(env.lines[name], where, said, "platform")


def _hidden(data: Entries, path: Path) -> Iterator[Finding]:
    """People expect `<<` to merge what is within env too."""
    own = data["env"] if isinstance(data.get("env"), Entries) else Entries()
    shared = [name for hidden in data.hidden.get("env", []) if isinstance(hidden, Entries) for name in hidden]
    lost = [name for name in dict.fromkeys(shared) if name not in own]
    if lost:
        said = (
            f"{', '.join(lost)} from the merged map {'is' if len(lost) == 1 else 'are'} not set here: '<<' does "
            "not merge env, write '<<: *anchor' within it too if that is not meant"
        )
        yield Finding(data.lines["env"], (*path, "env"), said, "hidden")
