"""Shows lines under a resource of the update that is running.

A dynamic provider has no way to say something under its resource; the engine's own log service
has, and its address is the provider process's last argument. Without an engine lines go to stdout.
"""

from __future__ import annotations

import functools
from typing import Protocol

import grpc
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

from ..core.log.gate import shown
from .engine import address


class Say(Protocol):
    """How a line comes to be shown."""

    def __call__(self, urn: str, text: str, /, *, warning: bool = False, ephemeral: bool = False) -> None:
        """Shows `text` under the resource `urn`; an ephemeral line is a status that the next one replaces."""


def say(urn: str, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
    """Shows `text`, without secrets and harmless, under the resource `urn` (under the stack, where it is empty)."""
    text = shown(text)
    severity = engine_pb2.WARNING if warning else engine_pb2.INFO
    # An empty message is dropped by the engine, a blank line of a log is shown as a space.
    request = engine_pb2.LogRequest(severity=severity, message=text or " ", urn=urn, ephemeral=ephemeral)
    engine = _engine()
    if engine is None:
        print(text, flush=True)
        return
    try:
        engine.Log(request)
    except grpc.RpcError:
        # It was killed, and nobody is left to read: what is followed is followed to its end, and its outcome marked.
        return


@functools.lru_cache(maxsize=1)
def _engine() -> EngineStub | None:
    at = address()
    return EngineStub(grpc.insecure_channel(at)) if at else None
