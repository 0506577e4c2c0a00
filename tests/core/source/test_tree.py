"""What of a source folder goes into a build: git's own answer decides about ignore rules."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kf_tasks.core.build import spec
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.source import ignore, tree
from kf_tasks.core.source.files import walk

from ...steps import steps

NAMES = st.text("abé.", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        "*",
        "**",
        "?",
        "[ab]",
        "[!a]",
        "[^b]",
        "a*",
        "*b",
        ".",
        "*.b",
        "\\a",
        "a b",
        "é",
        "[[:alpha:]]",
        "[a-z]",
        "[]a]",
        "***",
    ]
)
PATTERNS = st.builds(
    lambda negated, anchored, pieces, folder, spaces: negated + anchored + "/".join(pieces) + folder + spaces,
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(PIECES, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "/*", "/**"]),
    st.sampled_from(["", "", " ", "\t", "\\ "]),
) | st.sampled_from(["", "#a", "\\#a", "\\!a", "!", "/", "**", "a**b", "**/", "/**", "a//b", "[", "[a", "\\", "a\\"])


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def ignored_by_git(repository: Path, patterns: list[str], paths: list[str]) -> set[str]:
    (repository / ".git/info/exclude").write_text("\n".join(patterns) + "\n")
    asked = "".join(f"{path}\0" for path in paths).encode()
    command = ["git", "-C", str(repository), "check-ignore", "--no-index", "--stdin", "-z"]
    answer = subprocess.run(command, input=asked, stdout=subprocess.PIPE, check=False).stdout
    return {os.fsdecode(path) for path in answer.split(b"\0") if path}


def ignored_by_us(patterns: list[str], paths: list[str]) -> set[str]:
    rules = ignore.Rules(patterns)

    def is_ignored(path: str) -> bool:
        parts = path.split("/")
        folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
        return any(rules.ignores(folder, True) for folder in folders) or rules.ignores(path, False)

    return {path for path in paths if is_ignored(path)}


@given(st.lists(PATTERNS, max_size=5), st.lists(PATHS, min_size=1, max_size=8, unique=True))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_ignore_rules_are_those_of_git(repository: Path, patterns: list[str], paths: list[str]) -> None:
    files = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]
    assert ignored_by_us(patterns, files) == ignored_by_git(repository, patterns, files)


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return [entry.path for entry in walk(folder)]


@pytest.mark.parametrize("pattern", ["**/" * 40 + "x", "a/" + "**/" * 40 + "x", "*a" * 40 + "x", "**/*a*/" * 15 + "x"])
def test_an_ignore_pattern_costs_steps_and_not_years(pattern: str) -> None:
    rules = ignore.Rules([pattern])

    def work(depth: int) -> int:
        return steps(lambda: rules.ignores("/".join(["aaa"] * depth) + "/y", False), 2_000_000)

    assert work(40) < 20 * work(20)


def test_a_pattern_of_nothing_but_stars_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".kfignore").write_text("a\n" + "*a" * 101 + "\n")
    with pytest.raises(InvalidInput) as refused:
        walk(tmp_path)
    said = ".kfignore: line 2 has more than 100 '*': write it with fewer"
    assert str(refused.value) == f"source {str(tmp_path)!r}: {said}"
    (tmp_path / ".kfignore").write_text("*a" * 100 + "\n" + "**/" * 50 + "b\n")
    with pytest.raises(InvalidInput, match="has no files"):
        walk(tmp_path)


def test_kfignore_comes_before_cfignore_and_what_is_always_left_out_stays_out(tmp_path: Path) -> None:
    files = dict.fromkeys(["a.py", "b.log", "manifest.yml", "in/manifest.yml", ".git/HEAD", ".gitignore", "c.pyc"], "x")
    write(tmp_path, {**files, ".kfignore": "*.log\n!.git\n", ".cfignore": "*.pyc\n"})
    assert names(tmp_path) == ["a.py", "c.pyc", "in/manifest.yml"]
    (tmp_path / ".kfignore").unlink()
    assert names(tmp_path) == ["a.py", "b.log", "in/manifest.yml"]


def test_the_same_tree_has_the_same_digest_elsewhere_and_later(tmp_path: Path) -> None:
    first = write(tmp_path / "one", {"a": "1", "d/b": "2", "run": "#!"})
    second = write(tmp_path / "two", {"run": "#!", "d/b": "2", "a": "1", ".git/x": "other"})
    (first / "empty").mkdir()
    for folder in (first, second):
        (folder / "run").chmod(0o755)
        (folder / "to").symlink_to("d/b")
    (second / "a").chmod(0o600)
    os.utime(second / "a", (1, 1))
    assert tree.read(first) == tree.read(second)
    before = tree.read(first).digest
    (first / "a").chmod(0o755)
    assert tree.read(first).digest != before


def test_the_archive_is_a_tar_file_of_the_tree(tmp_path: Path) -> None:
    long = "/".join(["long" * 20] * 3)
    write(tmp_path, {"a": "text", long: "deep", "é": "ü"})
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "out").symlink_to("../x")
    (tmp_path / "far").symlink_to("y" * 150 + "ü")
    data = b"".join(tree.archive(tmp_path))
    with tarfile.open(fileobj=io.BytesIO(data)) as found:
        texts = {item.name: found.extractfile(item).read().decode() for item in found if item.isfile()}  # type: ignore[union-attr]
        links = {item.name: item.linkname for item in found if item.issym()}
    assert texts == {"app/a": "text", f"app/{long}": "deep", "app/é": "ü"}
    assert links == {"app/broken": "nowhere", "app/out": "../x", "app/far": "y" * 150 + "ü"}
    assert len(data) % tarfile.RECORDSIZE == 0 and tree.read(tmp_path).size == len(data)
    assert tree.read(tmp_path).outside == ["out"]


def test_what_no_build_can_be_given_is_one_clear_error(tmp_path: Path) -> None:
    for path, made, said in (
        ("pipe", lambda path: os.mkfifo(path), "pipe is a pipe"),
        ("sock", lambda path: socket.socket(socket.AF_UNIX).bind(os.fspath(path)), "sock is a socket"),
        (os.fsdecode(b"\xff"), lambda path: path.write_text(""), "is not UTF-8"),
    ):
        folder = write(tmp_path / said.split()[0], {"a": "1"})
        made(folder / path)
        with pytest.raises(InvalidInput, match=said):
            walk(folder)
        write(folder, {".kfignore": "*\n!a\n"})
        assert names(folder) == ["a"]


def test_the_digest_is_the_same_for_ever(tmp_path: Path) -> None:
    """Another digest is another build of everything, so a change of the archive's bytes is one that users see."""
    write(tmp_path, {"a": "1", "é/" + "long" * 30: "2"})
    (tmp_path / "to").symlink_to("a")
    assert tree.read(tmp_path).digest == "sha256:c86c894206d7ede25d4e6805c95624d135351bbc062725e74018719fbfc2dbc3"


