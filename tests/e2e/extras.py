"""The images of the examples' servers and clients, where they are built."""

from __future__ import annotations

import functools
import os

import pytest

from sandbox import cache, registry
from sandbox.extras import Extras
from sandbox.steps import Steps


@functools.cache
def _extras() -> Extras:
    return Extras(cache.Cache(cache.root(os.environ)), os.environ, Steps())


@functools.cache
def pushed(name: str) -> str:
    """The name of an image in the sandbox's registry; a test that needs a server which is not built is skipped."""
    if _extras().missing([name]):
        pytest.skip(f"{' and '.join(_extras().missing())} not built: `make extras` does it")
    image = _extras().pack([name])[name]
    registry.push(os.environ["SANDBOX_REGISTRY"], [image])
    return image.at(os.environ["SANDBOX_REGISTRY"])  # by its digest: a node keeps what it has once pulled under a tag
