"""What the engine asks of the plugin: components to construct, and the life of Run, History and Calendar.

Constructing is the SDK's own work but for the arguments. The rest are the doors, asked as the dynamic host asks them:
no lifecycle stands here. Each question has a thread of its own, because following a task takes as long as that does.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import grpc
import pulumi
from google.protobuf import struct_pb2
from google.protobuf.empty_pb2 import Empty
from pulumi.dynamic import ConfigureRequest, ResourceProvider
from pulumi.dynamic.config import Config
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.resource import DependencyResource
from pulumi.runtime import proto, rpc, settings
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2_grpc, resource_pb2_grpc
from pulumi.runtime.stack import wait_for_rpcs

from .. import __version__
from ..calendar import CalendarProvider
from ..core.errors import InvalidInput
from ..core.log.gate import shown
from ..history import HistoryProvider
from ..provider.adapter import token
from ..provider.hosting import THREADS, Failure, interrupted, plainly
from ..run import RunProvider
from . import schema, wire
from .construct import Reader
from .counts import Counts
from .names import COMPONENTS, camel, outputs
from .spelling import spelt

Work = Callable[[ResourceProvider], Any]
APPROVED = "kf:approved"
LEADER_GONE = (
    "the process of the provider of kf that makes the components of this update has ended: run the update again"
)
HANDED_ON = ("kf-handed-on", "1")
BY_DYNAMIC = "__provider"  # what the dynamic host finds its code by; in a state that a Python program has made
RUN, STACK = token("Run", plugin=True), "pulumi:pulumi:Stack"
OPTIONS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.enable_http_proxy", 0)]  # all are on this machine


class Servicer(ProviderServicer):
    """The plugin for one engine, whose address is `engine`.

    `leader` tells, by the address of an update's monitor, the port of the process that makes the components; None: this
    one makes them. `counts` is then told what this one decides.
    """

    def __init__(
        self, engine: str, leader: Callable[[str], int | None] = lambda _: None, counts: Counts | None = None
    ) -> None:
        super().__init__(Provider(__version__), [], engine)
        self.counts = counts or Counts()
        self.made: dict[str, pulumi.Resource] = {}
        self._records: dict[str, dict[str, Any]] = {}  # of this update, by the component whose Run has written each
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="work")
        self._asking = ThreadPoolExecutor(THREADS, thread_name_prefix="engine")
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine, OPTIONS)) if engine else None
        # One for all: what a program may name once is remembered by its monitor.
        self.monitor = functools.cache(
            lambda at: resource_pb2_grpc.ResourceMonitorStub(grpc.insecure_channel(at, OPTIONS))
        )
        self._features: set[int] | None = None
        self._leader, self._stub = functools.cache(leader), functools.cache(_stub)
        self._approved = ""

    @functools.cached_property
    def doors(self) -> dict[str, ResourceProvider]:
        """The doors, opened, by the types of their resources."""
        kinds: dict[str, ResourceProvider] = {
            "Run": RunProvider(), "History": HistoryProvider(), "Calendar": CalendarProvider()
        }  # fmt: skip
        for door in kinds.values():
            door.configure(ConfigureRequest(Config({}, "")))
        preview = cast(Any, kinds["Run"]).room.preview  # which all doors share
        preview.in_all = functools.partial(self.counts.together, os.getpid())
        return {token(kind, plugin=True): door for kind, door in kinds.items()}

    # What is made in the program's place.

    async def Construct(self, request: proto.ConstructRequest, context: Any) -> proto.ConstructResponse:
        """Makes a component and all that belongs to it; bad input and what fails end it with its text alone."""
        handed_on = HANDED_ON in context.invocation_metadata()
        if self._approved and not handed_on:  # what is handed on is held to what the other provider says, if anything
            request.config[APPROVED] = self._approved
        self.counts.at = self._leader(request.monitorEndpoint)
        leader = self._stub(self.counts.at)
        try:
            asked = leader.Construct(request, metadata=[HANDED_ON]) if leader else self._construct(request, context)
            response = await asked
            # What belongs to it is this provider's all the same, and has written its record here.
            await self._stored(self._records.pop(response.urn, None))
            return cast(proto.ConstructResponse, response)
        except grpc.aio.AioRpcError as error:
            gone = error.code() == grpc.StatusCode.UNAVAILABLE
            await context.abort(grpc.StatusCode.UNKNOWN, LEADER_GONE if gone else error.details())
            raise
        except Exception as error:
            await context.abort(grpc.StatusCode.UNKNOWN, _text(error))
            raise

    async def _construct(self, request: proto.ConstructRequest, context: Any) -> proto.ConstructResponse:
        await self._settle(request)
        of = COMPONENTS.get(request.type)
        if of is None:
            raise InvalidInput(f"{request.type} is no component of kf: there are {', '.join(sorted(COMPONENTS))}")
        given = wire.read_all(request.inputs)
        for name, dependencies in request.inputDependencies.items():
            if name in given:
                needed = given[name].dependencies.union(dependencies.urns)
                given[name] = dataclasses.replace(given[name], dependencies=needed)
        options = self._construct_options(request)
        options.parent = Parent(request.parent, self.made.get(request.parent)) if request.parent else None
        component = of(request.name, **Reader(self.made).arguments(of, request.name, given), opts=options)
        urn = await component.urn.future() or ""
        self.made[urn] = component
        state = {camel(name): getattr(component, name) for name in outputs(of)}
        response = await self._construct_response(ConstructResult(urn, state))
        await wait_for_rpcs()
        return response

    async def _stored(self, record: dict[str, Any] | None) -> None:
        """The engine has answered the registration of a Run, so its state holds this record."""
        if record is not None:
            room = cast(Any, self.doors[RUN]).room
            await self._in_thread(lambda: plainly(lambda: room.stored(record)))

    async def _settle(self, request: proto.ConstructRequest) -> None:
        """The program's project, stack and configuration, which each question has with it."""
        # The SDK asks the engine in the loop's own threads, of which there are six on two cores, and to register a Run
        # takes as long as its task: with those alone six tasks ran at once, and nothing else was registered meanwhile.
        asyncio.get_running_loop().set_default_executor(self._asking)
        settings.ROOT.set(None)
        settings.configure(
            settings.Settings(
                project=request.project, stack=request.stack, organization=request.organization or "organization",
                parallel=request.parallel or None, dry_run=request.dryRun, engine=self._engine,
                monitor=self.monitor(request.monitorEndpoint),
            )
        )  # fmt: skip
        if self._features is None:
            await settings._load_monitor_feature_support()  # type: ignore[no-untyped-call]
            self._features = settings.SETTINGS.monitor_features
        settings.SETTINGS.monitor_features = self._features
        # Last, as it may be another's next time: from here on until the component is made nothing is waited for.
        pulumi.runtime.config.set_all_config(dict(request.config), list(request.configSecretKeys))

    # The life of what belongs to it.

    async def Check(self, request: proto.CheckRequest, context: Any) -> proto.CheckResponse:
        """See `provider.hosting.Room`, as for all that follows."""
        olds, _ = _read(request.olds)
        news, secret = _read(request.news)
        found = await self._ask(request, context, lambda door: door.check(olds, news))
        failures = [proto.CheckFailure(property=one.property, reason=spelt(one.reason)) for one in found.failures]
        return proto.CheckResponse(inputs=await _written(found.inputs, secret), failures=failures)

    async def Diff(self, request: proto.DiffRequest, context: Any) -> proto.DiffResponse:
        """See `provider.hosting.Room`."""
        olds, news = _read(request.olds, keep=True)[0], _read(request.news)[0]
        found = await self._ask(request, context, lambda door: door.diff(request.id, olds, news))
        changes = proto.DiffResponse.DIFF_SOME if found.changes else proto.DiffResponse.DIFF_NONE
        return proto.DiffResponse(changes=changes, replaces=found.replaces or [])

    async def Create(self, request: proto.CreateRequest, context: Any) -> proto.CreateResponse:
        """See `provider.hosting.Room`."""
        news, secret = _read(request.properties)
        found = await self._ask(request, context, lambda door: door.create(news))
        self._recorded(request.urn, found.outs)
        return proto.CreateResponse(id=found.id, properties=await _written(found.outs, secret))

    async def Read(self, request: proto.ReadRequest, context: Any) -> proto.ReadResponse:
        """See `provider.hosting.Room`."""
        props, secret = _read(request.properties if request.properties.fields else request.inputs)
        found = await self._ask(request, context, lambda door: door.read(request.id, props))
        return proto.ReadResponse(id=found.id, properties=await _written(found.outs, secret), inputs=request.inputs)

    async def Update(self, request: proto.UpdateRequest, context: Any) -> proto.UpdateResponse:
        """See `provider.hosting.Room`."""
        olds, before = _read(request.olds)
        news, secret = _read(request.news)
        found = await self._ask(request, context, lambda door: door.update(request.id, olds, news))
        self._recorded(request.urn, found.outs)
        return proto.UpdateResponse(properties=await _written(found.outs, secret | before))

    async def Delete(self, request: proto.DeleteRequest, context: Any) -> Empty:
        """See `provider.hosting.Room`."""
        props, _ = _read(request.properties)
        await self._ask(request, context, lambda door: door.delete(request.id, props))
        return Empty()

    async def _ask(self, request: Any, context: Any, work: Work) -> Any:
        type_ = _type_of(request.urn)
        if type_ not in self.doors:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{type_} is no resource of kf")
        try:
            return await self._in_thread(functools.partial(work, self.doors[type_]))
        except Exception as error:
            await context.abort(grpc.StatusCode.UNKNOWN, _text(error))

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _recorded(self, urn: str, record: dict[str, Any] | None) -> None:
        if _type_of(urn) == RUN and record:
            self._records[str(record.get("urn"))] = record

    # What it says of itself.

    async def CheckConfig(self, request: proto.CheckRequest, context: Any) -> proto.CheckResponse:
        """Takes what the configuration holds for it: `kf:approved` is read where it is needed."""
        return proto.CheckResponse(inputs=request.news)

    async def Configure(self, request: proto.ConfigureRequest, context: Any) -> proto.ConfigureResponse:
        """Of a provider that is held to an approval, what it makes is, too."""
        self._approved = str(_read(request.args)[0].get("approved") or "")
        return await super().Configure(request, context)

    async def DiffConfig(self, request: proto.DiffRequest, context: Any) -> proto.DiffResponse:
        """Nothing of it replaces a resource, nor does a move from the dynamic provider."""
        return proto.DiffResponse(changes=proto.DiffResponse.DIFF_NONE)

    async def GetSchema(self, request: proto.GetSchemaRequest, context: Any) -> proto.GetSchemaResponse:
        """See `schema`."""
        return proto.GetSchemaResponse(schema=schema.text())

    async def Cancel(self, request: Any, context: Any) -> Empty:
        """Ends the waiting for tasks (Ctrl-C)."""
        interrupted.set()
        return Empty()