def test_a_folder_that_is_missing_a_file_or_empty(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not exist: name a folder"):
        walk(tmp_path / "none")
    with pytest.raises(InvalidInput, match="has no files"):
        walk(tmp_path)
    with pytest.raises(InvalidInput, match="is a file"):
        walk(write(tmp_path, {"a": "1"}) / "a")


def test_files_that_change_or_vanish_while_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(2 * tree.CHUNK))  # so that a chunk comes before the end
    changes: list[Callable[[Path], object]] = [
        lambda path: path.write_text("longer"),
        lambda path: path.unlink(),
        lambda path: path.write_text(""),
        lambda path: [path.unlink(), path.symlink_to("a")],
        lambda path: [path.unlink(), os.mkfifo(path)],
        lambda path: [path.unlink(), path.mkdir()],
    ]
    for change in changes:
        chunks = tree.archive(write(tmp_path, {"a": "1", "c": "22"}))
        next(chunks)
        change(tmp_path / "c")
        with pytest.raises(InvalidInput, match="c changed while it was read: repeat"):
            list(chunks)
        subprocess.run(["rm", "-r", str(tmp_path / "c")], check=False)


def test_a_file_that_is_written_while_it_is_read_and_stays_as_long(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3 * tree.CHUNK))
    chunks = tree.archive(tmp_path)
    next(chunks)
    with (tmp_path / "big").open("r+b") as file:
        file.write(b"1")
    with pytest.raises(InvalidInput, match="big changed while it was read: repeat"):
        list(chunks)


