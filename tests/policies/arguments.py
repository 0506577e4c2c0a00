"""The arguments that pulumi_policy gives to a policy, with its proxies: what is unknown raises when it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class UnknownValueError(Exception):
    """What pulumi_policy raises for a value that a preview does not know."""


class Unknown:
    """Stands for such a value."""


@dataclass
class Resource:
    """A resource policy's arguments, and each resource of a stack policy's."""

    resource_type: str
    name: str
    props: Any
    urn: str
    config: dict[str, Any] = field(default_factory=dict)

    def get_config(self) -> Mapping[str, Any]:
        return self.config


@dataclass
class Stack:
    """A stack policy's arguments."""

    resources: list[Resource]
    config: dict[str, Any] = field(default_factory=dict)

    def get_config(self) -> Mapping[str, Any]:
        return self.config


class Map(Mapping[str, Any]):
    """A map behind the proxy."""

    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def __getitem__(self, name: str) -> Any:
        return known(self._held[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


class List(Sequence[Any]):
    """A list behind the proxy."""

    def __init__(self, held: list[Any]) -> None:
        self._held = held

    def __getitem__(self, number: Any) -> Any:
        return known(self._held[number])

    def __len__(self) -> int:
        return len(self._held)


def known(value: Any) -> Any:
    """A value as the proxies hand it over: every number is a float."""
    if isinstance(value, Unknown):
        raise UnknownValueError
    if isinstance(value, dict):
        return Map(value)
    if isinstance(value, list):
        return List(value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def resource(kind: str, name: str = "shop", stack: str = "dev", **props: Any) -> Resource:
    """A resource; of ours the last word of its type is enough."""
    full = kind if ":" in kind else f"kf:index:{kind}"
    if kind in ("Run", "History", "Calendar"):
        full = f"pulumi-python:dynamic/kf:{kind}"
    return Resource(full, name, Map(props), f"urn:pulumi:{stack}::project::{full}::{name}")
