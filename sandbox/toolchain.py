"""Builds the tools into the cache and tells where they lie.

A first build takes half an hour, so modules of the later tools are fetched while the
earlier ones compile, and each finished tool is kept whatever happens to the next.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import engine, tools, untyped
from sandbox.cache import Cache, place
from sandbox.steps import Failure, Steps, duration
from sandbox.tools import Tool

KUBECTL = '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/../kube" kubectl "$@"\n'


@dataclass(frozen=True)
class Toolchain:
    """Where the finished tools lie; `path` holds the folders a shell needs."""

    kube: Path
    dns: Path
    containerd: Path
    tekton: Path
    buildpacks: Path
    buildah: Path
    provider: Path
    path: tuple[Path, ...]

    @property
    def kubectl(self) -> Path:
        return self.kube.parent / "bin/kubectl"


def missing(cache: Cache, go: str, environ: Mapping[str, str]) -> list[Tool]:
    """The tools that the cache has not."""
    return [tool for tool in choose(cache, environ) if not cache.entry(tool.name, tools.key(tool, go)).is_dir()]


def foretell(needed: Sequence[Tool], cores: int, steps: Steps) -> None:
    """Says, before anything long begins, what is built, how long that takes here, and what is quicker."""
    if needed:
        minutes = max(round(sum(tool.minutes for tool in needed) * 2 / cores), 1)
        steps.say(f"to build, once: {', '.join(tool.title for tool in needed)}")
        steps.say(
            f"this takes about {minutes} min on {cores} core{'s' if cores > 1 else ''} that do nothing else; "
            "with a pulumi and a cluster of your own, CLUSTER=current builds nothing"
        )


def build(cache: Cache, go: str, environ: Mapping[str, str], steps: Steps) -> Toolchain:
    """Every tool, built where the cache has none."""
    chosen = choose(cache, environ)
    fill(cache, missing(cache, go, environ), go, environ, steps)
    return locate(cache, chosen, go)


def fill(cache: Cache, wanted: Sequence[Tool], go: str, environ: Mapping[str, str], steps: Steps) -> None:
    """Builds those of some tools that the cache does not have."""
    needed = [tool for tool in wanted if not cache.entry(tool.name, tools.key(tool, go)).is_dir()]
    if not needed:
        return
    with cache.lock("build", steps):
        prefetch = threading.Thread(target=fetch_all, args=(needed[1:], environ), daemon=True)
        prefetch.start()
        for tool in needed:
            began = time.monotonic()
            cache.fill(tool.name, tools.key(tool, go), maker(tool, environ, steps))
            steps.say(f"built {tool.title} in {duration(time.monotonic() - began)}")


def choose(cache: Cache, environ: Mapping[str, str]) -> tuple[Tool, ...]:
    """All tools, without Pulumi's own where the machine has a suitable one."""
    if environ.get("SANDBOX_TOOLCHAIN") != "build" and engine.suitable(environ, cache.folder):
        return tuple(tool for tool in tools.ALL if tool not in (tools.PULUMI, tools.LANGUAGE))
    return tools.ALL


def locate(cache: Cache, chosen: Sequence[Tool], go: str) -> Toolchain:
    """The paths of finished tools."""
    entries = {tool: cache.entry(tool.name, tools.key(tool, go)) for tool in chosen}
    ours = [entries[tools.PULUMI]] if tools.PULUMI in entries else []
    extras = [cache.entry(tool.name, tools.key(tool, go)) for tool in tools.LANGUAGES]
    for engine_entry in ours:  # the engine takes its language hosts from beside itself and warns of one from PATH
        for hosts in (entries[tools.LANGUAGE], *(entry for entry in extras if entry.is_dir())):
            for file in (hosts / "bin").iterdir():
                beside = engine_entry / "bin" / file.name
                if not beside.exists() or not beside.samefile(file):
                    place(file, beside)
    return Toolchain(
        kube=entries[tools.KUBE] / "kube",
        dns=entries[tools.DNS] / "dns",
        containerd=entries[tools.CONTAINERD] / "bin/containerd",
        tekton=entries[tools.PIPELINES],
        buildpacks=entries[tools.BUILDPACKS],
        buildah=entries[tools.BUILDAH],
        provider=entries[tools.KUBERNETES] / "pulumi-resource-kubernetes",
        path=tuple(entry / "bin" for entry in [*ours, entries[tools.KUBE]]),
    )


