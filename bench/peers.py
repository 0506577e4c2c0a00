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


KWOK = Tool(
    "kwok",
    "kwok 0.8.0",
    "kwok",
    {"bin/kwok": "sigs.k8s.io/kwok/cmd/kwok"},
    ("sigs.k8s.io/kwok/pkg/consts.Version=0.8.0",),
)
ORAS = Tool("oras", "oras 1.3.6", "oras", {"bin/oras": "oras.land/oras/cmd/oras"})


def tkn() -> str:
    """The path of Tekton's own command line."""
    return _built(TKN)


def oras() -> str:
    """The path of the command line that keeps any files in a registry."""
    return _built(ORAS)


def kwok() -> str:
    """The path of the command that plays the kubelets of nodes that do not exist."""
    return _built(KWOK)


@functools.cache
def _built(tool: Tool) -> str:
    cache = caches.Cache(caches.root(os.environ))
    steps = Steps()
    key = tools.key(tool, toolchain.go_version(os.environ))
    entry = cache.entry(tool.name, key)
    if not entry.is_dir():
        with cache.lock("build", steps):
            cache.fill(tool.name, key, toolchain.maker(tool, os.environ, steps))
    return str(entry / next(iter(tool.packages)))
