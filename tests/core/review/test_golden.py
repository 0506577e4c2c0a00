"""The documents of `examples/review`: what `pulumi preview` printed for its change in two stacks, as people read it.

`recorded/` holds the events without what no review reads (`examples/review` and a cluster made them); after a change
that is meant, `KF_GOLDEN=write pytest tests/core/review/test_golden.py` writes the documents anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from kf_tasks.core.review import html, markdown, text
from kf_tasks.core.review.assembly import review
from kf_tasks.core.review.composition import compose
from kf_tasks.core.review.model import Review
from kf_tasks.core.review.preview import read

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"


def reviews() -> list[Review]:
    return [review(read(path.read_text("utf-8"), path.name)) for path in sorted(RECORDED.glob("*.events"))]


DOCUMENTS: dict[str, Callable[[], str]] = {
    "review.txt": lambda: text.render(compose(reviews())),
    "review.md": lambda: markdown.render(compose(reviews())),
    "review.html": lambda: html.render(compose(reviews(), pictures=True)),
    "review.json": lambda: json.dumps([one.data() for one in reviews()], indent=1, ensure_ascii=False) + "\n",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_the_one_that_people_have_read(name: str) -> None:
    golden, rendered = HERE / "golden" / name, DOCUMENTS[name]()
    if os.environ.get("KF_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(rendered, "utf-8")
    assert golden.read_text("utf-8") == rendered


def test_every_line_of_the_change_is_in_it() -> None:
    """Image, memory, schedule, secret, keep, a task that is new and one that is removed."""
    dev, prod = reviews()
    for one in (dev, prod):
        decided = one.decisions
        assert {start.task: start.because.partition(":")[0] for start in decided.runs} == {
            "price-index": "first run", "schema": "image changed", "seed": "image changed",
        }  # fmt: skip
        assert {change.what for change in one.changes} == {
            "AUDIT", "DATABASE_PASSWORD", "MODE", "REGION", "image", "memory",
        }  # fmt: skip
        assert [(kept.keep, kept.before) for kept in one.kept] == [(4, 6 if one is dev else 12)]
        assert [dropped.task for dropped in one.dropped] == ["old-index"]
        [schedule] = decided.schedules
        assert schedule.before and schedule.after
        assert (schedule.before.schedule, schedule.after.schedule) == ("0 4 * * *", "30 2 * * *")
    assert len(dev.decisions.deletions) < len(prod.decisions.deletions)


def test_no_secret_value_is_in_any_of_them() -> None:
    for rendered in DOCUMENTS.values():
        assert "battery" not in rendered() and "staple" not in rendered()
    assert "battery" not in "".join(path.read_text() for path in RECORDED.iterdir())


def test_both_stacks_are_a_comment_that_a_pull_request_takes() -> None:
    assert len(DOCUMENTS["review.md"]()) < markdown.LIMIT