def go_version(environ: Mapping[str, str]) -> str:
    """Go's version and platform, or the one error that says what is missing."""
    wanted = tools.wanted_go()
    need = "Go " + ".".join(map(str, wanted)) + " or newer"
    command = ["go", "env", "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT"]
    try:
        found = subprocess.run(
            command, env=go_environ(environ), text=True, capture_output=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise Failure(
            f"The sandbox needs {need}, and there is no `go` on PATH. "
            "Install it, or use your own pulumi and cluster with CLUSTER=current."
        ) from None
    if tools.numbers(found) < wanted:
        raise Failure(
            f"The sandbox needs {need}; `go` on PATH is {found.split()[0]}. "
            "Install a newer one, or use your own pulumi and cluster with CLUSTER=current."
        )
    return found


def go_environ(environ: Mapping[str, str], more: Mapping[str, str] = tools.GO_ENV) -> dict[str, str]:
    return {**environ, **more}


def fetch_all(missing: Sequence[Tool], environ: Mapping[str, str]) -> None:
    """Fetches modules ahead of their build; what goes wrong shows up in the build itself."""
    for tool in missing:
        fetch(tool, environ)


def fetch(tool: Tool, environ: Mapping[str, str]) -> bool:
    """Downloads exactly the modules that the tool's packages need."""
    command = ["go", "list", "-deps", *tool.flags[:2], *tool.packages.values()]
    own = go_environ(environ, tool.environ)
    done = subprocess.run(command, cwd=tool.folder, env=own, capture_output=True, check=False)
    return done.returncode == 0


def maker(tool: Tool, environ: Mapping[str, str], steps: Steps) -> Callable[[Path], None]:
    """What fills the tool's cache entry; binaries of an interrupted build are kept."""

    def make(entry: Path) -> None:
        title = f"building {tool.title}"
        steps.say(title)
        for _ in range(3):
            if fetch(tool, environ):
                break
        source = entry / "source"
        own = [f"-modfile={_untyped(tool, source, environ)}"] if tool.untyped else []
        for binary, package in tool.packages.items():
            target = entry / binary
            if target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(target.name + ".new")
            command = ["go", "build", *own, *tool.flags, "-o", str(unfinished), package]
            log = entry / "build.log"
            steps.watch(title, command, tool.folder, go_environ(environ, tool.environ), log)
            unfinished.rename(target)
        shutil.rmtree(source, ignore_errors=True)
        add_files(tool, entry, environ)

    return make


def _untyped(tool: Tool, folder: Path, environ: Mapping[str, str]) -> Path:
    return untyped.prepare(tool.folder, module_folder(tool, untyped.MODULE, environ), folder)


def add_files(tool: Tool, entry: Path, environ: Mapping[str, str]) -> None:
    """What a tool needs beside its binaries."""
    if tool is tools.KUBE:
        wrapper = entry / "bin/kubectl"
        wrapper.parent.mkdir(exist_ok=True)
        wrapper.write_text(KUBECTL)
        wrapper.chmod(0o755)
    elif tool is tools.LANGUAGE:
        sdk = module_folder(tools.PULUMI, "github.com/pulumi/pulumi/sdk/v3", environ)
        for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
            place(sdk / "python" / script, entry / "bin" / Path(script).name, 0o755)
    elif tool is tools.PIPELINES:
        config = module_folder(tool, "github.com/tektoncd/pipeline", environ) / "config"
        skipped = {"events.yaml", "webhook-hpa.yaml"}
        for manifest in config.glob("*.yaml"):
            if manifest.name not in skipped:
                place(manifest, entry / "manifests" / manifest.name, 0o644)
        for folder in ("100-namespace", "300-crds"):
            for manifest in (config / folder).glob("*.yaml"):
                place(manifest, entry / folder / manifest.name, 0o644)


def module_folder(tool: Tool, module: str, environ: Mapping[str, str]) -> Path:
    """The folder of a module that the tool's module depends on."""
    done = subprocess.run(
        ["go", "mod", "download", "-json", module],
        cwd=tool.folder,
        env=go_environ(environ),
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Failure(f"fetching {module} failed: {done.stderr.strip() or done.stdout.strip()}")
    return Path(str(json.loads(done.stdout)["Dir"]))
