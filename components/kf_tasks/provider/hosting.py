"""The dynamic provider host as we need it: errors without a traceback, and enough threads to follow every task.

The host reports an exception as Python's traceback, serves four requests at once, so that a fifth
task would wait, unseen, until one of the first four has ended, and ignores that an update is cancelled.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..core.errors import InvalidInput
from ..errors import Trouble

T = TypeVar("T")
THREADS = 512

# A class of `builtins` is printed by its name alone: `kf: <text>` instead of that of its module and class.
Failure: type[Exception] = type("kf", (Exception,), {"__module__": "builtins"})


# Set when the engine cancels the update (Ctrl-C): whoever waits for a task stops waiting.
interrupted = threading.Event()


def prepare() -> None:
    """Applies to the provider process; called once from `configure`."""
    sys.tracebacklimit = 0
    servicer = getattr(sys.modules["__main__"], "DynamicResourceProviderServicer", None)
    if servicer:  # the host's server holds the method itself, so its body is what can be exchanged
        servicer.Cancel.__code__ = _cancel.__code__
    for candidate in gc.get_objects():
        if isinstance(candidate, ThreadPoolExecutor) and candidate._max_workers < THREADS:
            candidate._max_workers = THREADS


def _cancel(self, request, context):  # type: ignore[no-untyped-def]
    from . import hosting  # runs with the host's globals

    hosting.interrupted.set()
    return empty_pb2.Empty()  # type: ignore[name-defined] # noqa: F821


def plainly(work: Callable[[], T]) -> T:
    """Runs `work`; trouble and bad input are raised with its text alone."""
    try:
        return work()
    except (Trouble, InvalidInput) as error:
        raise Failure(str(error)) from None
