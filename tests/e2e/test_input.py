"""Bad input is one clear error before anything is changed; a preview works without a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..resources.test_bad_input import CASES
from .conftest import Stack, kubectl
from .test_lifecycle import error_of
from .test_retention import cut_off, reconnect


def test_bad_input_is_one_clear_error_in_preview(stack: Stack, message: Callable[[str, str], None]) -> None:
    for title in ("no command", "protected"):  # all of them are tried without the engine, in tests/resources
        body, expected = CASES[title]
        text = stack.write(body).preview().failed().text
        assert expected in text and "Traceback" not in text, f"{title}: {text}"
        assert text.split("Diagnostics:")[1].count(expected) == 1, f"{title}: {text}"
        message(f"bad input: {title}", error_of(text))


def test_admission_errors_appear_in_preview(stack: Stack) -> None:
    stack.task().up().ok()
    text = stack.task(app="annotations={'a': 'x' * 300000}").preview().failed().text
    assert "task 'migrate' of app 'shop' would not be admitted" in text and "Traceback" not in text


def test_without_a_cluster(stack: Stack, message: Callable[[str, str], None]) -> None:
    stack.task().up().ok()
    stack.task("command='echo changed'")
    cut_off(stack)
    shown = stack.preview().ok().text
    assert (
        "will run: command changed" in shown and shown.split("Diagnostics:")[1].count("could not ask the cluster") == 1
    )
    before = _records(stack)
    stack.up().failed()
    urn = stack.urn("pulumi-python:dynamic/kf:Run", "shop-migrate")
    error = error_of(stack.task().up("--replace", urn).failed().text)
    assert "task 'migrate' of app 'shop': the cluster at" in error and "does not answer" in error
    message("no cluster", error)
    stack.refresh().failed()
    assert _records(stack) == before
    reconnect(stack)
    stack.task("command='echo changed'").up().ok()
    assert len(stack.runs()) == 2


def test_first_preview_without_anything(stack: Stack) -> None:
    shown = stack.task().preview().ok().text
    assert "will run: first run" in shown
    assert f"namespace '{stack.namespace}' is not there yet" in shown
    cut_off(stack)
    shown = stack.preview().ok().text
    assert "will run: first run" in shown and "could not ask the cluster" in shown


def test_read_only_credentials(stack: Stack) -> None:
    stack.task().up().ok()
    kubectl("create", "serviceaccount", "viewer", "-n", stack.namespace)
    role = f"viewer-{stack.namespace}"
    kubectl(
        "create",
        "clusterrole",
        role,
        "--verb=get,list",
        "--resource=pipelineruns.tekton.dev,configmaps,namespaces,pods,serviceaccounts",
    )
    kubectl("create", "clusterrolebinding", role, f"--clusterrole={role}", f"--serviceaccount={stack.namespace}:viewer")
    try:
        token = kubectl("create", "token", "viewer", "-n", stack.namespace).strip()
        good, stack.env["KUBECONFIG"] = stack.env["KUBECONFIG"], _with_token(stack, token)
        shown = stack.task("command='echo changed'").preview().ok().text
        assert "will run: command changed" in shown and "admission was not asked for" in shown
        urn = stack.urn("pulumi-python:dynamic/kf:Run", "shop-migrate")
        denied = error_of(stack.task().up("--replace", urn).failed().text)
        assert "refused the credentials or the permission" in denied and "cannot create resource" in denied
        stack.env["KUBECONFIG"] = _with_token(stack, "wrong")
        shown = stack.preview().ok().text
        assert "could not ask the cluster" in shown and "refused the credentials" in shown
        assert "refused the credentials" in error_of(stack.up("--replace", urn).failed().text)
        stack.env["KUBECONFIG"] = good
        assert len(stack.runs()) == 1
    finally:
        kubectl("delete", "clusterrole,clusterrolebinding", role)


def test_existing_namespace_is_not_taken_over(stack: Stack, message: Callable[[str, str], None]) -> None:
    kubectl("create", "namespace", stack.namespace)
    text = stack.task().preview().failed().text
    message("a namespace exists already", error_of(text))
    assert f"Space(…, namespace='{stack.namespace}')" in text


def _with_token(stack: Stack, token: str) -> str:
    config = json.loads(kubectl("config", "view", "--raw", "-o", "json"))
    config["users"] = [{**user, "user": {"token": token}} for user in config["users"]]
    path = stack.folder / f"{token[:5]}.json"
    path.write_text(json.dumps(config))
    return str(path)


def _records(stack: Stack) -> list[str]:
    return [r["outputs"]["run"] for r in stack.state()["deployment"]["resources"] if r["type"].endswith("kf:Run")]
