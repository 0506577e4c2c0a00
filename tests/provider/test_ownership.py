"""Whose an App is: by what the state holds of it, also where stack, project or App have got another name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pytest
from kf_tasks.core import marks
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.core.state import LOST
from kf_tasks.provider.adapter import alias_option, in_plugin, token
from kf_tasks.provider.survey import Survey
from kf_tasks.resources.app import _alias
from kf_tasks.resources.template import stack_id

from ..cluster.unwatched import Unwatched
from ..runs.test_submission import run
from .adapters import Histories, Runs
from .previews import Seen
from .test_lifecycle import NEWS, OLDS

pytestmark = pytest.mark.usefixtures("adapter")

URN = "urn:pulumi:dev::shop::my:Shop$kf:index:App::shop"
HISTORY: dict[str, Any] = {**NEWS, "owns_namespace": False, "stack_label": "shop.dev", "runs": [], "urn": URN}
RENAMED = {"stack": "shop.prod", "urn": URN.replace(":dev::", ":prod::")}


@pytest.fixture
def seen() -> Seen:
    return Seen(Survey(cluster="one", owner="shop.dev", owners={"shop": "shop.dev"}, runs=[run(1)]))


def test_a_stack_that_was_renamed_is_known_by_its_state(seen: Seen) -> None:
    assert not Runs(seen).check(OLDS, {**NEWS, **RENAMED}).failures
    new = Runs(seen).check({}, {**NEWS, **RENAMED, "task": "other"})
    assert not new.failures, "what is new beside it is known by what the state holds of others"
    found = Histories(seen).check(HISTORY, {**HISTORY, **RENAMED, "stack_label": "shop.prod"})
    assert not found.failures
    assert "this stack was 'shop.dev': what has run stays, and is found under its new name" in seen.said


@pytest.mark.parametrize("room", [Runs, Histories])
def test_another_stack_is_none_that_was_renamed(seen: Seen, room: Any) -> None:
    for olds in ({}, {**OLDS, **HISTORY, "stack": "shop.other"}, {**OLDS, **HISTORY, "namespace": "elsewhere"}):
        [failure] = room(seen).check(olds, {**HISTORY, **RENAMED}).failures
        assert failure.reason.startswith("app 'shop' in namespace 'shop' belongs to stack 'shop.dev': choose another")


def test_the_namespace_of_a_renamed_stack_is_still_its_own(seen: Seen) -> None:
    owning = {**HISTORY, "owns_namespace": True}
    renamed = {**owning, **RENAMED, "stack_label": "shop.prod"}
    assert not Histories(seen).check(owning, renamed).failures
    assert "belongs to stack 'shop.dev'" in Histories(Seen(seen.seen)).check({}, renamed).failures[0].reason


def test_an_app_of_another_name_does_not_take_the_runs_along() -> None:
    seen = Seen(Survey(owners={"shop": "shop.dev"}, urns={"shop": "my:Shop$kf:index:App::shop"}, runs=[run(1)]))
    assert not Histories(seen).check({}, HISTORY).failures, "its first update was killed"
    web = {**HISTORY, "urn": URN.replace("App::shop", "App::web")}
    [failure] = Histories(seen).check({}, web).failures
    assert alias_option("shop") in failure.reason
    assert f"choose another {'appName' if in_plugin() else 'app_name'}" in failure.reason
    assert not Histories(seen).check(HISTORY, web).failures, "with an alias the state has its record"
    assert Histories(seen).diff(HISTORY, web).changes and not Histories(seen).diff(HISTORY, web).replaces


class Cluster(Unwatched):
    """Holds runs, and what was done to them."""

    now = "2026-11-25T12:00:00Z"

    def __init__(self, *runs: RunSummary) -> None:
        self.runs, self.labelled, self.deleted = list(runs), dict[str, str](), list[str]()

    def list_runs(self, _namespace: str, _app: str, **_: Any) -> list[RunSummary]:
        return list(self.runs)

    def secrets(self, _namespace: str, _selector: str) -> list[Any]:
        return []

    def label_run(self, _namespace: str, name: str, labels: dict[str, str], _uid: str) -> dict[str, Any]:
        self.labelled[name] = labels[marks.STACK]
        return {"resourceVersion": "2", "labels": {**run(1).labels, **labels}}

    def note_pruned(self, *_: Any) -> None:
        pass

    def delete_runs(self, _namespace: str, runs: list[RunSummary], **_how: Any) -> list[str]:
        self.deleted += [one.name for one in runs]
        self.runs = [one for one in self.runs if one not in runs]
        return [one.name for one in runs]


def of_stack(attempt: int, stack: str) -> RunSummary:
    return replace(run(attempt), labels={**run(attempt).labels, marks.STACK: stack})


def test_an_update_gives_its_runs_their_new_name_and_an_end_deletes_no_others() -> None:
    ours, theirs = [of_stack(number, "shop.dev") for number in (1, 2, 3)], of_stack(4, "other.dev")
    cluster = Cluster(*ours, theirs)
    seen = Seen(Survey(), cluster)
    Histories(seen).update({**HISTORY, "keep": 9}, {**HISTORY, **RENAMED, "keep": 9})
    assert cluster.labelled == dict.fromkeys([one.name for one in ours], "shop.prod")
    Histories(seen).delete({**HISTORY, **RENAMED})
    assert cluster.runs == [theirs]


@pytest.mark.parametrize("runs", [[], [LOST]], ids=["all went well", "a Task has failed, and the update went on"])
@pytest.mark.parametrize(
    "olds", [{}, HISTORY], ids=["replaced", "its old record was left by an update that was killed"]
)
def test_a_history_that_is_replaced_in_its_place_leaves_the_runs_to_the_new_one(
    olds: dict[str, Any], runs: list[str]
) -> None:
    ours = [of_stack(number, "shop.dev") for number in (1, 2, 3, 4, 5)]
    cluster = Cluster(*ours)
    update = Seen(Survey(owner="shop.dev", runs=ours), cluster)
    assert not Histories(update).check(olds, {**HISTORY, "keep": 9, "runs": runs, "__preview": False}).failures
    if not olds:
        Histories(update).create({**HISTORY, "keep": 9})
    Histories(update).delete(HISTORY)
    assert cluster.runs == ours and "is replaced: its runs stay" in update.said[-1]


@pytest.mark.parametrize("other", [{"app": "web"}, {"namespace": "other"}, {"connection": {"context": "other"}}])
def test_a_history_that_keeps_house_elsewhere_keeps_no_runs_here(other: dict[str, Any]) -> None:
    cluster = Cluster(of_stack(1, "shop.dev"))
    update = Seen(Survey(owner="shop.dev"), cluster)
    assert not Histories(update).check(HISTORY, {**HISTORY, **other, "__preview": False}).failures and update.kept
    Histories(update).delete(HISTORY)
    assert not cluster.runs


def test_a_preview_and_an_end_do_not_keep_the_runs() -> None:
    cluster = Cluster(of_stack(1, "shop.dev"))
    seen = Seen(Survey(owner="shop.dev"), cluster)
    Histories(seen).check(HISTORY, {**HISTORY, "__preview": True})
    Histories(seen).delete(HISTORY)
    assert not cluster.runs


@pytest.mark.parametrize(
    ("project", "stack", "found"),
    [("shop", "dev", "shop.dev"), ("x.eu", "prod", "x.eu.prod-"), ("x", "eu.prod", "x.eu.prod-")],
)
def test_no_two_stacks_have_one_name(monkeypatch: pytest.MonkeyPatch, project: str, stack: str, found: str) -> None:
    monkeypatch.setattr(pulumi, "get_project", lambda: project)
    monkeypatch.setattr(pulumi, "get_stack", lambda: stack)
    assert stack_id().startswith(found) and len(stack_id()) == len(found) + (8 if found.endswith("-") else 0)


def test_dots_stand_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    names = set()
    for project, stack in (("x.eu", "prod"), ("x", "eu.prod"), ("x.eu.prod", "a"), ("x", "eu.prod.a")):
        monkeypatch.setattr(pulumi, "get_project", lambda project=project: project)
        monkeypatch.setattr(pulumi, "get_stack", lambda stack=stack: stack)
        names.add(stack_id())
    assert len(names) == 4


def test_a_history_goes_by_the_aliases_of_its_app(adapter: str) -> None:
    parent = "urn:pulumi:dev::shop::my:Shop::old"
    alias = _alias(pulumi.Alias(name="web", parent=parent))
    assert (alias.name, alias.parent, alias.type_) == ("web", parent, ...)
    assert _alias(URN) == f"urn:pulumi:dev::shop::my:Shop${token('History', adapter == 'plugin')}::shop"


def test_two_apps_of_one_name_in_one_place_are_refused_whatever_the_way_to_the_cluster() -> None:
    """Two Spaces may have two kubeconfigs for one cluster: in the program these are two places."""
    seen = Seen(Survey(cluster="one"))
    web = {**HISTORY, "urn": URN.replace("App::shop", "App::web"), "connection": {"context": "other"}}
    assert not Histories(seen).check({}, HISTORY).failures and not Histories(seen).check({}, HISTORY).failures
    [failure] = Histories(seen).check({}, web).failures
    assert failure.reason.startswith("app 'shop' in namespace 'shop' is declared twice, as my:Shop$kf:index:App::shop")
    assert not Histories(seen).check({}, {**web, "namespace": "other"}).failures
