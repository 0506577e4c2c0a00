"""Names that a program may give once: what the cluster, or Pulumi, would take for one thing is never two here."""

from __future__ import annotations

import weakref

from pulumi.runtime.settings import get_monitor

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