class Parent(DependencyResource):
    """A parent that this process knows by its URN alone, with all that the SDK asks of one.

    Whether one is protected is known of the stack, and of what this process has `made`.
    """

    def __init__(self, urn: str, made: pulumi.Resource | None) -> None:
        super().__init__(urn)
        self._type, self._name = _type_of(urn), urn.split("::")[-1]
        self._protect = False if self._type == STACK else made._protect if made else None
        self._provider, self._aliases = None, []


def _stub(port: int | None) -> Any:
    """Another process of the plugin, by its port."""
    return port and provider_pb2_grpc.ResourceProviderStub(grpc.aio.insecure_channel(f"127.0.0.1:{port}", OPTIONS))


def _type_of(urn: str) -> str:
    return urn.split("::")[-2].split("$")[-1]


def _read(given: struct_pb2.Struct, keep: bool = False) -> tuple[dict[str, Any], set[str]]:
    """Properties as plain data, and the names of the secret ones; `keep`: also what tells of the dynamic host."""
    found = wire.Value(wire.read_all(given))
    secret = {name for name, item in found.data.items() if item.holds_secret()}
    return {name: item for name, item in found.plain().items() if keep or name != BY_DYNAMIC}, secret


async def _written(found: Mapping[str, Any] | None, secret: set[str]) -> struct_pb2.Struct:
    """Plain data as properties, in which is secret again what was."""
    made = await rpc.serialize_properties({**(found or {})}, {})
    for name in secret & {*made}:
        made.fields[name].CopyFrom(wire.hidden(made.fields[name]))
    return made


def _text(error: Exception) -> str:
    """What a person is told: of ours the text alone, of bad input in the spelling of other languages."""
    said = spelt(str(error)) if isinstance(error, (pulumi.RunError, InvalidInput)) else str(error)
    return shown(
        said if isinstance(error, (pulumi.RunError, InvalidInput, Failure)) else f"{type(error).__name__}: {said}"
    )
