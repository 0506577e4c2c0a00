"""The plugin's process ends after its engine also where nothing but its schema was asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from kf_tasks.plugin import serving
from kf_tasks.provider import adapter, engine


def test_every_process_of_the_plugin_looks_after_its_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    async def serve() -> None:
        begun.append(f"serves in the plugin: {adapter.in_plugin()}")

    monkeypatch.setattr(adapter, "_process", adapter._Process())
    monkeypatch.setattr(engine, "watch", lambda: begun.append("watches"))
    monkeypatch.setattr(serving, "_serve", serve)
    # In a thread, for the current loop, which Pulumi's mocks use, is to stay that of other tests.
    with ThreadPoolExecutor() as process:
        process.submit(serving.serve).result()
    assert begun == ["watches", "serves in the plugin: True"]
