"""What the distributions say and hold, and that every bound stands in one place."""

from __future__ import annotations

import json
import re
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import kf_tasks
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]


def bounds() -> dict[str, Requirement]:
    given = [*PROJECT["dependencies"], *(text for extra in PROJECT["optional-dependencies"].values() for text in extra)]
    return {canonicalize_name(found.name): found for found in map(Requirement, given)}


def lines(name: str) -> list[str]:
    written = [line.split("#")[0].strip() for line in (CHECKOUT / name).read_text("utf-8").splitlines()]
    return [line for line in written if line]


def test_what_the_package_needs_is_bounded_in_pyproject_alone() -> None:
    assert lines("requirements.txt") == ["-e ."]
    ours, *others = lines("requirements-dev.txt")
    assert re.fullmatch(r"-e \.\[[\w,]+\]", ours)
    apart = {"policies"}  # needs another protobuf than the newest SDK, so it has an environment of its own: make extras
    assert set(re.findall(r"\w+", ours)) - {"e"} == set(PROJECT["optional-dependencies"]) - apart
    for other in map(Requirement, others):
        assert canonicalize_name(other.name) not in bounds() or not other.specifier, f"{other.name} is bounded twice"
    for name, found in bounds().items():
        assert any(each.operator in (">=", "==", "~=") for each in found.specifier), f"{name} has no lower bound"
    for line in lines("sandbox/constraints.txt"):
        pinned = Requirement(line)
        [pin] = pinned.specifier
        assert pin.operator == "==" and pin.version in bounds()[canonicalize_name(pinned.name)].specifier


def test_the_version_is_the_changelogs() -> None:
    versions = re.findall(r"^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == kf_tasks.__version__
    assert "version" in PROJECT["dynamic"]


def test_what_the_wheel_holds(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    [info] = {name.split("/")[0] for name in names if ".dist-info/" in name}
    assert {name.split("/")[0] for name in names} == {"kf_tasks", info}, "nothing of tests, sandbox, bench, examples"
    source = CHECKOUT / "components"
    expected = {
        str(path.relative_to(source)) for path in source.glob("kf_tasks/**/*") if path.suffix in (".py", ".json")
    }
    assert {name for name in names if name.startswith("kf_tasks/")} == {*expected, "kf_tasks/py.typed"}
    assert {"kf_tasks/core/manifest/manifest.schema.json", "kf_tasks/core/review/review.schema.json"} <= expected
    content = zipfile.ZipFile(wheel).read
    scripts = content(f"{info}/entry_points.txt").decode().split()
    kf, policies = "kf = kf_tasks.cli.main:start", "kf-policies = kf_tasks.policies.pack:main"
    plugin = "pulumi-resource-kf = kf_tasks.plugin.serving:serve"
    assert scripts == ["[console_scripts]", *kf.split(), *policies.split(), *plugin.split()]
    told = HeaderParser().parsestr(content(f"{info}/METADATA").decode())
    assert (told["Name"], told["Version"]) == ("kf-tasks", kf_tasks.__version__)
    assert told["Requires-Python"] and told["Summary"] and told["Description-Content-Type"] == "text/markdown"
    assert set(told.get_all("Provides-Extra") or ()) == set(PROJECT["optional-dependencies"])


def test_what_the_sdist_holds(dist: Path) -> None:
    [path] = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "rbac/role.yaml"} <= names
    tops = {name.split("/")[0] for name in names if name}
    assert not tops & {"tests", "sandbox", "bench", "examples", "docs"}, tops
    assert "components/kf_tasks/core/manifest/manifest.schema.json" in names


def test_the_readme_renders_on_an_index() -> None:
    markdown = pytest.importorskip("readme_renderer.markdown")
    rendered = markdown.render((CHECKOUT / PROJECT["readme"]).read_text("utf-8"))
    assert rendered and "<h1" in rendered and "&lt;h1" not in rendered


def test_the_lock_file_of_the_example_in_typescript_is_of_this_version_and_names_no_registry() -> None:
    """Whoever installs it asks a registry of their own."""
    packages = json.loads((CHECKOUT / "examples/typescript/package-lock.json").read_text("utf-8"))["packages"]
    assert packages["sdks/kf"]["version"] == kf_tasks.__version__
    assert {found["resolved"] for found in packages.values() if "resolved" in found} == {"sdks/kf"}
