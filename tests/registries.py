"""Debian's image registry, started for a test with settings of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("docker-registry")
USER, PASSWORD = "kf", "secret"
HASHES = "kf:$2b$05$JYbPwgh2RvlT73QhH0Lk9.XY00xFpIhccpDont5/1z5I7lZzoSwIu\n"


@contextmanager
def serve(folder: Path, host: str = "127.0.0.1", storage: Any = None, locked: bool = False) -> Iterator[str]:
    """A registry that keeps its content in `folder/registry`; its address. `locked` wants USER and PASSWORD."""
    if PROGRAM is None:
        pytest.skip("docker-registry is not installed")
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    (folder / "htpasswd").write_text(HASHES)
    auth = {"auth": {"htpasswd": {"realm": "kf", "path": str(folder / "htpasswd")}}} if locked else {}
    disk = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    settings = {
        "version": "0.1", "log": {"level": "error"}, "http": {"addr": f"{host}:{port}"},
        "storage": {**disk, **(storage or {})}, **auth,
    }  # fmt: skip
    (folder / "config.yml").write_text(json.dumps(settings))
    command = [PROGRAM, "serve", str(folder / "config.yml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(400):
                try:
                    socket.create_connection((host, port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"{host}:{port}"
        finally:
            process.kill()
