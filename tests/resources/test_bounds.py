"""A Space's own quota and limit range beside what its Apps and tasks ask for: said before anything is changed."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from kf_tasks import App, Space, Task, TaskSchedule

from .test_components import run


@pytest.mark.parametrize(
    ("space", "task", "said"),
    [
        ({"quota": {"memory": "100M"}}, {"memory": "128M"},
         "task 'big' of app 'shop': its memory of 128Mi is more than the whole quota of space 'dev' "
         "(requests.memory: 100Mi), so that it can never start: lower it, or raise the quota"),
        ({"quota": {"memory": "100M"}, "memory": "1G"}, {}, "its memory of 1Gi is more than the whole quota"),
        ({"limit_range": {"max": {"cpu": 1}}}, {"cpu": 2}, "its cpu of 2 is more than limit_range of space 'dev'"),
    ],
)  # fmt: skip
def test_a_task_that_can_never_have_a_pod(space: dict[str, Any], task: dict[str, Any], said: str) -> None:
    with pytest.raises(pulumi.RunError) as error:
        run(lambda: Task("big", app=App("shop", space=Space("dev", **space), image="i", command="x"), **task))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (False, "app 'shop': its PipelineRun has 1,20"),
        (True, "app 'shop': env, the secret variables together, has 1,200,000 bytes, Kubernetes allows 1,048,576"),
    ],
)
def test_variables_that_are_too_large_together(secret: bool, said: str) -> None:
    text = "x" * 120_000
    env = {f"V{number}": pulumi.Output.secret(text) if secret else text for number in range(10)}
    with pytest.raises(pulumi.RunError) as error:
        run(lambda: App("shop", space=Space("dev"), image="i", command="x", env=env), preview=True)
    assert str(error.value).startswith(said)


def test_the_pod_that_starts_a_schedules_task() -> None:
    space: dict[str, Any] = {"memory": "32M", "limit_range": {"max": {"memory": "64M"}}}
    with pytest.raises(
        pulumi.RunError, match="the pod that starts job 'tick' of app 'shop': its memory of 128Mi is more"
    ):
        run(lambda: TaskSchedule("tick", app=App("shop", space=Space("dev", **space), image="i", command="x")))


def test_finished_tasks_that_fill_a_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))

    def program() -> None:
        space = Space("dev", quota={"count/pods": 50}, keep=20)
        for name in ("one", "two", "three", "four"):
            App(name, space=space, image="i", command="x")

    run(program)
    assert said == [
        "app 'three' keeps 20 finished tasks with their objects, which makes 60 in space 'dev': when they fill its "
        "quota (count/pods: 50) no task starts any more: keep fewer, or raise the quota"
    ]
