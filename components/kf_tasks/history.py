"""The history of one App: what retention lets go, shown before it goes, and cleaned up in the end.

Every run prunes its App when it ends; this resource shows the plan in the preview, marks the runs
whose record the state holds by now, sweeps what an interrupted update has left, and is the only one
that deletes an App's runs when the App is removed.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import ConfigureRequest

from .core.state import EXPIRED
from .provider.adapter import Carried
from .provider.hosting import Adapter


class HistoryProvider(Adapter):
    """The door to `provider/history.py`; its class path is in every state file and its instances carry nothing."""

    def configure(self, req: ConfigureRequest) -> None:
        """Opens the room, in the provider's process alone: the program, which loads this module too, has no client."""
        super().configure(req)
        from .provider.history import Histories

        self.room = Histories()


class History(Carried, module="kf", name="History"):
    """The retention of one App; made by App."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        given = {EXPIRED: None, **props}
        super().__init__(HistoryProvider(), name, given, pulumi.ResourceOptions.merge(opts, _HIDDEN))

    @property
    def expired(self) -> pulumi.Output[list[str]]:
        """The names of the runs that go, known in a preview that has asked."""
        found: pulumi.Output[list[str]] = self.__dict__[EXPIRED]
        return found


# What `preview --diff` does not show: what is there for `kf review`.
_HIDDEN = pulumi.ResourceOptions(hide_diffs=["_asked", "_deletions", "_reach"])
