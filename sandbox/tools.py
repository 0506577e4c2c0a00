"""What is built from Go modules: each tool, its version, its packages and its link flags.

The versions stand in the modules' go.mod and go.sum as well; here they are what the tools
call themselves. Flags are fixed, so the Go cache and our own keys do not depend on the machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox import cache, untyped

MODULES = Path(__file__).parent / "toolchain"
TAGS = ("osusergo", "grpcnotrace")
GO_ENV = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-buildvcs=false -mod=readonly",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
LIFECYCLE = "0.20.11"
MAIL = "1.33.1"
STORE = "1.8.0"
BUILDER = "1.45.0"
COMPONENT_VERSION = "k8s.io/component-base/version"
PROVIDER = "4.25.0"
RUNTIME = "2.2.9"  # 1.6 closes the output of a short container before it is read, and loses the end of its log
TEKTON = "1.15.0"
TEKTON_COMMANDS = (
    "controller",
    "webhook",
    "entrypoint",
    "nop",
    "sidecarlogresults",
    "workingdirinit",
)


@dataclass(frozen=True, eq=False)
class Tool:
    """One cache entry: the binaries of some packages of one module; `tags` on top of those of all, C if it has some.

    `minutes` is how long two cores build it for the first time, so that somebody who waits knows for how long.
    `untyped`: with the SDK that sandbox.untyped makes.
    """

    name: str
    title: str
    module: str
    packages: Mapping[str, str]
    stamps: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    with_c: bool = False
    minutes: float = 1.0
    untyped: bool = False

    @property
    def folder(self) -> Path:
        return MODULES / self.module

    @property
    def flags(self) -> tuple[str, ...]:
        stamps = "".join(f" -X {stamp}" for stamp in self.stamps)
        return ("-tags", ",".join((*TAGS, *self.tags)), "-trimpath", "-ldflags", "-s -w" + stamps)

    @property
    def environ(self) -> Mapping[str, str]:
        """What `go` is told by variables."""
        return {**GO_ENV, **({"CGO_ENABLED": "1"} if self.with_c else {})}


PULUMI = Tool(
    "pulumi",
    "pulumi 3.274.1",
    "pulumi",
    {"bin/pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    (f"{PULUMI_VERSION}=v3.274.1",),
    minutes=4,
)
KUBE = Tool(
    "kube",
    "kubernetes 1.36.3",
    "kube",
    {"kube": "."},
    (
        f"{COMPONENT_VERSION}.gitVersion=v1.36.3",
        f"{COMPONENT_VERSION}.gitMajor=1",
        f"{COMPONENT_VERSION}.gitMinor=36",
        f"{COMPONENT_VERSION}.gitTreeState=clean",
        f"{COMPONENT_VERSION}.gitCommit=0000000",
        f"{COMPONENT_VERSION}.buildDate=2026-01-01T00:00:00Z",
        "k8s.io/client-go/pkg/version.gitVersion=v1.36.3",
    ),
    minutes=5,
)
DNS = Tool("dns", "coredns 1.14.3", "kube", {"dns": "./dns"}, minutes=0.5)
LANGUAGE = Tool(
    "language",
    "pulumi-language-python 3.188.0",
    "language",
    {"bin/pulumi-language-python": ("github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3")},
    (f"{PULUMI_VERSION}=v3.188.0",),
)
PIPELINES = Tool(
    "tekton",
    f"tekton {TEKTON}",
    "tekton",
    {f"bin/{name}": f"github.com/tektoncd/pipeline/cmd/{name}" for name in TEKTON_COMMANDS},
    minutes=1.5,
)
CONTAINERD = Tool(
    "containerd",
    f"containerd {RUNTIME}",
    "containerd",
    {
        f"bin/{name}": f"github.com/containerd/containerd/v2/cmd/{name}"
        for name in ("containerd", "containerd-shim-runc-v2")
    },
    (f"github.com/containerd/containerd/v2/version.Version={RUNTIME}",),
    minutes=2.5,
)
KUBERNETES = Tool(
    "kubernetes",
    f"pulumi-resource-kubernetes {PROVIDER}",
    "kubernetes",
    {"pulumi-resource-kubernetes": "."},
    (f"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version={PROVIDER}",),
    minutes=9,
    untyped=True,
)
BUILDPACKS = Tool(
    "buildpacks",
    f"buildpacks lifecycle {LIFECYCLE}",
    "buildpacks",
    {f"bin/{name}": f"github.com/buildpacks/lifecycle/cmd/{name}" for name in ("lifecycle", "launcher")},
    (f"github.com/buildpacks/lifecycle/cmd.Version={LIFECYCLE}",),
    minutes=1.5,
)
# Debian's 1.28 knows neither here-documents nor `COPY --link`. Its user namespace is made in C, before Go's threads.
BUILDAH = Tool(
    "buildah",
    f"buildah {BUILDER}",
    "buildah",
    {"bin/buildah": "go.podman.io/buildah/cmd/buildah"},
    tags=("containers_image_openpgp", "exclude_graphdriver_btrfs"),
    with_c=True,
    minutes=1.5,
)
# The hosts of other languages, for the tests of the plugin: built by `make extras` alone. Of .NET's the generator.
HOSTS = Tool(
    "hosts",
    "pulumi-language-nodejs, pulumi-language-go and pulumi-sdk-dotnet 3.188.0",
    "hosts",
    {
        "bin/pulumi-language-nodejs": "github.com/pulumi/pulumi/sdk/nodejs/cmd/pulumi-language-nodejs/v3",
        "bin/pulumi-language-go": "github.com/pulumi/pulumi/sdk/go/pulumi-language-go/v3",
        "bin/pulumi-sdk-dotnet": "./dotnet",
    },
    (f"{PULUMI_VERSION}=v3.188.0",),
)
YAML = Tool(
    "yaml",
    "pulumi-language-yaml 1.25.0",
    "yaml",
    {"bin/pulumi-language-yaml": "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"},
    (f"{PULUMI_VERSION}=v3.215.0",),
)
LANGUAGES = (HOSTS, YAML)
ALL = (PULUMI, KUBE, LANGUAGE, PIPELINES, KUBERNETES, DNS, BUILDPACKS, CONTAINERD, BUILDAH)
# Servers that examples and their tests use, and a cluster does not.
MAILPIT = Tool(
    "mailpit",
    f"mailpit {MAIL}",
    "mailpit",
    {"bin/mailpit": "github.com/axllent/mailpit"},
    (f"github.com/axllent/mailpit/config.Version=v{MAIL}",),
)
VERSITYGW = Tool(
    "versitygw",
    f"versitygw {STORE}",
    "versitygw",
    {"bin/versitygw": "github.com/versity/versitygw/cmd/versitygw"},
    (f"main.Version=v{STORE}",),
)
SERVERS = (MAILPIT, VERSITYGW)


def key(tool: Tool, go: str) -> str:
    """What determines the result: module files, sources, packages, flags, Go itself."""
    sources = sorted(tool.folder.rglob("*.go"))
    files = [tool.folder / "go.mod", tool.folder / "go.sum", *sources]
    changed = [Path(untyped.__file__).read_bytes()] if tool.untyped else []
    inputs: list[str | bytes] = [go, *tool.flags, *changed]
    inputs += [f"{binary}={package}" for binary, package in tool.packages.items()]
    inputs += [f"{name}={value}" for name, value in tool.environ.items()]
    for file in files:
        inputs += [str(file.relative_to(tool.folder)), file.read_bytes()]
    return cache.key(inputs)


def wanted_go() -> tuple[int, ...]:
    """The newest Go that any of the modules asks for."""
    found = [
        re.search(r"^go (\d[\d.]*)$", (MODULES / tool.module / "go.mod").read_text(), re.MULTILINE) for tool in ALL
    ]
    return max(numbers(match[1]) for match in found if match)


def numbers(version: str) -> tuple[int, ...]:
    """The leading dotted numbers of a version: "v3.274.1" is (3, 274, 1)."""
    match = re.match(r"\D*(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
