"""The HTML: one file that loads nothing and runs nothing, whatever texts it shows, and reads well without a picture."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from kf_tasks.core.review import html, style
from kf_tasks.core.review.composition import compose
from kf_tasks.core.review.preview import UNKNOWN

from .hostile import TEXTS, document, plain
from .previews import CALENDAR, HISTORY, RUN, calendar, history, reviewed, run, step

KINDS = ("good", "bad", "bad-line", "open")
VOID = ("meta",)
TIMED = {"created": "2026-11-30T07:00:00Z", "started": "2026-11-30T07:00:01Z", "finished": "2026-11-30T07:00:05Z"}


class Page(HTMLParser):
    """Elements with the names of their attributes, and the texts between them."""

    def __init__(self, rendered: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(rendered)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(*steps: dict[str, Any]) -> Page:
    return Page(html.render(compose([reviewed(*steps)], pictures=True)))


@pytest.mark.no_cover
@settings(max_examples=40)
@given(TEXTS)
@example('x"><script>alert(1)</script>')
@example("x</code></pre></title></svg><img src=y onerror=z>")
def test_no_text_of_a_program_is_markup(hostile: str) -> None:
    expected, found = Page(html.render(plain())), Page(html.render(document(hostile)))
    # A template has one more line of a difference for each line of the text.
    spans = [one for one in found.elements if one != ("span", ("class",))]
    assert spans == [one for one in expected.elements if one != ("span", ("class",))]
    assert not found.open


@settings(max_examples=40)
@given(TEXTS)
def test_nothing_is_loaded_and_nothing_runs(hostile: str) -> None:
    rendered = html.render(document(hostile))
    found = Page(rendered)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in found.elements}
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "style", "srcset")]
    assert {value[:1] for name, value in found.attributes if name == "href"} <= {"#"}
    assert "default-src 'none'" in rendered and "url(" not in style.STYLE and "@import" not in style.STYLE


@settings(max_examples=40)
@given(TEXTS)
def test_a_picture_is_well_formed(hostile: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", html.render(document(hostile)), re.DOTALL)
    assert len(pictures) == 3
    for one in pictures:
        drawn = ElementTree.fromstring(one)
        assert drawn.get("role") == "img" and drawn.get("aria-label")


def test_identifiers_are_there_once_and_what_is_named_exists() -> None:
    found = Page(html.render(compose([reviewed(), reviewed(step("create", RUN, "a", None, run()))], pictures=True)))
    names = [value for name, value in found.attributes if name == "id"]
    assert len(names) == len(set(names))
    values = [value for name, value in found.attributes if name in ("aria-labelledby", "href")]
    named = {one.lstrip("#") for value in values for one in value.split()}
    assert named <= set(names)


def test_bars_tell_how_a_run_ended_by_their_shape_too() -> None:
    outcomes = ("Succeeded", "exit code 1", "")
    last = [{"run": f"shop-a-{nth}", "outcome": how, **TIMED} for nth, how in enumerate(outcomes)]
    found = page(step("create", RUN, "a", None, run(_last=last)))
    kinds = [value for name, value in found.attributes if name == "class" and value in KINDS]
    assert kinds == ["good", "bad", "bad-line", "open"]
    [words] = [value for name, value in found.attributes if name == "aria-label" and value.startswith("Last runs")]
    assert words == "Last runs of shop. schema: 1 of 3 succeeded, the last one still running"
    assert "shop-a-1: exit code 1, 2026-11-30T07:00:00Z, 4s" in found.texts


def test_a_schedule_of_every_minute_is_a_bar_and_a_suspended_one_nothing() -> None:
    def strokes(schedule: str, **more: Any) -> int:
        found = page(step("create", CALENDAR, "r", None, calendar(schedule=schedule, **more)))
        return sum(1 for name, value in found.attributes if name == "class" and value == "mark")

    assert strokes("0 4 * * *") == 7
    assert 300 < strokes("* * * * *") < 700
    assert strokes("0 4 * * *", suspend=True) == 0


def test_what_stays_goes_and_may_go() -> None:
    made = [{"run": f"shop-a-{nth}", "outcome": "Succeeded", **TIMED} for nth in range(5)]
    going = [{**made[nth], "rule": "r", "sure": not nth} for nth in range(2)]
    found = page(
        step("same", RUN, "a", run("a", ""), run("a", "", _last=made)),
        step("update", HISTORY, "shop", history(), history(_deletions=going)),
    )
    [words] = [value for name, value in found.attributes if name == "aria-label" and value.startswith("Runs of")]
    assert words == "Runs of shop: stays: 3, goes: 1, may go: 1"


def test_without_moments_nothing_is_drawn() -> None:
    found = page(step("create", CALENDAR, "r", None, calendar(schedule="nonsense")))
    assert not [value for name, value in found.attributes if name == "class" and value == "mark"]
    for odd in ("never", "2026-02-31T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00+01:00", UNKNOWN, 3):
        told = [{"run": "a", "outcome": "x", "rule": "", "sure": True, "created": odd, "started": odd, "finished": odd}]
        found = page(
            step("create", RUN, "a", None, run(_last=told)),
            step("create", HISTORY, "h", None, history(_deletions=told)),
            step("create", CALENDAR, "c", None, calendar(_asked=odd)),
        )
        assert "circle" not in {tag for tag, _ in found.elements} and "Ended" in found.texts
