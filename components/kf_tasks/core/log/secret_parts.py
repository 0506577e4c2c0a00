"""What of a secret is to be hidden: the whole of it, and each secret that is written down in it.

Programs print the password that they took out of a URL, a connection string or a document, not what they
were given. So a value is taken apart as its readers do it: JSON, XML, URLs, base64, `user:password`, pgpass,
netrc, `name=value` in lines (dotenv, INI, YAML) or in a row (ADO, JDBC, libpq, queries), and what is told by its place
(tables, command lines, tuples). Rather too much is hidden than too little; names of places and people, and words that
no name calls secret, stay readable.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any, Dict, Iterator, List
from urllib.parse import unquote, unquote_plus

from ..run.bindings import VCAP_SERVICES
from .masking import SHORTEST
from .secret_names import is_called_open, is_called_secret, is_secret, is_word
from .secret_places import Part, placed

DEEPEST = 5  # a password in a URL in JSON in base64 in a dotenv file
LONGEST, BUDGET = 64 * 1024, 256 * 1024  # characters of one text, and of all, in which pairs are looked for
LONGEST_LINE, MOST = 4096, 32  # of a line with a URL; of its URLs, and of the places where a password may end
DOCUMENT = 40  # characters from which on a text that begins with a bracket is taken for a document

# In quotes, or in ODBC's brackets, stands what else would separate; bounded, for nothing may close them, and whether
# anything may close a bracket is looked at first.
_BRACKETS = r"\{(?=[^}]{0,256}\})(?:[^}]|\}\}){0,256}\}"
_QUOTED = rf"\"(?:[^\"\\]|\\.|\"\"){{0,256}}\"|'(?:[^'\\]|\\.|''){{0,256}}'|'(?:[^']|''){{0,256}}'|{_BRACKETS}"
_SEPARATORS = (r"\n", r";\n", r"?&\n", r"?&#\n", r",{}\[\]\n", r"\s", r";\s")
_ROWS = [re.compile(form) for one in _SEPARATORS for form in (f"[^{one}]+", f"(?:{_QUOTED}|[^{one}])+")]
_NAME = re.compile(
    r"[-:\"']*(?:export )?([\w.@$/][\w.@$/ -]{0,63}?)(?:[\"']\s{0,8}(?:=>|[=:])|\s{0,8}(?:=>|:=|->|=|:(?=\s)))\s*"
)
_NAMED = re.compile(
    r"\b([\w-]{0,40}(?:pass|secret|token|api[-_]?key)[\w-]{0,40}|account|bearer|basic|identified by)"
    rf"\s{{1,8}}(?![\s=:]|access key)({_QUOTED}|\S+)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"- +")
_FIELD = re.compile(r"(?<!\\):")
_URL = re.compile(r"://|:thin:")
_DSN = re.compile(r"(?!jdbc:)[^\s:/@]+:(?!//|\s)")  # user and password, which may hold what a URL has
_NO_PASSWORD = ("@", "x-oauth-basic@")  # behind a token that stands where a user's name does
_XML = re.compile(r"<[?!A-Za-z]")
_ELEMENT = re.compile(r"<([\w:.-]+)[^<>]*>\s*(?:<!\[CDATA\[((?:[^]]|\](?!\]>))*)\]\]>|([^<]+))")
_ATTRIBUTE = re.compile(r"([\w:.-]{1,64})\s{0,8}=\s{0,8}(?:\"([^\"]*)\"|'([^']*)')")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_KEY_FILE = "-----BEGIN "


@dataclass(frozen=True)
class Parts:
    """`hidden` are the texts to hide; `short` names those that are secret but too short for that.

    `opaque` is whether it looks like a document and nothing was found in it: hidden are the whole and its lines.
    """

    hidden: List[str]
    short: List[str]
    opaque: bool


def parts(key: str, value: str) -> Parts:
    """The texts to hide that the value of a Secret's key holds; in VCAP_SERVICES those of its credentials."""
    whole = value.strip()
    found: Dict[str, str] = {whole: key}
    is_short = 0 < len(whole) < SHORTEST and key != VCAP_SERVICES  # `{}` has no credentials
    short: Dict[str, None] = {key: None} if is_short else {}
    level, budget = [(key, whole)], BUDGET
    for _ in range(DEEPEST):
        above, level = level, []
        for owner, text in above:
            budget -= len(text)
            for name, part, certain in _within(owner, text, searched=budget > 0):
                part = part.strip()
                if not part or part in found or not (certain or is_secret(name, part)):
                    continue
                name = name or owner
                if len(part) >= SHORTEST:
                    level.append((name, part))
                elif (certain and not is_called_open(name)) or is_called_secret(name):
                    short[name] = None
                found[part] = name
    lines = [line.strip() for line in whole.splitlines()]
    if len(found) == 1 and len(lines) > 1 and _KEY_FILE not in whole and any(0 < len(it) < SHORTEST for it in lines):
        short[f"a line of {key}"] = None
    broken = "\ufffd" in whole or not "".join(whole.split()).isprintable()
    document = len(whole) >= DOCUMENT and whole[0] in "{[<"
    understood = _KEY_FILE in whole or _json(whole) is not None  # of JSON without a secret, such as a volume's binding
    opaque = len(found) == 1 and (broken or document or len(whole) > LONGEST) and not understood
    return Parts([text for text in found if len(text) >= SHORTEST], list(short), opaque)


