"""Errors name arguments as the SDK of another language has them, and leave what a user has written."""

from __future__ import annotations

import pytest
from kf_tasks.plugin.spelling import spelt
from kf_tasks.provider import adapter


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("app 'a': max_age is 1h and min_history is 7d", "app 'a': maxAge is 1h and minHistory is 7d"),
        ("terminated is the text 'no': give True or False", "terminated is the text 'no': give true or false"),
        ("leave resolve_tag out, or set resolve_tag=True", "leave resolveTag out, or set resolveTag: true"),
        ("give command=… to the Task or to its App", "give command: … to the Task or to its App"),
        ("write schedule='0 4 * * *' and time_zone='UTC'", "write schedule: '0 4 * * *' and timeZone: 'UTC'"),
        ("set security_groups=[SecurityGroup(…)]", "set securityGroups: [SecurityGroup(…)]"),
        ("use Source(builder_user=…)", "use Source(builderUser: …)"),
        ("give limit_range={'default': …} too", "give limitRange: {'default': …} too"),
    ],
)
def test_arguments_are_spelt_as_elsewhere(said: str, found: str) -> None:
    assert spelt(said) == found


@pytest.mark.parametrize(
    "said",
    [
        "command has a NUL: 'a=b c_d=1'",
        "variable MUST_SUCCEED=1",
        "run shop-migrate-1 (app_names, my_app_name)",
        "",
        "é=\n",
    ],
)
def test_the_rest_stays_to_the_letter(said: str) -> None:
    assert spelt(said) == said


def test_an_alias_is_told_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert adapter.alias_option("shop-a") == "opts=ResourceOptions(aliases=[Alias(name='shop-a')])"
    monkeypatch.setattr(adapter, "_process", adapter._Process(plugin=True))
    assert adapter.alias_option("shop-a") == "the option aliases: [{name: 'shop-a'}]"
