"""What may be secret by the place where it stands: in a column, behind an option, in a tuple.

Tables as RFC 4180 and those who write them have them, with any of four delimiters; the options of a command line, also
those whose value is glued to their letter (`mysql -pX`); tuples and calls of Erlang, Elixir, PHP and Python
(`{password, "X"}`, `define('PASSWORD', 'X')`).
"""

from __future__ import annotations

import csv
import io
import re
from typing import Iterator, List, Tuple

from .masking import SHORTEST
from .secret_names import is_called_open, is_called_secret

Part = Tuple[str, str, bool]  # its name, its text, and whether it is secret whatever its name is

_DELIMITERS = ",;\t|"
_BRACKETS = ("", *"{[(<%")  # no table begins so, and of a row that nobody names no cell
_HEADING = re.compile(r"[A-Za-z_][\w .()/-]{0,63}")
_OF_PAIRS = re.compile(r"(key|name|variable|setting|property|option)", re.IGNORECASE)
_STRING = r"\"(?:[^\"\\]|\\.){0,256}\"|'(?:[^'\\]|\\.){0,256}'"
_OPTION = re.compile(rf"(?<!\S)--?([A-Za-z][\w.-]{{1,63}})(?:\s{{1,8}}|=)({_STRING}|[^\s\"'-]\S*)")
_LETTER = re.compile(rf"(?<!\S)-([pPawuU])(\s{{0,8}})({_STRING}|[^\s\"'-]\S*)")
_CLIENT = re.compile(r"\b(mysql|mariadb)")  # -pX is a password of these, whatever it looks like
_LONG_NAME = re.compile(r"[A-Za-z-]+(=.*)?")  # behind the first letter of an option with one dash, as Go has them
_USER = re.compile(r"[^:%/]{1,64}[:%](.+)", re.DOTALL)
_TUPLE = re.compile(
    rf"[{{(\[]\s{{0,8}}(?:<<)?([:\"']?)([\w.@-]{{1,64}})[\"']?(?:>>)?\s{{0,8}}"
    rf"((?:[,.]\s{{0,8}}(?:<<)?(?:{_STRING})(?:>>)?\s{{0,8}})+)"
)
_MEMBER = re.compile(_STRING)


def placed(text: str) -> Iterator[Part]:
    """What may be secret in a text by its place; as it is written there, with its quotes where it has some."""
    for delimiter in _DELIMITERS:
        yield from _cells(text, delimiter)
    for line in text.splitlines():
        yield from _options(line)
    yield from _members(text)


def _cells(text: str, delimiter: str) -> Iterator[Part]:
    if delimiter not in text or text[:1] in _BRACKETS:
        return
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error:
        return
    rows = [[cell.strip() for cell in row] for row in rows]
    width = len(rows[0]) if rows else 0
    if width < 2 or any(len(row) != width for row in rows):
        return
    if len(rows) == 1 or not all(_HEADING.fullmatch(cell) for cell in rows[0]):
        for row in rows:
            yield from _of_row(row)
        return
    heading, *rest = rows
    yield from _of_row([cell for cell in heading if not _may_be_name(cell)])
    of_pairs = width == 2 and bool(_OF_PAIRS.fullmatch(heading[0]))
    for row in rest:
        if not of_pairs:
            for name, cell in zip(heading, row):
                yield name, cell, False
        if width == 2 and " " not in row[0]:
            yield row[0], row[1], False


def _of_row(row: List[str]) -> Iterator[Part]:
    """The cells of a row of which nobody says what they are; what is a pair or prose is read elsewhere."""
    for cell in row:
        if cell[:1] not in _BRACKETS and not any(sign in cell for sign in (" ", "=", "://")):
            yield "", cell, False
    if len(row) == 2 and " " not in row[0]:
        yield row[0], row[1], False


def _options(line: str) -> Iterator[Part]:
    for name, value in _OPTION.findall(line):
        if is_called_secret(name) and not is_called_open(name):
            yield name, value, False
    is_client = bool(_CLIENT.search(line))
    for letter, blank, value in _LETTER.findall(line):
        inner = value[1:-1] if value[0] in "\"'" else value
        user = _USER.fullmatch(inner) if letter in "uU" else None
        if user:
            yield "", user[1], len(user[1]) >= SHORTEST and not user[1].isdecimal()
        elif letter == "p" and not blank and is_client:
            yield "password", value, True
        elif letter in "pPaw" and (blank or (letter in "pP" and not _LONG_NAME.fullmatch(inner))):
            yield "", value, False


def _members(text: str) -> Iterator[Part]:
    for sign, name, members in _TUPLE.findall(text):
        if sign in ("'", '"') and not _may_be_name(name):
            yield "", name, False
        for member in _MEMBER.findall(members):
            yield name, member, False


def _may_be_name(text: str) -> bool:
    """Whether a text may be the name of something: few have digits, and most secrets do."""
    return not any(sign.isdigit() for sign in text)
