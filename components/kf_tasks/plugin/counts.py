"""How many runs an update adds to an App, over all processes of the plugin that decide about its Tasks.

Each decides about the Tasks of the provider that it serves, and what goes of an App follows from all of them together.
So each tells the one that leads what it adds itself, and is told the sum. Where that one does not answer its own number
stands: fewer deletions are foretold then, and none is done in another way.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import grpc

SERVICE, METHOD = "kf.Counts", "together"
ANSWER_SECONDS = 5.0
Adding = tuple[int, int]  # runs that are certain, and runs that may be


class Counts:
    """Those of one process: `at` is the port of the process that leads, None where that is this one."""

    def __init__(self) -> None:
        self.at: int | None = None
        self._said: dict[tuple[int, str, str], Adding] = {}  # the last of each process, by that, namespace and App
        self._ask = functools.cache(_asking)

    def together(self, who: int, namespace: str, app: str, own: Adding) -> Adding:
        """What process `who` adds to an App, together with what the others have said."""
        if self.at:
            try:
                certain, perhaps = self._ask(self.at)([who, namespace, app, own], timeout=ANSWER_SECONDS)
            except grpc.RpcError:
                return own
            return certain, perhaps
        self._said[who, namespace, app] = own
        found = [it for (_, *place), it in [*self._said.items()] if place == [namespace, app]]
        return sum(certain for certain, _ in found), sum(perhaps for _, perhaps in found)

    def handler(self) -> Any:
        """For the server of this process: answers the others."""

        def answer(said: list[Any], _: Any) -> Adding:
            who, namespace, app, (certain, perhaps) = said
            return self.together(who, namespace, app, (certain, perhaps))

        method = grpc.unary_unary_rpc_method_handler(answer, json.loads, _written)
        return grpc.method_handlers_generic_handler(SERVICE, {METHOD: method})


def _asking(port: int) -> Callable[..., list[int]]:
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_http_proxy", 0)])
    asking: Callable[..., list[int]] = channel.unary_unary(f"/{SERVICE}/{METHOD}", _written, json.loads)
    return asking


def _written(it: Any) -> bytes:
    return json.dumps(it).encode()
