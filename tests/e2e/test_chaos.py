"""An hour in which the parts of the cluster and the archive come and go: nothing runs twice, is lost, or is shown.

SOAK_MINUTES is how long, SOAK_SEED repeats the plan that a seed has given.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from kf_tasks.core.run.outcome import SUCCEEDED
from kf_tasks.log.archive import Archive

from .. import s3
from ..changing import Changes, Rule
from ..outages import events, outages
from .conftest import CHECKOUT, Result, Stack, eventually, run
from .test_archive import server as server
from .witness import Past, Witness, readable, witness

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("alone")]
TEKTON = ("controller", "webhook")
# How many seconds each may be away; a node that is lost for more than five minutes loses its pods.
LONGEST = {
    "apiserver": 60.0, "controller-manager": 90.0, "kubelet": 400.0, "registry": 120.0,
    "controller": 120.0, "webhook": 90.0, "archive": 240.0,
}  # fmt: skip
PAUSE = 30.0
HEAD = (
    "from kf_tasks import TaskSchedule\n"
    "space = Space(NS, memory='32M', disk='64M', cpu='10m', log_archive={url!r}, submitter_image=f'{{R}}/python:3',"
    " registry=f'http://{{R}}/apps')\n"
    "app = App('shop', space=space, image=f'{{R}}/busybox:1', keep=1, resolve_tag=True,"
    " env={{'TOKEN': Output.secret({secret!r})}})\n"
)
TICK = "tick"
LONGEST_TASK = 20.0  # seconds


class Chaos:
    """Carries a plan of outages out; `stop` ends it with everything back."""

    def __init__(self, seed: int, seconds: float, archive: s3.Server) -> None:
        self.plan = outages(seed, seconds, LONGEST, PAUSE)
        self.archive = archive
        self.trouble: list[str] = []
        self._over = threading.Event()
        self._began = time.monotonic()
        # One thread for each part: what comes back may need another one, whose time to come back is later.
        self._threads = [threading.Thread(target=self._carry_out, args=(part,), daemon=True) for part in LONGEST]

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for part in LONGEST:  # the API server first: what follows needs it
            self._act("start", part)
        eventually(lambda: run([sys.executable, "-m", "sandbox", "status"], CHECKOUT).code == 0, 600, "all is up")
        assert not self.trouble, self.trouble

    def _carry_out(self, part: str) -> None:
        for when, what, _ in events([one for one in self.plan if one.part == part]):
            if self._over.wait(max(self._began + when - time.monotonic(), 0)):
                return
            print(f"{time.monotonic() - self._began:.0f} s: {what} {part}", flush=True)
            self._act(what, part)

    def _act(self, what: str, part: str) -> None:
        """Does it, and until it works: what a part needs may be away itself."""
        command = [sys.executable, "-m", "sandbox", what, part]
        if part == "archive":
            self.archive.away.set() if what == "stop" else self.archive.away.clear()
            return
        if part in TEKTON:
            replicas = f"--replicas={int(what == 'start')}"
            command = ["kubectl", "scale", "-n", "tekton-pipelines", f"deployment/tekton-pipelines-{part}", replicas]
        deadline = time.monotonic() + 300
        while (done := run(command, CHECKOUT, timeout=900)).code != 0:
            if time.monotonic() > deadline:
                self.trouble.append(f"{what} {part}: {done.text}")
                return
            time.sleep(2)


class Busy:
    """What people do meanwhile, each thing at random: it may fail, and must never do harm."""

    def __init__(self, stack: Stack, url: str, seen: Witness, seed: int) -> None:
        self.stack, self.url, self.seen = stack, url, seen
        self.random, self.changes, self.rule = random.Random(seed), Changes(seed), Rule()
        self.by_hand: list[str] = []  # words whose `kf run-task --wait` told of a success
        self.count = 0
        stack.env["XDG_STATE_HOME"] = str(stack.folder)

    def work(self) -> None:
        """One thing, and what must hold after whatever became of it."""
        doings: list[Callable[[], Result]] = [self.update] * 3 + [self.run_task, self.prune]
        doing = self.random.choice(doings)
        began = time.monotonic()
        done = doing()
        print(f"{doing.__name__}: {done.code} after {time.monotonic() - began:.0f} s", flush=True)
        self.judge(done)

    def update(self) -> Result:
        """An update, mostly of another program; an engine that is told to stop leaves no lock behind."""
        if self.random.random() < 0.7:
            self.changes.change()
        if self.random.random() < 0.2:
            self.changes.rotate()
        self.write()
        done = self.stack.up(*self.random.choice(([], ["--continue-on-error"], ["--refresh"])), timeout=3600)
        if done.code == 0:
            self.changes.recovered()
        return done

    def run_task(self) -> Result:
        self.count += 1
        word = f"h{self.count}"
        self.rule.allowed[word] += 1
        command = f"{self.seen.call(word)}; echo begun {word}; echo token=$TOKEN; echo done {word}"
        name = ["--name", f"hand{self.count}"]
        done = run([str(CHECKOUT / "kf"), "run-task", "shop", *name, "-c", command, "--wait", "--space",
                    self.stack.namespace], self.stack.folder, self.stack.env, 3600)  # fmt: skip
        if done.code == 0:
            self.by_hand.append(word)
        return done

    def prune(self) -> Result:
        return run([str(CHECKOUT / "kf"), "prune", "shop", "--space", self.stack.namespace], self.stack.folder,
                   self.stack.env, 3600)  # fmt: skip

    def write(self, scheduled: bool = True) -> None:
        """The program of now."""
        self.rule.update(self.changes.program, self.seen.begun)
        body = HEAD.format(url=self.url, secret=self.changes.secrets[-1])
        for job in self.changes.program:
            aliases = ", ".join(f"pulumi.Alias(name='shop-{name}')" for name in job.formerly)
            opts = f", opts=ResourceOptions(aliases=[{aliases}])" if aliases else ""
            end = "exit 3" if job.fails else f"echo done {job.word}"
            lasts = random.Random(job.word).uniform(
                0, LONGEST_TASK
            )  # the same wherever it stands: nothing else is asked for
            command = f"{self.seen.call(job.word)}; echo begun {job.word}; echo token=$TOKEN; sleep {lasts:.1f}; {end}"
            body += f"Task({job.name!r}, app=app, command={command!r}{opts})\n"
        if scheduled:
            command = f"{self.seen.call(TICK)}; echo begun {TICK}; echo token=$TOKEN; echo done {TICK}"
            body += f"TaskSchedule({TICK!r}, app=app, command={command!r}, schedule='* * * * *')\n"
        self.stack.write(body)

    def judge(self, done: Result) -> None:
        shown = [secret for secret in self.changes.secrets if secret in done.text]
        # The SDK shows where a program was that the engine interrupts because something has failed: none of ours.
        crashed = "Traceback" in done.text and "/kf_tasks/" in done.text.partition("Traceback")[2]
        assert not shown and not crashed, f"{shown}\n{done.text}"


def test_parts_that_come_and_go_for_an_hour(server: s3.Server, stack: Stack) -> None:
    seconds = 60 * float(os.environ.get("SOAK_MINUTES", "60"))
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 100_000))
    print(f"seed {seed}")
    stack.env.update(server.env)
    url = f"s3://{s3.BUCKET}/chaos"
    with witness(stack) as seen:
        busy = Busy(stack, url, seen, seed)
        busy.write()
        busy.judge(stack.up().ok())
        busy.changes.recovered()
        chaos = Chaos(seed, seconds, server)
        began = time.monotonic()
        chaos.start()
        try:
            while time.monotonic() - began < seconds:
                busy.work()
        finally:
            chaos.stop()

        while any(job.fails for job in busy.changes.program):
            busy.changes.change()
        busy.write(scheduled=False)
        busy.judge(stack.up(timeout=3600).ok())
        eventually(lambda: all("completionTime" in it.get("status", {}) for it in stack.runs()), 900, "all have ended")
        busy.judge(stack.kf("prune", "shop").ok())
        stack.up("--expect-no-changes").ok()
        _nothing_is_lost_or_doubled(busy, Past.of(stack, Archive(url)), Archive(url))
        assert not readable(stack, Archive(url), busy.changes.secrets)
        stack.destroy().ok()
        past = Past.of(stack, Archive(url))
        assert not past.there
        _nothing_is_lost_or_doubled(busy, past, Archive(url))


def _nothing_is_lost_or_doubled(busy: Busy, past: Past, archive: Archive) -> None:
    calls = set(busy.seen.calls)  # a pod that is lost begins again, in the same run
    scheduled = {name for word, name in calls if word == TICK}
    told = past.lost(Counter({name for _, name in calls}))
    told += past.doubled([call for call in calls if call[0] != TICK], busy.rule.allowed)
    times = Counter(name for name, _ in {*past.there, *past.stored} if name in scheduled)
    told += [f"{name} is a scheduled time, and ran {number} times" for name, number in times.items() if number > 1]
    for word in busy.by_hand:
        known = [name for called, name in calls if called == word]
        told += [] if len(known) == 1 else [f"{word} was told to have succeeded, and began in {known}"]
    by_name = {name: word for word, name in calls}
    for record in past.gone:
        if not record.whole:
            told += (
                [] if record.missing or record.state != SUCCEEDED else [f"{record.run}: its log is not whole: {record}"]
            )
            continue
        log = b"".join(archive.read(record)).decode()  # raises if it is not what its record says
        word = by_name.get(record.run, "")
        if record.state == SUCCEEDED and not log.endswith(f"begun {word}\ntoken=[secret]\ndone {word}\n"):
            told.append(f"the log of {record.run} is not all that it printed: {log!r}")
    assert not told, "\n".join(told)
