"""What holds for all tests: a busy machine is slow, and no property fails for that; and what tests cost.

What they import stays until the end, and so does what a file of them leaves, with its threads. It is told apart from
garbage once, after which the collector does not look at it again: a full collection, with which each program under
Pulumi's mocks ends, then takes a tenth of its time.
Coverage is traced where it tells something: tracing takes as long again as what is traced, and of a program under the
mocks twice as long.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# Chance looks for faults where somebody is there to mend them: a change is judged by the same examples each time.
settings.register_profile("kf", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("kf")
gc.disable()  # until all is imported

TESTS = Path(__file__).parent
CORE, RESOURCES = TESTS / "core", TESTS / "resources"
# Properties that go through lines of the core which no example goes through; others repeat what examples have done.
TRACED = {CORE / "log/test_masked_stream.py", CORE / "source/test_tree.py", *CORE.glob("review/*.py")}
# So do programs under the mocks repeat what these have done.
TRACED |= {RESOURCES / f"test_{name}.py" for name in ("bounds", "components", "service", "task_schedule")}
PROGRAMS = {RESOURCES, *(TESTS / name for name in ("docs", "examples", "package", "plugin", "policies"))}


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Only the core is imported traced, not what tests import beside it."""
    plugin = session.config.pluginmanager.getplugin("_cov")
    controller = plugin and plugin.cov_controller
    if not controller or not controller.started:
        return (yield)
    import kf_tasks.core

    for found in pkgutil.walk_packages(kf_tasks.core.__path__, "kf_tasks.core."):
        importlib.import_module(found.name)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After hypothesis has marked its own."""
    for item in items:
        repeats = item.get_closest_marker("hypothesis") or not PROGRAMS.isdisjoint(item.path.parents)
        if repeats and item.path not in TRACED:
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """What is made from now on may become garbage."""
    gc.enable()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """What the last test of a file leaves behind stays."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()
