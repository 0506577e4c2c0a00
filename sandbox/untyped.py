"""Pulumi's Kubernetes SDK for Go without a type for each kind: what the sandbox's provider is built with.

The provider needs the SDK only to register what its components for YAML and Helm find, and throws away what the types
know. With the type of a custom resource for all of them the same resources are registered, and 60 packages of
generated source, a third of the time that the provider takes to build, are not compiled.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sandbox.steps import Failure

MODULE = "github.com/pulumi/pulumi-kubernetes/sdk/v4"
KINDS = "go/kubernetes/yaml/v2/kinds.go"
PLAIN = "apiextensions.CustomResource"
_TYPED = re.compile(r"\bvar res \w+\.\w+$", re.MULTILINE)
_IMPORT = re.compile(rf'\n\t\w+ "{re.escape(MODULE)}/[^"]+"')


def without_types(kinds: str) -> str:
    """The source that registers a resource of any kind, with the type of a custom one for all of them."""
    plain, count = _TYPED.subn(f"var res {PLAIN}", kinds)
    if not count or f"var res {PLAIN}" not in kinds:
        raise Failure(f"{MODULE}/{KINDS} is not what the sandbox takes apart: its version has changed")
    return _IMPORT.sub("", plain)


def prepare(module: Path, sdk: Path, folder: Path) -> Path:
    """The go.mod for a build of `module` with the SDK in `sdk`, but without its types; all of it lies in `folder`."""
    copy = folder / "sdk"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sdk, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):  # modules are read-only, folders too
        path.chmod(0o755 if path.is_dir() else 0o644)
    kinds = copy / KINDS
    kinds.write_text(without_types(kinds.read_text()))
    shutil.copyfile(module / "go.sum", folder / "go.sum")
    wanted = (module / "go.mod").read_text()
    (folder / "go.mod").write_text(f"{wanted}\nreplace {MODULE} => {copy}\n")
    return folder / "go.mod"
