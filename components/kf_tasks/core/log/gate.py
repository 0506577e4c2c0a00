"""What every text passes that leaves us: lines of an update, errors, answers of `kf`, what a record keeps.

Names, reasons and results come from whoever may write to the cluster or the archive. Nothing in them may act on a
terminal or on the engine, which reads colour marks of its own, and no secret that this process has read may
stand in them. One place, so that no caller has to remember it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterable

from ..run.outcome import Outcome
from .masking import Masker
from .reader import harmless

_known = Masker()


def learn(values: Iterable[str]) -> None:
    """Hides these values in all that this process shows from now on."""
    _known.add(values)


def shown(text: str, masker: Masker = _known) -> str:
    """`text` without secrets, control sequences and colour marks; lines stay lines."""
    plain = harmless(masker.mask(text))
    return masker.mask(plain) if "\x1b" in text else plain  # a colour in the middle of a secret is gone by now


def one_line(text: str) -> str:
    """`shown`, on one line."""
    return shown(" ".join(text.split()))


def ended(found: Outcome, masker: Masker) -> Outcome:
    """How a run ended, with the secrets that it had hidden in sentence, reason and results."""
    words = _known if masker.blind else masker  # a log of which nothing is known says nothing against our own sentence
    results = {shown(name, words): shown(text, masker) for name, text in found.results.items()}
    return replace(found, sentence=shown(found.sentence, words), reason=shown(found.reason, words), results=results)


def harmless_data(data: Any) -> Any:
    """Plain data whose texts, names included, are harmless; what is neither text, map nor list stays as it is."""
    if type(data) is str:
        return harmless(data)
    if type(data) is dict:
        return {harmless_data(name): harmless_data(item) for name, item in data.items()}
    return [harmless_data(item) for item in data] if type(data) in (list, tuple) else data
