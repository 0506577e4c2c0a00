"""The rooms as the engine reaches them: over its protocol, through one adapter and then the other.

A test asks `Runs(seen).check(olds, news)` as it would ask the room. What it gives becomes a request as an engine makes
it, the servicer of the adapter (the SDK's own host of dynamic providers, or the plugin's) hands it to the door, and the
answer is read as the engine reads it. So None is left out, every number is a float, what a program has marked as secret
comes and goes as a secret where secrets are accepted, and a failure is a text.
"""

from __future__ import annotations

import asyncio
import functools
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol, cast
from unittest import mock

import grpc
import pytest
from google.protobuf import struct_pb2
from kf_tasks.calendar import CalendarProvider
from kf_tasks.history import HistoryProvider
from kf_tasks.plugin import wire
from kf_tasks.plugin.servicer import Servicer
from kf_tasks.provider import adapter as seam
from kf_tasks.provider.calendar import Calendars as CalendarRoom
from kf_tasks.provider.history import Histories as HistoryRoom
from kf_tasks.provider.hosting import Adapter, Failure, Props, Room
from kf_tasks.provider.preview import Preview
from kf_tasks.provider.run import Runs as RunRoom
from kf_tasks.run import RunProvider
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.runtime import proto, rpc
from pulumi.runtime.proto import provider_pb2_grpc

OF_HOST = "__provider"  # what the dynamic host finds a door by
SECRET = ("connection", "__digests")  # what a program marks as secret


class Through(Protocol):
    """An adapter, which a request goes through to a door."""

    secrets: bool

    def ask(self, kind: str, door: Adapter, what: str, request: Any) -> Any:
        """The answer; raises Failure with what the engine is told in its place."""


class Aborted(Exception):
    """What the engine is told in place of an answer."""


class _Context:
    def abort(self, code: Any, text: str) -> None:
        assert code == grpc.StatusCode.UNKNOWN, "no other makes the engine ask again, or take a part for done"
        raise Aborted(text)


class _AsyncContext:
    async def abort(self, code: Any, text: str) -> None:
        _Context().abort(code, text)


class Dynamic:
    """The SDK's host of dynamic providers. It has no secrets: the engine takes them off, and puts them on again."""

    secrets = False

    @functools.cached_property
    def servicer(self) -> Any:
        """Taken where its module, which serves as soon as it is loaded, hands it to a server."""
        taken: list[Any] = []

        def take(servicer: Any, _server: Any) -> None:
            taken.append(servicer)
            raise Aborted

        with mock.patch.object(provider_pb2_grpc, "add_ResourceProviderServicer_to_server", take), suppress(Aborted):
            runpy.run_module("pulumi.dynamic")
        [found] = taken
        found.Configure.__globals__["configure"] = lambda _: None  # the settings of this process are those of all tests
        return found

    def ask(self, kind: str, door: Adapter, what: str, request: Any) -> Any:
        """See Through; a failure has the name of its class before it, and where Python prints it no traceback."""
        self.servicer.Configure.__globals__["_PROVIDER_CACHE"][kind] = door
        with mock.patch.object(sys, "tracebacklimit", 0, create=True):
            try:
                return getattr(self.servicer, what)(request, _Context())
            except Aborted as told:
                before, ours, text = str(told).partition("kf: ")
                assert ours, before
                raise Failure(text.removesuffix("\n")) from None


class Plugin:
    """The plugin's own servicer."""

    secrets = True

    def __init__(self) -> None:
        self.loop, self.servicer = asyncio.new_event_loop(), Servicer("")

    def ask(self, kind: str, door: Adapter, what: str, request: Any) -> Any:
        """See Through."""
        self.servicer.doors = {seam.token(kind, plugin=True): door}
        try:
            return self.loop.run_until_complete(getattr(self.servicer, what)(request, cast(Any, _AsyncContext())))
        except Aborted as told:
            raise Failure(str(told)) from None


