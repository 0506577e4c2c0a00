"""Which of what is written down beside each other is secret: as far as its name tells, and what it looks like."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"pass|pwd|pw$|secret|token|key|auth|cred|sig|cert|sas$|code|bearer|private|value|pin$|identifiedby"
)
_OPEN = re.compile(
    r"(^id|host|server|datasource|addr|address|endpoint|suffix|port|user|userid|uid|login|machine|database|catalog|schema"
    r"|name|driver|provider|type|scheme|protocol|region|charset|encoding|mode|version|xmlns)$"
)
_WORD = re.compile(r"[A-Za-z]{1,15}|[0-9.:]+")


def is_called_secret(name: str) -> bool:
    """Whether a name is one of secrets."""
    return bool(_SECRET.search(_normal(name)))


def is_called_open(name: str) -> bool:
    """Whether a name is one of places, people and settings."""
    return bool(_OPEN.search(_normal(name)))


def is_word(text: str) -> bool:
    """Whether a text is a plain word or a number, such as `true`, `localhost` and `5432`."""
    return bool(_WORD.fullmatch(text))


def is_secret(name: str, text: str) -> bool:
    """Whether a value is secret: by its name, or where that tells nothing by its looks."""
    return is_called_secret(name) or not (is_called_open(name) or is_word(text))


def _normal(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
