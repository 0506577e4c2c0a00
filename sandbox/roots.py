"""What lies in each image: Debian's busybox, Debian's Python, and what is built of Go: buildah, Tekton's binaries.

The Python image holds the interpreter's own packages and the libraries that `ldd` names,
nothing else: it is packed in seconds and pulled in a moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sandbox.layers import Root
from sandbox.steps import Failure, run

BUSYBOX = Path("/bin/busybox")
BASH = Path("/bin/bash")
# Buildah looks for it before it knows that what it runs has no network of its own.
NETAVARK = Path("/usr/lib/podman/netavark")
BUILDPACK = Path(__file__).parent / "buildpack"
PHASES = ("analyzer", "builder", "creator", "detector", "exporter", "restorer")
ORDER = '[[order]]\n[[order.group]]\nid = "kf/plain"\nversion = "1.0.0"\n'
# vfs: the kernel refuses overlay on overlay, and a pod without privileges has nothing else.
BUILDAH_SETTINGS = {
    "etc/containers/storage.conf": (
        '[storage]\ndriver = "vfs"\ngraphroot = "/var/lib/containers/storage"\nrunroot = "/run/containers/storage"\n'
    ),
    "etc/containers/policy.json": '{"default": [{"type": "insecureAcceptAnything"}]}\n',
}
ACCOUNTS = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/tmp:/bin/sh\n"
        "nonroot:x:65532:65532:nonroot:/tmp:/bin/sh\n"
    ),
    "etc/group": "root:x:0:\nnogroup:x:65534:\nnonroot:x:65532:\n",
}
UNUSED = re.compile(
    r"/(__pycache__|config-[^/]*|dist-packages|ensurepip|idlelib|lib2to3|pydoc_data|test|turtledemo)"
    r"(/|$)"
)


def plain() -> Root:
    """A root with accounts and a /tmp, on which every other one stands."""
    return Root(texts=dict(ACCOUNTS), folders={"tmp": 0o1777, "root": 0o700, "etc": 0o755})


def busybox() -> Root:
    """Busybox under the name of each of its commands."""
    root = plain()
    root.files["bin/busybox"] = BUSYBOX
    for applet in run([str(BUSYBOX), "--list"]).split():
        if applet != "busybox":
            root.links[f"bin/{applet}"] = "busybox"
    return root


def pause() -> Root:
    """The container that holds a pod's namespaces: one file that sleeps."""
    root = plain()
    root.files["bin/busybox"] = BUSYBOX
    return root


def command(binary: Path) -> Root:
    """One static program where Tekton's controller expects it."""
    root = plain()
    root.files[f"ko-app/{binary.name}"] = binary
    return root


def interpreter() -> Path:
    """Debian's own Python, whichever `python3` comes first on PATH."""
    try:
        return Path("/usr/bin/python3").resolve(strict=True)
    except OSError:
        raise Failure("Debian's python3 is missing: install the package python3.") from None


def python_packages() -> list[str]:
    """The Debian packages whose files make up the interpreter."""
    name = interpreter().name
    return [f"{name}-minimal", f"lib{name}-minimal", f"lib{name}-stdlib"]


def python() -> Root:
    """Debian's Python with its standard library, and busybox for a shell."""
    root = busybox()
    name = interpreter().name
    for line in run(["dpkg", "-L", *python_packages()]).splitlines():
        path = Path(line)
        if not line.startswith((f"/usr/lib/{name}/", f"/etc/{name}/")) or UNUSED.search(line):
            continue
        if path.is_symlink():
            root.links[inside(path)] = str(path.readlink())
        elif path.is_file():
            root.files[inside(path)] = path
    root.files[f"usr/bin/{name}"] = interpreter()
    root.links |= {"usr/bin/python3": name, "usr/bin/python": name}
    programs = [path for path in root.files.values() if path.suffix == ".so"]
    for library in libraries([interpreter(), *programs]):
        root.files[inside(library)] = library
    return root


def buildah(binary: Path) -> Root:
    """Buildah with its libraries, configured to build in a pod that is not privileged."""
    root = busybox()
    root.files |= {"usr/bin/buildah": binary, inside(NETAVARK): NETAVARK}
    for library in libraries([binary, NETAVARK]):
        root.files[inside(library)] = library
    root.texts |= BUILDAH_SETTINGS
    root.folders |= {"var/tmp": 0o1777, "var/lib/containers/storage": 0o755, "run/containers/storage": 0o755}
    return root


def runner() -> Root:
    """What an image stands on that buildpacks make: the launcher gives shell commands to bash."""
    root = python()
    for path in (BASH, *libraries([BASH])):
        root.files[inside(path)] = path
    root.texts["etc/passwd"] += "app:x:1000:1000:app:/tmp:/bin/sh\n"
    root.texts["etc/group"] += "app:x:1000:\n"
    return root


def builder(lifecycle: Path) -> Root:
    """The same with the lifecycle of Cloud Native Buildpacks and one buildpack (https://buildpacks.io/docs/)."""
    root = runner()
    for path in lifecycle.iterdir():
        root.files[f"cnb/lifecycle/{path.name}"] = path
    root.links |= {f"cnb/lifecycle/{phase}": "lifecycle" for phase in PHASES}
    for path in buildpack():
        root.files[f"cnb/buildpacks/kf_plain/1.0.0/{path.relative_to(BUILDPACK)}"] = path
    root.texts["cnb/order.toml"] = ORDER
    return root


def buildpack() -> list[Path]:
    """The files of the buildpack."""
    return sorted(path for path in BUILDPACK.rglob("*") if path.is_file())


def inside(path: Path) -> str:
    return str(path).lstrip("/")


def libraries(programs: Iterable[Path]) -> set[Path]:
    """The shared libraries that programs are linked to, the loader included."""
    said = run(["ldd", *map(str, programs)])
    return {Path(found) for found in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE)}
