"""One error class for bad input, so that every shell above can show its text and nothing else."""

from __future__ import annotations


class InvalidInput(ValueError):
    """What is wrong, with which resource, and what to do: the text is for the person at the terminal."""
