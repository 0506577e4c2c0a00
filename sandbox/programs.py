"""What the examples in Go and TypeScript are compiled with, ahead of their tests.

To fetch and compile it takes minutes, and what a test does with it seconds. The SDK of the plugin is left out: a test
has Pulumi make it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox import tools
from sandbox.cache import Cache, key
from sandbox.places import CHECKOUT
from sandbox.steps import Failure, Steps

GO = CHECKOUT / "examples/go"
NODEJS = CHECKOUT / "examples/typescript"
OURS = "example.com/pulumi-kf/sdk/go"
# An entry of Go's own cache is found again where the flags are the same, and those of the tools are.
GO_ENV = {**tools.GO_ENV, "GOFLAGS": f"{tools.GO_ENV['GOFLAGS']} -trimpath"}


@dataclass(frozen=True)
class Programs:
    """Fills the cache, and finds what is in it."""

    cache: Cache
    environ: Mapping[str, str]
    steps: Steps

    def prepare(self) -> None:
        """All of it, as far as `go` and `npm` are on PATH."""
        with self.cache.lock("programs", self.steps):
            for language, tool, make in (("go", "go", self._go), ("nodejs", "npm", self._nodejs)):
                if shutil.which(tool, path=self.environ.get("PATH")):
                    self.cache.fill(f"program-{language}", self._key(language), make)
                else:
                    self.steps.say(f"there is no {tool} on PATH: the example that needs it is not prepared")

    def ready(self, language: str) -> Path | None:
        """The entry of "go" (whose packages are in Go's cache) or "nodejs" (with its node_modules), if it is there."""
        entry = self.cache.entry(f"program-{language}", self._key(language))
        return entry if entry.is_dir() else None

    def _key(self, language: str) -> str:
        folder, names = (GO, ("go.mod", "go.sum")) if language == "go" else (NODEJS, ("package-lock.json",))
        return key([(folder / name).read_bytes() for name in names])

    def _go(self, entry: Path) -> None:
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(GO / name, entry / name)
        imported = re.findall(r'^\t(?:\w+ )?"(\S+\.\S+)"$', (GO / "main.go").read_text(), re.MULTILINE)
        edit = ["go", "mod", "edit", f"-dropreplace={OURS}", f"-droprequire={OURS}"]
        build = ["go", "build", *(package for package in imported if not package.startswith(OURS))]
        for command in (edit, build):
            self._run("compiling what the example in Go imports", command, entry, GO_ENV)

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
