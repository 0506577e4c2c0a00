"""VCAP_SERVICES as Cloud Foundry has it, DATABASE_URL, and files as servicebinding.io has them."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.run import bindings
from kf_tasks.core.run.bindings import Bound

OWNER = ("shop.dev", "shop-dev", "shop")
DB = Bound("shop-db", {"uri": "postgres://u:p@h/d"}, "postgresql", "small", ["sql"], "db")
OTHER = Bound("another", {"uri": "postgres://u:p@other/d"}, "postgresql")
MAIL = Bound(
    "mail", {"host": "m", "port": 25, "uri": 7}, volume_mounts=[{"claim": "c", "path": "/m", "read_only": True}]
)


def test_vcap_services() -> None:
    found = json.loads(bindings.vcap_services(OWNER, [MAIL, DB, OTHER]))
    assert list(found) == ["postgresql", "user-provided"]
    assert [entry["instance_name"] for entry in found["postgresql"]] == ["another", "shop-db"]
    entry = found["postgresql"][1]
    assert len({entry.pop("binding_guid"), entry.pop("instance_guid")}) == 2
    assert entry == {
        "binding_name": "db", "credentials": {"uri": "postgres://u:p@h/d"}, "instance_name": "shop-db",
        "label": "postgresql", "name": "db", "plan": "small", "provider": None, "syslog_drain_url": None,
        "tags": ["sql"], "volume_mounts": [],
    }  # fmt: skip
    mail = found["user-provided"][0]
    assert (mail["name"], mail["binding_name"], "plan" in mail) == ("mail", None, False)
    assert mail["volume_mounts"] == [{"container_dir": "/m", "device_type": "shared", "mode": "r"}]


def test_the_order_of_services_does_not_matter() -> None:
    results = {bindings.vcap_services(OWNER, order) for order in itertools.permutations([MAIL, DB, OTHER])}
    assert len(results) == 1
    assert bindings.vcap_services(OWNER, []) == "{}"


def test_database_url_is_the_first_text_uri_by_name() -> None:
    assert bindings.database_url([DB, MAIL, OTHER]) == "postgres://u:p@other/d"
    assert bindings.database_url([MAIL, DB]) == "postgres://u:p@h/d"
    assert bindings.database_url([MAIL]) is None


def test_files() -> None:
    credentials = {"uri": "x", "port": 25, "tls": {"b": 1, "a": None}, "on": True, "a key": "no file", "type": "mail"}
    assert bindings.files("smtp", "small", credentials) == {
        "type": "mail", "provider": "small", "uri": "x", "port": "25", "tls": '{"a":null,"b":1}', "on": "true",
    }  # fmt: skip
    assert bindings.nameless(credentials) == ["a key"]
    assert bindings.nameless(dict.fromkeys(["..x", "a/b", "", ".x", "A_1-b.c"])) == ["", "..x", "a/b"]


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({"host": "h"}, "service 'db': its credentials have no 'uri' (there are: host): add it where they come from, "
         "or take it out of requires"),
        ({"uri": None}, "service 'db': its credentials have no 'uri' (there are: uri): add it where they come from, "
         "or take it out of requires"),
        ("postgres://", "service 'db': credentials are no map but str: give names and values, such as {'uri': …}"),
        ({"uri": b"x"}, "service 'db': credentials['uri'] is no JSON data but bytes: give text, numbers, "
         "maps or lists"),
    ],
)  # fmt: skip
def test_credentials_that_will_not_do(credentials: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        bindings.plain_credentials("service 'db'", credentials, ["uri"])
    assert str(refused.value) == message


def test_whole_numbers_of_another_stack_stay_whole() -> None:
    found = bindings.plain_credentials("service 'db'", {"port": 5432.0, "part": 0.5, "list": (1.0, "a")}, [])
    assert json.dumps(found) == '{"port": 5432, "part": 0.5, "list": [1, "a"]}'


def test_too_large_for_a_variable() -> None:
    bound = [Bound("small", {"uri": "x"}), Bound("certs", {"ca": "x" * 140_000})]
    text = bindings.vcap_services(OWNER, bound)
    with pytest.raises(InvalidInput) as refused:
        bindings.check_sizes("app 'shop'", bound, text, as_file=False)
    said = str(refused.value)
    assert "VCAP_SERVICES has 140," in said and "By service: certs 140," in said and ", small 2" in said
    assert "vcap_services='file'" in said and "VCAP_SERVICES_FILE_PATH" in said and "/bindings/<name>/" in said
    bindings.check_sizes("app 'shop'", bound, text, as_file=True)
    large = [Bound("certs", {"ca": "x" * 1_100_000})]
    with pytest.raises(InvalidInput, match="a Kubernetes Secret holds 1,048,576"):
        bindings.check_sizes("app 'shop'", large, bindings.vcap_services(OWNER, large), as_file=True)
