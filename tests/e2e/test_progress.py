"""What a terminal shows while something is waited for, and that nobody else gets it."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from .conftest import CHECKOUT, Stack

SLOW = "echo first; sleep 5; echo last; exit 3"


class _Terminal:
    """A terminal as the stderr of `kf`, and as its stdout too if `both`; what was shown and what went to a pipe."""

    def __init__(self, stack: Stack, *arguments: str, both: bool = False) -> None:
        master, slave = pty.openpty()
        self._shown = b""
        self.process = subprocess.Popen(
            [str(CHECKOUT / "kf"), *arguments, "--space", stack.namespace],
            cwd=stack.folder, env={**stack.env, "TERM": "xterm", "COLUMNS": "120"}, stdin=subprocess.DEVNULL,
            stdout=slave if both else subprocess.PIPE, stderr=slave,
        )  # fmt: skip
        os.close(slave)
        self._thread = threading.Thread(target=self._read, args=(master,))
        self._thread.start()

    def _read(self, master: int) -> None:
        try:
            while data := os.read(master, 65536):
                self._shown += data
        except OSError:  # all who had it open are gone
            os.close(master)

    def end(self) -> tuple[int, str, str]:
        out = self.process.communicate(timeout=300)[0] or b""
        self._thread.join(10)
        return self.process.returncode, out.decode(), self._shown.decode()

    def wait_for(self, text: bytes) -> None:
        deadline = time.monotonic() + 240
        while text not in self._shown:
            assert time.monotonic() < deadline, self._shown
            time.sleep(0.1)


def _screen(shown: str) -> str:
    """What stays on the screen: of a line that is erased, only what is written afterwards."""
    lines = [""]
    for part in re.split(r"(\x1b\[\d*[A-Za-z]|\x1b\[\?25[lh]|\r\n|\n|\r)", shown):
        if part in ("\r\n", "\n"):
            lines.append("")
        elif part == "\x1b[1A":
            lines.pop()
        elif part == "\x1b[2K":
            lines[-1] = ""
        elif not part.startswith("\x1b") and part != "\r":
            lines[-1] += part
    return "\n".join(lines)


def test_progress_of_a_task_that_is_waited_for(stack: Stack) -> None:
    stack.task("command='true'").up().ok()
    code, out, shown = _Terminal(stack, "run-task", "shop", "-c", SLOW, "--wait").end()
    assert (code, out) == (3, "first\nlast\n"), "stdout has the log and nothing else"
    assert re.search(r"task 'shop' of app 'shop' is running \(0:00:\d\d\)", shown)
    left = _screen(shown)
    assert "is running" not in left and "is starting" not in left
    assert "failed: exit code 3" in left and left.count("kf: ") == 1


def test_progress_of_a_task_that_cannot_start_yet(stack: Stack) -> None:
    stack.task("command='true'").up().ok()
    terminal = _Terminal(stack, "run-task", "shop", "-c", "true", "--cpu-cores", "900", "--wait")
    terminal.wait_for(b"task 'shop' of app 'shop' is starting (0:00:")
    terminal.process.send_signal(signal.SIGINT)
    _, out, shown = terminal.end()
    assert out == "" and "is starting" not in _screen(shown)


def test_progress_and_log_on_one_terminal(stack: Stack) -> None:
    stack.task("command='true'").up().ok()
    code, _, shown = _Terminal(stack, "run-task", "shop", "-c", SLOW, "--wait", both=True).end()
    assert code == 3 and "is running" in shown
    lines = _screen(shown).splitlines()
    assert "first" in lines and "last" in lines and not any("is running" in line for line in lines)


def test_progress_while_logs_are_followed(stack: Stack) -> None:
    stack.task("command='echo begun; sleep 300', wait=False").up().ok()
    terminal = _Terminal(stack, "logs", "shop", "--task", "--follow")
    terminal.wait_for(b"following migrate/1")
    assert terminal.process.stdout and terminal.process.stdout.readline() == b"migrate/1 begun\n"
    terminal.process.send_signal(signal.SIGINT)
    _, out, shown = terminal.end()
    assert out == "" and "following" not in _screen(shown)


def test_nothing_of_it_where_no_terminal_is(stack: Stack) -> None:
    stack.task("command='true'").up().ok()
    command = [str(CHECKOUT / "kf"), "run-task", "shop", "-c", SLOW, "--wait", "--space", stack.namespace]
    with (Path(stack.folder) / "err").open("w+b") as err:
        done = subprocess.run(command, env=stack.env, stdout=subprocess.PIPE, stderr=err, check=False)
        err.seek(0)
        text = err.read().decode()
    assert done.stdout == b"first\nlast\n"
    assert "is running" not in text and "\x1b" not in text
