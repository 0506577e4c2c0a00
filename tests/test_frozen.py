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
from kf_tasks.calendar import Calendar, CalendarProvider
from kf_tasks.history import History, HistoryProvider
from kf_tasks.resources.app import App
from kf_tasks.resources.service import ServiceInstance
from kf_tasks.resources.space import Space
from kf_tasks.resources.task import Task
from kf_tasks.resources.task_schedule import TaskSchedule
from kf_tasks.run import Run, RunProvider
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from .resources.test_components import run, types

PICKLED: dict[type[ResourceProvider], str] = {
    RunProvider: "gASVIwAAAAAAAACMDGtmX3Rhc2tzLnJ1bpSMC1J1blByb3ZpZGVylJOUKYGULg==",
    CalendarProvider: "gASVLQAAAAAAAACMEWtmX3Rhc2tzLmNhbGVuZGFylIwQQ2FsZW5kYXJQcm92aWRlcpSTlCmBlC4=",
    HistoryProvider: "gASVKwAAAAAAAACMEGtmX3Rhc2tzLmhpc3RvcnmUjA9IaXN0b3J5UHJvdmlkZXKUk5QpgZQu",
}


@pytest.mark.parametrize("provider", list(PICKLED), ids=lambda provider: provider.__name__)
def test_the_pickled_reference(provider: type[ResourceProvider]) -> None:
    assert serialize_provider(provider()) == PICKLED[provider]
    assert type(pickle.loads(base64.b64decode(PICKLED[provider]))) is provider


@pytest.mark.parametrize("provider", list(PICKLED), ids=lambda provider: provider.__name__)
def test_a_provider_is_a_reference_to_its_class_and_carries_nothing(provider: type[ResourceProvider]) -> None:
    assert "__init__" not in vars(provider)
    assert vars(provider()) == {}
    operations = [operation.name for operation, *_ in pickletools.genops(base64.b64decode(PICKLED[provider]))]
    assert operations == [
        "PROTO", "FRAME", "SHORT_BINUNICODE", "MEMOIZE", "SHORT_BINUNICODE", "MEMOIZE", "STACK_GLOBAL", "MEMOIZE",
        "EMPTY_TUPLE", "NEWOBJ", "MEMOIZE", "STOP",
    ]  # fmt: skip


@pytest.mark.parametrize("provider", list(PICKLED), ids=lambda provider: provider.__name__)
def test_the_state_stays_readable(provider: type[ResourceProvider]) -> None:
    """Pulumi encrypts a provider by default; then every Run looks changed when the passphrase provider does."""
    assert provider.serialize_as_secret_always is False


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
        "kf_tasks.run.RunProvider",
        "kf_tasks.history.HistoryProvider",
        "kf_tasks.calendar.CalendarProvider",
        "kf_tasks.run.Run",
        "kf_tasks.history.History",
        "kf_tasks.calendar.Calendar",
    ]
