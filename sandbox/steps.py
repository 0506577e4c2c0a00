"""One line per step with the elapsed time, because a long silent command looks like a hung one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

HEARTBEAT = 30.0


class Failure(Exception):
    """What the person who typed the command has to read; nothing else is printed."""


def duration(seconds: float) -> str:
    """Seconds as a person says them: 8.2 s, 2 min 30 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


class Steps:
    """Prints lines that begin with the time since the command started."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.began = time.monotonic()
        self.out = out

    def say(self, line: str) -> None:
        elapsed = time.monotonic() - self.began
        print(f"[{elapsed:6.1f} s] {line}", file=self.out or sys.stderr, flush=True)

    def watch(
        self,
        what: str,
        argv: Sequence[str],
        cwd: Path,
        environ: Mapping[str, str],
        log: Path,
    ) -> None:
        """Runs a long command, with a line every half minute; its output goes to `log`."""
        began = time.monotonic()
        beat = began + HEARTBEAT
        with log.open("ab") as sink:
            child = subprocess.Popen(argv, cwd=cwd, env=environ, stdout=sink, stderr=sink)
            try:
                while child.poll() is None:
                    time.sleep(0.2)
                    if time.monotonic() >= beat:
                        beat += HEARTBEAT
                        self.say(f"{what} … {duration(time.monotonic() - began)}")
            finally:
                if child.poll() is None:
                    child.terminate()
                    child.wait()
        if child.returncode:
            raise Failure(f"{what} failed (exit code {child.returncode}):\n{tail(log)}")


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return f"    (no log at {log})"
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def run(argv: Sequence[str], stdin: str | None = None, cwd: Path | None = None) -> str:
    """Runs a short command and returns what it printed; a failure says what it said."""
    done = subprocess.run(argv, input=stdin, cwd=cwd, text=True, capture_output=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip()
        raise Failure(f"{' '.join(argv)} failed (exit code {done.returncode}): {words}")
    return done.stdout


def attempt(argv: Sequence[str]) -> bool:
    """Runs a short command whose failure is an answer."""
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
