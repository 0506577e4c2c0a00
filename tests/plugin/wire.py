"""A program in another language, played: components become the requests that an engine makes of the plugin."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import warnings
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import grpc
import pulumi
from google.protobuf import struct_pb2
from kf_tasks.plugin.names import camel
from kf_tasks.plugin.servicer import Servicer
from kf_tasks.provider.adapter import token
from pulumi.output import Unknown
from pulumi.provider.experimental.property_value import PropertyValue, ResourceReference
from pulumi.runtime import proto
from pulumi.runtime.mocks import MockMonitor, Mocks
from pulumi.runtime.proto import provider_pb2_grpc

T = TypeVar("T")
KINDS = ("SecretKey", "ConfigKey", "SecretRef", "ConfigRef", "Webhook", "Heartbeat")


class Aborted(Exception):
    """What the engine is told in place of an answer."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, but that the current loop, which Pulumi's mocks use, stays that of other tests."""
    loop = asyncio.new_event_loop()

    async def alone() -> T:
        try:
            return await work
        finally:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await loop.shutdown_default_executor()

    try:
        return loop.run_until_complete(alone())
    finally:
        loop.close()
        with warnings.catch_warnings():  # of what a program has begun that ends early
            warnings.simplefilter("ignore", RuntimeWarning)
            gc.collect()


class Context:
    """That of a request."""

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    async def abort(self, code: Any, text: str) -> None:
        raise Aborted(text)


class Remote(pulumi.Resource):
    """A component as another language's SDK has it: a name, arguments, and a URN once it is made."""

    def __init__(self, kind: str, name: str, arguments: dict[str, Any], opts: pulumi.ResourceOptions | None = None):
        self.kind, self.name, self.arguments, self.opts = kind, name, arguments, opts
        self.at = ""
        self.outputs: dict[str, Any] = {}


class Program:
    """What a program declares, and what the plugin makes of it, in that order.

    What is `elsewhere` is asked of another process of the plugin than the rest.
    """

    def __init__(self, elsewhere: Callable[[Remote], bool] | None = None) -> None:
        self.declared: list[Remote] = []
        self.elsewhere = elsewhere

    def component(self, kind: str) -> Callable[..., Remote]:
        """A class of the other language."""

        def declare(name: str, *, opts: pulumi.ResourceOptions | None = None, **arguments: Any) -> Remote:
            self.declared.append(Remote(kind, name, arguments, opts))
            return self.declared[-1]

        return declare

    def made(
        self, declare: Callable[[], Any], mocks: Mocks, preview: bool = False, at_once: int | None = None, **more: Any
    ) -> dict[str, Any]:
        """The inputs of all that is registered, by URN; raises Aborted with what the engine would be told.

        All but the first `at_once` are constructed at once, as far as they may be.
        """
        return run(self._made(declare, MockMonitor(mocks), preview, at_once, more))

    async def _made(
        self,
        declare: Callable[[], Any],
        monitor: MockMonitor,
        preview: bool,
        at_once: int | None,
        more: Mapping[str, Any],
    ) -> dict[str, Any]:
        declare()
        leading = Servicer("")
        leading.monitor = lambda _: monitor  # type: ignore[assignment]
        server = grpc.aio.server()
        if self.elsewhere:
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(leading, server)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            led = Servicer("", lambda _: port)

        async def construct(one: Remote) -> None:
            given = {camel(name): await value_of(it) for name, it in one.arguments.items()}
            opts: Any = one.opts or pulumi.ResourceOptions()
            own = {"protect": opts.protect, "parent": opts.parent.at if opts.parent else None}
            request = proto.ConstructRequest(
                project="shop", stack="dev", dryRun=preview, type=token(one.kind, plugin=True), name=one.name,
                inputs=PropertyValue.marshal_map(given), dependencies=[it.at for it in opts.depends_on or []],
                **{**more, **{name: it for name, it in own.items() if it is not None}},
            )  # fmt: skip
            asked = led if self.elsewhere and self.elsewhere(one) else leading
            answer = await asked.Construct(request, Context())
            one.at = answer.urn
            one.outputs = {name: plain(it) for name, it in PropertyValue.unmarshal_map(answer.state).items()}

        try:
            for one in self.declared[:at_once]:
                await construct(one)
            if at_once:
                await asyncio.gather(*map(construct, self.declared[at_once:]))
        finally:
            await server.stop(None)
        return {urn: dict(one.state) for urn, one in monitor.get_registered_resources().items()}


async def value_of(it: Any) -> PropertyValue:
    """A value of a Python program as the wire has it."""
    if isinstance(it, Unknown):
        return PropertyValue.unmarshal(struct_pb2.Value(string_value=pulumi.runtime.rpc.UNKNOWN))
    if isinstance(it, pulumi.Output):
        return (await value_of(await it.future())).with_secret(await it.is_secret())
    if isinstance(it, Remote):
        return PropertyValue(ResourceReference(it.at))
    if dataclasses.is_dataclass(it) and not isinstance(it, type):
        fields = {camel(one.name): getattr(it, one.name) for one in dataclasses.fields(it)}
        kind = {"kind": type(it).__name__} if type(it).__name__ in KINDS else {}
        return await value_of({**kind, **{name: one for name, one in fields.items() if one is not None}})
    if isinstance(it, Mapping):
        return PropertyValue({name: await value_of(one) for name, one in it.items()})
    if isinstance(it, (list, tuple)):
        return PropertyValue([await value_of(one) for one in it])
    return PropertyValue(float(it) if isinstance(it, int) and not isinstance(it, bool) else it)


def plain(value: PropertyValue) -> Any:
    """A value of the wire without what is said of it."""
    if isinstance(value.value, Mapping):
        return {name: plain(it) for name, it in value.value.items()}
    return [plain(it) for it in value.value] if isinstance(value.value, tuple) else value.value
