"""The engine that a process works for: where it is, and that the process ends when it is gone.

The engine ends its providers when an update is over, but one that is killed tells nobody: the provider's process would
stay for ever, with 75 MB. So it looks whether the engine's address still answers. What it has begun it ends first:
tasks are followed to their end, and how they ended is written on their runs. The program's process stays, too: the SDK
waits for the answers of an engine that gives none any more, and Pulumi's language host, which looks after its engine
every five minutes, waits for the program.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS, CONNECT_SECONDS = 10.0, 5.0
REFUSALS = 2  # in a row, after which it is gone

_lock = threading.Lock()
_under_way = 0


def address() -> str:
    """The engine's `host:port`, the last argument of the process; empty without an engine."""
    return _place(sys.argv[-1]) if len(sys.argv) > 1 else ""


def _of_program() -> str:
    """The engine's address in the process of a Python program, which Pulumi's language host has started."""
    given = sys.orig_argv
    if not {"--monitor", "--engine"} <= {*given[:-1]}:
        return ""
    return _place(given[given.index("--engine") + 1])


def _place(text: str) -> str:
    host, _, port = text.rpartition(":")
    return text if host and port.isdigit() else ""


def stores_at_once() -> bool:
    """Whether the engine writes what it is answered into the state at once, and not only when the update has ended.

    Until it is written a kill loses it, so nothing may be told the cluster that relies on it.
    """
    return os.environ.get("PULUMI_SKIP_CHECKPOINTS", "").lower() not in ("1", "true")  # as the engine reads it


@contextmanager
def work() -> Iterator[None]:
    """Holds the process while something is done in it."""
    global _under_way
    with _lock:
        _under_way += 1
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1


def answers(at: str) -> bool:
    """Whether somebody listens at `host:port`; only a refusal tells that nobody does."""
    host, _, port = at.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except ConnectionRefusedError:
        return False
    except OSError:  # this process has no socket left, for example
        return True
    return True


def outlive(
    at: str,
    end: Callable[[], None],
    answers: Callable[[str], bool] = answers,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Blocks until the engine at `at` is gone and nothing is under way any more, and calls `end`.

    An address at which nobody ever answered is not the engine's: then it returns at once.
    """
    if not answers(at):
        return
    refused = 0
    while refused < REFUSALS:
        wait(LOOK_SECONDS)
        refused = 0 if answers(at) else refused + 1
    while _under_way:
        wait(1.0)
    end()


@functools.cache
def watch() -> None:
    """Ends this process, a provider's or a program's, after its engine, if it has one."""
    at = address() or _of_program()
    if at:
        # Nothing of ours is left to clean up: temporary files have no name, or go with the work that needs them.
        arguments = (at, lambda: os._exit(0))
        threading.Thread(target=outlive, args=arguments, daemon=True, name="watch of the engine").start()