class Served:
    """A room that is asked through the adapter of this test."""

    def __init__(self, kind: str, door: Adapter, room: Room) -> None:
        self._kind, self._door, self._door.room = kind, door, room
        self._urn = f"urn:pulumi:dev::shop::{seam.token(kind, plugin=seam.in_plugin())}::it"

    def check(self, olds: Props, news: Props) -> CheckResult:
        """As all that follows: see `provider.hosting.Room`."""
        request = proto.CheckRequest(
            urn=self._urn, olds=self._written(olds) if olds else None, news=self._written(news)
        )
        found = self._ask("Check", request)
        failures = [CheckFailure(one.property, one.reason) for one in found.failures]
        return CheckResult(self._read(found.inputs), failures)

    def diff(self, olds: Props, news: Props) -> DiffResult:
        request = proto.DiffRequest(urn=self._urn, id="id", olds=self._written(olds), news=self._written(news))
        found = self._ask("Diff", request)
        return DiffResult(found.changes == proto.DiffResponse.DIFF_SOME, list(found.replaces) or None)

    def create(self, news: Props) -> CreateResult:
        found = self._ask("Create", proto.CreateRequest(urn=self._urn, properties=self._written(news)))
        return CreateResult(found.id, self._read(found.properties))

    def read(self, id_: str, props: Props) -> ReadResult:
        found = self._ask("Read", proto.ReadRequest(urn=self._urn, id=id_, properties=self._written(props)))
        return ReadResult(found.id, self._read(found.properties))

    def update(self, olds: Props, news: Props) -> UpdateResult:
        request = proto.UpdateRequest(urn=self._urn, id="id", olds=self._written(olds), news=self._written(news))
        return UpdateResult(self._read(self._ask("Update", request).properties))

    def delete(self, props: Props) -> None:
        self._ask("Delete", proto.DeleteRequest(urn=self._urn, id="id", properties=self._written(props)))

    def _ask(self, what: str, request: Any) -> Any:
        sent = type(request).FromString(request.SerializeToString())
        return _through().ask(self._kind, self._door, what, sent)

    def _written(self, given: Props) -> struct_pb2.Struct:
        secrets = _through().secrets
        found = _serialized(given if secrets else {**given, OF_HOST: self._kind})
        for name in SECRET if secrets else ():
            if name in found.fields:
                found.fields[name].CopyFrom(wire.hidden(found.fields[name]))
        return found

    def _read(self, answer: struct_pb2.Struct) -> Props:
        found = {name: wire.read(it) for name, it in answer.fields.items() if name != OF_HOST}
        known = {name for name in SECRET if name in found} if _through().secrets else set()
        assert {name for name, it in found.items() if it.holds_secret()} == known, (
            "secret is again what was, and nothing else"
        )
        return {name: it.plain() for name, it in found.items()}


def _serialized(given: Props) -> struct_pb2.Struct:
    made: list[struct_pb2.Struct] = []

    async def serialize() -> None:
        made.append(await rpc.serialize_properties(given, {}))

    with suppress(StopIteration):  # nothing in it has to be waited for
        serialize().send(None)
    return made[0]


_adapters: dict[str, Callable[[], Through]] = {"dynamic": functools.cache(Dynamic), "plugin": functools.cache(Plugin)}
_used = ["dynamic"]


def _through() -> Through:
    return _adapters[_used[-1]]()


@pytest.fixture(params=[*_adapters])
def adapter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its name; a module's tests are run through both with `pytestmark = pytest.mark.usefixtures("adapter")`."""
    name = str(request.param)
    monkeypatch.setattr(seam, "_process", seam._Process(plugin=name == "plugin"))
    _used.append(name)
    yield name
    _used.pop()


def Runs(preview: Preview) -> Served:
    return Served("Run", RunProvider(), RunRoom(preview))


def Histories(preview: Preview) -> Served:
    return Served("History", HistoryProvider(), HistoryRoom(preview))


def Calendars(preview: Preview) -> Served:
    return Served("Calendar", CalendarProvider(), CalendarRoom(preview))
