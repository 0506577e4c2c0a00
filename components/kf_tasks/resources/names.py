"""Names that a program may give once: what the cluster, or Pulumi, would take for one thing is never two here."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.settings import get_monitor

from ..core import naming
from ..core.errors import InvalidInput
from .inputs import computed

if TYPE_CHECKING:
    from .space import Space

_holders: weakref.WeakKeyDictionary[object, dict[tuple[str, ...], str]] = weakref.WeakKeyDictionary()


def holder(scope: object, name: tuple[str, ...], claimant: str) -> str | None:
    """Who has a name in `scope` already (a Space, an App, the program); else it is the claimant's from now on."""
    names = _holders.setdefault(scope, {})
    found = names.get(name)
    names.setdefault(name, claimant)
    return found


def program() -> object:
    """The scope of Pulumi's own names, which are unique in a stack."""
    scope: object = get_monitor()
    return scope


def only_one(space: Space, kind: str, name: str, claimant: str, argument: str) -> None:
    """Refuses a second App or service of this name in the cluster, where two Spaces are in one namespace.

    Where a Space is, is known later than what it is called: in a preview, if the namespace is there by then.
    """
    scope, own = program(), f"{claimant!r} of space {space.name!r}"

    def check(place: list[Any]) -> None:
        other = holder(scope, (kind, naming.digest(place), name), own)
        if other:
            raise InvalidInput(
                f"{kind} {name!r}: two Spaces are in namespace {place[1]!r}, and two {kind}s in it have this name in "
                f"the cluster, {other} and {own}: give one of them another {argument}"
            )

    computed(pulumi.Output.all(space.connection, space.namespace), check)
