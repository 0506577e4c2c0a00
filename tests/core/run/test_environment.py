"""Layer over layer, and what each value hides."""

from __future__ import annotations

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run.command import carry
from kf_tasks.core.run.environment import Value, Variable, check_reserved, merge


def test_the_highest_layer_wins_and_tells_what_it_hides() -> None:
    space = {"A": Value("space"), "B": Value("space"), "Z": Value("z")}
    app = {"A": Value("app"), "TOKEN": Value(secret="kf-shop.env", key="TOKEN")}
    task = {"A": Value("task"), "B": Value(secret="kf-shop.m.env", key="B")}
    assert merge([("Space", space), ("App", app), ("Task", task)]) == [
        Variable("A", Value("task"), "Task", ("Space", "App")),
        Variable("B", Value(secret="kf-shop.m.env", key="B"), "Task", ("Space",)),
        Variable("TOKEN", Value(secret="kf-shop.env", key="TOKEN"), "App", ()),
        Variable("Z", Value("z"), "Space", ()),
    ]


def test_nothing_merges_to_nothing() -> None:
    assert merge([]) == merge([("Space", {}), ("App", {})]) == []


def test_names_that_differ_in_case_are_two_variables() -> None:
    assert [variable.name for variable in merge([("App", {"a": Value("1"), "A": Value("2")})])] == ["A", "a"]


def test_rendering_keeps_a_secret_a_reference() -> None:
    assert Value("a$b").render("A", carry) == {"name": "A", "value": "a$$b"}
    assert Value("").render("A", carry) == {"name": "A", "value": ""}
    assert Value(secret="s", key="k").render("A", carry) == {
        "name": "A",
        "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}},
    }


@pytest.mark.parametrize("name", ["VCAP_SERVICES", "vcap_extra", "VMC", "VMC_APP", "KF_DOLLAR", "kf_results"])
def test_the_platforms_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_reserved("app 'shop'", name)
    assert (
        str(refused.value) == f"app 'shop': {name} is set by the platform and cannot be overridden: choose another name"
    )


@pytest.mark.parametrize("name", ["PORT", "LANG", "DATABASE_URL", "VCAP", "KFX", "MY_VCAP_X"])
def test_other_names_are_free(name: str) -> None:
    check_reserved("app 'shop'", name)
