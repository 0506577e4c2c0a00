"""Bad input is one clear error, which ends the program before anything is changed, and the golden file has its text."""

from __future__ import annotations

import pulumi
import pytest
from kf_tasks import App, Space, Task
from pulumi import Output, ResourceOptions

from .. import messages
from .test_components import run

APP = "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
NAMES = {"App": App, "Task": Task, "Output": Output, "ResourceOptions": ResourceOptions, "R": "registry"}
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


@pytest.mark.parametrize("title", CASES)
def test_bad_input_is_one_clear_error(title: str) -> None:
    body, expected = CASES[title]

    def program() -> None:
        space = Space("shop-dev", memory="32M", disk="64M", cpu="10m")
        exec(
            body,
            {"App": App, "Task": Task, "Output": Output, "ResourceOptions": ResourceOptions, "R": "r", "space": space},
        )

    with pytest.raises(pulumi.RunError) as error:
        run(program, preview=True)
    assert str(error.value).count(expected) == 1
    messages.check(f"bad input: {title}", str(error.value), "shop-dev")
