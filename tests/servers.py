"""The servers of the examples as processes of this machine, where they are built (`make extras`)."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox import cache
from sandbox.extras import Extras
from sandbox.steps import Steps
from sandbox.tools import Tool


def program(tool: Tool) -> Path | None:
    """The program of a server, None where it is not built."""
    return Extras(cache.Cache(cache.root(os.environ)), os.environ, Steps()).program(tool)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@contextmanager
def running(command: Sequence[str | Path], env: Mapping[str, str], *ports: int) -> Iterator[None]:
    """A process, from when it listens at its ports until its end."""
    silent = subprocess.DEVNULL
    with subprocess.Popen([str(word) for word in command], env=env, stdout=silent, stderr=silent) as process:
        try:
            for port in ports:
                while not _listens(port):
                    assert process.poll() is None, f"{command[0]} has ended"
                    time.sleep(0.05)
            yield
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
