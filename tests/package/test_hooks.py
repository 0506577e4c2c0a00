"""What is checked before a commit is what `make lint` checks, with the tools of the environment."""

from __future__ import annotations

import re

import yaml

from .conftest import CHECKOUT


def test_the_hooks_are_those_of_make_lint() -> None:
    [local] = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert local["repo"] == "local", "nothing is downloaded"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    target = re.split(r"^lint:.*\n", (CHECKOUT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)[1].split("\n\n")[0]
    made = [re.sub(r" (\.|--\S+)", "", line.strip()) for line in target.splitlines()]
    assert [re.sub(r" --\S+", "", hook["entry"]) for hook in local["hooks"]] == made
