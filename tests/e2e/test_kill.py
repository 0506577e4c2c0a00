"""Updates that are killed at any moment: never two runs of one definition, never a stuck state."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from kf_tasks.log.archive import Archive

from ..changing import Changes, Job, Rule
from ..processes import programs_of, providers_of
from .conftest import Result, Stack, eventually, kill_group
from .witness import Past, Witness, readable, witness

RUN = "pulumi-python:dynamic/kf:Run"
LONGEST = 3.0  # seconds that a command goes on for after it has begun
HEAD = (
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', log_archive={url!r})\n"
    "app = App('shop', space=space, image=f'{{R}}/busybox:1', keep=1, env={{'TOKEN': Output.secret({secret!r})}})\n"
)


def test_a_few_killed_updates(stack: Stack) -> None:
    seed = time.time_ns() % 100_000
    print(f"seed {seed}")
    moments = random.Random(seed)
    for number in range(1, 5):
        stack.task(f"command='echo begun {number}; sleep 1; echo done {number}'", "keep=1000")
        process = stack.start()
        time.sleep(moments.uniform(0.5, 7.0))
        kill_group(process)  # its language host and provider process live on and are left alone
        stack.pulumi("cancel", "--yes").ok()
        stack.up().ok()
        assert stack.outputs()["log"] == f"begun {number}\ndone {number}\n", f"seed {seed}, update {number}"
        keys = Counter(run["metadata"]["labels"]["kf.dev/key"] for run in stack.runs())
        assert len(keys) == number and set(keys.values()) == {1}, f"seed {seed}, update {number}: {keys}"
    stack.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates").ok()
    stack.up("--expect-no-changes").ok()
    eventually(lambda: not [*providers_of(stack.folder), *programs_of(stack.folder)], 60, "no process of it is left")


class Killed:
    """A stack whose program changes, whose updates are killed, and what must hold after each that was not."""

    def __init__(self, stack: Stack, archive: Path, seen: Witness, seed: int) -> None:
        self.stack, self.seen = stack, seen
        self.url = f"file://{archive}"
        self.random, self.changes, self.rule = random.Random(seed), Changes(seed), Rule()
        self.took = 0.0
        stack.env["XDG_STATE_HOME"] = str(stack.folder)

    def recover(self) -> None:
        """An update that is let go to its end, beside the tasks that fail."""
        self._write()
        began = time.monotonic()
        done = self.stack.up("--continue-on-error", timeout=600)
        self.took = time.monotonic() - began
        program, failing = self.changes.program, [job for job in self.changes.program if job.fails]
        assert (done.code != 0) == bool(failing), done.text
        self._judge(done, self.rule.ended(program, self.seen.begun))
        assert all(f"task '{job.name}' of app 'shop' failed: exit code 3" in done.text for job in failing), done.text
        records = self._records()
        assert set(records) >= {f"shop-{job.name}" for job in program if not job.fails}, "no record is lost"
        for job in program:
            if not job.fails:
                record = records[f"shop-{job.name}"]
                assert (record["state"], record["log"]) == ("Succeeded", _log(job)), record
        self.changes.recovered()

    def kill(self) -> str:
        """An update that is killed at any moment of the time that one takes, in any of the ways to begin one."""
        how = self._how()
        whole = self.random.random() < 0.3
        self._write()
        process = self.stack.start(*how)
        text: list[str] = []
        threading.Thread(target=lambda: text.extend(process.stdout or ()), daemon=True).start()
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.random.uniform(0.2, self.took))
        with suppress(ProcessLookupError):
            kill_group(process)
        if whole:  # else its language host and provider process live on and are left alone
            for number in providers_of(self.stack.folder):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
        self.stack.pulumi("cancel", "--yes")
        self._judge(Result(0, "".join(text)), [])
        return f"killed up {' '.join(how)}{' with its provider' if whole else ''}"

    def past(self) -> Past:
        """What there was, of which nothing is lost, done twice, or gone without its log."""
        past = Past.of(self.stack, Archive(self.url))
        begun = Counter(name for _, name in self.seen.calls)
        told = [*past.lost(begun), *past.doubled(self.seen.calls, self.rule.allowed)]
        told += [f"run {one.run} is gone without its whole log: {one.missing}" for one in past.gone if not one.whole]
        assert not told, told
        return past

    def _how(self) -> list[str]:
        if self.random.random() < 0.3:
            return ["--continue-on-error"]
        if self.random.random() < 0.4:
            target = ["--target", f"**shop-{self.random.choice(self.changes.program).name}"]
            # Without them the engine damages the state where something is renamed: docs/troubleshooting.md.
            return [*target, "--target-dependents"] if self.changes.renames else target
        return []

    def _write(self) -> None:
        self.rule.update(self.changes.program, self.seen.begun)
        body = HEAD.format(url=self.url, secret=self.changes.secrets[-1])
        for job in self.changes.program:
            aliases = ", ".join(f"pulumi.Alias(name='shop-{name}')" for name in job.formerly)
            opts = f", opts=ResourceOptions(aliases=[{aliases}])" if aliases else ""
            body += f"Task({job.name!r}, app=app, command={self._command(job)!r}{opts})\n"
        self.stack.write(body)

    def _command(self, job: Job) -> str:
        lasts = random.Random(job.word).uniform(0, LONGEST)
        end = "exit 3" if job.fails else f"echo done {job.word}"
        return f"{self.seen.call(job.word)}; echo begun {job.word}; echo token=$TOKEN; sleep {lasts:.1f}; {end}"

    def _records(self) -> dict[str, dict[str, Any]]:
        resources = self.stack.state()["deployment"]["resources"]
        runs = [it for it in resources if it["type"] == RUN and not it.get("delete")]
        return {it["urn"].rpartition("::")[2]: it.get("outputs", {}) for it in runs}

    def _judge(self, done: Result, idle: list[str]) -> None:
        told = idle + self.rule.broken(self.seen.begun)
        told += [f"{secret} was printed" for secret in self.changes.secrets if secret in done.text]
        assert not told, f"{told}\n{done.text}"


def _log(job: Job) -> str:
    return f"begun {job.word}\ntoken=[secret]\ndone {job.word}\n"


@pytest.mark.soak
def test_a_changing_program_and_two_hundred_killed_updates(stack: Stack, tmp_path: Path) -> None:
    """With keep=1 and an archive; SOAK_KILLS is how many, SOAK_SEED repeats what a seed has shown."""
    kills = int(os.environ.get("SOAK_KILLS", "200"))
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 100_000))
    print(f"seed {seed}")
    with witness(stack) as seen:
        killed = Killed(stack, tmp_path / "archive", seen, seed)
        killed.recover()
        done = 0
        while done < kills:
            for _ in range(killed.random.choice((1, 1, 2))):
                said = [killed.changes.change() for _ in range(killed.random.choice((1, 1, 2)))]
                if killed.random.random() < 0.2:
                    killed.changes.rotate()
                print(f"{done}: {', '.join(said)}; {killed.kill()}", flush=True)
                done += 1
            killed.recover()
            past = killed.past()
        archive = Archive(killed.url)
        while any(job.fails for job in killed.changes.program):
            killed.changes.change()
        killed.recover()
        stack.pulumi("refresh", "--yes", "--skip-preview", "--clear-pending-creates").ok()
        killed.rule.update(killed.changes.program, seen.begun)
        stack.up("--expect-no-changes").ok()
        past = killed.past()
        for record in past.gone:
            log = b"".join(archive.read(record)).decode()
            [word] = {word for word, name in seen.calls if name == record.run}
            ends = f"done {word}\n" if record.state == "Succeeded" else ""
            assert log == f"begun {word}\ntoken=[secret]\n{ends}", record
        assert not readable(stack, archive, killed.changes.secrets)
        stack.destroy().ok()
        assert not killed.past().there
        eventually(
            lambda: not [*providers_of(stack.folder), *programs_of(stack.folder)], 60, "no process of it is left"
        )
        assert not list((stack.folder / "kf" / "logs").glob("*")), "nothing is left on this machine"
