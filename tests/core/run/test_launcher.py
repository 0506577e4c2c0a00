"""What a task of an image executes that buildpacks made."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run.launcher import Processes, Start

PROCESSES: dict[str, Any] = {"default": "web", "types": ["web", "worker"]}
LAUNCHER = "/cnb/lifecycle/launcher"


def argv(
    command: Any = None, args: Any = None, of_app: Any = None, app_args: Any = None, **processes: Any
) -> list[str]:
    start = Start(of_app, app_args, LAUNCHER, Processes.of({**PROCESSES, **processes}))
    return start.argv("task 't'", command, args)


def test_what_is_executed_goes_through_the_launcher() -> None:
    assert argv("a && b") == [LAUNCHER, "a && b"]
    assert argv(["a", "b"], ["c"]) == [LAUNCHER, "--", "a", "b", "c"]
    assert argv(["/cnb/process/worker"], ["c"]) == ["/cnb/process/worker", "c"]
    assert argv() == ["/cnb/process/web"] and argv(args=["c"]) == ["/cnb/process/web", "c"]


def test_a_task_inherits_the_command_of_its_app_but_not_its_args_alone() -> None:
    assert argv(of_app=["a"], app_args=["b"]) == [LAUNCHER, "--", "a", "b"]
    assert argv(of_app="a") == [LAUNCHER, "a"] and argv("b", of_app="a", app_args=["c"]) == [LAUNCHER, "b"]
    assert argv(args=["b"], of_app="a", app_args=["c"]) == ["/cnb/process/web", "b"]


def test_what_cannot_be_started_is_said() -> None:
    with pytest.raises(
        InvalidInput, match=r"Start command not found .*\(task 't'\): .* its process types are web, worker"
    ):
        argv(default="")
    with pytest.raises(InvalidInput, match="it has no processes"):
        argv(default="", types=[])
    with pytest.raises(InvalidInput, match="args need a list command: a string command is given to bash"):
        argv("a", ["b"])
    with pytest.raises(InvalidInput, match="the command is empty"):
        argv([])


def test_another_image_has_no_launcher() -> None:
    start = Start(command="a")
    assert start.argv("task") == ["/bin/sh", "-c", "a"] and start.is_command
    assert not Start().is_command and Start(entrypoint="run").is_command
    assert Start(processes=Processes.of(PROCESSES)).is_command
    assert not Start(processes=Processes.of({**PROCESSES, "default": ""})).is_command
