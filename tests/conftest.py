"""What holds for all tests: a busy machine is slow, and no property fails for that.

What tests import stays until the end. It is told apart from garbage once, after which the collector does not look at it
again: a full collection, with which each program under Pulumi's mocks ends, then takes a tenth of its time.
"""

from __future__ import annotations

import gc

from hypothesis import settings

settings.register_profile("kf", deadline=None)
settings.load_profile("kf")
gc.disable()  # until all is imported


def pytest_collection_finish() -> None:
    """What is made from now on may become garbage."""
    gc.enable()
    gc.freeze()
