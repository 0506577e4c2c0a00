"""The plugin's process: it serves the engine that has started it, until that is gone."""

from __future__ import annotations

import asyncio
import sys

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from ..provider import adapter, engine
from .counts import Counts
from .leader import leader, update
from .servicer import OPTIONS, Servicer


def serve() -> None:
    """Serves; the engine reads the port on stdout and ends this process when it needs it no more."""
    adapter.enter_plugin()
    engine.watch()  # whoever has asked for the schema alone may leave this process behind, too
    try:
        asyncio.run(_serve())
    except KeyboardInterrupt:  # Ctrl-C reaches all processes of a terminal; the engine says what comes of it
        return


async def _serve() -> None:
    server = grpc.aio.server(options=OPTIONS)
    at, port = engine.address(), server.add_insecure_port("127.0.0.1:0")

    def other(monitor: str) -> int | None:
        leads = leader(update(at, monitor), port)
        return None if leads == port else leads

    counts = Counts()
    server.add_generic_rpc_handlers((counts.handler(),))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(at, other, counts), server)
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()
