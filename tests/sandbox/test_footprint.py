"""The sandbox leaves the machine as it was, and repairs whatever is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import processes
from sandbox.places import Places
from sandbox.processes import Keeper

pytestmark = pytest.mark.footprint
CHECKOUT = Path(__file__).parents[2]
PLACES = Places.of(os.environ)
VOLATILE = re.compile(
    r"^(fs\.(dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota\.\w+)"
    r"|kernel\.(ns_last_pid|random\.\w+|pty\.nr|perf_event_max_sample_rate)"
    r"|net\.netfilter\.nf_conntrack_count|net\.core\.\w+_peak) ="
)
OURS = ("etcd", "kube", "dns", "containerd", "containerd-shim", "docker-registry")


def sandbox(*words: str) -> str:
    """Runs a command of the sandbox and returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", *words],
        cwd=CHECKOUT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def output(*argv: str) -> list[str]:
    return subprocess.run(argv, text=True, capture_output=True, check=True).stdout.splitlines()


def footprint() -> dict[str, list[str]]:
    """Everything of the machine that the sandbox touches."""
    pids = [folder.name for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    living = [pid for pid in pids if processes.identify(int(pid))]
    names = [name_of(pid) for pid in living]
    groups = [
        str(folder)
        for pattern in ("kubepods*", "kf-sandbox*")
        for folder in Path("/sys/fs/cgroup").glob(f"**/{pattern}")
    ]
    folders = ("/run", "/var/lib", "/var/log", "/usr/libexec", "/tmp/hostpath_pv")
    return {
        "mounts": sorted(output("findmnt", "-rn", "-o", "TARGET,SOURCE,FSTYPE,OPTIONS")),
        "links": output("ip", "-o", "link"),
        "routes": output("ip", "route"),
        "rules": [line for line in output("iptables-save") if not line.startswith("#")],
        "settings": [line for line in output("sysctl", "-a") if not VOLATILE.match(line)],
        "groups": sorted(groups),
        "processes": sorted(name for name in names if name.startswith(OURS)),
        "folders": sorted(str(entry) for each in map(Path, folders) if each.exists() for entry in each.iterdir()),
    }


def name_of(pid: str) -> str:
    try:
        return Path("/proc", pid, "comm").read_text().strip()
    except OSError:
        return ""


def registry() -> str:
    return str(json.loads(PLACES.record.read_text())["node"]) + ":5000"


def kubectl(*words: str, stdin: str | None = None) -> str:
    kube = json.loads(PLACES.record.read_text())["kube"]
    command = [kube, "kubectl", f"--kubeconfig={PLACES.kubeconfig}", *words]
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pod_runs() -> None:
    """A new pod starts, is seen, and its output is read back."""
    name = f"footprint-{time.time_ns()}"
    command = ["--restart=Never", "--attach", "--rm", "--quiet", "--", "echo", "it runs"]
    said = kubectl("run", name, f"--image={registry()}/busybox:1", *command)
    assert said.splitlines()[0] == "it runs"


def pipeline_runs() -> None:
    """Tekton works off a run within half a minute."""
    step = {"name": "s", "image": registry() + "/busybox:1", "command": ["true"]}
    run = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": f"footprint-{time.time_ns()}", "namespace": "default"},
        "spec": {"pipelineSpec": {"tasks": [{"name": "t", "taskSpec": {"steps": [step]}}]}},
    }
    name = kubectl("create", "--output=name", "--filename=-", stdin=json.dumps(run)).strip()
    kubectl("wait", name, "--for=condition=Succeeded", "--timeout=30s")
    kubectl("delete", name)


@pytest.fixture(scope="module", autouse=True)
def left_running() -> Iterator[None]:
    """Other tests want the sandbox up."""
    yield
    sandbox("up")


def test_down_leaves_the_machine_as_it_was() -> None:
    sandbox("down")
    before = footprint()
    began = time.monotonic()
    sandbox("up")
    assert time.monotonic() - began < 60, "a warm start takes a minute at most"
    sandbox("second", "up")
    pod_runs()
    pipeline_runs()
    sandbox("down")
    after = footprint()
    assert after == before
    assert processes.marked(PLACES.home) == []
    assert not PLACES.home.exists()


def test_up_twice_changes_nothing() -> None:
    sandbox("up")
    before = {path.name: path.read_text() for path in PLACES.run.iterdir()}
    sandbox("up")
    assert {path.name: path.read_text() for path in PLACES.run.iterdir()} == before
    assert "stopped" not in sandbox("status")


@pytest.mark.parametrize("part", ["containerd", "apiserver", "etcd", "kubelet", "registry", "proxy", "dns"])
def test_up_repairs_a_killed_part(part: str) -> None:
    sandbox("up")
    found = Keeper(PLACES).running(part)
    assert found is not None
    os.kill(found[0].pid, signal.SIGKILL)
    assert processes.until(lambda: not found[0].alive(), 5.0)
    sandbox("up")
    pod_runs()


def test_up_repairs_a_sandbox_of_which_everything_was_killed() -> None:
    """As after a restart of the machine: no process, no network, stale pid files."""
    sandbox("up")
    kubectl("create", "configmap", "kept", "--from-literal=a=b")
    for identity in processes.marked(PLACES.home):
        identity.kill(signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", "kf-sandbox"], check=True)
    sandbox("up")
    pod_runs()
    pipeline_runs()
    kubectl("delete", "configmap", "kept")


def test_a_part_can_be_stopped_and_started() -> None:
    sandbox("stop", "apiserver")
    assert Keeper(PLACES).running("apiserver") is None
    sandbox("start", "apiserver")
    pod_runs()
