"""Secret values must not reach a terminal, a state file or a kept log, in any of the forms they take.

A value is hidden as it stands, line by line, in base64, URL-encoded, as text of JSON and XML and in shell quotes.
Values below six characters are left alone: they would blot out ordinary words and hide nothing.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from html import escape
from typing import Dict, Iterable, Iterator, List, Optional, Set, Tuple
from urllib.parse import quote, quote_plus

from .search import Search

SHORTEST = 6
LONGEST = 1024  # what is longer is searched for in pieces: a file of a megabyte is no pattern, and no line's length
WRAPPED, BYTES_A_LINE = (76, 64), 48  # columns after which `base64` and PEM begin a new line
MASK = "[secret]"
_PLAIN = re.compile("[A-Za-z0-9_.~-]*")  # what is written as it is everywhere but in base64
_ENCODED = re.compile("%[0-9A-F]{2}")
_URL_SAFE = str.maketrans("+/", "-_")
_IN_HTML = re.compile("[<>&]")  # what Go's JSON, PHP's and Rails' escape further


class Masker:
    """Replaces every form of the given secret values by `[secret]`; `add` makes it know more of them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: Dict[str, Set[str]] = {}  # by their beginning
        self._search: Optional[Search] = None  # for these forms, when it is needed
        self._lock = threading.Lock()
        self.longest = 0
        self.blind = False
        self.add(values)

    def add(self, values: Iterable[str]) -> None:
        """Hides these values too from now on, also in what other threads are masking."""
        with self._lock:
            forms = {beginning: set(found) for beginning, found in self._forms.items()}
            for piece in {*self._new(values)}:
                self.longest = max(self.longest, len(piece))
                forms.setdefault(piece[:SHORTEST], set()).add(piece)
            if forms != self._forms:
                self._forms, self._search = forms, None

    @staticmethod
    def _new(values: Iterable[str]) -> Iterator[str]:
        for value in values:
            lines = [line.strip("\r\n") for line in (value, *value.splitlines())]
            for text in dict.fromkeys([*lines, *(line.strip() for line in lines)]):
                for form in {*_forms(text)}:
                    yield from _pieces(form)

    def hide_all(self) -> None:
        """Hides every text from now on: what is secret is not known."""
        self.blind, self.longest = True, max(self.longest, 1)

    def mask(self, text: str, limit: Optional[int] = None) -> str:
        """The first `limit` characters of `text` without secrets; one that begins among them is hidden as a whole."""
        end = len(text) if limit is None else min(limit, len(text))
        shown, at = [], 0
        for start, stop in self.spans(text):
            if start >= end:
                break
            shown += [text[at:start], MASK]
            at = stop
        return "".join([*shown, text[at:end]])

    def settled(self, text: str) -> str:
        """`text` without an ending that is the beginning of a secret: the rest of it may be on its way."""
        for length in range(min(self.longest - 1, len(text)), SHORTEST - 1, -1):
            ending = text[-length:]
            if any(form != ending and form.startswith(ending) for form in self._forms.get(ending[:SHORTEST], ())):
                return text[:-length]
        return text

    def spans(self, text: str) -> List[Tuple[int, int]]:
        """Where secrets stand; those that overlap or touch are one."""
        if self.blind:
            return [(0, len(text))] if text else []
        forms, search = self._prepared()
        spans: List[Tuple[int, int]] = []
        for start in search.starts(text):
            found = [form for form in forms.get(text[start : start + SHORTEST], ()) if text.startswith(form, start)]
            stop = start + max(map(len, found), default=0)
            if found and spans and start <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(stop, spans[-1][1])
            elif found:
                spans.append((start, stop))
        return spans

    def _prepared(self) -> Tuple[Dict[str, Set[str]], Search]:
        with self._lock:
            if self._search is None:
                self._search = Search(form for forms in self._forms.values() for form in forms)
            return self._forms, self._search


def _pieces(form: str) -> List[str]:
    if len(form) <= LONGEST:
        return [form] if len(form) >= SHORTEST else []
    size = -(-len(form) // -(-len(form) // LONGEST))
    pieces = [form[at : at + size] for at in range(0, len(form), size)]
    return [piece for piece in pieces if len(piece) >= SHORTEST]


def _forms(value: str) -> List[str]:
    if len(value) < SHORTEST:
        return []
    raw = value.encode("utf-8", "surrogatepass")
    forms = [value] if _PLAIN.fullmatch(value) else [value, *_url_encoded(value), *_quoted(value)]
    for width in WRAPPED if len(raw) > BYTES_A_LINE else ():  # one line of base64 is none of another's forms
        encoded = base64.b64encode(raw).decode()
        forms += [encoded[at : at + width].rstrip("=") for at in range(0, len(encoded), width)]
    # Base64 depends on the position modulo 3: the characters that only this value decides are searched for.
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode()
        first = (lead * 8 + 5) // 6
        whole = (lead + len(raw)) * 8 // 6
        forms += [encoded[first:whole], encoded[first:whole].translate(_URL_SAFE)]
    return forms


def _quoted(value: str) -> List[str]:
    """As text of JSON and XML, and in shell quotes as `set -x` prints them."""
    forms = []
    for text in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        forms += [text, text.replace("/", "\\/"), _IN_HTML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)]
    forms += [escape(value, quote=False), escape(value), escape(value).replace("&#x27;", "&apos;")]
    forms.append(escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"))
    return forms + [value.replace("'", quoted) for quoted in ("'\\''", "'\"'\"'")]


def _url_encoded(value: str) -> List[str]:
    """As Python, browsers (encodeURIComponent) and what writes small digits encode it."""
    forms = {quote(value, safe=safe, errors="replace") for safe in ("", "/", "!'()*")}
    forms.add(quote_plus(value, errors="replace"))
    return [*forms, *(_ENCODED.sub(lambda found: found[0].lower(), form) for form in forms)]
