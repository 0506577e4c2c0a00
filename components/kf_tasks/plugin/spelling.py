"""Errors and descriptions as a program in another language is told them: arguments and values as it writes them."""

from __future__ import annotations

import functools
import re

from .names import arguments, camel

_LITERALS = {"True": "true", "False": "false", "None": "null"}


def spelt(text: str) -> str:
    """`set must_succeed=True` as `set mustSucceed: true`; what is no argument stays to the letter."""
    given, named = _patterns()
    text = given.sub(lambda found: f"{camel(found[1])}: {_LITERALS.get(found[2], found[2])}", text)
    return named.sub(lambda found: camel(found[0]), text).replace("True or False", "true or false")


def described(text: str) -> str:
    """A docstring, which nobody but us has written a value into."""
    return re.sub(r"\b(True|False|None)\b", lambda found: found[0].lower(), spelt(text))


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """An argument with the beginning of its value, and one whose name Python spells in another way."""
    names = sorted(arguments())
    longer = [name for name in names if "_" in name]
    values = r"True|False|None|…|[\d'\"\[{]|[A-Z]\w*\("
    return re.compile(rf"\b({'|'.join(names)})=({values})"), re.compile(rf"\b({'|'.join(longer)})\b")
