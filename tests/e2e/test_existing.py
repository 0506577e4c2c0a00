"""Secrets and ConfigMaps that others keep, on a real cluster: seen by the task, and hidden wherever its log is read."""

from __future__ import annotations

import json
import tempfile

from .conftest import Stack, eventually, kubectl

PROGRAM = """
from kf_tasks import ConfigKey, ConfigRef, SecretKey, SecretRef, ServiceInstance
space = Space(NS, memory='32M', disk='64M', cpu='10m', env={'MODE': 'space', 'KEPT': 'space', 'LOW': '5$ $(KEPT)'})
db = ServiceInstance('db', space=space, secret='db-app', map={'uri': 'connection-string'}, label='postgresql')
app = App('shop', space=space, image=f'{R}/python:3', services=[db],
    env={'TOKEN': SecretKey('outside', 'token'), 'KEPT': 'app'},
    env_from=[ConfigRef('settings'), SecretRef('outside', prefix='O_')])
show = Task('show', app=app, command=['python3', '-c', config.require('code')],
    env={'NONE': ConfigKey('nowhere', 'x', optional=True)}, start_timeout='60s')
pulumi.export('log', show.log)
"""
CODE = (
    "import json, os; e = os.environ; "
    "print(json.dumps({n: e.get(n) for n in ('MODE', 'KEPT', 'LOW', 'O_mode.x', 'O_1st', 'NONE')}));"
    "print(e['TOKEN'], e['O_token'], e['DATABASE_URL']);"
    "names = [n for n in sorted(os.listdir('/bindings/db')) if n[0] != '.'];"
    "print(json.dumps({n: open('/bindings/db/' + n).read() for n in names}))"
)


def secret(stack: Stack, name: str, **data: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": stack.namespace}}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({**manifest, "stringData": data}, file)
        file.flush()
        kubectl("apply", "-f", file.name)


def test_what_others_keep(stack: Stack) -> None:
    stack.write("space = Space(NS)\n")
    stack.up().ok()
    stack.write(PROGRAM)
    stack.pulumi("config", "set", "code", CODE).ok()
    told = stack.preview().ok().text
    for line in ("Secret outside does not exist yet", "ConfigMap settings does not exist yet",
                 "Secret db-app does not exist yet"):  # fmt: skip
        assert line in told, told
    assert "nowhere" not in told
    secret(stack, "outside", **{"token": "outer-word-1", "1st": "first-word-1", "mode.x": "dotted-word-1"})
    secret(stack, "db-app", **{"connection-string": "pg://app:inner-word-1@db/shop", "other": "never-mounted"})
    kubectl("create", "configmap", "settings", "-n", stack.namespace, "--from-literal=MODE=settings")
    told = stack.preview().ok().text
    assert "does not exist yet" not in told and "no shell takes mode.x as a variable" in told, told
    stack.up().ok()
    lines = stack.outputs()["log"].splitlines()
    assert json.loads(lines[0]) == {
        "MODE": "settings", "KEPT": "app", "LOW": "5$ $(KEPT)", "O_mode.x": "[secret]", "O_1st": "[secret]",
        "NONE": None,
    }  # fmt: skip
    assert lines[1] == "[secret] [secret] [secret]"
    assert json.loads(lines[2]) == {"type": "postgresql", "uri": "[secret]"}
    rows = {it["name"]: it for it in json.loads(stack.kf("env", "shop", "-o", "json").ok().text)["variables"]}
    assert rows["TOKEN"]["from"] == "Secret outside, token" and rows["TOKEN"]["value"].startswith("sha256:")
    assert (rows["MODE"]["value"], rows["MODE"]["layer"], rows["MODE"]["hides"]) == ("settings", "App", ["Space"])
    another_value_runs_nothing_and_stays_hidden(stack)


def another_value_runs_nothing_and_stays_hidden(stack: Stack) -> None:
    run = stack.runs()[0]["metadata"]["name"]
    secret(stack, "outside", token="outer-word-2")
    kubectl("delete", "secret", "db-app", "-n", stack.namespace)
    assert "will run" not in stack.preview().ok().text
    shown = stack.kf("logs", "shop", "--task", "--run", run, "--recent").ok().text
    assert "-word-1" not in shown and shown.count("[secret]") >= 5, shown
    secret(stack, "db-app", **{"connection-string": "pg://app:inner-word-3@db/shop"})
    asked = ("--env-from-secret", "MORE=outside/token", "-c", "echo got $MORE")
    stack.kf("run-task", "shop", *asked, "--wait").ok()
    last = eventually(lambda: [it for it in stack.runs() if it["metadata"]["labels"]["kf.dev/task"] == "shop"])[0]
    shown = stack.kf("logs", "shop", "--task", "--run", last["metadata"]["name"], "--recent").ok().text
    assert "got [secret]" in shown and "outer-word" not in shown
