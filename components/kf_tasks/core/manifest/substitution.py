"""`((name))` in a text, replaced after YAML has been parsed, so that a value can never become syntax.

One pass: a value that holds `((other))` is text. A text that is nothing but a variable becomes its value with
its type. `$((` begins shell arithmetic and is left alone, although Cloud Foundry replaces within it.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from ..errors import InvalidInput
from .nodes import Absent, Secret, Text, kind, node, written

MOST_INSERTED = 4 * 1024 * 1024  # characters: a long value in many places is a bomb too
_TOKEN = re.compile(
    r"(?P<arithmetic>\$\(\()"
    r"|\(\((?P<name>[-.\w]+)\)\)"
    r"|\(\(\s*(?P<default>[-.\w]+\s*:[^()\n]*)\)\)"
    r"|\(\((?P<spaced>\s+[-.\w]+\s*|[-.\w]+\s+)\)\)"
)
_PARENTHESES = re.compile(r"[()]")
_NAME = re.compile(r"\(\(([-.\w]+)\)\)")
Tell = Callable[[str, str], None]  # kind and sentence


class Substitution:
    """The values of variables; those in `Secret` mark every text that they are inserted into."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._inserted = 0

    def insert(self, text: Text, line: int, tell: Tell) -> Any:
        """`text` with its variables' values; `tell` gets what is wrong with it, and the result is then Absent."""
        if "((" not in text:
            return text
        whole = _NAME.fullmatch(text)
        if whole:
            return self._whole(whole[1], text, line, tell)
        parts: List[str] = []
        closing: Optional[Dict[int, int]] = None
        secrets: Tuple[str, ...] = ()
        absent, at = False, 0
        while found := _TOKEN.search(text, at):
            parts.append(text[at : found.start()])
            at = found.end()
            if found["arithmetic"]:
                closing = _closing(text) if closing is None else closing
                at = _end_of_arithmetic(text, found.start(), closing)
                parts.append(text[found.start() : at])
                self._warn_arithmetic(parts[-1], tell)
            elif found["default"]:
                tell("problem", f"{found[0]}: defaults are not supported: give the variable a value in every stack")
                absent = True
            elif found["spaced"]:
                parts.append(found[0])
                right = f"(({found[0][2:-2].strip()}))"
                tell("spaced", f"{found[0]!r} is kept as text, it looks like a variable with blanks: write {right}")
            else:
                value, names = self._value(found["name"], tell)
                secrets += names
                absent = absent or value is Absent
                if isinstance(value, (dict, list)):
                    tell("problem", f"variable {found[0]} {kind(value)}: it cannot stand within a text")
                    absent = True
                parts.append("" if absent else written(value))
                self._count(parts[-1], line)
        parts.append(text[at:])
        if absent:
            return Absent(str(text))
        result = "".join(parts)
        return Text(result, None, None, secrets) if result != text else text

    def _whole(self, name: str, text: Text, line: int, tell: Tell) -> Any:
        value, secrets = self._value(name, tell)
        if value is Absent:
            return Absent(str(text))
        self._count(str(value), line)
        return node(value, line, secrets)

    def _value(self, name: str, tell: Tell) -> Tuple[Any, Tuple[str, ...]]:
        """A variable's value, or that of `((map.key))`; Absent if it has none."""
        value: Any = Absent
        if name in self._variables:
            value = self._variables[name]
        elif "." in name:
            first, *rest = name.split(".")
            value = self._variables.get(first, Absent)
            secret = isinstance(value, Secret)
            value = value.value if isinstance(value, Secret) else value
            for key in rest:
                value = value[key] if isinstance(value, Mapping) and key in value else Absent
            value = Secret(value) if secret and value is not Absent else value
        if value is Absent:
            tell(
                "problem",
                f"variable (({name})) has no value: set kf:vars.{name} in the stack's configuration "
                f"(for kf check: --var {name}=VALUE)",
            )
        return (value.value, (name,)) if isinstance(value, Secret) else (value, ())

    def _warn_arithmetic(self, text: str, tell: Tell) -> None:
        for name in dict.fromkeys(_NAME.findall(text)):
            if name in self._variables:
                said = f"{text} is kept as shell arithmetic although there is a variable {name}"
                tell("arithmetic", f"{said}: Cloud Foundry inserts its value here")

    def _count(self, text: str, line: int) -> None:
        self._inserted += len(text)
        if self._inserted > MOST_INSERTED:
            raise InvalidInput(f"line {line}: the values of variables make more than {MOST_INSERTED} characters")


def _closing(text: str) -> Dict[int, int]:
    """Where each parenthesis of a text that is closed is closed; in one pass, whatever there is of them."""
    found: Dict[int, int] = {}
    opened: List[int] = []
    for parenthesis in _PARENTHESES.finditer(text):
        if parenthesis[0] == "(":
            opened.append(parenthesis.start())
        elif opened:
            found[opened.pop()] = parenthesis.start()
    return found


def _end_of_arithmetic(text: str, start: int, closing: Mapping[int, int]) -> int:
    """Where `$((…))` ends; if it is not closed, or is no arithmetic, only its beginning is left alone."""
    end = closing.get(start + 1)
    return end + 1 if end is not None and text[end - 1] == ")" else start + 3
