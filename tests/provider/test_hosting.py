"""The provider's process is made fit where the host can be, and where not, all goes on and what is missed is said."""

from __future__ import annotations

import functools
import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
from kf_tasks.calendar import CalendarProvider
from kf_tasks.core.errors import InvalidInput
from kf_tasks.errors import Denied
from kf_tasks.provider import hosting
from pulumi.dynamic.dynamic import serialize_provider

NO_CANCEL = "Ctrl-C does not end the waiting for a task"
NO_THREADS = "no more tasks are followed at once than it has threads"


def test_the_host_of_this_sdk_hears_of_a_cancelled_update_and_serves_every_task() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.provider.host", serialize_provider(CalendarProvider())],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    heard, threads, said = json.loads(done.stdout)
    assert heard and threads == hosting.THREADS
    assert "next times: " in said and "in another way than is known" not in said


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    lines: list[str] = []

    def say(urn: str, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        assert not urn and warning and not ephemeral
        lines.append(text)

    monkeypatch.setattr(hosting, "say", say)
    monkeypatch.setattr(sys, "tracebacklimit", 1, raising=False)
    hosting.prepare.cache_clear()
    yield lines
    hosting.prepare.cache_clear()


def host(monkeypatch: pytest.MonkeyPatch, cancel: Callable[..., Any] | None, pools: list[Any]) -> None:
    """A host whose `Cancel` is this one, None where it has no such class, and whose pools are these."""
    main = ModuleType("__main__")
    if cancel:
        main.DynamicResourceProviderServicer = type("Servicer", (), {"Cancel": cancel})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(gc, "get_objects", lambda: pools)


def plain(self: Any, request: Any, context: Any) -> str:
    return "not heard"


def decorated(work: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(work)
    def wrapper(self: Any, request: Any, context: Any) -> Any:
        return work(self, request, context)

    return wrapper


class Unlike:
    """A method of another kind than a function."""

    def __call__(self, *_: Any) -> str:
        return "not heard"


@pytest.mark.parametrize("cancel", [decorated(plain), Unlike(), None], ids=["decorated", "no function", "no servicer"])
def test_a_host_that_cannot_tell_is_warned_of_once(
    cancel: Callable[..., Any] | None, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ThreadPoolExecutor(4)
    host(monkeypatch, cancel, [pool])
    for _ in range(5):
        hosting.prepare()
    assert len(shown) == 1 and NO_CANCEL in shown[0] and NO_THREADS not in shown[0]
    assert pool._max_workers == hosting.THREADS


@pytest.mark.parametrize("pools", [[], [object.__new__(ThreadPoolExecutor)]], ids=["none", "of another build"])
def test_a_pool_that_is_not_found_is_warned_of(
    pools: list[Any], shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    host(monkeypatch, decorated(plain), pools)
    hosting.prepare()
    assert len(shown) == 1 and NO_CANCEL in shown[0] and NO_THREADS in shown[0]


def test_a_fit_host_is_not_spoken_of(shown: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel(self: Any, request: Any, context: Any) -> str:
        return "not heard"

    host(monkeypatch, cancel, [ThreadPoolExecutor(4)])
    hosting.prepare()
    assert shown == []
    try:
        assert type(cancel(None, None, None)).__name__ == "Empty" and hosting.interrupted.is_set()
    finally:
        hosting.interrupted.clear()


@pytest.mark.parametrize("error", [Denied("no"), InvalidInput("no")])
def test_what_went_wrong_is_told_by_its_text_alone(error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(hosting.Failure) as raised:
        hosting.plainly(work)
    assert f"{raised.type.__module__}.{raised.type.__name__}: {raised.value}" == "builtins.kf: no"
    assert raised.value.__suppress_context__
    with pytest.raises(ZeroDivisionError):
        hosting.plainly(lambda: 1 / 0)


def test_the_program_has_no_client() -> None:
    code = "import sys, kf_tasks.run, kf_tasks.history, kf_tasks.calendar; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "kf_tasks.provider.hosting" in loaded
    rooms = {"kf_tasks.provider.run", "kf_tasks.provider.history", "kf_tasks.provider.calendar"}
    assert not rooms & {*loaded} and "kubernetes" not in loaded and "kf_tasks.cluster.client" not in loaded
