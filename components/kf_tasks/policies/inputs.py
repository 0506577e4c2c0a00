"""The inputs of resources as a policy gets them: behind proxies that raise what is not known yet.

A policy that reads such a value is skipped as a whole, in every preview with a new run. So nothing is read but through
`plain`, in which what is unknown is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CAMEL = re.compile(r"(?<=\w)_([a-z])")
_OURS = re.compile(r"(?:kf:index|pulumi-python:dynamic/kf):(\w+)")


@dataclass(frozen=True)
class Inputs:
    """One resource: its URN, its type (of ours the last word, such as `App`), and its inputs."""

    urn: str
    kind: str
    props: Any

    @property
    def stack(self) -> str:
        """The name of its stack, which the URN begins with."""
        parts = self.urn.split("::")
        return parts[0].rsplit(":", 1)[-1] if len(parts) > 1 else ""

    @property
    def name(self) -> str:
        """Its name in Pulumi."""
        return self.urn.rsplit("::", 1)[-1]

    def __getitem__(self, name: str) -> Any:
        """An input; None where it is not there or not known yet. A plugin for other languages spells it `camelCase`."""
        found = plain(self.props, name)
        return plain(self.props, _CAMEL.sub(lambda it: it[1].upper(), name)) if found is None else found

    def text(self, name: str) -> str | None:
        """An input that is a text."""
        found = self[name]
        return found if isinstance(found, str) else None

    def count(self, name: str) -> int | None:
        """An input that is a whole number."""
        found = self[name]
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def flag(self, name: str, default: bool = False) -> bool:
        """An input that is true or false; what is at its default is not registered."""
        found = self[name]
        return found if isinstance(found, bool) else default

    def texts(self, name: str) -> tuple[str, ...]:
        """An input that is a list of texts, without those that are not known."""
        found = self[name]
        return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def resources(args: Any) -> Iterator[Inputs]:
    """The resources that the arguments of a policy are about: one, or all of a stack."""
    for found in getattr(args, "resources", None) or [args]:
        kind = str(getattr(found, "resource_type", ""))
        own = _OURS.fullmatch(kind)
        yield Inputs(str(getattr(found, "urn", "")), own[1] if own else kind, getattr(found, "props", {}))


def plain(holder: Any, name: Any) -> Any:
    """What a map or a list holds, all through plain maps and lists, whole numbers as such; None for what is unknown."""
    try:
        return _plain(holder[name])
    except Exception:  # the error of an unknown value is a class of pulumi_policy, which tests and readers do without
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): plain(value, name) for name in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(value, number) for number in range(len(value))]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, (str, int, float, bool)) else None
