"""What a Space and an App say about what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.retention.policy import Policy, min_history, policy

SPACE = Policy(7, keep_failed=2, max_age=3600)


def test_an_app_inherits_and_overrides() -> None:
    assert policy("app 'shop'", SPACE) == SPACE
    assert policy("app 'shop'", SPACE, keep=0, keep_failed=0, max_age="0", pinned=["r-1"]) == Policy(0, pinned=("r-1",))
    assert policy("app 'shop'", SPACE, max_age="1d12h").max_age == 36 * 3600


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"keep": -1}, "app 'shop': keep: -1 is no count"),
        ({"keep": True}, "app 'shop': keep: True is no count"),
        ({"keep_failed": "3"}, "app 'shop': keep_failed: '3' is no count"),
        ({"max_age": "a month"}, "app 'shop': max_age: 'a month' is no span of time: write '30d', '12h' or '1d12h'"),
        ({"max_age": 30}, "app 'shop': max_age: 30 is no span of time"),
        ({"pinned": "r-1"}, r"app 'shop': pinned='r-1' is a text: write a list of names of runs, pinned=\['r-1'\]"),
        ({"pinned": ["No Run"]}, "app 'shop': pinned run 'No Run': a name consists of"),
    ],
)
def test_bad_input_is_refused_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{said}"):
        policy("app 'shop'", SPACE, **given)


def test_a_history_that_is_wished_for() -> None:
    assert min_history("app 'shop'", Policy(), None, "7d") == "7d"
    assert min_history("app 'shop'", Policy(), "168h", "30d") == "7d"
    assert min_history("app 'shop'", Policy(), "0", "30d") == min_history("app 'shop'", Policy(), None) == ""
    with pytest.raises(InvalidInput, match="^app 'shop': min_history: 'long' is no span of time"):
        min_history("app 'shop'", Policy(), "long")
    with pytest.raises(InvalidInput, match="^app 'shop': max_age is 1h and min_history is 7d: what is older than"):
        min_history("app 'shop'", SPACE, "7d")
