"""The Markdown: text from a program or a cluster is never markup, a mention or a link, and the limit holds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kf_tasks.core.review import markdown, text
from kf_tasks.core.review.assembly import review
from kf_tasks.core.review.composition import compose
from kf_tasks.core.review.preview import read
from markdown_it import MarkdownIt

from .hostile import TEXTS, document, plain
from .previews import HISTORY, RUN, events, history, reviewed, run, step

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def outside_code(rendered: str) -> list[Any]:
    """All that a reader's browser would act on: what stands in code is left out, of a fence its kind stays."""
    found: list[Any] = []
    for token in PARSER.parse(rendered):
        for one in token.children or [token]:
            content = "" if one.type in ("code_inline", "fence") else one.content
            found.append((one.type, one.tag, one.info, content, dict(one.attrs)))
    return found


@pytest.mark.no_cover
@settings(max_examples=40)
@given(TEXTS)
@example("x" + "`" * 2000)
@example("x@octocat #12 !3 <b> |\n\n| --- |\n# head")
def test_no_text_of_a_program_is_markup(hostile: str) -> None:
    expected = outside_code(markdown.render(plain(), 10**9))
    # The longest of a text is cut, whatever is in it; what it is made of changes nothing around it.
    assert outside_code(markdown.render(document(hostile), 10**9)) == expected


@pytest.mark.no_cover
@settings(max_examples=40)
@given(TEXTS)
def test_what_stands_in_code_is_the_text(hostile: str) -> None:
    tokens = [
        one for token in PARSER.parse(markdown.render(document("x" + hostile), 10**9)) for one in token.children or ()
    ]
    codes = {"".join(one.content.split()) for one in tokens if one.type == "code_inline"}
    assert all(code.isprintable() or "\u200b" in code for code in codes)
    assert any(code.startswith("xx") for code in codes)


@settings(max_examples=40)
@given(TEXTS)
def test_a_terminal_gets_nothing_to_act_on(hostile: str) -> None:
    shown = text.render(document(hostile))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert len(shown.splitlines()) == len(text.render(plain()).splitlines())


@settings(max_examples=40)
@given(st.integers(1000, 9000), TEXTS)
def test_the_limit_holds_and_what_has_no_room_is_said(limit: int, hostile: str) -> None:
    whole, cut = (markdown.render(document(hostile), size) for size in (10**9, limit))
    assert len(cut) <= limit
    assert (cut == whole) is (len(whole) <= limit)
    if cut != whole:
        assert cut.endswith("`kf review --html FILE` has it all.\n") and "Left out, since it has no room here: " in cut
        kept = [token.content for token in PARSER.parse(cut) if token.type == "html_block"]
        assert sum("<details>" in html for html in kept) == sum("</details>" in html for html in kept)


def test_what_matters_first_stays_longest() -> None:
    many = [step("create", RUN, f"shop-{n}", None, run(f"task-{n}", _because="x" * 300)) for n in range(5)]
    others = [step("create", "kubernetes:core/v1:Service", f"service-{n}", None, {}) for n in range(500)]
    cut = markdown.render(compose([reviewed(*many, *others)]), 5000)
    assert "### Tasks that will run" in cut and "service-1" not in cut
    assert cut.count("Left out, since it has no room here: What else changes.") == 1


def test_several_stacks_are_one_document_whose_first_line_names_them() -> None:
    one = reviewed(step("update", HISTORY, "shop", history(), history(keep=1)))
    two = replace(one, stack="prod")
    rendered = markdown.render(compose([two, one]))
    assert rendered.startswith("<!-- kf-review orders/dev orders/prod -->\n## `orders/dev`\n")
    assert "\n## `orders/prod`\n" in rendered and rendered == markdown.render(compose([one, two]))


@pytest.mark.parametrize("name", ["-->", "a--><b>", "a\nb", "`", "a b", "é"])
def test_no_name_ends_the_comment_of_the_first_line(name: str) -> None:
    rendered = markdown.render(compose([replace(reviewed(), project=name, stack=name)]))
    assert re.fullmatch(r"<!-- kf-review [A-Za-z0-9._/-]+ -->", rendered.split("\n")[0])
    assert rendered.split("\n")[0].count("--") == 2


def test_the_same_preview_gives_the_same_bytes() -> None:
    steps = [step("create", RUN, f"shop-{n}", None, run(f"task-{n}")) for n in range(5)]
    assert len({markdown.render(compose([reviewed(*order)])) for order in (steps, steps[::-1])}) == 1


def test_a_preview_of_nothing_says_so() -> None:
    rendered = markdown.render(compose([review(read(events(), "events"))]))
    assert "Nothing changes." in rendered and "- `any resource: the preview has none`" in rendered


def test_apps_of_one_name_in_two_namespaces_are_told_apart() -> None:
    places = [("a", "shop"), ("b", "shop"), ("b", "mail")]
    steps = [step("create", RUN, f"{at}-{app}", None, run(namespace=at, app=app)) for at, app in places]
    rendered = markdown.render(compose([reviewed(*steps)]))
    assert [line.split("|")[1].strip() for line in rendered.splitlines() if "first run" in line] == [
        "`a/shop/schema`", "`mail/schema`", "`b/shop/schema`",
    ]  # fmt: skip
