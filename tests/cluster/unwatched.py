"""A cluster that tells nothing by itself, as those see it who hold its objects as plain data."""

from __future__ import annotations

import functools
from collections.abc import Collection
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

    def pods_of(self, namespace: str, runs: Collection[str]) -> list[dict[str, Any]]:
        """Those that `select_pods` has, if any are asked for."""
        return self.select_pods(namespace, ",".join(runs)) if runs else []

    def select_pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        return []
