"""The JSON keeps to the schema that is shipped beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from kf_tasks.core.review import schema
from kf_tasks.core.review.assembly import review
from kf_tasks.core.review.preview import read

from .hostile import TEXTS, previewed
from .previews import events
from .test_preview import EVERYTHING, STEPS

FILE = Path(schema.__file__).with_name("review.schema.json")
VALIDATOR = jsonschema.Draft202012Validator(schema.schema())


def errors(*steps: dict[str, Any]) -> list[str]:
    data = json.loads(json.dumps([review(read(events(*steps), "x")).data()]))
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_the_shipped_file_is_up_to_date() -> None:
    assert FILE.read_text("utf-8") == schema.text(), f"python -m kf_tasks.core.review.schema > {FILE}"
    jsonschema.Draft202012Validator.check_schema(schema.schema())


def test_a_review_keeps_to_it() -> None:
    assert errors(*EVERYTHING) == errors() == []
    assert [error.message for error in VALIDATOR.iter_errors([{"version": 1}])]


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=4))
def test_whatever_is_reviewed_keeps_to_it(steps: list[dict[str, Any]]) -> None:
    assert errors(*steps) == []


@settings(max_examples=40)
@given(TEXTS)
def test_so_does_what_has_every_part(text: str) -> None:
    assert errors(*previewed(text)) == []
