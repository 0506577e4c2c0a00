"""The program finds the approval before it registers anything, and refuses one that cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from kf_tasks import App, Space, Task, TaskSchedule
from kf_tasks.core.approval import Approval, Times

from .test_components import Registered, run

NIGHT = Times("dev", "shop", "n", "0 3 * * *", "Etc/UTC")


def registered(schedule: str = "0 3 * * *") -> Registered:
    def program() -> None:
        app = App("shop", space=Space("dev"), image="i", command="c")
        Task("t", app=app)
        TaskSchedule("n", app=app, schedule=schedule)

    return run(program)


def approval(**more: Any) -> str:
    return Approval("shop.dev", "a", "b", **more).text()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KF_APPROVED", "approved.json")
    return tmp_path / "approved.json"


def test_where_it_is_is_an_input_and_is_there_only_with_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(approval())
    found = registered()
    told = {urn: inputs["__approved"] for urn, inputs in found.inputs.items() if "__approved" in inputs}
    assert {urn.split(":")[-1] for urn in told} == {"shop", "shop-t", "shop-n"}
    assert set(told.values()) == {str(file)}
    monkeypatch.delenv("KF_APPROVED")
    assert "__approved" not in str(registered().inputs)


def test_the_configuration_names_one_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KF_APPROVED")
    pulumi.runtime.set_all_config({"kf:approved": "approved.json"})
    try:
        with pytest.raises(pulumi.RunError, match=r"approved\.json cannot be read: No such file"):
            registered()
    finally:
        pulumi.runtime.set_all_config({})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hello", "is no approval: write one with kf review --approve FILE"),
        (approval().replace("dev", "prod"), "was edited"),
        (Approval("shop.prod", "a", "b").text(), "approves an update of stack 'shop.prod', and this is 'shop.dev'"),
    ],
)
def test_one_that_cannot_be_meant_ends_the_program(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(pulumi.RunError, match=sentence):
        registered()


def test_a_schedule_is_refused_before_its_cron_job_is_changed(file: Path) -> None:
    file.write_text(approval(schedules=(NIGHT,), complete=True))
    registered()
    with pytest.raises(pulumi.RunError, match=r"job 'n' of app 'shop' becomes '0 4 \* \* \*'.* approved is '0 3"):
        registered("0 4 * * *")
    file.write_text(approval())  # of a digest, which does not tell of schedules that stay: the provider decides
    registered("0 4 * * *")
