"""What a rule is: a question to what a stack declares, with settings, a reason and what to do."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .inputs import plain

Settings = Mapping[str, Any]
Violations = Iterator[tuple[str, str]]  # the URN that it is about, and the sentence

SPAN = {"type": "string", "pattern": r"^([1-9]\d*d)?([1-9]\d*h)?([1-9]\d*m)?([1-9]\d*s)?$", "minLength": 2}
COUNT = {"type": "integer", "minimum": 0}
TEXTS = {"type": "array", "items": {"type": "string"}}
STACKS = ["prod", "production", "live", "prod-*", "*-prod", "production-*", "*-production", "live-*", "*-live"]
PRODUCTION = {"stacks": {**TEXTS, "default": STACKS, "description": "the stacks that it is about, with * and ?"}}


@dataclass(frozen=True)
class Rule:
    """One rule.

    - `name`: what the pack's configuration calls it. `says`: what it asks for. `reason`: why. `advice`: what to do.
    - `check`: gives the violations among the arguments of a policy, under its settings.
    - `settings`: the JSON schema of each, with its default and what it means.
    - `whole`: it needs the whole stack at once, so it is asked at the end of a preview or an update.
    - `severity`: low, medium, high or critical.
    """

    name: str
    says: str
    reason: str
    advice: str
    check: Callable[[Any, Settings], Violations]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    whole: bool = False
    severity: str = "medium"

    @property
    def defaults(self) -> dict[str, Any]:
        """What its settings are where the configuration says nothing."""
        return {name: schema["default"] for name, schema in self.settings.items()}

    def violations(self, args: Any, configured: Settings | None = None) -> Violations:
        """The URN and the sentence of each violation, with what to do; what is not configured is at its default."""
        given = {name: plain(configured, name) for name in configured or ()}
        for urn, sentence in self.check(args, {**self.defaults, **given}):
            yield urn, f"{sentence}: {self.advice}"


def setting(schema: Mapping[str, Any], default: Any, says: str) -> dict[str, Any]:
    """A setting of a rule."""
    return {**schema, "default": default, "description": says}


def is_one_of(name: str, patterns: Sequence[str]) -> bool:
    """Whether a name is one of those that patterns with * and ? describe; letters count as they are."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
