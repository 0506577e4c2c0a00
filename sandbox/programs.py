"""What the example in TypeScript is compiled with, ahead of its test.

To fetch it takes minutes, and what a test does with it seconds. The SDK of the plugin is left out: a test
has Pulumi make it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.cache import Cache, key
from sandbox.places import CHECKOUT
from sandbox.steps import Failure, Steps

NODEJS = CHECKOUT / "examples/typescript"


@dataclass(frozen=True)
class Programs:
    """Fills the cache, and finds what is in it."""

    cache: Cache
    environ: Mapping[str, str]
    steps: Steps

    def prepare(self) -> None:
        """All of it, if `npm` is on PATH."""
        if not shutil.which("npm", path=self.environ.get("PATH")):
            self.steps.say("there is no npm on PATH: the example in TypeScript is not prepared")
            return
        with self.cache.lock("programs", self.steps):
            self.cache.fill("program-nodejs", self._key(), self._nodejs)

    def ready(self) -> Path | None:
        """The entry with `node_modules`, if it is there."""
        entry = self.cache.entry("program-nodejs", self._key())
        return entry if entry.is_dir() else None

    def _key(self) -> str:
        return key([(NODEJS / "package-lock.json").read_bytes()])

    def _nodejs(self, entry: Path) -> None:
        locked = (NODEJS / "package-lock.json").read_text()
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(NODEJS / name, entry / name)
        ours = entry / "sdks/kf/package.json"  # in the SDK's place, of which npm reads this alone
        ours.parent.mkdir(parents=True, exist_ok=True)
        ours.write_text(json.dumps(json.loads(locked)["packages"]["sdks/kf"]))
        # A registry that is far away, or behind a proxy, drops connections when there are many.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--maxsockets", "4"]
        self._run("fetching what the example in TypeScript imports", command, entry, {})
        (entry / "node_modules/pulumi-kf").unlink()

    def _run(self, what: str, command: list[str], entry: Path, more: Mapping[str, str]) -> None:
        self.steps.say(what)
        try:
            self.steps.watch(what, command, entry, {**self.environ, **more}, entry / "build.log")
        except OSError as error:
            raise Failure(f"{what}: {error}") from None
