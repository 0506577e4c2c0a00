"""What a review has shown is what its approval lets an update do."""

from __future__ import annotations

import pytest
from kf_tasks.core.approval import Approval, Place, Start, Times
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.review.approved import approve
from kf_tasks.core.review.assembly import review
from kf_tasks.core.review.preview import Preview, read

from .previews import CALENDAR, HISTORY, RUN, calendar, digest, events, history, run, said, step

NOW = "2030-01-01T00:00:00Z"
PAST = {"run": "shop-schema-1", "task_id": 1, "created": "2026-11-29T08:00:00Z", "outcome": "Succeeded"}
GONE = {"run": "shop-old-1", "task": "old", "rule": "beyond the newest 3", "sure": True}
SEEN = (
    step("create", RUN, "shop-schema", None, run(_last=[PAST])),
    step("update", RUN, "shop-load", run("load"), run("load", "may", key="04da6b54-80e4-46f7-96ec-b56ff0331ba9")),
    step("same", RUN, "shop-other", run("other", ""), run("other", "")),
    step("update", HISTORY, "shop", history(), history(_deletions=[GONE], _asked="2026-11-30T08:00:00Z")),
    step("delete", HISTORY, "blog", {**history(), "app": "blog"}),
    step("update", CALENDAR, "shop-report", calendar(schedule="0 3 * * *"), calendar(_asked="")),
    step("same", CALENDAR, "shop-night", calendar("night"), calendar("night", _asked="")),
    step("delete", CALENDAR, "shop-gone", calendar("gone")),
)


def approved(found: str) -> Approval:
    preview: Preview = read(found, "test")
    return approve(review(preview), preview, 3600, NOW)


def test_each_decision_is_approved_by_what_it_is() -> None:
    given = approved(events(*SEEN))
    assert given.stack == "orders.dev"
    assert (given.approved_at, given.expires_at) == ("2026-11-30T08:00:00Z", "2026-11-30T09:00:00Z"), "the cluster's"
    place = "orders-dev"
    assert given.starts == (
        Start(place, "shop", "load", False, None, (), ""),
        Start(place, "shop", "schema", False, "key-schema", ("shop-schema-1",), "2026-11-29T08:00:00Z"),
    )
    assert given.deletions == (Place(place, "shop", "shop-old-1"),) and given.removals == (Place(place, "blog"),)
    assert set(given.schedules) == {
        Times(place, "shop", "report", "0 4 * * *", "Europe/Berlin"),
        Times(place, "shop", "night", "0 4 * * *", "Europe/Berlin"),
        Times(place, "shop", "gone", None),
    }
    assert given.complete and Approval.read(given.text(), "f") == given


def test_a_digest_does_not_tell_of_schedules_that_stay() -> None:
    assert not approved(digest(*SEEN)).complete


def test_nothing_secret_and_no_command_is_in_it() -> None:
    text = approved(events(*SEEN)).text()
    assert "./migrate" not in text and "MODE" not in text


@pytest.mark.parametrize("found", [events(*SEEN, ended=False), events(*SEEN, said("error", "it failed"))])
def test_half_an_update_is_not_approved(found: str) -> None:
    with pytest.raises(InvalidInput, match=r"orders/dev did not come to its end.*: nothing is approved"):
        approved(found)


def test_what_a_policy_refuses_is_not_approved() -> None:
    broken = {"policyPackName": "p", "policyName": "timeout", "enforcementLevel": "mandatory", "message": "no"}
    with pytest.raises(InvalidInput, match="refused by policy timeout"):
        approved(events(*SEEN, {"policyEvent": broken}))
