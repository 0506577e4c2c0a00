"""What a run printed is masked with what was secret when it ran, wherever it is read afterwards."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from kf_tasks.log.archive import Archive

from .conftest import Stack, kubectl, objects

HEAD = (
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', log_archive={url!r})\n"
    "app = App('shop', space=space, image=f'{{R}}/busybox:1', env={{'TOKEN': Output.secret({token!r})}})\n"
)
OLD, NEW, OWN = "oldpassword1", "newpassword2", "hunter22secret"


def test_a_secret_that_was_changed_or_removed_stays_hidden(stack: Stack, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/logs"
    early = "Task('early', app=app, command='echo token=$TOKEN')\n"
    once = f"Task('once', app=app, command='echo own=$PW', env={{'PW': Output.secret({OWN!r})}})\n"
    late = "Task('late', app=app, command='echo begun; sleep 25; echo token=$TOKEN', wait={wait})\n"
    stack.write(HEAD.format(url=url, token=OLD) + early + once + late.format(wait=False)).up().ok()
    assert "token=[secret]" in stack.kf("logs", "shop", "--task", "--recent", "-n", "0").ok().text

    up = stack.write(HEAD.format(url=url, token=NEW) + early + late.format(wait=True)).up().ok()  # `once` is removed
    read = stack.kf("logs", "shop", "--task", "--recent", "-n", "0").ok().text
    assert read.count("token=[secret]") == 2 and read.count("own=[secret]") == 1, read
    assert not objects("secrets", stack.namespace, "kf.dev/task=once")
    shown = up.text + read + str(stack.state()) + stack.kf("tasks", "shop").ok().text
    assert not any(secret in shown for secret in (OLD, NEW, OWN))

    stack.kf("prune", "shop", "--keep", "0").ok()
    archive = Archive(url)
    stored = "".join(b"".join(archive.read(it)).decode() for it in archive.records(stack.namespace) if not it.missing)
    assert stored.count("token=[secret]") == 2 and stored.count("own=[secret]") == 1
    assert not any(secret in stored for secret in (OLD, NEW, OWN))
    stack.destroy().ok()


def test_without_a_copy_a_log_is_not_shown_but_on_demand(stack: Stack) -> None:
    body = "Task('early', app=app, command='echo token=$TOKEN')\n"
    stack.write(HEAD.format(url=None, token=OLD) + body).up().ok()
    copies = objects("secrets", stack.namespace, "app.kubernetes.io/component=kept-secrets")
    assert len(copies) == 1 and OLD not in json.dumps(copies[0]["metadata"])
    kubectl("delete", "secret", "-n", stack.namespace, copies[0]["metadata"]["name"])
    stack.write(HEAD.format(url=None, token=NEW) + body).up().ok()
    read = stack.kf("logs", "shop", "--task", "--recent").ok().text
    assert "was changed after the run was made" in read and "token" not in read and OLD not in read
    assert f"token={OLD}" in stack.kf("logs", "shop", "--task", "--recent", "--unmasked").ok().text


def test_results_and_parts_of_secrets(stack: Stack) -> None:
    document = base64.b64encode(json.dumps({"private_key_id": "b67160d0617be19"}, indent=2).encode()).decode()
    values = {"BASE64": document, "ADO": "Server=db;User Id=shop;Password=AdoPw-0815;", "DOTENV": "A=1\nT=DotTok-42\n"}
    env = "{" + ", ".join(f"{name!r}: Output.secret({value!r})" for name, value in values.items()) + "}"
    command = (
        "PW=${ADO##*Password=}; PW=${PW%;}; printf %s $PW > $KF_RESULTS/token; "
        "printf '<{%%boom%%}>\\033[2J' > $KF_RESULTS/text; "
        "echo $BASE64 | base64 -d; echo $PW ${DOTENV##*=}"
    )
    stack.write(
        "space = Space(NS, memory='32M', disk='64M', cpu='10m')\n"
        "app = App('shop', space=space, image=f'{R}/busybox:1')\n"
        f"task = Task('t', app=app, env={env}, results=['token', 'text'], command={command!r})\n"
        "pulumi.export('token', task.results['token'])\npulumi.export('text', task.results['text'])\n"
    )
    up = stack.up("--color", "always").ok()
    told = up.text + str(stack.state()) + stack.kf("task", "shop", "1").ok().text
    told += stack.kf("task", "shop", "1", "-o", "json").ok().text
    assert not any(secret in told for secret in ("AdoPw-0815", "DotTok-42", "b67160d0617be19"))
    assert "[secret]" in told and "boom" in up.text
