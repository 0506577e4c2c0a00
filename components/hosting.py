"""The dynamic provider host as we need it: errors without a traceback, and enough threads to follow every task.

The host reports an exception as Python's traceback and serves four requests at once; a fifth task
would wait, unseen, until one of the first four has ended.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .core.errors import InvalidInput
from .errors import ClusterError

T = TypeVar("T")
THREADS = 512

# A class of `builtins` is printed by its name alone: `kf: <text>` instead of `components.hosting.Failure: <text>`.
Failure: type[Exception] = type("kf", (Exception,), {"__module__": "builtins"})


def prepare() -> None:
    """Applies to the provider process; called once from `configure`."""
    sys.tracebacklimit = 0
    for candidate in gc.get_objects():
        if isinstance(candidate, ThreadPoolExecutor) and candidate._max_workers < THREADS:
            candidate._max_workers = THREADS


def plainly(work: Callable[[], T]) -> T:
    """Runs `work`; what the cluster or the input did wrong is raised with its text alone."""
    try:
        return work()
    except (ClusterError, InvalidInput) as error:
        raise Failure(str(error)) from None
