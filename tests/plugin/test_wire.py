"""Values of the protocol are read with what is said of each, in every form that engines and SDKs write them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.plugin import wire
from kf_tasks.plugin.wire import OUTPUT, RESOURCE, SECRET, SIGNATURE, UNKNOWN, Reference, Value, read
from pulumi.runtime import rpc


def written(data: Any) -> struct_pb2.Value:
    made = struct_pb2.Struct()
    made.update({"it": data})
    return made.fields["it"]


def test_the_signatures_are_those_of_the_sdk() -> None:
    known = rpc._special_sig_key, rpc._special_secret_sig, rpc._special_resource_sig, rpc._special_output_value_sig
    assert known == (SIGNATURE, SECRET, RESOURCE, OUTPUT)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({SIGNATURE: OUTPUT, "value": "a"}, Value("a")),
        ({SIGNATURE: OUTPUT}, Value(UNKNOWN)),
        ({SIGNATURE: OUTPUT, "secret": True}, Value(UNKNOWN, secret=True)),
        ({SIGNATURE: OUTPUT, "value": "a", "secret": False, "dependencies": ["u"]}, Value("a", False, frozenset("u"))),
        ({SIGNATURE: OUTPUT, "value": {SIGNATURE: SECRET, "value": "a"}, "secret": False}, Value("a", secret=True)),
        ({SIGNATURE: SECRET, "value": {"b": [1.0, None]}}, Value({"b": Value([Value(1.0), Value(None)])}, secret=True)),
        ({SIGNATURE: RESOURCE, "urn": "urn:a", "id": "1"}, Value(Reference("urn:a"))),
        (rpc.UNKNOWN, Value(UNKNOWN)),
        ({"a": rpc.UNKNOWN}, Value({"a": Value(UNKNOWN)})),
        ("", Value("")),
        ({}, Value({})),
    ],
)
def test_what_is_said_of_a_value(given: Any, found: Value) -> None:
    assert read(written(given)) == found


def test_an_asset_is_refused() -> None:
    with pytest.raises(InvalidInput, match="an asset or an archive is given"):
        read(written({SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "a"}))


def without(given: Any) -> Any:
    if isinstance(given, dict):
        return {name: without(one) for name, one in given.items() if one is not None}
    return [without(one) for one in given] if isinstance(given, list) else given


leaves = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(alphabet="ab.- $é")
data = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab._"), inner, max_size=3)
)


@given(data)
def test_plain_data_is_what_it_was(given: Any) -> None:
    assert read(written(given)).plain() == without(given)
    hidden = read(wire.hidden(written(given)))
    assert hidden == Value(read(written(given)).data, secret=True) and hidden.holds_secret()


@given(st.dictionaries(st.text("abc", min_size=1), st.tuples(st.text("ab"), st.booleans()), max_size=5))
def test_each_value_is_as_secret_as_it_was_said_to_be(given: dict[str, tuple[str, bool]]) -> None:
    raw = {name: {SIGNATURE: SECRET, "value": text} if secret else text for name, (text, secret) in given.items()}
    found = read(written(raw))
    assert not found.secret and {n: (v.data, v.secret) for n, v in found.data.items()} == given
    assert [*found.data] == sorted(given)
