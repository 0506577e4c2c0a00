"""What a task finds in its environment and in its binding files is what `kf env` tells beforehand."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .conftest import Stack, eventually, kubectl, objects

# What the container runtime, the kubelet and the image add to every container.
RUNTIME = ("HOME", "HOSTNAME", "PATH", "KUBERNETES_", "TERM", "LC_CTYPE")
PRINT = (
    "import json, os, pathlib; found = sorted(pathlib.Path('/bindings').glob('*/*'));"
    " files = {str(p): p.read_text() for p in found if p.is_file()};"
    " print(json.dumps({'env': dict(os.environ), 'files': files}))"
)
APP = f"""
db = ServiceInstance('shop-db', space=space, label='postgresql', tags=['sql'], plan='small', requires=['uri'],
    credentials={{'uri': Output.secret('postgres://app:hidden-word@db/shop'), 'port': 5432, 'tls': {{'on': True}}}})
mail = ServiceInstance('post', space=space, credentials=config.require_secret_object('mail'))
app = App('shop', space=space, image=f'{{R}}/python:3', memory='48M',
    env={{'PRICE': '5$ $(HOME) $(params.x)', 'LANG': 'de_DE.UTF-8', 'TOKEN': Output.secret('app-token-1'),
         'ZONE': 'app', 'DISK_LIMIT': '1'}},
    services=[mail, Binding(db, binding_name='db', parameters={{'role': 'writer'}})])
show = Task('show', app=app, command=['python3', '-c', {PRINT!r}], env={{'ZONE': 'task'}}, disk='80M', log='none',
    triggers=[config.get('trigger')])
pulumi.export('log', show.log)
"""
SPACE = "space = Space(NS, memory='32M', disk='64M', cpu='10m', env={'ZONE': 'space', 'REGION': 'north'})\n"
IMPORT = "from kf_tasks import Binding, ServiceInstance\n"


def test_a_task_sees_what_kf_env_tells(stack: Stack) -> None:
    stack.write(IMPORT + SPACE + APP)
    stack.pulumi("config", "set", "--secret", "--path", "mail.password", "letter-box-1").ok()
    shown = stack.up().ok()
    assert "DISK_LIMIT: tasks get the platform's value" in shown.text
    assert "[secret]" in stack.outputs()["log"] and "hidden-word" not in stack.outputs()["log"]
    pod = stack.pods()[0]
    printed = raw_log(stack, pod)
    told = json.loads(stack.kf("env", "shop", "--task", "show", "-o", "json").ok().text)
    fields = {"<status.podIP>": pod["status"]["podIP"], "<metadata.uid>": pod["metadata"]["uid"]}

    def seen(row: dict[str, Any]) -> str:
        text: str = row["value"]
        for field, value in fields.items():
            text = text.replace(field, value)
        return text

    rows = {row["name"]: row for row in told["variables"]}
    actual = {
        name: digest(value) if rows.get(name, {}).get("secret") else value
        for name, value in printed["env"].items()
        if not name.startswith(RUNTIME)
    }
    assert actual == {name: seen(row) for name, row in rows.items()}
    assert {path: digest(text) for path, text in printed["files"].items()} == told["files"]

    env = printed["env"]
    assert (env["PRICE"], env["ZONE"], env["REGION"], env["LANG"]) == (
        "5$ $(HOME) $(params.x)", "task", "north", "de_DE.UTF-8",
    )  # fmt: skip
    assert (rows["ZONE"]["layer"], rows["ZONE"]["hides"]) == ("Task", ["Space", "App"])
    assert (rows["LANG"]["layer"], rows["LANG"]["hides"]) == ("App", ["system"])
    assert (rows["DISK_LIMIT"]["layer"], rows["DISK_LIMIT"]["hides"]) == ("system", ["App"])
    assert (rows["VCAP_SERVICES"]["layer"], rows["DATABASE_URL"]["layer"]) == ("bindings", "bindings")
    assert env["CF_INSTANCE_ADDR"] == f"{pod['status']['podIP']}:8080"
    assert env["INSTANCE_GUID"] == env["CF_INSTANCE_GUID"] == pod["metadata"]["uid"]
    assert (env["MEMORY_LIMIT"], env["MEMORY_LIMIT_IN_MB"], env["DISK_LIMIT"]) == ("48M", "48", "80")
    assert json.loads(env["VCAP_APPLICATION"])["limits"] == {"disk": 80, "mem": 48}
    assert env["DATABASE_URL"] == "postgres://app:hidden-word@db/shop"
    services = json.loads(env["VCAP_SERVICES"])
    assert list(services) == ["postgresql", "user-provided"]
    assert services["postgresql"][0]["credentials"] == {
        "uri": "postgres://app:hidden-word@db/shop", "port": 5432, "tls": {"on": True},
    }  # fmt: skip
    assert printed["files"]["/bindings/db/parameters"] == '{"role": "writer"}'
    assert printed["files"]["/bindings/db/tls"] == '{"on":true}'
    assert printed["files"]["/bindings/post/password"] == "letter-box-1"
    table = stack.kf("env", "shop", "--task", "show").ok().text
    assert "app-token-1" not in table and "hidden-word" not in table and "/bindings/post/password" in table
    assert "its tasks are show" in stack.kf("env", "shop", "--task", "nothing").failed().text

    nothing_secret_is_readable(stack, "app-token-1", "hidden-word", "letter-box-1")
    a_changed_value_waits_for_the_next_run(stack)


def nothing_secret_is_readable(stack: Stack, *values: str) -> None:
    """Not in a template, a PipelineRun, the plain state or the preview's text."""
    readable = json.dumps(
        [
            objects("configmaps", stack.namespace),
            stack.runs(),
            stack.pods(),
            stack.state(),
            stack.preview("--diff").ok().text,
        ]
    )
    assert not [value for value in values if value in readable]


def a_changed_value_waits_for_the_next_run(stack: Stack) -> None:
    stack.pulumi("config", "set", "--secret", "--path", "mail.password", "letter-box-2").ok()
    assert "will run" not in stack.preview().ok().text
    stack.up().ok()
    assert len(stack.runs()) == 1, "a changed value runs nothing by itself"
    stack.kf("run-task", "shop", "-c", "cat /bindings/post/password; echo; echo $VCAP_SERVICES", "-m", "40M").ok()
    run = eventually(lambda: [r for r in stack.runs() if r["metadata"]["labels"]["kf.dev/task"] == "shop"])[0]
    eventually(lambda: stack.runs()[-1].get("status", {}).get("completionTime"))
    text = stack.kf("logs", "shop", "--task", "--run", run["metadata"]["name"], "--recent").ok().text
    assert "letter-box" not in text and text.count("[secret]") >= 2, text
    pod = next(p for p in stack.pods() if p["metadata"]["labels"]["kf.dev/task"] == "shop")
    step = next(c for c in pod["spec"]["containers"] if c["name"] == "step-task")
    texts = {entry["name"]: entry.get("value") for entry in step["env"]}
    assert texts["MEMORY_LIMIT"] == "40M", "the variables tell the amounts that this run has"
    stack.pulumi("config", "set", "trigger", "again").ok()
    stack.up().ok()
    assert raw_log(stack, stack.pods()[-1])["files"]["/bindings/post/password"] == "letter-box-2"


def raw_log(stack: Stack, pod: dict[str, Any]) -> dict[str, Any]:
    """What the task has printed, before anything is masked."""
    text = kubectl("logs", "-n", stack.namespace, pod["metadata"]["name"], "-c", "step-task")
    found: dict[str, Any] = json.loads(text)
    return found


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