def _within(owner: str, text: str, *, searched: bool) -> Iterator[Part]:
    """What may be secret in a text, in whichever of the ways it can be read."""
    data = _json(text)
    if data is not None:
        yield from _credentials(data) if owner == VCAP_SERVICES else _leaves(owner, data)
        return
    for reading in _readings(text):
        yield owner, reading, True
    if _XML.match(text):
        yield from _xml(text)
        return
    yield from _decoded(owner, text)
    if not searched or len(text) > LONGEST:
        return
    for row in _ROWS:
        for piece in row.findall(text):
            yield from _pair(piece.strip())
    for found in _NAMED.finditer(text):
        for reading in (found[2].strip("\"'"), found[2].rstrip(";,)"), *_readings(found[2])):
            yield found[1], reading, len(found[2]) >= SHORTEST
    for name, written, certain in placed(text):
        for reading in (written, *_readings(written)):
            yield name, reading, certain
    for line in text.splitlines():
        yield from _line(owner, line.strip(), alone="\n" not in text)


def _line(owner: str, line: str, *, alone: bool) -> Iterator[Part]:
    if not alone and (line[:1] in ("{", "[") or _ITEM.match(line)):
        yield owner, _ITEM.sub("", line, count=1), True
    starts = [(found.end(), found[0]) for found in islice(_URL.finditer(line), MOST)]
    if not starts or _DSN.match(line):
        starts.append((0, ""))
    for start, sign in starts:
        yield from _user_info(owner, line[start : start + LONGEST_LINE], sign)
    fields = _FIELD.split(line)
    if len(fields) > 4:  # pgpass: host, port, database, user
        yield owner, _ESCAPE.sub(r"\1", ":".join(fields[4:])), True
    if len(fields) > 1 and "://" not in line and len(line.split()) == 1 and not is_word(line):
        rest = line.partition(":")[2]
        yield owner, rest, not rest.isdecimal()


def _user_info(owner: str, text: str, sign: str) -> Iterator[Part]:
    """The password before `@`; one may hold `@`, `/` and `#`, though it should not: every end is one."""
    user, colon, rest = text.partition("/" if sign == ":thin:" else ":")
    if "@" in user and sign:
        yield owner, user.partition("@")[0], False  # a token in place of user and password
    elif colon and "/" not in user and "@" not in user:
        if rest.startswith(_NO_PASSWORD):
            yield owner, user, True
        strict = re.split("[/?#]", rest, maxsplit=1)[0].rfind("@")
        for end in (found.start() for found in islice(re.finditer("@", rest), MOST)):
            for reading in (rest[:end], unquote(rest[:end])):
                if end == strict or len(reading) >= SHORTEST:
                    yield "password", reading, True


def _pair(piece: str) -> Iterator[Part]:
    found = _NAME.match(piece)
    if found:
        value = piece[found.end() :]
        for reading in (value, *_readings(value)):
            yield found[1], reading, False


def _readings(text: str) -> Iterator[str]:
    """What a text means where it is quoted or escaped."""
    inner = text[1:-1] if text[:1] + text[-1:] in ('""', "''", "{}") and len(text) > 2 else text
    if inner is not text:
        yield inner
        yield inner.replace(text[-1] * 2, text[-1])
    if "\\" in inner:
        yield _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), inner)
    if "%" in inner and "://" not in inner:
        yield unquote(inner)
        yield unquote_plus(inner)


def _xml(text: str) -> Iterator[Part]:
    for pattern in (_ELEMENT, _ATTRIBUTE):
        for name, first, second in pattern.findall(text):
            yield name, first or second, False
            yield name, unescape(first or second), False


def _decoded(owner: str, text: str) -> Iterator[Part]:
    encoded = "".join(text.split())
    if not _BASE64.fullmatch(encoded):
        return
    digits = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        found = base64.b64decode(digits + "=" * (-len(digits) % 4)).decode()
    except ValueError:
        return
    if "".join(found.split()).isprintable():
        yield owner, found, True


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in ("{", "[", '"') else None
    except (ValueError, RecursionError):
        return None


def _credentials(data: Any) -> Iterator[Part]:
    for group in data.values() if isinstance(data, dict) else ():
        for entry in group if isinstance(group, list) else ():
            yield from _leaves("credentials", entry.get("credentials") if isinstance(entry, dict) else None)


def _leaves(name: str, data: Any) -> Iterator[Part]:
    if isinstance(data, dict):
        for key, item in data.items():
            yield from _leaves(key, item)
    elif isinstance(data, list):
        for item in data:
            yield from _leaves(name, item)
    elif isinstance(data, str):
        yield name, data, True
    elif data is not None and not isinstance(data, bool) and len(json.dumps(data)) >= SHORTEST:
        yield name, json.dumps(data), True
