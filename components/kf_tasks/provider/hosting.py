"""The dynamic provider host as we need it: errors without a traceback, and enough threads to follow every task.

The host reports an exception as Python's traceback, serves four requests at once, so that a fifth
task would wait, unseen, until one of the first four has ended, and ignores that an update is cancelled.

The program loads this module too, through the doors: it imports Pulumi and nothing that talks to a cluster.
"""

from __future__ import annotations

import functools
import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import Any, Protocol, TypeVar

from google.protobuf.empty_pb2 import Empty
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from ..core.errors import InvalidInput
from ..core.log.gate import harmless_data, shown
from ..errors import Trouble
from . import adapter, engine
from .reporting import say

T = TypeVar("T")
Props = dict[str, Any]
THREADS = 512

# A class of `builtins` is printed by its name alone: `kf: <text>` instead of that of its module and class.
Failure: type[Exception] = type("kf", (Exception,), {"__module__": "builtins"})


# Set when the engine cancels the update (Ctrl-C): whoever waits for a task stops waiting.
interrupted = threading.Event()


class Room(Protocol):
    """What one resource does in the provider's process, over inputs and outputs as plain data."""

    def check(self, olds: Props, news: Props) -> CheckResult:
        """What is wrong with the inputs, and the inputs with what was found out; `olds` is empty for a new one."""

    def diff(self, olds: Props, news: Props) -> DiffResult:
        """Whether the resource changes, and whether it is replaced."""

    def create(self, news: Props) -> CreateResult:
        """Makes it."""

    def read(self, id_: str, props: Props) -> ReadResult:
        """What is known of it by now."""

    def update(self, olds: Props, news: Props) -> UpdateResult:
        """Changes it."""

    def delete(self, props: Props) -> None:
        """Takes it away."""


class Adapter(ResourceProvider):
    """A door: the host's calls, passed on to the room that `configure` has opened.

    The program pickles a door by its class path alone; only the provider's process ever opens its room.
    """

    serialize_as_secret_always = False
    room: Room

    def configure(self, req: ConfigureRequest) -> None:
        """Makes the process ready; a subclass opens its room besides."""
        prepare()

    def check(self, olds: Props | None, news: Props) -> CheckResult:
        """See Room."""
        found = plainly(lambda: self.room.check(olds or {}, news))
        failures = [CheckFailure(one.property, shown(one.reason)) for one in found.failures]
        return CheckResult(_harmless(found.inputs, news), failures)

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """See Room."""
        return plainly(lambda: self.room.diff(olds, news))

    def create(self, props: Props) -> CreateResult:
        """See Room."""
        found = plainly(lambda: self.room.create(props))
        return CreateResult(found.id, _harmless(found.outs, props))

    def read(self, id_: str, props: Props) -> ReadResult:
        """See Room."""
        found = plainly(lambda: self.room.read(id_, props))
        return ReadResult(found.id, _harmless(found.outs, props))

    def update(self, _id: str, olds: Props, news: Props) -> UpdateResult:
        """See Room."""
        found = plainly(lambda: self.room.update(olds, news))
        return UpdateResult(_harmless(found.outs, news, olds))

    def delete(self, _id: str, props: Props) -> None:
        """See Room."""
        plainly(lambda: self.room.delete(props))


@functools.cache
def prepare() -> None:
    """Makes the provider's process fit, once; where the host is built in another way, says what is missed."""
    engine.watch()
    if adapter.in_plugin():  # which hears and words its errors itself, and has as many threads as it wants
        return
    sys.tracebacklimit = 0
    missed = [text for done, text in ((_hear_cancel(), _NO_CANCEL), (_widen(), _NO_THREADS)) if not done]
    if missed:
        text = "this Pulumi SDK hosts the provider of kf-tasks in another way than is known"
        say(
            "",
            f"{text}: {'; '.join(missed)}. All else works; use one in the bounds that kf-tasks requires",
            warning=True,
        )


_NO_CANCEL = "Ctrl-C does not end the waiting for a task (end the task with kf terminate-task)"
_NO_THREADS = "no more tasks are followed at once than it has threads"


def _hear_cancel() -> bool:
    """Whether the host tells us that an update is cancelled."""
    servicer = getattr(sys.modules["__main__"], "DynamicResourceProviderServicer", None)
    cancel = getattr(servicer, "Cancel", None)
    if not isinstance(cancel, FunctionType) or cancel.__closure__:  # there is none, or it is decorated
        return False
    # The host's server holds the method itself, so its body is what can be exchanged.
    cancel.__code__, cancel.__defaults__ = _cancel.__code__, _cancel.__defaults__
    return True


def _cancel(self, request, context, heard=interrupted, answer=Empty):  # type: ignore[no-untyped-def]
    heard.set()  # this runs with the host's globals: all that it needs comes as a default
    return answer()


def _widen() -> bool:
    """Whether the host serves as many requests at once as there may be tasks."""
    pools = [found for found in gc.get_objects() if isinstance(found, ThreadPoolExecutor)]
    known = [pool for pool in pools if isinstance(getattr(pool, "_max_workers", None), int)]
    for pool in known:
        pool._max_workers = max(pool._max_workers, THREADS)
    return bool(known)


def plainly(work: Callable[[], T]) -> T:
    """Runs `work`; trouble and bad input are raised with its text alone."""
    try:
        with engine.work():
            return work()
    except (Trouble, InvalidInput, Failure) as error:
        raise Failure(shown(str(error))) from None


def _harmless(found: Props | None, *given: Props) -> Props:
    """What a room has found out, harmless to whoever prints it; what it was given stays to the letter."""
    return {
        name: item if any(name in one and one[name] == item for one in given) else harmless_data(item)
        for name, item in (found or {}).items()
    }
