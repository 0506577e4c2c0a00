"""How whoever works tells what becomes of it, without knowing who shows it: the engine, a terminal, or nobody."""

from __future__ import annotations

from typing import Protocol


class Say(Protocol):
    """Takes one line about the work."""

    def __call__(self, text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
        """Shows `text`; a `warning` stands out, an `ephemeral` line is a status that the next one replaces."""


def nobody(text: str, *, warning: bool = False, ephemeral: bool = False) -> None:
    """Shows nothing: for work whose end alone is told."""
