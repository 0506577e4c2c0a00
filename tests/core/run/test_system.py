"""What the platform tells every task, and how it stands to the variables of others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run import system
from kf_tasks.core.run.command import carry, dollar_variable
from kf_tasks.core.run.environment import (
    Shown,
    Value,
    check_value,
    effective,
    merge,
    origins,
    rendered,
    short_digest,
    size_of,
)

SYSTEM = system.variables("shop.dev", "shop-dev", "shop", "512Mi", "2Gi")
NO_SECRETS: dict[tuple[str, str], str] = {}


def test_kfs_variables_for_tasks_and_no_others() -> None:
    assert sorted(SYSTEM) == [
        "CF_INSTANCE_ADDR", "CF_INSTANCE_GUID", "CF_INSTANCE_INTERNAL_IP", "CF_INSTANCE_IP", "CF_INSTANCE_PORT",
        "DISK_LIMIT", "INSTANCE_GUID", "LANG", "MEMORY_LIMIT", "MEMORY_LIMIT_IN_MB", "VCAP_APPLICATION",
        "VCAP_APP_HOST",
    ]  # fmt: skip
    texts = {name: value.text for name, value in SYSTEM.items()}
    assert (texts["MEMORY_LIMIT"], texts["MEMORY_LIMIT_IN_MB"], texts["DISK_LIMIT"]) == ("512M", "512", "2048")
    assert texts["LANG"] == "en_US.UTF-8"


def test_vcap_application() -> None:
    told = json.loads(SYSTEM["VCAP_APPLICATION"].text or "")
    assert told == {
        "application_id": told["process_id"], "application_name": "shop", "application_uris": [],
        "limits": {"disk": 2048, "mem": 512}, "name": "shop", "process_id": system.guid("shop.dev", "shop-dev", "shop"),
        "process_type": "web", "space_name": "shop-dev", "uris": [],
    }  # fmt: skip
    assert system.variables("shop.dev", "shop-dev", "shop", "512Mi", "2Gi") == SYSTEM, "the same in every preview"


def test_what_refers_to_others_stands_after_them_and_is_not_carried() -> None:
    entries = rendered(merge([("App", {"PRICE": Value("5$")}), ("system", SYSTEM)]), carry)
    names = [entry["name"] for entry in entries]
    assert names[-4:] == ["CF_INSTANCE_ADDR", "CF_INSTANCE_INTERNAL_IP", "INSTANCE_GUID", "VCAP_APP_HOST"]
    by_name = {entry["name"]: entry for entry in entries}
    assert by_name["CF_INSTANCE_ADDR"]["value"] == "$(CF_INSTANCE_IP):$(CF_INSTANCE_PORT)"
    assert by_name["CF_INSTANCE_IP"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert by_name["PRICE"]["value"] == "5$$"


def test_the_platform_wins_except_for_its_defaults() -> None:
    own = {"LANG": Value("C"), "DATABASE_URL": Value("own"), "MEMORY_LIMIT": Value("x")}
    bound = {"DATABASE_URL": Value(secret="s", key="DATABASE_URL", optional=True)}
    found = merge([("Space", own), ("App", own), ("bindings", bound), ("system", SYSTEM)])
    layers = origins(found)
    assert layers["LANG"] == ["App", "Space", "system"]
    assert layers["DATABASE_URL"] == ["App", "Space", "bindings"]
    assert layers["MEMORY_LIMIT"] == ["system", "Space", "App"]
    assert system.overridden(sorted([*own, "ZONE"])) == ["MEMORY_LIMIT"]


def test_what_a_process_will_see() -> None:
    texts = {
        "A": Value("$(B) $$ $x"),
        "TOKEN": Value(secret="s", key="k"),
        "URL": Value(secret="s", key="u", optional=True),
    }
    variables = merge([("App", texts), ("system", SYSTEM)])
    seen = effective(
        rendered(variables, carry), origins(variables), lambda _, name, key: {"k": short_digest("v")}.get(key)
    )
    by_name = {shown.name: shown for shown in seen}
    assert by_name["A"] == Shown("A", "$(B) $$ $x", "App")
    assert by_name["TOKEN"] == Shown("TOKEN", short_digest("v"), "App", (), True, "Secret s, k")
    assert "URL" not in by_name
    assert by_name["CF_INSTANCE_ADDR"].text == "<status.podIP>:8080"
    gone = effective(rendered(variables, carry), {}, lambda *_: None)
    assert next(it.text for it in gone if it.name == "TOKEN") == "<missing: key k of Secret s>"


def test_a_reference_to_what_comes_later_stays() -> None:
    entries = [{"name": "A", "value": "$(B) $(A) $( $"}, {"name": "B", "value": "b"}, {"name": "C", "value": "$(B)$$"}]
    assert [it.text for it in effective(entries, {}, lambda *_: None)] == ["$(B) $(A) $( $", "b", "b$"]


def test_what_no_process_can_be_given() -> None:
    check_value("app 'shop'", "CERTS", "x" * (131_072 - len("CERTS=") - 1))
    with pytest.raises(InvalidInput) as refused:
        check_value("app 'shop'", "CERTS", "x" * (131_072 - len("CERTS=")))
    assert str(refused.value) == (
        "app 'shop': env CERTS has 131,073 bytes, Linux allows 131,072 for a variable: "
        "pass it as a file, in a Secret or ConfigMap that is mounted with volumes=…"
    )
    assert size_of("A", "ü") == 5
    with pytest.raises(InvalidInput, match="NUL byte"):
        check_value("app 'shop'", "A", "a\0b")


@given(st.dictionaries(st.sampled_from("ABCDEF"), st.text("$(){}AB.params \n", max_size=20)))
def test_every_text_reaches_the_process_as_it_is(texts: dict[str, str]) -> None:
    """With Tekton's and the kubelet's replacements in mind: what is carried expands to the text again."""
    variables = merge([("App", {name: Value(text) for name, text in texts.items()})])
    entries = [dollar_variable(), *rendered(variables, carry)]
    seen = {it.name: it.text for it in effective(entries, {}, lambda *_: None)}
    assert {name: seen[name] for name in texts} == texts
