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


# What others call a provisioned service: a resource whose status names the Secret, here by the hand of the test.
KIND = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: brokers.NS.example.com}
spec:
  group: NS.example.com
  scope: Namespaced
  names: {kind: Broker, plural: brokers, singular: broker}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
PROVISIONED = """
from kf_tasks import ServiceInstance
broker = k8s.apiextensions.CustomResource('queue', api_version=f'{NS}.example.com/v1', kind='Broker',
    metadata={'name': 'queue', 'namespace': NS,
              'annotations': {'pulumi.com/waitFor': 'jsonpath={.status.binding.name}'}},
    opts=ResourceOptions(provider=space.provider, depends_on=space.resources))
queue = ServiceInstance('queue', space=space, resource=broker, requires=['host'])
app = App('shop', space=space, image=f'{R}/busybox:1', services=[queue])
show = Task('show', app=app, command='cd /bindings/queue; for f in type host password; do echo $f: $(cat $f); done')
pulumi.export('log', show.log)
"""


def secret(stack: Stack, name: str, **data: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": stack.namespace}}
    apply(json.dumps({**manifest, "stringData": data}))


def apply(text: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
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


def test_a_provisioned_service_is_bound_by_the_status_of_its_resource(stack: Stack) -> None:
    apply(KIND.replace("NS", stack.namespace))
    kind = f"brokers.{stack.namespace}.example.com"
    try:
        stack.write(PROVISIONED)
        stack.preview().ok()
        update = stack.start()
        eventually(lambda: json.loads(kubectl("get", kind, "-A", "-o", "json"))["items"])
        secret(stack, "queue-user", type="rabbitmq", host="queue.shop", password="provided-word-1")
        named = '{"status": {"binding": {"name": "queue-user"}}}'
        kubectl("patch", kind, "queue", "-n", stack.namespace, "--subresource=status", "--type=merge", "-p", named)
        text = update.communicate(timeout=600)[0]
        assert update.returncode == 0, text
        assert stack.outputs()["log"] == "type: rabbitmq\nhost: [secret]\npassword: [secret]\n"
        assert "provided-word-1" not in text + json.dumps(stack.state())
        stack.up("--expect-no-changes").ok()
    finally:
        kubectl("delete", "crd", kind, "--wait=false")
