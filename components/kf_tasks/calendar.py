"""What a reviewer reads about a schedule in the preview: its next times, clock changes, how far history reaches.

Only a dynamic resource can say something that depends on what was there before. It also asks whether the
cluster would admit the schedule's runs. It starts nothing: the CronJob beside it does.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import ConfigureRequest

from .provider.adapter import Carried
from .provider.hosting import Adapter


class CalendarProvider(Adapter):
    """The door to `provider/calendar.py`; its class path is in every state file and its instances carry nothing."""

    def configure(self, req: ConfigureRequest) -> None:
        """Opens the room, in the provider's process alone: the program, which loads this module too, has no client."""
        super().configure(req)
        from .provider.calendar import Calendars

        self.room = Calendars()


class Calendar(Carried, module="kf", name="Calendar"):
    """The times of a schedule, said when they change; made by TaskSchedule."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CalendarProvider(), name, props, pulumi.ResourceOptions.merge(opts, _HIDDEN))


# What `preview --diff` does not show: what is there for `kf review`, and what the CronJob shows.
_HIDDEN = pulumi.ResourceOptions(hide_diffs=["manifest", "layers", "_asked", "_next", "_last", "_secrets"])
