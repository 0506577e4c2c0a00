"""A stack of its own for each test, on the real engine and the real cluster."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

import pytest

from sandbox.api import Api

from .. import messages
from . import once

CHECKOUT = Path(__file__).resolve().parents[2]
RUNS = "pipelineruns.tekton.dev"
GROUPS = {
    **dict.fromkeys((RUNS, "taskruns"), "apis/tekton.dev/v1"),
    **dict.fromkeys(("cronjobs", "jobs"), "apis/batch/v1"),
    **dict.fromkeys(("pods", "configmaps", "secrets", "serviceaccounts"), "api/v1"),
}
OUTPUTS = ("run", "task_id", "state", "reason", "exit_code", "duration", "log", "log_digest", "started_at",
           "finished_at", "results")  # fmt: skip
SECRET = "4dabf18193072939515e22adb298388d"  # the key that marks an encrypted value in a state

# Commands in Go end before their garbage is worth collecting: they take a quarter less.
os.environ.setdefault("GOGC", "400")

# A shell that starts the tests in the background lets them ignore Ctrl-C, and with them all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@dataclass
class Result:
    """What a command printed and how it ended."""

    code: int
    text: str

    def ok(self) -> Result:
        assert self.code == 0, self.text
        return self

    def failed(self) -> Result:
        assert self.code != 0, self.text
        return self


def run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None, timeout: int = 600) -> Result:
    done = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=timeout, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout.decode("utf-8", "replace"))


def kubectl(*arguments: str) -> str:
    return run(["kubectl", *arguments]).ok().text


def objects(kind: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
    """Asked of the API server where that is possible: to start kubectl costs fifty times as much as the answer."""
    group, status, text = GROUPS.get(kind), 0, ""
    if group:
        path = f"/{group}/namespaces/{namespace}/{kind.partition('.')[0]}?labelSelector={quote(selector)}"
        status, text = api().ask("GET", path)
    if status != HTTPStatus.OK:
        text = kubectl("get", kind, "-n", namespace, "-l", selector, "-o", "json")
    items: list[dict[str, Any]] = json.loads(text)["items"]
    for item in items:
        item["metadata"].pop("managedFields", None)
    return sorted(items, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))


@cache
def api() -> Api:
    """The sandbox's API server."""
    return Api(Path(os.environ["KUBECONFIG"].split(os.pathsep)[0]))


def eventually(condition: Callable[[], Any], seconds: float = 60, what: str = "") -> Any:
    """What a condition gives once it holds; `seconds` are those of an idle machine, and a busy one gets three times."""
    begun, pause = time.monotonic(), 0.2
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < begun + 3 * seconds, f"not within {seconds} s: {what or condition}"
        time.sleep(pause)
        pause = min(1.0, 1.2 * pause)  # to ask costs as much as what is waited for


