"""Secret values must not reach a terminal, a state file or a kept log, in any of the forms they take.

A value is hidden as it stands, line by line, base64 and URL-encoded. Values below six characters
are left alone: they would blot out ordinary words and hide nothing.
"""

from __future__ import annotations

import base64
import re
from typing import Iterable, List, Optional, Set
from urllib.parse import quote, quote_plus

SHORTEST = 6
MASK = "[secret]"


class Masker:
    """Replaces every form of the given secret values by `[secret]`."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        found: Set[str] = set()
        for value in values:
            for text in (value, *value.splitlines()):
                found |= {form for form in _forms(text.strip("\r\n")) if len(form) >= SHORTEST}
        ordered = sorted(found, key=lambda form: (-len(form), form))
        self.longest = len(ordered[0]) if ordered else 0
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def mask(self, text: str, limit: Optional[int] = None) -> str:
        """The first `limit` characters of `text` without secrets; one that begins among them is hidden as a whole."""
        end = len(text) if limit is None else min(limit, len(text))
        shown, at = [], 0
        for found in self._pattern.finditer(text) if self._pattern else ():
            if found.start() >= end:
                break
            shown += [text[at : found.start()], MASK]
            at = found.end()
        return "".join([*shown, text[at:end]])


def _forms(value: str) -> List[str]:
    if len(value) < SHORTEST:
        return []
    raw = value.encode("utf-8", "surrogatepass")
    forms = [value, quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")]
    # Base64 depends on the position modulo 3: the characters that only this value decides are searched for.
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode()
        first = (lead * 8 + 5) // 6
        whole = (lead + len(raw)) * 8 // 6
        forms += [encoded[first:whole], encoded[first:whole].translate(str.maketrans("+/", "-_"))]
    return forms
