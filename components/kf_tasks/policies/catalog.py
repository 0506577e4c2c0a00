"""All rules of `kf-policies`, in the order of its documentation."""

from __future__ import annotations

from . import confinement, history, images, production, secrecy, times
from .rule import Rule


def rules(detect: secrecy.Detector) -> list[Rule]:
    """Them; `detect` says which variables look like secrets."""
    return [
        *images.RULES,
        *times.RULES,
        *history.RULES,
        *confinement.RULES,
        *production.RULES,
        secrecy.SHORT,
        secrecy.plain_secrets(detect),
    ]
