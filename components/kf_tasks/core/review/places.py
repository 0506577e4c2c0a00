"""Apps of one name in several namespaces told apart, wherever a reader sees the name alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import Any

from .model import Decisions, Review

_PLACED = ("dropped", "kept", "ran", "planned", "changes", "templates")  # of a review: what names an App
_UNKNOWN = "a namespace known later"


def told_apart(review: Review) -> Review:
    """The review with `namespace/app` in place of the name of an App that more than one namespace has."""
    decided = {one.name: getattr(review.decisions, one.name) for one in fields(Decisions)}
    placed: dict[str, Any] = {name: getattr(review, name) for name in _PLACED}
    places = {(one.namespace, one.app) for found in (*decided.values(), *placed.values()) for one in found}
    often = Counter(app for _, app in places)

    def named(one: Any) -> Any:
        return replace(one, app=f"{one.namespace or _UNKNOWN}/{one.app}") if often[one.app] > 1 else one

    if len(often) == len(places):
        return review
    decisions = Decisions(**{name: tuple(map(named, found)) for name, found in decided.items()})
    apart: dict[str, Any] = {name: tuple(map(named, found)) for name, found in placed.items()}
    return replace(review, decisions=decisions, **apart)
