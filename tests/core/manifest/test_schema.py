"""The JSON Schema for editors is the model's, and says yes and no where the report does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from kf_tasks.core.manifest import schema

from .test_files import FILES, without_refused

FILE = Path(schema.__file__).with_name("manifest.schema.json")
VALIDATOR = jsonschema.Draft7Validator(json.loads(schema.text()))


class Texts(yaml.SafeLoader):
    """As editors read YAML: a day is a text."""


Texts.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(("timestamp", ":value"))]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_the_shipped_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == schema.text(), f"python -m kf_tasks.core.manifest.schema > {FILE}"
    jsonschema.Draft7Validator.check_schema(json.loads(schema.text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_accepts_what_can_be_used(path: Path) -> None:
    data = yaml.load(without_refused(path.read_text(encoding="utf-8")), Texts)
    assert [error.message for error in VALIDATOR.iter_errors(_text_keys(data))] == []


def _text_keys(data: Any) -> Any:
    if isinstance(data, dict):
        return {str(key): _text_keys(value) for key, value in data.items()}
    return [_text_keys(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize(
    "entry",
    [
        "{image: i}", "{name: a, memory: 1024}", "{name: a, memory: 3X}", "{name: a, env: {A: {b: 1}}}", "text",
        "{name: a, env: {VCAP_SERVICES: x}}", "{name: a, keep: -1}", "{name: a, task: perhaps}", "{name: a, env: [A]}",
        "{name: a, tasks: [{command: x}]}", "{name: a, tasks: [{name: t, when: never}]}", "{name: a, services: [[x]]}",
        "{name: a, services: [{binding_name: x}]}", "{name: a, docker: busybox}", "{name: a, docker: {image: }}",
        "{name: a, tasks: {}}", "{name: a, command: {}}", "{name: a, tasks: [{name: t, timeout: soon}]}",
    ],
)  # fmt: skip
def test_it_refuses_what_the_report_refuses(entry: str) -> None:
    assert list(VALIDATOR.iter_errors(yaml.safe_load(f"applications: [{entry}]")))


def test_it_asks_for_applications() -> None:
    assert list(VALIDATOR.iter_errors({})) and list(VALIDATOR.iter_errors({"applications": []}))
