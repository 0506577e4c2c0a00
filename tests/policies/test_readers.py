"""What policies read: typed, at its default where it is left out, and None where it is not known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.policies import App, Deletion, Run, Task, apps, deletions, runs, spaces, tasks

from .arguments import Stack, Unknown, resource

KINDS = ("Space", "App", "Task", "TaskSchedule", "ServiceInstance", "Run", "History", "Calendar")
NAMES = (
    "name", "app", "task", "image", "keep", "max_age", "timeout", "command", "definition", "_starts", "_expired",
    "security_context", "volumes", "pod_spec", "schedule", "time_zone", "must_succeed", "env_names", "metadata", "data",
    "stringData", "log_archive", "security_groups", "when", "suspend",
)  # fmt: skip
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.builds(Unknown)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
)
anything = st.builds(
    lambda kind, props: resource(kind, **props), st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), values)
)


@given(anything)
def test_nothing_that_may_stand_in_an_input_stops_a_reader(args: Any) -> None:
    for reader in (spaces, apps, tasks, runs, deletions):
        list(reader(args))


def test_a_task_with_what_is_left_out_at_its_default() -> None:
    [task] = tasks(resource("Task", "shop-t", app="shop", task="t", timeout="1h30m0s", command=["echo", 1]))
    assert isinstance(task, Task) and str(task) == "task 't' of app 'shop'"
    assert (task.timeout, task.command, task.must_succeed, task.retries) == (5400, ["echo", "1"], True, 0)
    [job] = tasks(resource("TaskSchedule", app="shop", task="n", timeout="0s", schedule="@daily", must_succeed=False))
    assert (job.timeout, job.schedule, job.concurrency_policy, str(job)) == (
        None,
        "@daily",
        "Allow",
        "job 'n' of app 'shop'",
    )


def test_an_app_of_which_only_its_own_name_is_known() -> None:
    [app] = apps(resource("App", image=Unknown(), keep=Unknown(), security_context=Unknown(), stack="prod"))
    assert isinstance(app, App)
    assert (app.name, app.image, app.keep, app.security_context, app.stack) == ("shop", None, 500, {}, "prod")


def test_a_run_of_which_the_image_is_not_known_yet() -> None:
    definition = {
        "image": Unknown(),
        "argv": ["echo", Unknown()],
        "env": {"A": "1", "B": Unknown()},
        "secret_env": ["S"],
    }
    args = resource("Run", app="shop", task="t", _starts="may", _because="image is known only …", definition=definition)
    [run] = runs(args)
    assert isinstance(run, Run)
    assert (run.starts, run.image, run.argv, run.env, run.secret_env) == ("may", None, None, {"A": "1"}, ("S",))
    [build] = runs(resource("Run", app="shop.build", task="image", when="build", definition={"build": "x"}))
    assert build.builds and str(build) == "build of app 'shop'"


def test_a_stack_policy_reads_all_of_them() -> None:
    args = Stack(
        [resource("App", "a"), resource("App", "b"), resource("History", app="a", _expired=["a-t-1", "a-t-2"])]
    )
    assert [app.name for app in apps(args)] == ["a", "b"]
    [gone] = deletions(args)
    assert isinstance(gone, Deletion) and gone.runs == ("a-t-1", "a-t-2")
    assert list(deletions(resource("History", app="a", _expired=[]))) == []


def test_in_a_stack_of_the_plugin_runs_tell_what_goes_after_them() -> None:
    place = {"namespace": "dev", "app": "shop"}
    let_go = [resource("kf:index:Run", f"shop-{n}", **place, _expired=["r-1", "r-2"][: n + 1]) for n in range(2)]
    history = resource("kf:index:History", **place, _expired=[])
    other = resource("kf:index:Run", "other", namespace="prod", app="shop", _expired=["r-9"])
    [gone] = deletions(Stack([history, *let_go, other]))
    assert (gone.app, gone.runs) == ("shop", ("r-1", "r-2"))


@pytest.mark.parametrize("name", ["must_succeed", "mustSucceed"])
def test_inputs_in_the_spelling_of_other_languages(name: str) -> None:
    given: dict[str, Any] = {"app": "a", "task": "t", name: False}
    [task] = tasks(resource("Task", **given))
    assert not task.must_succeed
