"""The peers that no machine has by itself: built once into the sandbox's cache, like its own tools."""

from __future__ import annotations

import functools
import os

from sandbox import cache as caches
from sandbox import toolchain, tools
from sandbox.steps import Steps
from sandbox.tools import Tool

TKN = Tool(
    "tkn",
    "tkn 0.46.0",
    "tkn",
    {"bin/tkn": "github.com/tektoncd/cli/cmd/tkn"},
    ("github.com/tektoncd/cli/pkg/cmd/version.clientVersion=0.46.0",),
)


@functools.cache
def tkn() -> str:
    """The path of Tekton's own command line."""
    cache = caches.Cache(caches.root(os.environ))
    steps = Steps()
    key = tools.key(TKN, toolchain.go_version(os.environ))
    with cache.lock("build", steps):
        entry = cache.fill(TKN.name, key, toolchain.maker(TKN, os.environ, steps))
    return str(entry / "bin/tkn")
