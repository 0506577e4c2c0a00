"""The settings of a template are read as they are written, by every version of whoever reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.retention.policy import Policy
from kf_tasks.core.template import SETTINGS, JobSettings, TemplateSettings

words = st.text(min_size=1, max_size=12)
jobs = st.builds(
    JobSettings, words, st.sampled_from(["Allow", "Forbid", "Replace"]), st.booleans(), st.integers(0, 86400)
)
policies = st.builds(
    Policy, st.integers(0, 900), st.integers(0, 9), st.none() | st.integers(1, 10**6),
    st.lists(words, max_size=5).map(tuple), st.booleans(),
)  # fmt: skip
settings = st.builds(
    TemplateSettings, words, words, st.none(), policies, st.none() | words,
    st.none() | words | st.lists(words, max_size=3),
    st.none() | st.dictionaries(words, st.lists(words, max_size=3)),
) | st.builds(
    TemplateSettings, words, words, words, policies, st.none() | words, st.none(),
    st.none() | st.dictionaries(words, st.lists(words, max_size=3)), st.lists(words, max_size=3).map(tuple),
    st.none() | jobs,
)  # fmt: skip


@given(settings)
def test_what_is_written_is_read(wanted: TemplateSettings) -> None:
    assert TemplateSettings.of(wanted.text()) == wanted


def golden(found: Any) -> list[str]:
    """Every text of settings that a program of today registers."""
    if isinstance(found, dict):
        return [found[SETTINGS]] if SETTINGS in found else [text for value in found.values() for text in golden(value)]
    return [text for value in found for text in golden(value)] if isinstance(found, list) else []


def test_what_is_registered_is_read_and_written_byte_for_byte() -> None:
    texts = golden(json.loads((Path(__file__).parents[1] / "registered.golden.json").read_text("utf-8")))
    read = [TemplateSettings.of(text) for text in texts]
    assert len(read) >= 10 and [one.text() for one in read] == texts
    kinds = {(one.task is None, one.layers is None, one.job is None) for one in read}
    assert kinds == {(True, False, True), (False, False, True), (False, True, True), (False, False, False)}


def test_a_version_that_knew_less_means_what_it_meant() -> None:
    found = TemplateSettings.of('{"app": "shop", "stack": "shop.dev", "keep": 7}')
    assert found == TemplateSettings("shop.dev", "shop", policy=Policy(7))
    job = '{"app": "shop", "task": "m", "cron_job": "shop-m", "policy": "Forbid", "catch_up": true}'
    assert TemplateSettings.of(job).job == JobSettings("shop-m", "Forbid", catch_up=True)
    assert TemplateSettings.of('{"app": "shop", "keep": 7, "of a later version": {}}').policy == Policy(7)


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"keep": "many"}', '{"keep": []}', '{"cron_job": "c"}', '{"max_age": "soon"}']
)
def test_what_pulumi_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        TemplateSettings.of(text)
    with pytest.raises(ValueError, match="."):
        TemplateSettings.of_template({"data": {SETTINGS: text}})


@pytest.mark.parametrize("config_map", [{}, {"data": None}, {"data": {}}])
def test_a_config_map_without_settings_is_no_template(config_map: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no settings"):
        TemplateSettings.of_template(config_map)
