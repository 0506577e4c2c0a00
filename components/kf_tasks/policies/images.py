"""Rules about images: that they are the very ones that were reviewed, and from where they come."""

from __future__ import annotations

from typing import Any

from .readers import apps
from .rule import TEXTS, Rule, Settings, Violations, is_one_of, setting


def _digests(args: Any, _: Settings) -> Violations:
    for app in apps(args):
        if app.image and "@" not in app.image and not app.resolve_tag:
            yield app.urn, f"{app} has image {app.image}, which may be another one tomorrow"


def _sources(args: Any, settings: Settings) -> Violations:
    for app in apps(args):
        for image in (app.image, app.builder):
            if image and settings["allowed"] and not is_one_of(image, settings["allowed"]):
                yield app.urn, f"{app} uses image {image}, which is none of {', '.join(settings['allowed'])}"


RULES = (
    Rule(
        "image-digest",
        "Images are named by their digest.",
        "A tag may be moved: what was reviewed and what runs are then two things, and nothing says so.",
        "name the image by its digest (…@sha256:…), build it with source=…, or set resolve_tag=True",
        _digests,
    ),
    Rule(
        "image-source",
        "Images come from where they may come from.",
        "What runs in the cluster has its rights: it should come from registries that somebody looks after.",
        "use an image from there, or add this one to `allowed`",
        _sources,
        {"allowed": setting(TEXTS, [], "images with * and ?, such as 'registry.example.com/*'; without any, all are")},
        severity="high",
    ),
)  # fmt: skip
