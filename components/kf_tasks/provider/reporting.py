"""Shows lines under a resource of the update that is running.

A dynamic provider has no way to say something under its resource; the engine's own log service
has, and its address is the provider process's last argument. Without an engine lines go to stdout.
"""

from __future__ import annotations

import functools
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

_said: set[tuple[str, str]] = set()
_lock = threading.Lock()


def say(urn: str, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
    """Shows `text` under the resource `urn`; an ephemeral line is a status that the next one replaces."""
    from pulumi.runtime.proto import engine_pb2

    severity = engine_pb2.WARNING if warning else engine_pb2.INFO
    # An empty message is dropped by the engine, a blank line of a log is shown as a space.
    request = engine_pb2.LogRequest(severity=severity, message=text or " ", urn=urn, ephemeral=ephemeral)
    engine = _engine()
    if engine is None:
        print(text, flush=True)
        return
    engine.Log(request)


def say_once(urn: str, text: str, *, about: str, warning: bool = False) -> None:
    """Shows `text` unless something was said about the same thing in this process."""
    with _lock:
        known = (about, text) in _said
        _said.add((about, text))
    if not known:
        say(urn, text, warning=warning)


@functools.lru_cache(maxsize=1)
def _engine() -> EngineStub | None:
    import grpc
    from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

    address = sys.argv[-1] if len(sys.argv) > 1 else ""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return None
    return EngineStub(grpc.insecure_channel(address))
