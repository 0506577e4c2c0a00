"""What stands in the documentation: its files, and the code and commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Snippet:
    """A block of code (`language` is empty for what a terminal shows), or code within a line (language `inline`)."""

    file: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def snippets(language: str) -> list[Snippet]:
    """All of one language, in the order of files and lines."""
    return [found for page in PAGES for found in _of(page) if found.language == language]


def _of(page: Path) -> Iterator[Snippet]:
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        yield _snippet(page, text, found.start(2), found[1], found[2])
    outside = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    for found in _CODE.finditer(outside):
        yield _snippet(page, outside, found.start(1), "inline", found[1])


def _snippet(page: Path, text: str, start: int, language: str, content: str) -> Snippet:
    return Snippet(page.name, text.count("\n", 0, start) + 1, language, content)
