"""What a message advises runs as it is pasted: every command in `messages.golden`, on a cluster of plain data."""

from __future__ import annotations

import ast
import base64
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click
import kf_tasks
import pytest
from click.testing import CliRunner
from kf_tasks.cli.main import kf
from kf_tasks.cli.target import TargetSpace
from kf_tasks.cluster.client import Cluster
from kf_tasks.core import advice, marks
from kf_tasks.core.notify import endpoint
from kf_tasks.core.notify.endpoint import Endpoint
from kf_tasks.core.run.pipelinerun import TaskSpec, instantiate, render
from kf_tasks.core.run.summary import RunSummary

from ..core.run.test_pipelinerun import SPEC
from .test_commands import FakeCluster, FakeTarget
from .test_review import put_engine

MESSAGES = (Path(__file__).parents[1] / "messages.golden").read_text("utf-8")
GOLDEN = re.sub("^===.*$", "", MESSAGES, flags=re.MULTILINE)
COMMAND = re.compile(
    r"(?<!by )\bkf ((?:[a-z]+-)*[a-z]+)((?: (?:--?[a-z-]+|[\w-]*-DIGEST-\d|[A-Z]+|\d+|app|shop|wait|slow))*)"
)
VALUES = {"NAMESPACE": "dev", "ID": "7", "USER": "me", "RUN": "shop-migrate-1a2b3c4d-1"}


def advised(text: str) -> list[str]:
    """The commands in messages; a name without arguments that stands in a sentence is one, too."""
    found = []
    for name, arguments in COMMAND.findall(text):
        if name in kf.list_commands(click.Context(kf)):
            words = [VALUES.get(word, word.replace("DIGEST", "1a2b3c4d")) for word in arguments.split()]
            found.append(shlex.join([name, *words]))
    return sorted(set(found))


