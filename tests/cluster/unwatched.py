"""A cluster that tells nothing by itself, as those see it who hold its objects as plain data."""

from __future__ import annotations

import functools
from typing import Any

from kf_tasks.errors import Denied


class Refusing:
    """A transport of somebody who may watch nothing."""

    def request(self, *_: Any, **__: Any) -> Any:
        raise Denied("nobody may watch")


class Unwatched:
    """What runs are followed and known by: each time they are asked for."""

    written = ""

    @functools.cached_property
    def http(self) -> Any:
        return Refusing()
