"""What both clients ask: paths that stay below their place, and the bodies of what is changed."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.core import api
from kf_tasks.core.errors import InvalidInput


def test_paths() -> None:
    assert api.runs("shop-dev") == "/apis/tekton.dev/v1/namespaces/shop-dev/pipelineruns"
    assert api.runs("shop-dev", "r") == "/apis/tekton.dev/v1/namespaces/shop-dev/pipelineruns/r"
    assert api.task_runs("shop-dev", "r-task") == "/apis/tekton.dev/v1/namespaces/shop-dev/taskruns/r-task"
    assert api.batch("shop-dev", "cronjobs", "c") == "/apis/batch/v1/namespaces/shop-dev/cronjobs/c"
    assert api.core("shop-dev", "configmaps", "kf-shop.m") == "/api/v1/namespaces/shop-dev/configmaps/kf-shop.m"
    assert api.log("shop-dev", "p") == "/api/v1/namespaces/shop-dev/pods/p/log"
    assert api.namespaces("kube-system") == "/api/v1/namespaces/kube-system"


names = st.text(min_size=1).filter(lambda name: name not in (".", ".."))


@given(names, names)
def test_no_name_leads_out_of_its_place(namespace: str, name: str) -> None:
    segments = api.core(namespace, "pods", name).split("/")
    assert segments[:4] == ["", "api", "v1", "namespaces"] and len(segments) == 7
    assert [unquote(segments[4]), unquote(segments[6])] == [namespace, name]


@pytest.mark.parametrize("name", [".", ".."])
def test_steps_are_no_names(name: str) -> None:
    with pytest.raises(InvalidInput, match="names nothing"):
        api.runs("shop-dev", name)
    with pytest.raises(InvalidInput, match="names nothing"):
        api.runs(name)


def test_only_what_carries_our_key_is_selected() -> None:
    assert api.ours() == "kf.dev/key"
    assert api.ours("shop") == "app.kubernetes.io/name=shop,kf.dev/key"
    assert api.ours("shop", "kf.dev/task=m") == "app.kubernetes.io/name=shop,kf.dev/key,kf.dev/task=m"


def test_a_finished_run_loses_the_record_of_who_set_which_field() -> None:
    assert api.annotating({"a": "b", "c": None}) == {"metadata": {"annotations": {"a": "b", "c": None}}}
    assert api.annotating({"a": "b"}, uid="u") == {"metadata": {"annotations": {"a": "b"}, "uid": "u"}}
    assert api.annotating({}, finished=True) == {"metadata": {"annotations": {}, "managedFields": [{}]}}


def test_another_object_of_the_name_is_told_from_every_other_refusal() -> None:
    refused = 'PipelineRun "x" is invalid: metadata.uid: Invalid value: "u": field is immutable'
    assert api.is_another(422, refused)
    assert not api.is_another(422, "spec: Invalid value: Once the PipelineRun is complete, no updates are allowed")
    assert not api.is_another(404, "not found")
    assert api.cancelling("me", "u")["metadata"]["uid"] == "u" and "uid" not in api.cancelling("me")["metadata"]


def test_deleted_is_this_very_object() -> None:
    assert api.deleting("u") == {"propagationPolicy": "Background", "preconditions": {"uid": "u"}}
    assert api.deleting("u", foreground=True)["propagationPolicy"] == "Foreground"


@pytest.mark.parametrize(("last", "at_least", "number"), [("4", 0, 5), ("4", 9, 10), ("x", 0, 1), (None, 2, 3)])
def test_ids_are_counted_from_the_highest_one_known(last: str | None, at_least: int, number: int) -> None:
    annotations = {"kf.dev/last-task-id": last} if last else None
    counter = {"metadata": {"resourceVersion": "7", "annotations": annotations}}
    patch = {"resourceVersion": "7", "annotations": {"kf.dev/last-task-id": str(number)}}
    assert api.counting(counter, at_least) == (number, {"metadata": patch})


def test_an_empty_list_is_one_whatever_the_server_calls_it() -> None:
    assert api.items({"items": None}) == api.items({}) == api.items({"items": []}) == []
    assert api.items({"items": [{"kind": "Secret"}]}) == [{"kind": "Secret"}]
