"""Nothing of a file is lost without a word: every application comes out, or at least one problem."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.manifest import document, loading, model, rules
from kf_tasks.core.manifest.loading import Unusable
from kf_tasks.core.manifest.nodes import Secret
from kf_tasks.core.manifest.review import Review
from kf_tasks.core.manifest.substitution import Substitution

HIDDEN = "hunter2"
VARIABLES: dict[str, Any] = {
    "text": "north", "list": ["a", "b"], "map": {"A": "b"}, "none": None,
    "secret_text": Secret(f"{HIDDEN}-text"),
    "secret_json": Secret(f'{{"{HIDDEN}": "b"}}'),
    "secret_list": Secret([f"{HIDDEN}-item"]),
    "secret_map": Secret({f"{HIDDEN} key": f"{HIDDEN}-value"}),
    "secret_names": Secret({"TOKEN": f"{HIDDEN}-value"}),
    "secret_deep": Secret({"TOKEN": {f"{HIDDEN} key": [1]}}),
    "secret_none": Secret(None),
}  # fmt: skip
inserted = st.sampled_from([*(f"(({name}))" for name in VARIABLES), "((absent))", "a/((secret_text))/b"])
scalars = st.sampled_from(["shop", "a b", "", "512M", "1", "true", "@daily", "0 3 * * *"]) | st.none() | inserted
keys = st.sampled_from([*model.Application.model_fields, *model.JobEntry.model_fields, "imgae", "type", "labels"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
# What can be used as it is, with any value in place of one or two of its keys.
usable = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c_d"]), "image": st.just("i"), "task": st.just(True)},
    optional={key: values for key in model.Application.model_fields if key not in ("name", "image", "task")},
)
applications = usable | st.dictionaries(keys, values, max_size=4) | values


@pytest.mark.no_cover
@settings(deadline=None, max_examples=300)
@given(st.lists(applications, min_size=1, max_size=3))
def test_every_application_comes_out_or_there_is_a_problem(entries: list[Any]) -> None:
    read = document.read(json.dumps({"applications": entries}), "m.yml", Substitution(VARIABLES))
    review = Review(read, services=["a"])
    assert review.problems or len(review.applications) == len(entries)
    for finding in [*review.problems, *review.warnings, *review.notes]:
        assert HIDDEN not in f"{finding.said} {finding.path}"


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        loading.parse(text, variables=VARIABLES)
    assert HIDDEN not in str(refused.value)
    return str(refused.value).split("\n  ")[1:]


HEAD = "applications:\n- name: shop\n  image: i\n  task: true\n"
LINE = "line 5: application 'shop': "


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("env: ((secret_json))", "env: is the secret ((secret_json)), a text: write keys and values here"),
        ("tasks: [{name: t, command: c, env: ((secret_text))}]",
         "task 't': env: is the secret ((secret_text)), a text: write keys and values here"),
        ("env: ((secret_list))", "env: is a list: write keys and values here"),
        ("env: ((secret_map))", "env: holds the secret ((secret_map)), in which a key or a value cannot be used "
         "here: see what it has"),
        ("env: {A: ((secret_map))}", "env.A: is the secret ((secret_map)), a map: a variable is text"),
        ("metadata: ((secret_map))", "metadata: holds the secret ((secret_map)), which everybody could read here: use "
         "it in values of env and in addresses of notify only, or set it without --secret"),
        ("metadata: {<<: ((secret_map))}", "metadata: '<<' holds the secret ((secret_map)), whose keys everybody could "
         "read here: use it in env only, or set it without --secret"),
    ],
)  # fmt: skip
def test_a_secret_where_it_cannot_be(line: str, said: str) -> None:
    assert problems(f"{HEAD}  {line}\n") == [LINE + said]


def test_an_application_that_is_a_secret() -> None:
    said = (
        "which everybody could read here: use it in values of env and in addresses of notify only, or set it without "
        "--secret"
    )
    for name in ("secret_text", "secret_map"):
        assert problems(f"applications:\n- (({name}))\n") == [
            f"line 2: application number 1: holds the secret (({name})), {said}"
        ]


def test_a_secret_map_gives_variables() -> None:
    for text in ("env: ((secret_names))", "env: {<<: ((secret_names))}"):
        env = loading.parse(f"{HEAD}  {text}\n", variables=VARIABLES).applications[0].env
        assert list(env) == ["TOKEN"] and repr(env) == "{'TOKEN': [secret]}"


def test_a_validation_that_nobody_reports_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "RULES", [rule for rule in rules.RULES if rule.check is not rules._invalid])
    assert problems(f"{HEAD}  keep: x\n") == [
        "line 2: application 'shop': cannot be used, although nothing in particular is wrong: compare it with one that "
        "can"
    ]


def test_warnings_come_with_the_problems() -> None:
    text = "applications:\n- name: shop\n  imgae: busybox:1\n  tasks:\n  - name: t\n    comand: ./migrate\n"
    with pytest.raises(Unusable) as refused:
        loading.parse(text)
    assert refused.value.warnings == [
        "manifest.yml: line 2: application 'shop': is not started here, only its tasks are (task: true says that this "
        "is meant)",
        "manifest.yml: line 3: application 'shop': imgae: is unknown and has no effect, did you mean 'image'?",
        "manifest.yml: line 6: application 'shop': task 't': comand: is unknown and has no effect, did you mean "
        "'command'?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ("labels: {bad name: x}", "labels.bad name: is no name of Kubernetes: use at most 63 letters, digits, '-', '_' "
         "and '.', beginning and ending with a letter or digit"),
        ("labels: {team: has blank}", "labels.team: is 'has blank', which no label can hold: use at most 63 letters, "
         "digits, '-', '_' and '.', beginning and ending with a letter or digit, or an annotation"),
        ("labels: {kf.dev/task: x}", "labels.kf.dev/task: names under kf.dev/ are kf's own: choose another prefix"),
        ("labels: {app.kubernetes.io/name: mine}", "labels.app.kubernetes.io/name: kf sets it to the name of the App, "
         "by which runs are found: leave it out, or choose another name"),
        ("labels: {app.kubernetes.io/component: web}", "labels.app.kubernetes.io/component: kf sets it to 'task', by "
         "which runs are found: leave it out, or choose another name"),
        ("annotations: {kf.dev/pinned: x}", "annotations.kf.dev/pinned: names under kf.dev/ are kf's own: choose "
         "another prefix"),
        ("annotations: {Not_DNS/a: x}", "annotations.Not_DNS/a: what stands before '/' is no DNS name of at most 253 "
         "characters: use one like example.com"),
    ],
)  # fmt: skip
def test_labels_and_annotations_that_kubernetes_refuses(metadata: str, said: str) -> None:
    assert problems(f"{HEAD}  metadata: {{{metadata}}}\n") == [f"{LINE}metadata.{said}"]


def test_labels_and_annotations_that_kubernetes_takes() -> None:
    labels = {"a": "", "example.com/B_c.d": "1.0-x_Y", "app.kubernetes.io/version": "2"}
    annotations = {"a": "has blank", "app.kubernetes.io/name": "mine"}
    metadata = json.dumps({"labels": labels, "annotations": annotations})
    found = loading.parse(f"{HEAD}  metadata: {metadata}\n").applications[0].metadata
    assert found and found.labels == labels and found.annotations == annotations


@pytest.mark.parametrize("key", ["buildpacks: [ruby]", "buildpack: ruby"])
def test_docker_with_buildpacks(key: str) -> None:
    text = f"applications:\n- name: shop\n  docker: {{image: i}}\n  {key}\n"
    said = "is given beside docker, which Cloud Foundry refuses too: leave one of them out"
    assert problems(text) == [f"line 4: application 'shop': {key.partition(':')[0]}: {said}"]
