"""Whole manifests with their exact results.

In `tests/manifests/` a line says what is right for it: `# ok:` imports (as the text says), `# warn:`
imports with a warning, `# refuse:` is named with application, key and line in the one error of the file.
`(whole entry)` after it means that the rest imports only without the whole entry. Beside each file stands
everything that is read from it and said about it; UPDATE_MANIFESTS=1 writes that anew.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from kf_tasks.core.errors import InvalidInput
from kf_tasks.core.manifest import loading
from kf_tasks.core.manifest.nodes import Secret, Text

FOLDER = Path(__file__).resolve().parents[2] / "manifests"
FILES = sorted(FOLDER.glob("*.yml"))
TAG = re.compile(r"#\s*(ok or refuse|ok|warn|refuse|same)\b:?\s*(.*)$")
# The first five files are about other things than what is not started and what has no effect on tasks.
UNTAGGED = {"idle", "foreign"}
# `((also_absent))` is announced one line above, and the application's own line has the tag.
ALSO_REFUSED = {"02-vars.yml": {26}}
PROSE = {
    "empty text": "", "every digit": None, "blanks kept": "  both ends  ", "UTF-8 in the container": "grüß 😀",
    "as written": '{"a": [1, true]}',
}  # fmt: skip


def tags(text: str) -> dict[int, tuple[str, str]]:
    """Kind and text of each tag, by line."""
    found: dict[int, tuple[str, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        tag = TAG.search(line)
        if tag and not line.startswith("#"):
            kind = "warn" if "; warn: " in tag[2] else "refuse" if tag[1] in ("ok or refuse", "same") else tag[1]
            found[number] = (kind, tag[2])
    return found


def settings(text: str) -> tuple[dict[str, Any], list[str] | None]:
    """The variables and the declared services that the head of a file gives."""
    found: dict[str, Any] = {}
    for head, value in re.findall(r"^# (VARS|SECRETS) for this file: (.*)$", text, re.MULTILINE):
        given = yaml.safe_load(value)
        found.update({name: Secret(item) if head == "SECRETS" else item for name, item in given.items()})
    services = re.search(r"^# SERVICES: (.*)$", text, re.MULTILINE)
    return found, yaml.safe_load(services[1]) if services else None


def problems(text: str, file: str) -> list[str]:
    variables, services = settings(text)
    try:
        loading.parse(text, file, variables, services)
    except InvalidInput as error:
        return str(error).split("\n  ")[1:]
    return []


def numbers(said: list[str]) -> set[int]:
    return {int(found[1]) for found in (re.search(r"line (\d+): ", line) for line in said) if found}


def without_refused(text: str) -> str:
    """The file without what is tagged `refuse`, every line where it was."""
    lines = text.splitlines()
    for number, (kind, said) in tags(text).items():
        if kind == "refuse":
            start = number - 1
            if said.endswith("(whole entry)") and not re.match(r" *-( |$)", lines[start]):
                depth = _depth(lines[start])
                while start and not (re.match(r" *- ", lines[start]) and _depth(lines[start]) < depth):
                    start -= 1
            depth = _depth(lines[start])
            end = start + 1
            while end < len(lines) and (not lines[end].strip() or _depth(lines[end]) > depth):
                end += 1
            lines[start:end] = [""] * (end - start)
    return "\n".join(lines) + "\n"


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_tags(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tagged = tags(text)
    said = problems(text, path.name)
    refused = {number for number, (kind, _) in tagged.items() if kind == "refuse"}
    assert numbers(said) == refused | ALSO_REFUSED.get(path.name, set()), said
    for line in said:
        number = next(iter(numbers([line])))
        assert number < text[: text.index("applications:")].count("\n") + 1 or "application" in line
        key = re.match(r'\s*(?:- )?\s*"?([-\w.:=() ]+?)"?: ', text.splitlines()[number - 1])
        if key and "- {" not in text.splitlines()[number - 1]:
            assert key[1] in line or "application" in line, line
    variables, services = settings(text)
    rest = loading.parse(without_refused(text), path.name, variables, services)
    kinds = UNTAGGED if path.name < "06" else set()
    warned = {finding.line for finding in rest.findings if finding.kind not in kinds}
    assert warned == {number for number, (kind, _) in tagged.items() if kind == "warn"}, rest.warnings


@pytest.mark.parametrize("name", ["04-env-values.yml", "25-env-more.yml", "29-utf8-and-blocks.yml"])
def test_variables_are_what_their_tags_say(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    env = loading.parse(without_refused(text), name).applications[0].env
    checked = 0
    for number, (kind, said) in tags(text).items():
        key = text.splitlines()[number - 1].split(":")[0].strip()
        if kind != "refuse" and key in env:
            right = re.split(r" \(|, no warning", said)[0]
            right = json.loads(right) if right.startswith('"') else PROSE.get(right, right)
            written = text.splitlines()[number - 1].split(": ", 1)[1].split("#")[0].strip()
            assert env[key] == (written if right is None else right), key
            checked += 1
    assert checked >= len(env) - 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_everything_that_is_read_and_said(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    variables, services = settings(text)
    rest = loading.parse(without_refused(text), path.name, variables, services)
    parts = [
        *("refused:", *problems(text, path.name)),
        *("applications:", *(json.dumps(_shown(one), ensure_ascii=False) for one in rest.applications)),
        *("warnings:", *rest.warnings),
        *("notes:", *rest.notes),
        *("elsewhere:", *rest.differences),
    ]
    found = "\n".join(line.replace(f"{path.name}: ", "") for line in parts) + "\n"
    assert "hunter2" not in found
    expected = path.with_suffix(".expected")
    if os.environ.get("UPDATE_MANIFESTS"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def _shown(application: Any) -> Any:
    def shown(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shown(item) for key, item in value.items()}
        if isinstance(value, Text) and value.secrets:
            return f"[secret from {', '.join(value.secrets)}]"
        return [shown(item) for item in value] if isinstance(value, list) else value

    return shown(application.model_dump(exclude_defaults=True))


def test_there_are_thirty() -> None:
    assert len(FILES) >= 30
