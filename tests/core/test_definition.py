"""The key changes with what the task does, and with nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from kf_tasks.core import definition

BASE: dict[str, Any] = {
    "image": "registry/shop@sha256:1111",
    "argv": ["/bin/sh", "-c", "migrate"],
    "env": {"A": "1"},
    "secret_env": ["TOKEN"],
    "triggers": ["v1"],
}
CHANGED: dict[str, Any] = {
    "image": "registry/shop@sha256:2222",
    "argv": ["/bin/sh", "-c", "migrate", "--all"],
    "env": {"A": "2"},
    "secret_env": ["TOKEN", "OTHER"],
    "triggers": {"v": 2},
}


@pytest.mark.parametrize("part", list(CHANGED))
def test_every_part_changes_the_key(part: str) -> None:
    assert definition.key({**BASE, part: CHANGED[part]}) != definition.key(BASE)


def test_nothing_else_changes_the_key() -> None:
    assert definition.key({**BASE, "memory": "1Gi", "labels": {"a": "b"}}) == definition.key(BASE)
    assert definition.key({part: BASE[part] for part in reversed(BASE)}) == definition.key(BASE)
    assert definition.key(BASE, definition.CHANGE, nth=7) == definition.key(BASE)


@pytest.mark.parametrize("part", ["image", "argv", "env", "secret_env"])
def test_by_trigger_only_the_triggers_count(part: str) -> None:
    other = {**BASE, part: CHANGED[part]}
    assert definition.key(other, definition.TRIGGER) == definition.key(BASE, definition.TRIGGER)
    assert definition.explain(BASE, other, definition.TRIGGER) == ""
    assert definition.key({**BASE, "triggers": []}, definition.TRIGGER) != definition.key(BASE, definition.TRIGGER)


def test_always_is_a_new_key_each_time() -> None:
    assert len({definition.key(BASE, definition.ALWAYS, nth) for nth in range(5)}) == 5


def test_the_key_is_the_same_in_every_version() -> None:
    """It is part of the names of runs and of the state: another digest would run every task again."""
    assert definition.key(BASE) == "f1cd463717594291"
    assert definition.key(BASE, definition.TRIGGER) == "8861d8fa723ae97d"
    assert definition.key(BASE, definition.ALWAYS, 3) == "c775363ab4e46254"


@pytest.mark.parametrize(
    ("part", "after", "words"),
    [
        ("image", "registry/shop@sha256:2222", "image changed: registry/shop@sha256:1111 -> @sha256:2222"),
        ("image", "other:1", "image changed: registry/shop@sha256:1111 -> other:1"),
        ("argv", ["echo", "a b"], "command changed: /bin/sh -c migrate -> echo 'a b'"),
        ("env", {"A": "2", "B": "3"}, "env changed: +B, ~A"),
        ("env", {}, "env changed: -A"),
        ("secret_env", ["OTHER"], "secret env changed: +OTHER, -TOKEN"),
        ("triggers", ["v2"], "triggers changed: ['v1'] -> ['v2']"),
        ("triggers", [{"v": 2.0}, 0.5], "triggers changed: ['v1'] -> [{'v': 2}, 0.5]"),
    ],
)
def test_the_words_for_what_changed(part: str, after: Any, words: str) -> None:
    assert definition.explain(BASE, {**BASE, part: after}) == words


def test_several_changes_and_none() -> None:
    assert definition.explain(BASE, dict(BASE)) == ""
    assert definition.explain(BASE, {**BASE, "image": "b", "env": {}}) == (
        "image changed: registry/shop@sha256:1111 -> b; env changed: -A"
    )


def test_long_digests_and_commands_are_cut() -> None:
    before, after = (f"shop@sha256:{digit * 64}" for digit in "12")
    assert definition.explain({**BASE, "image": before}, {**BASE, "image": after}) == (
        "image changed: shop@sha256:111111111111 -> @sha256:222222222222"
    )
    words = definition.explain({**BASE, "argv": ["a"]}, {**BASE, "argv": ["x" * 500]})
    assert words == f"command changed: a -> {'x' * 100}…"


def test_of_long_commands_the_difference_is_shown_on_one_line() -> None:
    before, after = (["sh", "-c", f"{'x' * 200}\n{end}"] for end in ("echo old", "echo new"))
    assert definition.explain({**BASE, "argv": before}, {**BASE, "argv": after}) == (
        "command changed: …xxxxxxxxxxxxx\\necho old' -> …xxxxxxxxxxxxx\\necho new'"
    )


def test_values_of_secrets_are_no_part_of_a_definition() -> None:
    """Only names are: `deciding` lists all that a key is made from."""
    assert definition.deciding(definition.CHANGE) == ["image", "argv", "env", "secret_env", "triggers"]
    assert definition.deciding(definition.ALWAYS) == definition.deciding(definition.CHANGE)
    assert definition.deciding(definition.TRIGGER) == ["triggers"]


def test_what_changed_is_one_harmless_line() -> None:
    words = definition.explain({**BASE, "argv": ["a"]}, {**BASE, "argv": ["\x1b[2J<{%reset%}>\r\n"]})
    assert words == "command changed: a -> '<\u200b{%reset%}>\\r\\n'"