class Everything(FakeCluster):
    """Has every run that it is asked for: its pod, its log, and whoever may end it, as long as it is `running`."""

    def __init__(self, running: bool) -> None:
        self.running = running
        told = f"{{metadata: {{annotations: {{{marks.NOTIFY}: kf-shop.notify}}}}, "
        super().__init__(apps=("shop", "wait", "slow", "locked", "bare"))
        self.manifest = told + self.manifest + "}"
        self.ended: list[str] = []

    def get(self, namespace: str, plural: str, name: str) -> dict[str, Any] | None:
        if plural != "secrets":
            return super().get(namespace, plural, name)
        hook = endpoint.written([Endpoint(endpoint.HEARTBEAT, "https://h/beat")])
        data = {endpoint.KEY: base64.b64encode(hook.encode()).decode()}
        return {"metadata": {"name": name, "labels": {marks.COMPONENT: endpoint.COMPONENT}}, "data": data}

    def get_run(self, namespace: str, name: str) -> dict[str, Any]:
        assert namespace == "dev"
        app, task = name.split("-")[:2]
        made = instantiate(
            render(TaskSpec(**{**SPEC, "app": app, "task": task})), name=name, key="k", task_id=7, attempt=1,
            started_by="me",
        )  # fmt: skip
        made["metadata"].update(uid=name, creationTimestamp="2026-01-01T00:01:00Z")
        if name in self.ended or not self.running:
            made["status"] = {"conditions": [{"type": "Succeeded", "status": "False", "reason": "Cancelled"}]}
        return made

    def list_runs(self, namespace: str, app: str | None = None, selector: str = "", **_: Any) -> list[RunSummary]:
        of = [f"{one}-{task}-1a2b3c4d-1" for one, task in (("shop", "migrate"), ("wait", "wait"), ("slow", "slow"))]
        found = [RunSummary.of_object(self.get_run(namespace, name)) for name in of]
        return [run for run in found if app in (None, run.labels[marks.NAME])]

    def task_run(self, *_: Any) -> None:
        return None

    def pods(self, _namespace: str, run: str) -> list[dict[str, Any]]:
        state = {"terminated": {"exitCode": 3, "startedAt": "2026-01-01T00:02:00Z"}}
        status = {"phase": "Failed", "containerStatuses": [{"name": "step-task", "state": state}]}
        return [
            {"metadata": {"name": f"{run}-pod", "uid": "p", "creationTimestamp": "2026"}, "spec": {}, "status": status}
        ]

    def log(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield b"2026-01-01T00:02:00.000000001Z half\n"

    def cancel_run(self, _namespace: str, name: str, *_: Any) -> None:
        self.ended.append(name)

    def annotate_run(self, *_: Any, **__: Any) -> None:
        """Written down."""

    def delete_pod(self, *_: Any) -> None:
        """Gone."""


class Target(FakeTarget):
    def open(self) -> TargetSpace:
        assert self.space in ("dev", None)
        return TargetSpace(cast(Cluster, self.cluster), "dev")


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, an engine whose preview is there, and somebody who takes what is told."""
    put_engine(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kf_tasks.notify.sending.send", lambda endpoints, _event: [""] * len(endpoints))


def pasted(command: str) -> None:
    answer = CliRunner().invoke(
        kf, shlex.split(command), obj=Target(cluster=Everything(command.startswith("terminate")))
    )
    assert answer.exit_code == 0, f"kf {command}: {answer.output}"


@pytest.mark.parametrize("command", advised(GOLDEN))
def test_what_a_message_advises_runs(command: str) -> None:
    pasted(command)


def test_every_kind_of_advice_is_in_a_message() -> None:
    assert {command.split()[0] for command in advised(GOLDEN)} >= {
        "logs",
        "terminate-task",
        "task",
        "tasks",
        "run-task",
        "notify",
        "pin",
        "review",
    }
    assert not re.findall(
        r"kf (?:logs|terminate-task|task) (?!by)[^\n]*?(?<!--space NAMESPACE)(?:$|;)", GOLDEN, re.MULTILINE
    )


@pytest.mark.parametrize(
    "command",
    [
        advice.whole_log("shop", "shop-migrate-1a2b3c4d-1", "dev"),
        advice.tasks("shop", "dev"),
        advice.terminate("shop-migrate-1a2b3c4d-1", "dev"),
    ],
)
def test_what_an_update_advises_runs_whatever_the_space_of_the_terminal(command: str) -> None:
    assert command.endswith(" --space dev")
    pasted(command.removeprefix("kf "))


def test_another_run_is_asked_for_by_the_name_of_its_record() -> None:
    assert advice.again("shop", "migrate") == "pulumi up --replace '**:Run::shop-migrate'"
    assert advice.again("shop.build", "image") == "pulumi up --replace '**:Run::shop.build'"


def literals() -> list[tuple[str, str]]:
    """Every text in the package with a `kf …` in it, and the file; what is filled in is a word in capitals."""
    found = []
    for path in sorted(Path(kf_tasks.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            text = ""
            if isinstance(node, ast.JoinedStr):
                text = "".join(_piece(one) for one in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            if "kf " in text:
                found.append((str(path), text))
    return found


def _piece(one: ast.expr) -> str:
    if isinstance(one, ast.Constant):
        return str(one.value)
    return "" if ast.unparse(one).endswith("flags}'") else "NAME"


ADVISED = re.compile(r"\bkf ((?:[a-z]+-)*[a-z]+)((?: (?:--?[a-z][a-z-]*|[A-Z]+))*)")


def test_every_command_in_a_text_of_the_package_has_the_options_that_it_is_told_with() -> None:
    """Those of messages that no cluster here provokes, too: notifications, approvals, forgotten runs, queues."""
    context, told = click.Context(kf), set()
    listed = kf.list_commands(context)
    for path, text in literals():
        for name, words in ADVISED.findall(text):
            command = kf.get_command(context, name)
            if command is None or name not in listed:
                continue
            options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
            assert {word for word in words.split() if word.startswith("-")} <= options, f"{path}: kf {name}{words}"
            told.add(name)
    assert told >= {"logs", "tasks", "task", "terminate-task", "run-task", "run-job", "review", "jobs", "doctor"}


def test_an_option_that_a_command_does_not_have_is_seen() -> None:
    [(name, words)] = ADVISED.findall("look at it with kf tasks NAME --nothing, or wait")
    command = kf.get_command(click.Context(kf), name)
    assert command and words == " NAME --nothing" and "--nothing" not in {o for one in command.params for o in one.opts}
