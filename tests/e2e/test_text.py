"""Text arrives as it was typed, and secret text arrives nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable

from .conftest import Stack, kubectl, objects
from .test_lifecycle import error_of

DOLLARS = ["$$", "$(date)", "$(params.x)", "$$(HOME)", "$(context.taskRun.name)", "${HOME}", "$"]


def test_dollars_arrive_verbatim(stack: Stack) -> None:
    quoted = " ".join(f"'{text}'" for text in DOLLARS)
    stack.write(
        "app = App('shop', space=space, image=f'{R}/busybox:1', env={'P': 'pa$$w$(HOME)$'})\n"
        f"a = Task('a', app=app, command=['printf', '%s\\\\n', *{DOLLARS!r}])\n"
        f'b = Task("b", app=app, command="""printf \'%s\\\\n\' {quoted}; echo "$P"; echo $(echo shell)""")\n'
        "py = App('py', space=space, image=f'{R}/python:3', env={'P': 'pa$$w$(HOME)$'})\n"
        'read = \'import os; print(os.environ["P"], os.environ["Q"])\'\n'
        "c = Task('c', app=py, command=['python3', '-c', read], env={'Q': '$(context.taskRun.name)$$'})\n"
        "pulumi.export('logs', Output.all(a.log, b.log, c.log))"
    ).up().ok()
    typed = "".join(f"{text}\n" for text in DOLLARS)
    assert stack.outputs()["logs"] == [
        typed,
        f"{typed}pa$$w$(HOME)$\nshell\n",
        "pa$$w$(HOME)$ $(context.taskRun.name)$$\n",
    ]


def test_bytes_that_are_no_text(stack: Stack) -> None:
    script = (
        r"printf 'caf\\351\\n'; head -c 32766 /dev/zero | tr '\\0' x; printf '\\342\\202\\254\\n'; "
        r"printf 'a\\0b\\033[31mred\\033[0m\\033[2J\\n'; echo '<{%reset%}>'; printf 'no newline'"
    )
    stack.task(f'command="{script}"').up().ok()
    log = stack.outputs()["log"]
    lines = log.splitlines()
    assert lines[0] == "caf\ufffd" and lines[2:] == ["a\ufffdbred", "<\u200b{%reset%}>", "no newline"]
    assert lines[1].endswith("[a line of 32767 characters]") and not log.endswith("\n")


def test_secrets_are_nowhere_to_be_read(stack: Stack) -> None:
    values = ["configured-secret-1", "made-secret-22", "formatted-secret-333"]
    stack.pulumi("config", "set", "--secret", "password", values[0]).ok()
    body = (
        "app = App('shop', space=space, image=f'{R}/busybox:1', env={'A': config.require_secret('password'),"
        f" 'C': Output.format('{{0}}', Output.secret('{values[2]}'))}})\n"
        f"t = Task('migrate', app=app, command='echo $A; echo $B; echo $C; echo $B | base64', "
        f"env={{'B': Output.secret('{values[1]}')}})\n"
        "pulumi.export('log', t.log)"
    )
    shown = stack.write(body).preview("--diff").ok().text
    printed = stack.up().ok().text
    pod = stack.pods()[0]["metadata"]["name"]
    raw = kubectl("logs", "-n", stack.namespace, pod, "-c", "step-task")
    assert raw.splitlines()[:3] == values, "the task itself has them"
    everything = "".join(
        json.dumps(objects(kind, stack.namespace))
        for kind in ("pipelineruns.tekton.dev", "taskruns", "pods", "configmaps", "events")
    )
    state = json.dumps(stack.state())
    for value in values:
        for place, text in (("preview", shown), ("up", printed), ("cluster", everything), ("state", state)):
            assert value not in text, f"{value} in {place}"
    assert stack.outputs()["log"].splitlines()[:3] == ["[secret]"] * 3
    encoded = raw.splitlines()[3]
    assert encoded not in printed and encoded not in state
    kept = stack.kf("logs", "shop", "--task", "--recent", "-n", "0").ok().text
    assert "[secret]" in kept and not [value for value in values if value in kept]


def test_secret_where_it_can_be_read_is_refused(stack: Stack, message: Callable[[str, str], None]) -> None:
    secret = "Output.secret('hush-hush')"
    cases = {
        "image of app 'shop'": f"app = App('shop', space=space, image={secret})",
        "command of task 'migrate' of app 'shop'": f"{APP}Task('migrate', app=app, command={secret})",
        "labels of app 'shop'": f"app = App('shop', space=space, image='x', labels={{'a': {secret}}})",
        "annotations of app 'shop'": f"app = App('shop', space=space, image='x', annotations={{'a': {secret}}})",
    }
    for what, body in cases.items():
        text = stack.write(body).preview().failed().text
        assert f"{what} is a secret" in text and "Traceback" not in text and "hush-hush" not in text
    message("a secret command", error_of(text))


APP = "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