def test_a_tree_that_is_deeper_than_python_may_call(tmp_path: Path) -> None:
    deep = "/".join(["a"] * 1500)
    subprocess.run(["mkdir", "-p", f"{tmp_path}/{deep}"], check=True)
    try:
        Path(f"{tmp_path}/{deep}/b").write_text("1")
        (entry,) = walk(tmp_path)
        assert entry.path == f"{deep}/b" and sum(map(len, tree.archive(tmp_path))) == tree.read(tmp_path).size
    finally:
        subprocess.run(["rm", "-r", f"{tmp_path}/a"], check=True)


def test_which_files_differ_is_told_with_ten_names(tmp_path: Path) -> None:
    old = {f"f{number}": "1" for number in range(20)}
    assert spec.compare({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == "-a, ~b, +c"
    assert spec.compare(old, dict.fromkeys(old, "2")).endswith(" and 10 more")


def test_why_an_image_is_built_anew() -> None:
    before: dict[str, Any] = {
        "build": {"source": "1", "dockerfile": "D", "target": "", "build_args": {}},
        "files": {"a": "1"},
    }
    after: dict[str, Any] = {
        "build": {"source": "2", "builder": "b:1", "run_image": "", "build_env": {}},
        "files": {"a": "2"},
    }
    assert spec.explain(before, after) == "source changed: ~a; builder changed: '' → 'b:1'"
    other = {"build": dict(reversed({**after["build"], "run_image": "r"}.items())), "files": {"a": "2"}}
    assert spec.explain(before, other) == "source changed: ~a; builder changed: '' → 'b:1'; run_image changed: '' → 'r'"
    assert spec.explain(after, before) == "source changed: ~a; dockerfile changed: '' → 'D'"
    build_args = {"build": {**before["build"], "build_args": {"A": "1"}}, "files": {"a": "1"}}
    assert spec.explain(before, build_args) == "build_args changed: {} → {'A': '1'}"


def test_what_is_sent_is_told_with_the_largest_files() -> None:
    sizes = {"a": 10, "data/big.bin": 3_450_000, "b": 1200, "c": 1}
    contents = spec.contents(sizes, [".env", "x.pem"])
    assert spec.sent(contents) == [
        "sends 4 files, 3.5 MB; the largest: data/big.bin (3.5 MB), b (1.2 kB), a (10 bytes)",
        "left out, as they may hold secrets: .env, x.pem (a line '!.env' in .kfignore takes it in)",
    ]
    as_floats = {name: float(value) if isinstance(value, int) else value for name, value in contents.items()}
    assert spec.sent(as_floats) == spec.sent(contents)  # as the engine hands them on
    many = spec.contents({"a": 1}, [f"{nth}.env" for nth in range(12)])
    assert spec.sent(many)[0] == "sends 1 file, 1 byte; the largest: a (1 byte)"
    assert "8.env, 9.env and 2 more (a line '!0.env'" in spec.sent(many)[1]
    assert spec.sent({}) == []


def test_the_list_that_the_state_keeps_is_bounded() -> None:
    files = {f"{number % 7}/{number % 90}/{number}": "1" for number in range(5000)}
    kept = spec.listing(files)
    assert len(kept) <= spec.LISTED and all(name.endswith("/") for name in kept)
    assert spec.compare(kept, spec.listing({**files, "3/66/66": "2"})) == "~3/66/"
    assert spec.listing({"a": "1"}) == {"a": "1"}
    assert list(spec.listing({f"{number}": "1" for number in range(5000)})) == [""]


def test_a_file_or_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    write(tmp_path, {"a": "1"})
    for function in ("open", "scandir"):
        with monkeypatch.context() as patch:
            patch.setattr(os, function, denied)
            with pytest.raises(InvalidInput, match=r"cannot be read \(Permission denied\): change its permissions"):
                tree.read(tmp_path)
