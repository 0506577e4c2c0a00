"""What every state file refers to and must therefore never change.

A type token is part of a URN: another one replaces every resource. The pickled provider is an
input of every record: other bytes update every Run of every user, and a class that cannot be
found any more makes their stacks unusable. A module that moves leaves a re-exporting one behind.
"""

from __future__ import annotations

import base64
import pickle
import pickletools

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from components.app import App
from components.calendar import Calendar, CalendarProvider
from components.history import History, HistoryProvider
from components.run import Run, RunProvider
from components.schedule import TaskSchedule
from components.service import ServiceInstance
from components.space import Space
from components.task import Task

from .test_components import run, types

PICKLED = {
    RunProvider: "gASVJQAAAAAAAACMDmNvbXBvbmVudHMucnVulIwLUnVuUHJvdmlkZXKUk5QpgZQu",
    CalendarProvider: "gASVLwAAAAAAAACME2NvbXBvbmVudHMuY2FsZW5kYXKUjBBDYWxlbmRhclByb3ZpZGVylJOUKYGULg==",
    HistoryProvider: "gASVLQAAAAAAAACMEmNvbXBvbmVudHMuaGlzdG9yeZSMD0hpc3RvcnlQcm92aWRlcpSTlCmBlC4=",
}


@pytest.mark.parametrize("provider", list(PICKLED), ids=lambda provider: provider.__name__)
def test_the_pickled_reference(provider: type) -> None:
    assert serialize_provider(provider()) == PICKLED[provider]
    assert type(pickle.loads(base64.b64decode(PICKLED[provider]))) is provider


@pytest.mark.parametrize("provider", list(PICKLED), ids=lambda provider: provider.__name__)
def test_a_provider_is_a_reference_to_its_class_and_carries_nothing(provider: type) -> None:
    assert "__init__" not in vars(provider)
    assert vars(provider()) == {}
    operations = [operation.name for operation, *_ in pickletools.genops(base64.b64decode(PICKLED[provider]))]
    assert operations == [
        "PROTO", "FRAME", "SHORT_BINUNICODE", "MEMOIZE", "SHORT_BINUNICODE", "MEMOIZE", "STACK_GLOBAL", "MEMOIZE",
        "EMPTY_TUPLE", "NEWOBJ", "MEMOIZE", "STOP",
    ]  # fmt: skip


@pytest.mark.parametrize("provider", list(PICKLED), ids=lambda provider: provider.__name__)
def test_the_state_stays_readable(provider: type) -> None:
    """Pulumi encrypts a provider by default; then every Run looks changed when the passphrase provider does."""
    assert vars(provider)["serialize_as_secret_always"] is False


def test_the_type_tokens() -> None:
    def program() -> None:
        space = Space("dev")
        services = [ServiceInstance("db", space=space)]
        app = App("shop", space=space, image="i", command="x", services=services)
        Task("migrate", app=app)
        TaskSchedule("nightly", app=app)

    found = run(program)
    assert {token for token in types(found) if "kf" in token} == {
        "kf:index:Space",
        "kf:index:App",
        "kf:index:ServiceInstance",
        "kf:index:Task",
        "kf:index:TaskSchedule",
        "pulumi-python:dynamic/kf:Calendar",
        "pulumi-python:dynamic/kf:Run",
        "pulumi-python:dynamic/kf:History",
    }
    assert found["kf:index:Task$pulumi-python:dynamic/kf:Run::shop-migrate"]["__provider"] == PICKLED[RunProvider]
    assert found["pulumi-python:dynamic/kf:History::shop"]["__provider"] == PICKLED[HistoryProvider]


def test_the_class_paths() -> None:
    classes = (RunProvider, HistoryProvider, CalendarProvider, Run, History, Calendar)
    assert [f"{cls.__module__}.{cls.__qualname__}" for cls in classes] == [
        "components.run.RunProvider",
        "components.history.HistoryProvider",
        "components.calendar.CalendarProvider",
        "components.run.Run",
        "components.history.History",
        "components.calendar.Calendar",
    ]
