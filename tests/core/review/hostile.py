"""A preview in which every text that a program or a cluster chooses is the one that a test gives."""

from __future__ import annotations

import functools
import string
from typing import Any

from hypothesis import strategies as st
from kf_tasks.core.review.assembly import review
from kf_tasks.core.review.composition import compose
from kf_tasks.core.review.document import Document
from kf_tasks.core.review.preview import read

from .previews import CALENDAR, HISTORY, RUN, calendar, events, history, manifest, run, said, step, urn

ODD = "@#`|\n\r\t<>&!*_[](){}\\$~-+=:;'\"^%\u202e\u200b\u2028\x1b\x00\x07é中 "
PIECES = st.sampled_from([
    "@octocat", "#12", "`", "```", "````", "|", "\n\n", "</code>", "<script>alert(1)</script>", "-->", "<!--", "&lt;",
    "</pre>", "</details>", "![x](y)", "[x](javascript:y)", "\n# h", "\n---\n", "$`", "`$", "\\|", "\\`", "~~~", "\r",
    "https://x.example", "!1", "%2", "&x;", '" onload="', "]]>", "{{x}}", "<{%reset%}>", "\u202e",
])  # fmt: skip
# Begins with a letter, so that nothing is left out for being empty.
TEXTS = st.builds(
    lambda parts: "x" + "".join(parts), st.lists(PIECES | st.text(ODD + string.ascii_letters, max_size=5), max_size=8)
)


def document(text: str) -> Document:
    """The document in which `text` stands wherever something may, pictures included."""
    return compose([review(read(events(*previewed(text)), "events"))], pictures=True)


@functools.cache
def plain() -> Document:
    """The document in which a letter stands there, which others are compared with."""
    return document("x")


def previewed(text: str) -> list[dict[str, Any]]:
    """The events in which `text` stands wherever something may."""
    last = {"run": text, "task_id": 1, "created": "2026-11-01T00:00:00Z", "outcome": text}
    going = {**last, "task": text, "rule": text, "sure": True}
    env = [{"name": text, "value": text}]
    named: dict[str, Any] = {"app": text, "task": text, "namespace": text}
    definition = {"image": text, "argv": [text], "files": {text: "2"}}
    news = run(**named, _because=text, _last=[last], definition=definition, manifest=manifest(text, env))
    olds = run(**named, definition={"image": "before", "files": {text: "1"}}, manifest=manifest())
    largest = [{"path": text, "bytes": 1}]
    contents = {"files": 1, "bytes": 1, "largest": largest, "left_out": [text], "more_left_out": 0}
    built = {**news, "when": "build", "app": f"{text}.build", "upload": {"contents": contents}}
    labels = {"app.kubernetes.io/name": text, "kf.dev/template": "task"}
    templates = [{"metadata": {"labels": labels}, "data": {"pipelinerun.yaml": data}} for data in ("a", f"a\n{text}")]
    other = step("update", "kubernetes:core/v1:Service", text, {}, {})
    other["resourcePreEvent"]["metadata"]["detailedDiff"] = {text: {}}
    policy = dict.fromkeys(("resourceUrn", "policyPackName", "policyName", "message"), text)
    return [
        step("replace", RUN, "one", olds, news),
        step("replace", RUN, "two", {**olds, "when": "build"}, built),
        step("create", RUN, "three", None, run(**named, _starts="may", _unasked=text, cancels=[text])),
        step("update", HISTORY, "h", history(), history(**named, keep=1, _deletions=[going], _reach=text)),
        step("delete", HISTORY, "gone", history(**named)),
        step("update", CALENDAR, "c", calendar(), calendar(**named, schedule=text, time_zone=text)),
        step("update", CALENDAR, "d", calendar(**named), calendar(**named, schedule="0 5 * * *", _last=[last])),
        step("update", "kubernetes:core/v1:ConfigMap", "t", *templates),
        other,
        said("warning", text, urn("kf:index:App", text)),
        said("error", text, text),
        said("info", text, urn("some:other:Type", text)),
        {"policyEvent": {**policy, "enforcementLevel": "mandatory"}},
        {"policyEvent": {**policy, "enforcementLevel": "advisory"}},
    ]
