"""The wheel in an environment of its own, beside a project whose packages and modules are named like ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import kf_tasks
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

from . import project

# Registers the project's program in a preview and prints what it registers.
REGISTER = """
import json, runpy, sys
import pulumi

sys.path.insert(0, ".")

class Cluster(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args):
        return {}, None

pulumi.runtime.set_mocks(Cluster(), project="elsewhere", stack="dev", preview=True)
pulumi.runtime.test(lambda: runpy.run_path("__main__.py", run_name="__main__") and None)()
found = pulumi.runtime.settings.get_monitor().get_registered_resources()
print(json.dumps([[urn, entry.state] for urn, entry in found.items()], default=lambda value: None))
"""
Resource = tuple[str, dict[str, Any]]
DYNAMIC = "pulumi-python:dynamic/kf:"


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project.install(wheel, tmp_path_factory.mktemp("installed") / "venv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project.write(tmp_path_factory.mktemp("project"))


def outside(command: list[str], folder: Path) -> str:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def registered(python: Path, folder: Path) -> list[Resource]:
    """URN and inputs of all that the project registers."""
    return [(urn, inputs) for urn, inputs in json.loads(outside([str(python), "-c", REGISTER], folder))]


def test_the_package_is_that_of_the_wheel(python: Path, folder: Path) -> None:
    found = outside([str(python), "-c", "import kf_tasks; print(kf_tasks.__file__)"], folder)
    assert Path(found.strip()).is_relative_to(python.parents[1])
    assert outside([str(python.with_name("kf")), "--version"], folder) == f"kf {kf_tasks.__version__}\n"
    show = "from importlib.resources import files; print(files('kf_tasks.core.manifest') / 'manifest.schema.json')"
    assert "definitions" in json.loads(Path(outside([str(python), "-c", show], folder).strip()).read_text("utf-8"))


def test_a_project_with_packages_named_like_ours_registers(registered: list[Resource]) -> None:
    types = {urn.split("::")[2].split("$")[-1] for urn, _ in registered}
    assert {"kf:index:Space", "kf:index:App", "kf:index:Task", "kf:index:TaskSchedule"} <= types
    assert {f"{DYNAMIC}{name}" for name in ("Run", "History", "Calendar")} <= types
    [run] = [inputs for urn, inputs in registered if f"{DYNAMIC}Run" in urn]
    assert run["definition"]["argv"] == ["echo", "migrated"]


class Engine(engine_pb2_grpc.EngineServicer):
    """The engine's side, as far as a provider speaks to it: what is shown to the person at the terminal."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> Empty:
        self.shown.append(request.message)
        return Empty()


@pytest.fixture
def engine() -> Iterator[tuple[Engine, str]]:
    servicer, server = Engine(), grpc.server(ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer, address
    server.stop(None)


@pytest.fixture
def host(python: Path, folder: Path, engine: tuple[Engine, str]) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    """The SDK's host of dynamic providers, started as the engine starts it: in the project's folder and environment."""
    command = [str(python), "-u", "-m", "pulumi.dynamic", engine[1]]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", ["Run", "History", "Calendar"])
def test_a_pickled_provider_is_found_in_the_hosts_process(
    name: str, registered: list[Resource], host: provider_pb2_grpc.ResourceProviderStub, engine: tuple[Engine, str]
) -> None:
    inputs = next(inputs for urn, inputs in registered if f"{DYNAMIC}{name}" in urn)
    request = provider_pb2.CheckRequest()
    request.news.update({**inputs, "connection": UNKNOWN})  # so that no cluster is asked
    answer = host.Check(request)
    assert not answer.failures and answer.inputs["__provider"] == inputs["__provider"]
    assert bool(engine[0].shown) is (name != "History"), engine[0].shown
