"""What is approved may happen, what is not may not, and the words say what differs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.approval import Approval, Place, Start, Times
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run.summary import RunSummary
from kf_tasks.core.state import MAY, WILL, Decision, Which

NOW, LATER = "2026-11-30T08:00:00Z", "2026-12-01T08:00:00Z"
WHICH = Which("shop.dev", "shop-dev", "shop", "migrate")
RUNS = tuple(f"shop-migrate-{number}" for number in range(5))
texts = st.text(max_size=8)
places = st.builds(Place, st.none() | texts, texts, texts)
approvals = st.builds(
    Approval, texts, texts, texts,
    st.lists(st.builds(Start, st.none() | texts, texts, texts, st.booleans(), st.none() | texts,
                       st.none() | st.lists(texts, max_size=3).map(tuple), texts), max_size=3).map(tuple),
    st.lists(places, max_size=3).map(tuple), st.lists(places, max_size=3).map(tuple),
    st.lists(places, max_size=3).map(tuple),
    st.lists(st.builds(Times, st.none() | texts, texts, texts, st.none() | texts, texts, st.booleans()),
             max_size=3).map(tuple),
    st.booleans(),
)  # fmt: skip


def approval(**more: Any) -> Approval:
    start = Start("shop-dev", "shop", "migrate", build=False, key="k", last=RUNS[:2], newest=NOW)
    return replace(Approval("shop.dev", NOW, LATER, (start,)), **more)


def run(name: str, created: str = NOW, succeeded: str = "True") -> RunSummary:
    return RunSummary(name, name, created, succeeded != "Unknown", succeeded=succeeded)


KNOWN = [run(name, "2026-11-30T07:00:00Z") for name in RUNS[:2]]


@given(approvals)
def test_what_is_written_is_read(found: Approval) -> None:
    assert Approval.read(found.text(), "f") == found


@given(approvals, st.data())
def test_an_edited_file_is_refused(found: Approval, data: st.DataObject) -> None:
    written = json.loads(found.text())
    name = data.draw(st.sampled_from(sorted(set(written) - {"digest"})))
    value = data.draw(st.none() | st.text() | st.integers() | st.lists(st.text(), min_size=1))
    edited = json.dumps({**written, name: value})
    if json.loads(edited) != written:
        with pytest.raises(InvalidInput):
            Approval.read(edited, "f")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "1", "\0", '{"version": 1}', '{"version": 1, "digest": ""}', "[" * 99999]
)
def test_what_is_no_approval_is_told(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^f (is no approval|was edited)"):
        Approval.read(text, "f")


def test_one_of_a_later_version_is_told() -> None:
    with pytest.raises(InvalidInput, match="another version of kf"):
        Approval.read('{"version": 2}', "f")


def test_it_is_of_one_stack_and_for_a_time() -> None:
    approval().check_stack("shop.dev", "f")
    with pytest.raises(
        InvalidInput, match=r"f approves an update of stack 'shop.dev', and this is 'shop.prod': review"
    ):
        approval().check_stack("shop.prod", "f")
    approval().check_time("2026-12-01T07:59:59Z", "f")
    with pytest.raises(InvalidInput, match=f"f of stack 'shop.dev' was approved until {LATER}, and it is {LATER}"):
        approval().check_time(LATER, "f")


@pytest.mark.parametrize(
    "decided",
    [Decision("k"), Decision("other"), Decision("k", WILL), Decision("k", WILL, adopts=True)],
    ids=["same", "not at all", "approved", "adopted"],
)
def test_what_may_happen(decided: Decision) -> None:
    assert approval().start(WHICH, decided, KNOWN) == ""


@pytest.mark.parametrize(
    ("decided", "sentence"),
    [
        (Decision("x", WILL, "image changed"), "will run by another definition than the approved one: image changed"),
        (Decision(None, MAY, "image is known …"), "may run, and approved is the one definition that was known then"),
        (Decision("k", cancels=("r",)), "run r would be cancelled, which is not approved"),
    ],
)
def test_what_may_not(decided: Decision, sentence: str) -> None:
    said = approval().start(WHICH, decided, KNOWN)
    assert said.startswith("task 'migrate' of app 'shop'") and sentence in said and "kf review --approve" in said


@pytest.mark.parametrize(
    "which",
    [
        replace(WHICH, task="other"),
        replace(WHICH, app="blog"),
        replace(WHICH, namespace="prod"),
        replace(WHICH, app="shop.build"),
    ],
)
def test_another_task_is_not_approved_by_it(which: Which) -> None:
    assert "which is not approved: first" in approval().start(which, Decision("k", WILL, "first"), [])


@given(st.sampled_from([WILL, MAY]), st.none() | st.text())
def test_what_may_run_is_approved_with_both_outcomes(starts: str, key: str | None) -> None:
    may = replace(approval().starts[0], key=None)
    assert approval(starts=(may,)).start(WHICH, Decision(key, starts), KNOWN) == ""
    assert approval(starts=(may,)).start(WHICH, Decision(key), KNOWN) == ""


@pytest.mark.parametrize(
    ("succeeded", "words"), [("False", "has failed"), ("True", "has ended"), ("Unknown", "is still running")]
)
def test_a_run_that_appeared_since_then_is_named(succeeded: str, words: str) -> None:
    said = approval().start(WHICH, Decision("k", WILL, "b"), [*KNOWN, run("new", succeeded=succeeded)])
    assert f"but run new, which {words}, appeared since that was approved: b" in said
    assert approval().start(WHICH, Decision("k", WILL, "b"), [run("pruned before", "2026-01-01T00:00:00Z")]) == ""
    unasked = replace(approval().starts[0], last=None)
    assert approval(starts=(unasked,)).start(WHICH, Decision("k", WILL), [run("new")]) == ""


def test_a_build_is_no_task_of_its_app() -> None:
    build = Start("shop-dev", "shop", "image", build=True, key="k", last=())
    which = Which("shop.dev", "shop-dev", "shop.build", "image")
    assert approval(starts=(build,)).start(which, Decision("k", WILL), []) == ""
    assert "build of app 'shop' will be built" in approval().start(which, Decision("k", WILL), [])
    assert approval(starts=(build,)).start(replace(which, app="shop"), Decision("k", WILL), [])


@given(st.sets(st.sampled_from(RUNS)), st.sets(st.sampled_from(RUNS)))
def test_each_deletion_is_approved_by_name(approved: set[str], going: set[str]) -> None:
    given = approval(deletions=tuple(Place("shop-dev", "shop", name) for name in approved))
    assert set(given.unapproved("shop-dev", "shop", going)) == going - approved
    assert set(given.unapproved("other", "shop", going)) == set(given.unapproved("shop-dev", "blog", going)) == going


def test_an_app_is_removed_only_where_that_is_approved() -> None:
    given = approval(removals=(Place("shop-dev", "shop"),), deletions=(Place("shop-dev", "blog", "r"),))
    assert given.removes("shop-dev", "shop") and given.removes("shop-dev", "shop.build")
    assert not given.removes("shop-dev", "blog") and not given.removes("prod", "shop")


def test_a_schedule_becomes_what_was_approved() -> None:
    night = replace(WHICH, task="night")
    given = approval(schedules=(Times("shop-dev", "shop", "night", "0 3 * * *", "Etc/UTC"),))
    assert given.schedule(night, "0 3 * * *", "Etc/UTC", False) == ""
    said = given.schedule(night, "0 4 * * *", "Etc/UTC", True)
    assert "becomes '0 4 * * *' in Etc/UTC, suspended, approved is '0 3 * * *' in Etc/UTC. To have that, review" in said
    assert "one that only people start, which is not approved" in given.schedule(WHICH, "", "Etc/UTC", False)
    assert not given.unschedules(night)
    gone = approval(schedules=(Times("shop-dev", "shop", "night", None),))
    assert gone.unschedules(night) and "approved is its removal" in gone.schedule(night, "@daily", "Etc/UTC", False)


def test_a_namespace_that_a_preview_does_not_know_is_the_approved_one() -> None:
    assert approval().start(replace(WHICH, namespace=object()), Decision("k", WILL), []) == ""  # type: ignore[arg-type]
