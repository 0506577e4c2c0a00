"""Which user a task's command runs as: the number that its image names, unless somebody says another."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core.pods import security
from kf_tasks.core.pods.user import about_name, advice, kept, recorded


@pytest.mark.parametrize(
    ("user", "context", "found"),
    [
        ("1001", None, {"runAsUser": 1001}),
        ("1001:0", {}, {"runAsUser": 1001, "runAsGroup": 0}),
        ("1001:app", None, None),
        ("65532:65532", {"fsGroup": 5}, {"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 5}),
        ("1001:0", {"runAsGroup": 7}, {"runAsUser": 1001, "runAsGroup": 7}),
        ("1001", {"runAsUser": 5}, {"runAsUser": 5}),
        ("1001", {"runAsNonRoot": False}, {"runAsNonRoot": False}),
        ("0", None, None),
        ("0:0", None, None),
        ("root", None, None),
        ("app", {"fsGroup": 5}, {"fsGroup": 5}),
        ("", None, None),
        (None, None, None),
        ("9" * 40, None, None),
    ],
)
def test_a_number_is_kept(user: str | None, context: Any, found: Any) -> None:
    assert kept(user, context) == found
    of_pod, of_step = security.contexts(kept(user, context))
    root = (context or {}).get("runAsNonRoot") is False
    assert of_pod["runAsNonRoot"] and of_pod["runAsUser"] == (1000 if root else (found or {}).get("runAsUser", 1000))
    assert (recorded(of_step) or "").partition(":")[0] == str((found or {}).get("runAsUser", ""))


def test_what_was_recorded_is_kept_again() -> None:
    for user in ("1001", "1001:0"):
        assert recorded(security.contexts(kept(user, None))[1]) == user
    assert recorded(security.contexts(None)[1]) is None


@pytest.mark.parametrize("user", ["app", "app:app", "node"])
def test_a_name_is_told_of(user: str) -> None:
    said = about_name("app 'shop'", user, None)
    assert said == (
        f"app 'shop': its image runs as {user.partition(':')[0]!r}, a name that tells Kubernetes no number: its tasks "
        "run as user 1000. Name the number with security_context={'runAsUser': …}, or with USER in the Dockerfile"
    )
    assert about_name("app 'shop'", user, {"runAsUser": 1001}) == ""


@pytest.mark.parametrize("user", ["", "root", "root:root", "0", "1001", "1001:0", None])
def test_nothing_is_said_of_numbers_and_root(user: str | None) -> None:
    assert about_name("app 'shop'", user, None) == ""


def test_a_command_that_may_not_be_executed_gets_a_word_of_advice() -> None:
    said = "the command ran as user 1001: if another one may do it, name it with security_context={'runAsUser': …}"
    contexts = security.contexts({"runAsUser": 1001})
    assert advice(126, [], *contexts) == said
    assert advice(1, ["cp: cannot create '/srv/x': Permission denied"], *contexts) == said
    assert advice(1, ["no such file"], *contexts) == advice(None, [], *contexts) == ""
    assert advice(126, [], *security.contexts(None)).startswith("the command ran as user 1000:")
    assert advice(126, [], {"runAsUser": 1001.0}, {}) == said
    assert advice(126, [], {}, {}) == ""