@dataclass
class Stack:
    """A project in a folder, its state beside it, and a namespace named after it."""

    folder: Path
    name: str = "dev"
    project: str = "e2e"
    env: dict[str, str] = field(default_factory=dict)
    namespace: str = field(default_factory=lambda: f"e2e-{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        made = once.initialised(self.project, self.name)
        shutil.copytree(made, self.folder, ignore=shutil.ignore_patterns("state"), dirs_exist_ok=True)
        self.env = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state?metadata=skip",  # which a kill cannot damage
            "PULUMI_CONFIG_PASSPHRASE": once.PASSPHRASE,
            "PULUMI_STACK": self.name,
            "NAMESPACE": self.namespace,
            **self.env,
        }
        backend = urlsplit(self.env["PULUMI_BACKEND_URL"]).path
        shutil.copytree(made / "state", backend, dirs_exist_ok=True)

    def write(self, body: str) -> Stack:
        """The program: `body` after a Space `space` in the test's namespace and the sandbox's registry `R`."""
        head = (
            "import os, pulumi, pulumi_kubernetes as k8s\n"
            "from pulumi import Output, ResourceOptions\n"
            "from kf_tasks import App, Space, Task\n"
            "R = os.environ['SANDBOX_REGISTRY']; NS = os.environ['NAMESPACE']; config = pulumi.Config()\n"
        )
        if "Space(" not in body:
            head += "space = Space(NS, memory='32M', disk='64M', cpu='10m')\n"
        (self.folder / "__main__.py").write_text(head + body)
        return self

    def task(self, arguments: str = "command='echo hello'", app: str = "", after: str = "") -> Stack:
        """The common program: one App `shop` with one Task `migrate`."""
        return self.write(
            f"app = App('shop', space=space, image=f'{{R}}/busybox:1', {app})\n"
            f"migrate = Task('migrate', app=app, {arguments})\n"
            f"for output in {OUTPUTS}:\n    pulumi.export(output, getattr(migrate, output))\n" + after
        )

    def pulumi(self, *arguments: str, timeout: int = 600) -> Result:
        return run(["pulumi", *arguments, "--non-interactive"], self.folder, self.env, timeout)

    def preview(self, *arguments: str) -> Result:
        return self.pulumi("preview", "--color", "never", *arguments)

    def up(self, *arguments: str, timeout: int = 600) -> Result:
        return self.pulumi("up", "--yes", "--skip-preview", "--color", "never", *arguments, timeout=timeout)

    def refresh(self) -> Result:
        return self.pulumi("refresh", "--yes", "--skip-preview", "--color", "never")

    def destroy(self) -> Result:
        return self.pulumi("destroy", "--yes", "--skip-preview", "--color", "never")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`pulumi up` in the background, its output readable line by line."""
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never", *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip

    def outputs(self) -> dict[str, Any]:
        resources = self.state()["deployment"].get("resources", [])
        found: dict[str, Any] = next(
            (r.get("outputs", {}) for r in resources if r["type"] == "pulumi:pulumi:Stack"), {}
        )
        if SECRET not in json.dumps(found):
            return found
        text = self.pulumi("stack", "output", "--json", "--show-secrets").ok().text
        shown: dict[str, Any] = json.loads(text[text.index("{") :])
        return shown

    def state(self) -> dict[str, Any]:
        text = self.pulumi("stack", "export").ok().text
        found: dict[str, Any] = json.loads(text[text.index("{") :])
        return found

    def urn(self, type_: str, name: str) -> str:
        resources = self.state()["deployment"]["resources"]
        return str(next(r["urn"] for r in resources if r["type"] == type_ and r["urn"].endswith(f"::{name}")))

    def runs(self, app: str = "shop") -> list[dict[str, Any]]:
        return objects(RUNS, self.namespace, f"app.kubernetes.io/name={app},kf.dev/key")

    def pods(self, app: str = "shop") -> list[dict[str, Any]]:
        return objects("pods", self.namespace, f"app.kubernetes.io/name={app}")

    def kf(self, *arguments: str) -> Result:
        return run([str(CHECKOUT / "kf"), *arguments, "--space", self.namespace], self.folder, self.env)


def changes(result: Result) -> str:
    """The summary of an update, such as `1 created, 3 unchanged`."""
    lines = result.text.split("Resources:")[-1].strip().splitlines()
    return ", ".join(line.strip() for line in lines[:6] if line.strip() and "Duration" not in line)


@pytest.fixture(scope="session", autouse=True)
def sandbox() -> Iterator[IO[str]]:
    """The cluster's kubeconfig, which all who use the cluster have locked together."""
    missing = [name for name in ("SANDBOX_REGISTRY", "KUBECONFIG", "PULUMI_HOME") if name not in os.environ]
    if missing:
        pytest.exit(f"these tests need the sandbox ({', '.join(missing)} not set): run them with `make test`", 2)
    with Path(os.environ["KUBECONFIG"].split(os.pathsep)[0]).open() as used:
        try:
            fcntl.flock(used, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.exit("a test that stops parts of the cluster is under way: wait for its end", 2)
        yield used
    shutil.rmtree(once.folder(), ignore_errors=True)


@pytest.fixture
def alone(sandbox: IO[str]) -> Iterator[None]:
    """For a test that stops what others rely on: it never runs beside them, and none begins beside it."""
    try:
        fcntl.flock(sandbox, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        pytest.fail("this test stops parts of the cluster, which others use: run it by itself, without -n")
    finally:
        fcntl.flock(sandbox, fcntl.LOCK_SH)  # also lost where the other one is refused


@pytest.fixture
def stacks(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Makes stacks; afterwards their processes are ended and their namespaces deleted."""
    made: list[Stack] = []

    def make(folder: str = "stack", kind: type[Stack] = Stack, **settings: Any) -> Stack:
        made.append(kind(tmp_path / folder, **settings))
        return made[-1]

    yield make
    subprocess.run(["pkill", "-9", "-f", str(tmp_path)], check=False)
    for namespace in {stack.namespace for stack in made}:
        run(["kubectl", "delete", "namespace", namespace, "--ignore-not-found", "--wait=false"])


@pytest.fixture
def stack(stacks: Callable[..., Stack]) -> Stack:
    return stacks()


@pytest.fixture
def message(stack: Stack) -> Callable[[str, str], None]:
    """Compares a message that a person reads with the golden file."""
    return lambda title, text: messages.check(title, text, stack.namespace)


def kill_group(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    os.killpg(process.pid, number)
    process.wait()


__all__ = ["CHECKOUT", "Result", "Stack", "changes", "eventually", "kill_group", "kubectl", "objects", "run", "sys"]
