"""`env_from` among the layers: what a container gets of them is what the layers say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run.command import carry
from kf_tasks.core.run.environment import Shown, Value, effective, merge, origins, rendered
from kf_tasks.core.run.sources import (
    CONFIG_MAP,
    SECRET,
    Layer,
    Source,
    arrange,
    check_key,
    check_object,
    check_prefix,
    shown,
)

NAMES = st.sampled_from("ABCDE")
LAYERS = ("Space", "App", "Task")
TEXTS = st.dictionaries(NAMES, st.text("xyz$()", max_size=3), max_size=5)
OBJECTS = st.lists(TEXTS, max_size=3)


@given(st.lists(st.tuples(TEXTS, TEXTS, OBJECTS), min_size=1, max_size=3))
def test_env_from_is_below_env_of_its_layer_and_above_all_lower_layers(
    said: list[tuple[dict[str, str], dict[str, str], list[dict[str, str]]]],
) -> None:
    """With texts, secret values of ours, and up to three existing objects in each of the layers."""
    objects: dict[tuple[str, str], dict[str, str]] = {}
    layers, meant = [], dict[str, str]()
    for name, (texts, secrets, existing) in zip(LAYERS, said):
        secrets = {key: text for key, text in secrets.items() if key not in texts}
        found = [Source((SECRET, CONFIG_MAP)[nth % 2], f"{name.lower()}-{nth}") for nth in range(len(existing))]
        objects.update({(it.kind, it.name): content for it, content in zip(found, existing)})
        own = Source(CONFIG_MAP, f"kf-{name}.env.plain"), Source(SECRET, f"kf-{name}.env")
        objects.update({(own[0].kind, own[0].name): texts, (own[1].kind, own[1].name): secrets})
        values = {key: Value(text) for key, text in texts.items()}
        values.update({key: Value(secret=f"kf-{name}.env", key=key) for key in secrets})
        layers.append(Layer(name, values, found, own))
        for content in [*existing, texts, secrets]:
            meant.update(content)
    below, above = arrange(layers)
    merged = merge(above)
    seen = effective(
        rendered(merged, carry),
        origins(merged),
        lambda kind, name, key: objects[kind, name].get(key),
        shown([(layer, Source.of(it.render())) for layer, it in below], lambda kind, name: objects.get((kind, name))),
    )
    assert {it.name: it.text for it in seen} == meant
    assert all(it.layer not in it.shadows for it in seen)


def test_without_env_from_everything_is_as_ever() -> None:
    values = {"A": Value("a"), "B": Value(secret="kf-shop.env", key="B")}
    below, above = arrange([Layer("Space", values), Layer("App", values)])
    assert (below, above) == ([], [("Space", values), ("App", values)])


def test_a_key_of_an_existing_object_stays_in_env() -> None:
    named = {"TOKEN": Value(secret="shop", key="token", existing=True)}
    own = [Source(CONFIG_MAP, "kf.dev.env.plain")]
    layers = [Layer("Space", {**named, "A": Value("a")}, (), own), Layer("App", {}, [Source(SECRET, "more", "M_")])]
    below, above = arrange(layers)
    assert below == [("Space", own[0]), ("App", Source(SECRET, "more", "M_"))]
    assert above == [("Space", named), ("App", {})]


@pytest.mark.parametrize("source", [
    Source(SECRET, "shop"), Source(CONFIG_MAP, "a.b", "SHOP_"), Source(SECRET, "shop", "", True),
], ids=str)  # fmt: skip
def test_a_source_as_kubernetes_has_it(source: Source) -> None:
    assert Source.of(source.render()) == source


def test_what_kf_env_shows_of_sources() -> None:
    content: dict[Any, Any] = {(SECRET, "shop"): {"token": "sha256:1", "tls.crt": "sha256:2"}}
    given = [
        ("App", Source(SECRET, "shop", "S_")), ("App", Source(CONFIG_MAP, "gone")),
        ("Task", Source(SECRET, "later", optional=True)),
    ]  # fmt: skip
    assert shown(given, lambda kind, name: content.get((kind, name))) == [
        Shown("S_tls.crt", "sha256:2", "App", (), True, "Secret shop, tls.crt"),
        Shown("S_token", "sha256:1", "App", (), True, "Secret shop, token"),
        Shown("*", "<missing: ConfigMap gone>", "App"),
    ]


@pytest.mark.parametrize("name", ["", "Shop", "shop_db", "-a", "a-", "a..b", "x" * 254, "a/b", None, 5])
def test_no_object_has_such_a_name(name: object) -> None:
    with pytest.raises(InvalidInput):
        check_object("app 'shop'", SECRET, name)


@pytest.mark.parametrize("key", ["", ".", "..", "..data", "a/b", "a b", "x" * 254, None])
def test_no_object_has_such_a_key(key: object) -> None:
    with pytest.raises(InvalidInput):
        check_key("app 'shop'", SECRET, key)


def test_names_keys_and_prefixes_that_can_be() -> None:
    assert check_object("o", SECRET, "shop.db-1") == "shop.db-1"
    assert [check_key("o", SECRET, key) for key in ("tls.crt", "a", ".x", "A_b-1")] == ["tls.crt", "a", ".x", "A_b-1"]
    assert [check_prefix("o", prefix) for prefix in ("", "SHOP_", "a.")] == ["", "SHOP_", "a."]
    for prefix in ("1", "A B", "A=", None):
        with pytest.raises(InvalidInput):
            check_prefix("o", prefix)
