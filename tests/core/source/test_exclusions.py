"""What stays out of a build: by the folder's own files, by Docker's rules, and because it may hold secrets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.source import tree
from kf_tasks.core.source.dockerignore import DockerRules
from kf_tasks.core.source.files import walk

from ...steps import steps

PRIVATE = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def names(folder: Path, *ignore: str) -> list[str]:
    return [entry.path for entry in walk(folder, ignore=ignore)]


# --- Docker's rules: the table of moby/patternmatcher's own tests, and a translation into regular expressions

MOBY = [
    ("**", "file", True), ("**/", "dir/file", True), ("**/**", "dir/file", True), ("dir/**", "dir/file", True),
    ("dir/**", "dir/dir2/file", True), ("**/dir", "dir", True), ("**/dir", "dir/file", True),
    ("**/dir2/*", "dir/dir2/file", True), ("**/dir2/**", "dir/dir2/dir3/file", True), ("**file", "dir/dir/file", True),
    ("**/file*txt", "dir/dir/file.txt", True), ("**/**/*.txt", "file.txt", True), ("**/**/*.txt2", "a/b.txt", False),
    ("a**/*.txt", "a/dir/dir/file.txt", True), ("a/*.txt", "a/dir/file.txt", False), ("a/*.txt**", "a/file.txt", True),
    ("a[b-d]e", "ae", False), ("a[b-d]e", "ace", True), ("a[^b-d]e", "aze", True), (".*", ".foo", True),
    (".*", "foo", False), ("abc.def", "abcZdef", False), ("abc?def", "abcZdef", True), ("a\\\\", "a\\", True),
    ("**/foo/bar", "foo/bar", True), ("**/foo/bar", "dir/dir2/foo/bar", True), ("abc/**", "abc", False),
    ("abc/**", "abc/def/ghi", True), ("**/.foo", "bar.foo", False), ("a(b)c/def", "a(b)c/def", True),
    ("a.|)$(}+{bc", "a.|)$(}+{bc", True), ("a\\*b", "a*b", True), ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
    ("a*b?c*x", "abxbbxdbxebxczzx", True), ("ab[^e-g]", "abc", True), ("[a-ö]*", "é", True), ("a?b", "a/b", False),
    ("[\\]a]", "]", True), ("[x\\-]", "-", True), ("*x", "xxx", True),
]  # fmt: skip


@pytest.mark.parametrize(("line", "path", "matches"), MOBY)
def test_patterns_are_read_as_docker_reads_them(line: str, path: str, matches: bool) -> None:
    assert DockerRules([line]).ignores(path) == matches


@pytest.mark.parametrize(
    ("lines", "path", "ignored"),
    [
        (["!fileutils.go", "*.go"], "fileutils.go", True),
        (["docs", "!docs/README.md"], "docs/README.md", False),
        (["docs/", "!docs/README.md"], "docs/other.md", True),
        (["**", "!util/docker/web"], "util/docker/web/foo", False),
        (["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", True),
        (["# *", "", "  ", " a ", "! a/b "], "a/b", False),
        (["/a", "./b/../c"], "c/d", True),
        (["node_modules"], "web/node_modules/x", False),
    ],
)
def test_the_last_line_that_matches_a_path_or_a_folder_above_it_decides(
    lines: list[str], path: str, ignored: bool
) -> None:
    assert DockerRules(lines).ignores(path) == ignored


PARTS = st.sampled_from(["a", "b", "ab", "*", "**", "?", "[ab]", "[^a]", "a*", "*b", ".", "*.b", "**b", "a**", "\\*"])
LINES = st.tuples(st.sampled_from(["", "", "!"]), st.lists(PARTS, min_size=1, max_size=4)).map(
    lambda found: found[0] + "/".join(found[1])
)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "a.b", "*", "ba"]), min_size=1, max_size=4).map("/".join)


def by_expressions(lines: list[str], path: str) -> bool:
    """`MatchesOrParentMatches` and `Pattern.compile` of moby, as they stand there."""
    ignored = False
    parts = path.split("/")
    for line in lines:
        text = re.sub(r"/\./|^\./|/\.$", "/", re.sub(r"(/\.)+(?=/|$)", "", line.lstrip("!"))).strip("/")
        if text in ("", "."):
            continue
        tokens = re.findall(r"\*\*/?|\*|\?|\[[^]]*\]|\\.|.", text)
        suffix = tokens[0].startswith("**") and not any(set(token) & set("*?[\\") for token in tokens[1:])
        expression = ""
        for nth, token in enumerate(tokens):
            if token.startswith("**"):
                expression += ".*" if nth == len(tokens) - 1 else "(.*/)?"
            else:
                expression += {"*": "[^/]*", "?": "[^/]"}.get(token) or (
                    token if token[0] in "[\\" else re.escape(token)
                )
        for above in ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]:
            rest = text[2:]
            if above.endswith(rest) or above == rest.lstrip("/") if suffix else re.fullmatch(expression, above):
                ignored = not line.startswith("!")
                break
    return ignored


@pytest.mark.no_cover
@settings(deadline=None, max_examples=400)
@given(st.lists(LINES, min_size=1, max_size=4), PATHS)
def test_rules_give_what_dockers_expressions_give(lines: list[str], path: str) -> None:
    assert DockerRules(lines).ignores(path) == by_expressions(lines, path)


@pytest.mark.no_cover
@settings(deadline=None, max_examples=200)
@given(st.lists(LINES, min_size=1, max_size=4), PATHS)
def test_what_is_pruned_has_nothing_that_is_carried(lines: list[str], path: str) -> None:
    rules = DockerRules(lines)
    parts = path.split("/")
    if any(rules.prunes("/".join(parts[:count])) for count in range(1, len(parts))):
        assert rules.ignores(path)


@pytest.mark.parametrize("pattern", ["**/" * 60 + "x", "*a" * 60 + "x", "a**" * 60 + "x"])
def test_a_pattern_costs_steps_and_not_years(pattern: str) -> None:
    def work(length: int) -> int:
        return steps(lambda: DockerRules([pattern]).ignores("aaa/" * length + "yx"))

    assert work(20) < 6 * work(10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n[\n", ".dockerignore: line 2: '[' is no pattern: repair it"),
        ("[z-a]\n", ".dockerignore: line 1: '[z-a]' is no pattern: repair it"),
        ("a\n! \n", ".dockerignore: line 2: '!' is followed by nothing: write what it takes in, or remove it"),
    ],
)
def test_what_docker_refuses(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, {".dockerignore": text})
    with pytest.raises(InvalidInput) as refused:
        walk(tmp_path)
    assert str(refused.value) == f"source {str(tmp_path)!r}: {said}"


# --- all of them together


def test_dockerignore_is_heeded_beside_kfignore(tmp_path: Path) -> None:
    ignored = ".env\nnode_modules\n*.txt\n!docs/keep.txt\nDockerfile\n.dockerignore\n"
    files = ("Dockerfile", "app.js", "a.txt", "docs/keep.txt", "docs/b.txt", "node_modules/x.js", "web/node_modules/x")
    write(tmp_path, {".dockerignore": ignored, ".kfignore": "docs/b.txt\nweb/\n", **dict.fromkeys(files, "")})
    assert names(tmp_path) == [".dockerignore", "Dockerfile", "app.js", "docs/keep.txt"]
    write(tmp_path, {".containerignore": "app.js\n"})
    assert names(tmp_path) == [
        ".containerignore", ".dockerignore", "Dockerfile", "a.txt", "docs/keep.txt", "node_modules/x.js",
    ]  # fmt: skip


SECRET = [
    ".env", ".env.production", "web/.env", "id_rsa", "deploy/id_ed25519", ".netrc", "a/.aws/credentials", "store.p12",
]  # fmt: skip
OPEN = [".env.example", "id_rsa.pub", "environment", ".aws/config", "keys.txt", "Pulumi.yaml"]


def test_what_may_hold_secrets_stays_out_until_a_line_names_it(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys([*SECRET, *OPEN, "Pulumi.dev.yaml", ".pulumi/stacks/dev.json"], "x"))
    found = tree.read(tmp_path)
    assert (sorted(found.files), found.secret) == (sorted(OPEN), sorted(SECRET))
    for file in (".kfignore", ".dockerignore"):
        write(tmp_path, {file: "*\n!*\n!web\n!.env\n!**/id_*\n!Pulumi.dev.yaml\n"})
        taken = {".env", "id_rsa", "deploy/id_ed25519", "Pulumi.dev.yaml"}
        taken |= {"web/.env"} if file == ".kfignore" else set()  # git looks at the name, Docker at the whole path
        carried = set(names(tmp_path)) - {file}
        assert carried == {*OPEN, *taken}, file
        (tmp_path / file).unlink()
    assert sorted(names(tmp_path, "!/.env")) == sorted([*OPEN, ".env"])
    assert sorted(names(tmp_path, "/keys.txt")) == sorted(set(OPEN) - {"keys.txt"})


def test_of_pem_files_those_with_a_private_key_stay_out(tmp_path: Path) -> None:
    certificate = "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n"
    write(tmp_path, {"ca.pem": certificate, "server.pem": certificate + PRIVATE, "tls.key": PRIVATE, "talk.key": "x"})
    found = tree.read(tmp_path)
    assert (list(found.files), found.secret) == (["ca.pem", "talk.key"], ["server.pem", "tls.key"])
    assert b"".join(tree.archive(tmp_path)).count(b"PRIVATE KEY") == 0


def test_a_folder_that_a_gitignore_keeps_is_kept(tmp_path: Path) -> None:
    keeps = "*\n!.gitignore\n"
    write(
        tmp_path,
        {
            ".gitignore": "x", "app.php": "", "src/.gitignore": "x", "src/a.php": "", "storage/logs/.gitignore": keeps,
            "storage/framework/.gitignore": "x", "storage/framework/cache/.gitignore": keeps, "var/.gitignore": keeps,
            "var/.DS_Store": "",
        },
    )  # fmt: skip
    kept = ["storage/framework/cache/.gitignore", "storage/logs/.gitignore"]
    assert names(tmp_path) == ["app.php", "src/a.php", *kept, "var/.gitignore"]
    write(tmp_path, {".kfignore": "/var/.gitignore\n"})
    assert names(tmp_path) == ["app.php", "src/a.php", *kept]
    write(tmp_path, {"storage/logs/today.log": ""})
    assert names(tmp_path) == ["app.php", "src/a.php", kept[0], "storage/logs/today.log"]


def test_a_folder_with_nothing_but_a_gitignore_has_no_files(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "*\n"})
    with pytest.raises(InvalidInput, match="has no files"):
        walk(tmp_path)
