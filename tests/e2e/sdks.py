"""The SDKs of the plugin in the examples that have one, beside what else their programs import."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from kf_tasks.plugin import schema

from sandbox import cache, programs
from sandbox.steps import Steps

from .conftest import Stack, run
from .languages import KUBERNETES


def imports(language: str) -> Path | None:
    """What the example's program imports, of "go" or "nodejs", if it is there."""
    return programs.Programs(cache.Cache(cache.root(os.environ)), os.environ, Steps()).ready(language)


def with_sdk(stack: Stack, language: str) -> Stack:
    """Pulumi makes the SDK of the plugin, as `pulumi package add` does it, and what the program imports is there."""
    (stack.folder / "schema.json").write_text(schema.text())
    made, place = stack.folder / "made", stack.folder / "sdks" / "kf"
    stack.pulumi("package", "gen-sdk", "schema.json", "--language", language, "--local", "--out", str(made)).ok()
    place.parent.mkdir()
    (made / language).rename(place)
    {"go": _go, "nodejs": _nodejs}[language](stack, place)
    return stack


def _go(stack: Stack, _: Path) -> None:
    """As `go mod tidy` leaves it; its SDK for Kubernetes is older than the provider that there is."""
    stack.env |= programs.GO_ENV
    provider = f"{stack.env['PULUMI_HOME']}/plugins/resource-kubernetes-v{KUBERNETES}"
    with (stack.folder / "Pulumi.yaml").open("a") as program:
        program.write(f"plugins: {{providers: [{{name: kubernetes, path: {provider}}}]}}\n")
    assert not run(["gofmt", "-l", "."], stack.folder).ok().text
    _vet(stack)


def _vet(stack: Stack) -> None:
    """As `go vet .`, which looks for facts in all that is imported first: that takes an hour, and this a second."""
    listed = run(["go", "list", "-deps", "-export", "-f", "{{.ImportPath}}={{.Export}}", "."], stack.folder, stack.env)
    compiled = dict(line.split("=", 1) for line in listed.ok().text.splitlines() if "=" in line)
    unit = {
        "ID": "shop", "Compiler": "gc", "Dir": ".", "ImportPath": "shop", "GoFiles": ["main.go"],
        "ImportMap": {name: name for name in compiled}, "PackageFile": {it: at for it, at in compiled.items() if at},
        "VetxOutput": "facts",
    }  # fmt: skip
    (stack.folder / "vet.cfg").write_text(json.dumps(unit))
    vet = run(["go", "tool", "-n", "vet"], stack.folder, stack.env).ok().text.strip()
    assert not run([vet, "vet.cfg"], stack.folder, stack.env).ok().text


def _nodejs(stack: Stack, sdk: Path) -> None:
    """As `npm ci` does it, which takes minutes: packages, and the SDK compiled."""
    fetched, modules = imports("nodejs"), stack.folder / "node_modules"
    assert fetched
    modules.mkdir()
    for package in (fetched / "node_modules").iterdir():
        (modules / package.name).symlink_to(package)
    (modules / "pulumi-kf").symlink_to(sdk)
    # The generator of this host, built with Go 1.26, takes each folder of the SDK for the one above it.
    for file in (*sdk.glob("config/*.ts"), *sdk.glob("types/*.ts")):
        file.write_text(re.sub(r'"\./(utilities|types/\w+)"', r'"../\1"', file.read_text()))
    # Types that it imports have been checked by those who made them, at more than half of what it takes.
    run(["node", str(modules / "typescript/bin/tsc"), "--skipLibCheck"], sdk, stack.env).ok()
    shutil.copyfile(sdk / "package.json", sdk / "bin" / "package.json")
    run(["node", str(modules / "eslint/bin/eslint.js"), "--max-warnings", "0", "."], stack.folder, stack.env).ok()


__all__ = ["imports", "with_sdk"]
