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
        ("image", "registry/shop@sha256:2222", "image changed: registry/shop@sha256:1111 → @sha256:2222"),
        ("image", "other:1", "image changed: registry/shop@sha256:1111 → other:1"),
        ("argv", ["echo", "a b"], "command changed: /bin/sh -c migrate → echo 'a b'"),
        ("env", {"A": "2", "B": "3"}, "env changed: +B 3, A 1 → 2"),
        ("env", {}, "env changed: -A"),
        ("env", {"A": {"secret": "shop", "key": "a.b"}}, "env changed: A 1 → Secret shop, a.b"),
        ("env", {"A": "1", "B": {"config": "set.up", "key": "b"}}, "env changed: +B ConfigMap set.up, b"),
        ("secret_env", ["OTHER"], "secret env changed: +OTHER, -TOKEN"),
        ("triggers", ["v2"], "triggers changed: ['v1'] → ['v2']"),
        ("triggers", [{"v": 2.0}, 0.5], "triggers changed: ['v1'] → [{'v': 2}, 0.5]"),
    ],
)
def test_the_words_for_what_changed(part: str, after: Any, words: str) -> None:
    assert definition.explain(BASE, {**BASE, part: after}) == words


def test_several_changes_and_none() -> None:
    assert definition.explain(BASE, dict(BASE)) == ""
    assert definition.explain(BASE, {**BASE, "image": "b", "env": {}}) == (
        "image changed: registry/shop@sha256:1111 → b; env changed: -A"
    )


def test_long_digests_and_commands_are_cut() -> None:
    before, after = (f"shop@sha256:{digit * 64}" for digit in "12")
    assert definition.explain({**BASE, "image": before}, {**BASE, "image": after}) == (
        "image changed: shop@sha256:111111111111 → @sha256:222222222222"
    )
    words = definition.explain({**BASE, "argv": ["a"]}, {**BASE, "argv": ["x" * 500]})
    assert words == "command changed: -1 +1 lines"
    assert definition.changed_lines({"argv": ["a"]}, {"argv": ["x" * 500]}) == ["- a", f"+ {'x' * 100}…"]


SCRIPT = ["set -e", "cd /srv", f"for file in {'x' * 200} one", "do", "  load $file", "done"]


@pytest.mark.parametrize(
    ("before", "after", "words", "lines"),
    [
        ("echo one", "echo two", "echo one → echo two", []),
        ("\n".join(SCRIPT), "\n".join([*SCRIPT[:5], "  check $file", "done"]), "-0 +1 lines", ["+   check $file"]),
        ("\n".join(SCRIPT), "\n".join([*SCRIPT[:1], *SCRIPT[2:]]), "-1 +0 lines", ["- cd /srv"]),
        ("\n".join(SCRIPT), "\n".join(["set -eu", *SCRIPT[1:]]), "-1 +1 lines", ["- set -e", "+ set -eu"]),
        (
            "\n".join(SCRIPT), "\n".join(SCRIPT).replace("x one", "x two"), "-1 +1 lines",
            [f"- …{'x' * 19} one", f"+ …{'x' * 19} two"],
        ),
    ],
)  # fmt: skip
def test_of_a_script_the_lines_are_shown_that_change(before: str, after: str, words: str, lines: list[str]) -> None:
    old, new = ({**BASE, "argv": ["/bin/sh", "-c", text]} for text in (before, after))
    assert definition.explain(old, new) == f"command changed: {words}"
    assert definition.changed_lines(old, new) == lines and definition.changed_lines(new, new) == []


def test_of_a_long_list_the_arguments_are_shown_that_change() -> None:
    before = ["python3", "job.py", *(f"--option-{number}=some value" for number in range(9))]
    old, new = {"argv": before}, {"argv": [*before[:4], "--option-2=other", *before[5:], "--last"]}
    assert definition.changed_lines(old, new) == [
        "- '--option-2=some value'", "+ --option-2=other", "+ --last",
    ]  # fmt: skip


def test_a_command_that_is_another_one_is_not_shown_for_ever() -> None:
    old, new = ({"argv": ["/bin/sh", "-c", "\n".join(f"{word} {n}" for n in range(500))]} for word in ("a", "b"))
    shown = definition.changed_lines(old, new)
    assert len(shown) == 20 and shown[-1] == "… and 981 more lines"


def test_values_of_secrets_are_no_part_of_a_definition() -> None:
    """Only names are: `deciding` lists all that a key is made from."""
    assert definition.deciding(definition.CHANGE) == ["image", "argv", "env", "secret_env", "triggers"]
    assert definition.deciding(definition.ALWAYS) == definition.deciding(definition.CHANGE)
    assert definition.deciding(definition.TRIGGER) == ["triggers"]


def test_what_changed_is_harmless_and_each_change_a_line() -> None:
    words = definition.explain({**BASE, "argv": ["a"]}, {**BASE, "argv": ["\x1b[2J<{%reset%}>\r"]})
    assert words == "command changed: a → '<\u200b{%reset%}>\\r'"
    assert definition.changed_lines({"argv": ["a"]}, {"argv": ["\x1b[2J<{%reset%}>\nb"]}) == [
        "- a", "+ <\u200b{%reset%}>", "+ b",
    ]  # fmt: skip
    env = {**BASE, "env": {"A": "\x1b[2J\n", "B": ""}}
    assert definition.explain(BASE, env) == "env changed: +B '', A 1 → \\n"
