"""Existing Secrets and ConfigMaps in a preview: missing ones are lines, each object is asked for once."""

from __future__ import annotations

from typing import Any

from kf_tasks.cluster.connection import Connection
from kf_tasks.core.state import RunInputs
from kf_tasks.errors import Denied
from kf_tasks.provider import references
from kf_tasks.provider.preview import Preview

ENV = [
    {"name": key, "valueFrom": {kind: {"name": name, "key": key}}}
    for kind, name, key in [
        ("secretKeyRef", "shop", "a"), ("secretKeyRef", "shop", "b"), ("configMapKeyRef", "gone", "c"),
        ("secretKeyRef", "hidden", "d"),
    ]
]  # fmt: skip


class Cluster:
    """Has Secret `shop`, and hides Secret `hidden`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def get(self, _namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        self.asked.append((plural, name))
        if name == "hidden":
            raise Denied("secrets is forbidden")
        return {"data": {"a": "dG9wc2VjcmV0"}} if name == "shop" else None


def test_what_is_missing_is_said_without_a_value() -> None:
    cluster, said = Cluster(), list[str]()
    spec = {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"name": "task", "env": ENV}]}}]}}
    props = {"stack": "s.dev", "namespace": "dev", "app": "shop", "urn": "u", "manifest": {"spec": spec}}
    preview = Preview(lambda _urn, text, **_: said.append(text), cluster=lambda _: cluster)  # type: ignore
    for task in ("one", "two"):
        references.say(preview, Connection(), RunInputs.of({**props, "task": task}))
    own = [
        "ConfigMap gone does not exist yet: the run fails if it is not there when its pod starts",
        "key b of Secret shop does not exist yet (there are: a): the run fails if it is not there when its pod starts",
    ]
    assert said == [own[0], "the keys of Secret hidden could not be asked for: secrets is forbidden", own[1], *own]
    assert sorted(set(cluster.asked)) == [("configmaps", "gone"), ("secrets", "hidden"), ("secrets", "shop")]
    assert cluster.asked.count(("secrets", "shop")) == 1


def test_what_is_only_to_be_known_is_said_once_and_where_something_changes() -> None:
    """Five tasks and a schedule of one App read a whole Secret that has a key which no shell takes."""

    class Whole(Cluster):
        def get(self, _namespace: str, _plural: str, name: str) -> dict[str, Any] | None:
            return {"data": {"tls.crt": "eA=="}} if name == "shop" else None

    source = {"secretRef": {"name": "shop"}}
    spec = {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [{"name": "task", "envFrom": [source]}]}}]}}
    props = {"stack": "s.dev", "namespace": "dev", "app": "shop", "urn": "u", "manifest": {"spec": spec}}
    note = "Secret shop: no shell takes tls.crt as a variable, and Kubernetes before 1.34 leaves such keys out"
    said: list[str] = []
    preview = Preview(lambda _urn, text, **_: said.append(text), cluster=lambda _: Whole())  # type: ignore
    for changed, told in ((False, []), (True, [note])):
        for task in "abcde":
            references.say(preview, Connection(), RunInputs.of({**props, "task": task}), changed=changed)
        assert said == told
