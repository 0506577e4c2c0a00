"""Bad input is one clear error before anything is changed; a preview works without a cluster."""

from __future__ import annotations

import json
from collections.abc import Callable

from .conftest import Stack, kubectl
from .test_lifecycle import error_of
from .test_retention import cut_off, reconnect
from .test_text import APP

CASES = {
    "unknown unit": ("App('shop', space=space, image='x', memory='12Q')", "app 'shop': memory: '12Q' is no amount"),
    "negative memory": ("App('shop', space=space, image='x', memory='-1M')", "memory: '-1M' is no amount"),
    "bare number": ("App('shop', space=space, image='x', memory='512')", "memory: '512' is no amount"),
    "empty name": ("App('', space=space, image='x')", "app has an empty name"),
    "long name": ("App('a' * 64, space=space, image='x')", "the name has 64 characters, the limit is 63"),
    "bad name": ("App('My_App', space=space, image='x')", "rename it, for example to 'my-app'"),
    "no command": (f"{APP}Task('migrate', app=app)", "Start command not found on App or Task"),
    "output in an f-string": (
        f"{APP}Task('migrate', app=app, command=f'migrate --url {{Output.from_input(\"x\")}}')",
        "command of task 'migrate' of app 'shop' holds the help text of an Output",
    ),
    "output in an f-string in env": (
        f"{APP}Task('migrate', app=app, command='x', env={{'U': f'{{Output.from_input(1)}}'}})",
        "env U holds the help text of an Output",
    ),
    "number in env": (
        f"{APP}Task('migrate', app=app, command='x', env={{'N': 1}})",
        "env['N'] is the number 1: give text",
    ),
    "reserved variable": (
        f"{APP}Task('migrate', app=app, command='x', env={{'VCAP_SERVICES': '1'}})",
        "VCAP_SERVICES is set by the platform",
    ),
    "unknown when": (
        f"{APP}Task('migrate', app=app, command='x', when='never')",
        "when is the text 'never': give",
    ),
    "bad timeout": (f"{APP}Task('migrate', app=app, command='x', timeout='5')", "timeout: '5' is no span of time"),
    "bad age": ("App('shop', space=space, image='x', max_age='a month')", "max_age: 'a month' is no span of time"),
    "pinned as text": ("App('shop', space=space, image='x', pinned='shop-t-1')", "pinned is the text 'shop-t-1'"),
    "min_history beyond max_age": (
        "App('shop', space=space, image='x', max_age='1h', min_history='7d')",
        "app 'shop': max_age is 1h and min_history is 7d",
    ),
    "protected": (
        f"{APP}Task('migrate', app=app, command='x', opts=ResourceOptions(protect=True))",
        "protect=True would keep the record and none of the runs",
    ),
}


def test_bad_input_is_one_clear_error_in_preview(stack: Stack, message: Callable[[str, str], None]) -> None:
    for title, (body, expected) in CASES.items():
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
