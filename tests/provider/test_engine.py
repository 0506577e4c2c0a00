"""The provider's process ends after an engine that was killed, when what it has begun is done, and never else."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kf_tasks.provider import engine, hosting

from ..processes import providers_of

HOST = """
import runpy, threading
from kf_tasks.provider import engine, hosting
engine.LOOK_SECONDS = 0.1
hosting.say = lambda *_, **__: None  # the engine of this test would never answer
held = threading.Event()
threading.Thread(target=hosting.plainly, args=[held.wait], daemon=True).start()
hosting.prepare()
threading.Thread(target=lambda: (input(), held.set()), daemon=True).start()
runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
"""


def test_a_process_whose_engine_is_killed_ends_when_its_work_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # The word `pulumi.dynamic` is how such processes are counted.
        command = [sys.executable, "-u", "-c", HOST, f"127.0.0.1:{listening.getsockname()[1]}"]
        environ = {"PATH": "", "TMPDIR": str(tmp_path)}
        process = subprocess.Popen(command, cwd=tmp_path, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert process.stdin and process.stdout and process.stdout.readline().strip().isdigit()
            listening.accept()[0].close()  # it has seen its engine
            listening.accept()[0].close()
            listening.close()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            assert providers_of(tmp_path) == [process.pid]
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert process.wait(300) == 0
        finally:
            process.kill()
            process.communicate()
    assert providers_of(tmp_path) == [] and not list(tmp_path.iterdir())


PROGRAM = """
import threading
import pulumi
from kf_tasks import Space
from kf_tasks.provider import engine
engine.LOOK_SECONDS = 0.1
class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        return "id", args.inputs
    def call(self, args):
        return {}
pulumi.runtime.set_mocks(Mocks())
Space("ns")
print("declared", flush=True)
threading.Event().wait()  # as for the answer of an engine that gives none any more
"""


def test_a_program_ends_after_its_engine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        at = f"127.0.0.1:{listening.getsockname()[1]}"
        command = [sys.executable, "-c", PROGRAM, "--monitor", at, "--engine", at, "--project", "p", "."]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE)
        try:
            assert process.stdout and process.stdout.readline() == b"declared\n"
            listening.accept()[0].close()
            listening.accept()[0].close()
            assert process.poll() is None
            listening.close()
            assert process.wait(300) == 0
        finally:
            process.kill()
            process.communicate()


@given(st.lists(st.booleans(), max_size=20))
def test_only_two_refusals_in_a_row_after_an_answer_tell_that_it_is_gone(answers: list[bool]) -> None:
    asked, ended = list[bool](), list[str]()

    def answer(_: str) -> bool:
        asked.append(answers[len(asked)] if len(asked) < len(answers) else False)
        return asked[-1]

    engine.outlive("a:1", lambda: ended.append("ended"), answer, lambda _: None)
    if not asked[0]:
        assert (len(asked), ended) == (1, []), "an address at which nobody ever was is not the engine's"
        return
    assert ended == ["ended"] and asked[-2:] == [False, False]
    assert all(before or after for before, after in pairwise(asked[:-1]))


def test_work_that_fails_is_done_too() -> None:
    with pytest.raises(ZeroDivisionError):
        hosting.plainly(lambda: 1 // 0)
    assert engine._under_way == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["provider"], ""), (["provider", "127.0.0.1:4711"], "127.0.0.1:4711"),
        (["provider", "x", "[::1]:80"], "[::1]:80"), (["pytest", "tests/x.py::test"], ""), (["provider", ":80"], ""),
    ],
)  # fmt: skip
def test_its_address_is_the_last_argument(arguments: list[str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", arguments)
    assert engine.address() == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["x", "--monitor", "127.0.0.1:1", "--engine", "127.0.0.1:4711", "."], "127.0.0.1:4711"),
        (["pytest", "--engine", "127.0.0.1:4711"], ""), (["pytest", "--engine"], ""), ([], ""),
        (["x", "--monitor", "m", "--engine", "chromium"], ""), (["x", "--monitor", "m", "--engine"], ""),
    ],
)  # fmt: skip
def test_only_pulumis_language_host_gives_a_program_one(
    arguments: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program under test may have options of that name."""
    monkeypatch.setattr(sys, "orig_argv", arguments)
    assert engine._of_program() == expected


def test_only_a_refusal_tells_that_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        at = f"127.0.0.1:{listening.getsockname()[1]}"
        assert engine.answers(at)
    assert not engine.answers(at)

    def too_many(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "create_connection", too_many)
    assert engine.answers(at)
