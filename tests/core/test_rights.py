"""The rights that kf looks for are those of the Role that is shipped."""

from __future__ import annotations

from pathlib import Path

import yaml
from kf_tasks.core.rights import RULES, lacking

ROLE = next(yaml.safe_load_all((Path(__file__).parents[2] / "rbac" / "role.yaml").read_text("utf-8")))


def test_they_are_those_of_the_role() -> None:
    def flat(rules: list[tuple[str, list[str], list[str]]]) -> set[tuple[str, str, str]]:
        return {(group, each, verb) for group, resources, verbs in rules for each in resources for verb in verbs}

    shipped = [(rule["apiGroups"][0], rule["resources"], rule["verbs"]) for rule in ROLE["rules"]]
    assert flat([(rule.group, list(rule.resources), list(rule.verbs)) for rule in RULES]) == flat(shipped)


def test_nothing_is_lacking_under_the_role_and_everything_without() -> None:
    assert lacking(ROLE["rules"]) == []
    assert len(lacking([])) == sum(len(rule.resources) for rule in RULES)
    assert ("get,list jobs", "a TaskSchedule") in lacking([])
